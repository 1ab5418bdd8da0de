"""`python -m tests.bench [--pairs N] [NAME…]`: prints the figures and their goals; never fails for a slow machine."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.measure import Runner, once
from tests.support.raw_server import RawServer, drip, hang

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".tools" / "bench" / "bin"
OURS, PYTHON = str(BIN / "versioner-ci"), str(BIN / "python")
KEY = "sk_bench_0123456789abcdef0123456789abcdef"
BUDGET = 3.0


def say(name: str, figure: str, goal: str, *, is_met: bool) -> None:
    """One row of the table."""
    sys.stdout.write(f"{name:<44} {figure:<38} goal {goal:<16} {'met' if is_met else 'NOT MET'}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def process(*command: str) -> Iterator[list[str]]:
    """A server of the tests' in a process of its own: the lines that it prints first."""
    server = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        lines = [server.stdout.readline().strip() for _ in range(5 if "fake_slack" in command[0] else 1)]
        yield lines
    finally:
        server.terminate()
        server.wait(10)


def tracker(delay: float = 0.0) -> contextlib.AbstractContextManager[list[str]]:
    return process("tests.support.recorder", "--port", "0", "--delay", str(delay))


class Bench:
    """The figures of the issue's table, in a CI job's environment (GitHub's variables) and a real repository."""

    def __init__(self, folder: Path, pairs: int) -> None:
        self.folder = folder
        self.pairs = pairs
        self.runs = itertools.count()
        """Each figure is a CI run of its own: a `run` would join what an earlier figure's `report` left open."""
        self.repo = folder / "shop"
        self.repo.mkdir()
        for arguments in (
            ("init", "-q"),
            ("config", "user.email", "a@example.com"),
            ("config", "user.name", "A"),
            ("commit", "-q", "--allow-empty", "-m", "one"),
            ("remote", "add", "origin", "https://example.com/acme/shop.git"),
        ):
            subprocess.run(["git", *arguments], cwd=self.repo, check=True)

    def env(self, url: str = "", **more: str) -> dict[str, str]:
        """What a job on GitHub has, without its file of the event."""
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        ci = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SHA": "0123456789abcdef" * 2 + "01234567",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_RUN_ID": f"{os.getpid()}{next(self.runs)}",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_JOB": "deploy",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_ACTOR": "alice",
            "GITHUB_EVENT_NAME": "push",
            "RUNNER_TEMP": str(scratch),
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            **ci,
            "VERSIONER_API_URL": url,
            "VERSIONER_API_KEY": KEY,
            "VERSIONER_ENVIRONMENT": "production",
            **more,
        }

    def runner(self, url: str = "", **more: str) -> Runner:
        return Runner(self.env(url, **more), str(self.repo), self.pairs)

    def version(self) -> None:
        ratio, ours, theirs = self.runner().ratio([OURS, "--version"], [PYTHON, "-I", "-c", "pass"])
        self._ratio("--version : bare interpreter", ratio, ours, theirs, 2.0)

    def report(self) -> None:
        with tracker() as (url,):
            code = (
                f"import requests; requests.post('{url}/build-events/', headers={{'Authorization': 'Bearer {KEY}'}},"
                " json={'product_name': 'shop', 'version': '1', 'status': 'started'})"
            )
            command = [OURS, "report", "build", "started"]
            ratio, ours, theirs = self.runner(url).ratio(command, [PYTHON, "-c", code])
            self._ratio("report in CI : requests.post", ratio, ours, theirs, 1.3)
            bare = Runner(self._outside_ci(url), str(self.repo), self.pairs)
            ratio, ours, theirs = bare.ratio(command, [PYTHON, "-c", code])
            self._ratio("report outside CI : requests.post", ratio, ours, theirs, 1.3)

    def run(self) -> None:
        goals = {("build", 0.05): 0.8, ("build", 0.2): 0.6, ("deployment", 0.05): 2.3, ("deployment", 0.2): 1.35}
        for (kind, delay), goal in goals.items():
            with tracker(delay) as (url,):
                post = [
                    "curl",
                    "-s",
                    "-o",
                    os.devnull,
                    "-H",
                    "Content-Type: application/json",
                    "-H",
                    f"Authorization: Bearer {KEY}",
                    "-d",
                    '{"product_name":"shop","version":"1","status":"started"}',
                    f"{url}/build-events/",
                ]
                ratio, ours, theirs = self.runner(url).added(
                    [OURS, "run", kind, "--", "sleep", "1"], ["sleep", "1"], [post, post]
                )
                self._ratio(f"run {kind}, {delay * 1000:.0f} ms : two curl", ratio, ours, theirs, goal)

    def hanging(self) -> None:
        for name, behaviour in (("never answers", hang()), ("drips", drip())):
            with RawServer(behaviour) as server:
                runner = Runner(self.env(server.url, VERSIONER_TIMEOUT=str(BUDGET)), str(self.repo), 3)
                seconds = max(
                    runner.seconds(OURS, "report", "build", "started", "--key", f"{name}{n}") for n in range(3)
                )
                say(
                    f"report, tracker {name}",
                    f"{seconds:.2f} s at a budget of {BUDGET:.0f} s",
                    "budget + 0.5 s",
                    is_met=seconds <= BUDGET + 0.5,
                )

    def flush(self) -> None:
        spool = self.folder / "spool"
        more = {"VERSIONER_SPOOL_DIR": str(spool), "VERSIONER_TIMEOUT": "5"}
        fill = subprocess.run(
            [PYTHON, str(ROOT / "tests" / "bench" / "fill.py"), "1000"],
            cwd=self.repo,
            capture_output=True,
            text=True,
            check=True,
            env=self.env("http://127.0.0.1:9", **more),
        )
        with tracker() as (url,):
            done = once([OURS, "flush", "--fail-on-error"], self.env(url, **more), str(self.repo))
        left = len(list(spool.rglob("v1-*.json")))
        say(
            f"flush of {fill.stdout.strip()} kept events",
            f"{done.seconds:.2f} s, {left} left",
            "5 s",
            is_met=done.seconds <= 5 and left == 0,
        )

    def memory(self) -> None:
        with tracker() as (url,), process("tests.support.fake_slack", "--port", "0") as lines:
            slack = dict(line.split("=", 1) for line in lines)
            env = self.env(url, **{name: slack[name] for name in ("SLACK_API_URL", "SLACK_BOT_TOKEN", "SLACK_CHANNEL")})
            sizes = [once([OURS, "run", "build", "--", "sleep", "1"], env, str(self.repo)).megabytes for _ in range(3)]
        megabytes = statistics.median(sizes)
        say("resident memory of run, both sinks", f"{megabytes:.0f} MB", "60 MB", is_met=megabytes <= 60)

    def _outside_ci(self, url: str) -> dict[str, str]:
        kept = {name: value for name, value in self.env(url).items() if not name.startswith(("GITHUB", "RUNNER"))}
        return {**kept, "USER": "alice"}

    def _ratio(self, name: str, ratio: float, ours: float, theirs: float, goal: float) -> None:
        say(name, f"{ratio:.2f} × ({ours * 1000:.0f} : {theirs * 1000:.0f} ms)", f"{goal} ×", is_met=ratio <= goal)


def gitlab_hooks(bench: Bench) -> None:
    """Both hooks of the GitLab template in a shell."""
    from tests.bench import gitlab  # noqa: PLC0415 - it reads the template

    for row in gitlab.figures(bench.pairs):
        say(row.name, row.figure, row.goal, is_met=row.is_met)


def zipapp(bench: Bench) -> None:
    """The zipapp, from its second run on, against the installed command."""
    from tests.bench import zipapp as rows  # noqa: PLC0415 - it builds

    for row in rows.figures(bench.folder, bench.runner, tracker):
        say(row.name, row.figure, row.goal, is_met=row.is_met)


def github_action(bench: Bench) -> None:
    """The track action's main and post, by Node."""
    from tests.bench import github  # noqa: PLC0415 - it reads the action

    for row in github.figures(bench.pairs):
        say(row.name, row.figure, row.goal, is_met=row.is_met)


def embedded_tracker(bench: Bench) -> None:
    """The embedded tracker under load."""
    from tests.bench import tracker as figures  # noqa: PLC0415 - it needs the extra

    for row in figures.figures(bench.pairs):
        say(row.name, row.figure, row.goal, is_met=row.is_met)


def tracker_pages(bench: Bench) -> None:
    """The embedded tracker's pages over a long history."""
    from tests.bench import pages as figures  # noqa: PLC0415 - it needs the extra

    for row in figures.figures(bench.pairs):
        say(row.name, row.figure, row.goal, is_met=row.is_met)


FIGURES: dict[str, Callable[[Bench], None]] = {
    "version": Bench.version,
    "report": Bench.report,
    "run": Bench.run,
    "hanging": Bench.hanging,
    "flush": Bench.flush,
    "memory": Bench.memory,
    "gitlab": gitlab_hooks,
    "zipapp": zipapp,
    "github": github_action,
    "tracker": embedded_tracker,
    "pages": tracker_pages,
}


def main() -> None:
    """All figures, or those named."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FIGURES)}")
    options = parser.parse_args()
    if shutil.which("curl") is None:
        raise SystemExit("bench: curl is needed to compare with")
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, load {load:.1f}, "
        f"Python {platform.python_version()}, medians of {options.pairs} pairs\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.pairs)
        for name in options.names or FIGURES:
            FIGURES[name](bench)


if __name__ == "__main__":
    main()
