"""What the track action adds to a job on GitHub: `python -m tests.bench.github`, after `script/bootstrap bench`."""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.actions.release import branch, release
from tests.actions.steps import VARIABLES
from tests.bench.gitlab import BIN, BUDGET, ROOT, Row
from tests.bench.measure import once
from tests.support.raw_server import RawServer, hang
from tests.test_report_github import parsed

NODE = shutil.which("node") or "node"
REPORT = [str(BIN / "versioner-ci"), "report", "deployment"]
_RUNS = itertools.count(1)


class Job:
    """One RUNNER_TEMP, so that what is compiled once stays; each pair is a run of its own."""

    def __init__(self, folder: Path, action: Path, url: str, **more: str) -> None:
        self.folder, self.action, self.more = folder, action, more
        self.url = url
        folder.mkdir()

    def env(self) -> dict[str, str]:
        files = {name: str(self.folder / name) for name in ("GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        inputs = {"INPUT_EVENT": "deployment", "INPUT_MATRIX": "null", "VERSIONER_ENVIRONMENT": "production"}
        run = {"GITHUB_RUN_ID": f"{os.getpid()}{next(_RUNS)}", "RUNNER_TEMP": str(self.folder)}
        path = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(self.folder)}
        return {**VARIABLES, **files, **inputs, **run, **path, "VERSIONER_API_URL": self.url, **self.more}

    def track(self) -> tuple[float, float]:
        """Seconds of main and of post."""
        env = self.env()
        state = self.folder / "GITHUB_STATE"
        for left in (state, *self.folder.rglob("track.json")):
            left.unlink(missing_ok=True)
        started = self._node("track/main.mjs", env)
        kept = {f"STATE_{name}": value for name, value in parsed(state.read_text(encoding="utf-8")).items()}
        return started, self._node("track/post.mjs", {**env, **kept})

    def bare(self) -> float:
        """Seconds of what it cannot do without: Node twice, and two reports."""
        env = self.env()
        nodes = sum(self._timed([NODE, "-e", "0"], env) for _ in range(2))
        reports = ([*REPORT, "started"], [*REPORT, "--host-status", "success"])
        return nodes + sum(self._timed(command, env) for command in reports)

    def _node(self, file: str, env: Mapping[str, str]) -> float:
        return self._timed([NODE, str(self.action / "actions" / file)], env)

    def _timed(self, command: list[str], env: Mapping[str, str]) -> float:
        return once(command, env, str(self.folder)).seconds


def figures(pairs: int) -> Iterator[Row]:
    """On the vendored form, but the last."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        released = release(folder / "release")
        command = [sys.executable, "-m", "tests.support.recorder", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tracker:
            assert tracker.stdout is not None
            try:
                url = tracker.stdout.readline().strip()
                yield _added(Job(folder / "warm", released, url), pairs)
                yield _first(Job(folder / "cold", released, url))
                branched = branch(folder / "branch")
                yield _from_a_branch(Job(folder / "pip", branched, url, **_pip()), Job(folder / "again", branched, url))
            finally:
                tracker.terminate()
        yield _hanging(folder, released)


def _added(job: Job, pairs: int) -> Row:
    rows = [(sum(job.track()), job.bare()) for _ in range(pairs + 1)][1:]
    ratio = statistics.median(ours / theirs for ours, theirs in rows)
    ours, theirs = (statistics.median(column) * 1000 for column in zip(*rows, strict=True))
    figure = f"{ratio:.2f} × ({ours:.0f} : {theirs:.0f} ms)"
    return Row("track on GitHub : two node, two reports", figure, "1.3 ×", ratio <= 1.3)


def _first(job: Job) -> Row:
    """What every job on a fresh machine has: nothing is compiled yet, unless the release is."""
    ours, theirs = sum(job.track()) * 1000, job.bare() * 1000
    figure = f"{ours / theirs:.2f} × ({ours:.0f} : {theirs:.0f} ms)"
    return Row("track, a job's first : the same", figure, "1.3 ×", ours <= 1.3 * theirs)


def _pip() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT", "REQUESTS_CA"))}


def _from_a_branch(job: Job, again: Job) -> Row:
    again.more["RUNNER_TOOL_CACHE"] = job.more["RUNNER_TOOL_CACHE"] = str(job.folder)
    first, _ = job.track()
    second, _ = again.track()
    return Row("track from a branch: pip, next job", f"{first:.1f} s, then {second:.1f} s", "stated", is_met=True)


def _hanging(folder: Path, released: Path) -> Row:
    with RawServer(hang()) as server:
        job = Job(folder / "hanging", released, server.url, VERSIONER_TIMEOUT=str(BUDGET))
        started, ended = job.track()
    figure = f"{started:.1f} s and {ended:.1f} s, budgets {BUDGET:.0f} and {3 * BUDGET:.0f} s"
    is_met = started <= BUDGET + 1 and ended <= 3 * BUDGET + 1
    return Row("track on GitHub, tracker never answers", figure, "budget + 1 s", is_met)


def main() -> None:
    """Prints the rows."""
    for row in figures(int(sys.argv[1]) if sys.argv[1:] else 15):
        met = "met" if row.is_met else "NOT MET"
        sys.stdout.write(f"{row.name:<44} {row.figure:<38} goal {row.goal:<16} {met}\n")


if __name__ == "__main__":
    main()
