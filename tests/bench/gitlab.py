"""What both hooks on GitLab add to a job: `python -m tests.bench.gitlab`, after `script/bootstrap bench`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Runner, once
from tests.gitlab.jobs import KEY, VARIABLES, job
from tests.support.raw_server import RawServer, hang

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".tools" / "bench" / "bin"
REPORT = [str(BIN / "versioner-ci"), "report", "deployment"]
BUDGET = 3.0
SH = "dash"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, and whether it reaches its goal."""

    name: str
    figure: str
    goal: str
    is_met: bool


def figures(pairs: int) -> Iterator[Row]:
    """Both figures; the core is on PATH, compiled and not in place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        definition = job(environment="production")
        before, after = (_script(folder, hook, definition[hook]) for hook in ("before_script", "after_script"))
        empty = _script(folder, "empty", ["true"])
        yield _added(folder, pairs, both=_both(before, after), bare=_both(empty, empty))
        yield _hanging(folder, before, after)


def _added(folder: Path, pairs: int, *, both: list[str], bare: list[str]) -> Row:
    command = [sys.executable, "-m", "tests.support.recorder", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tracker:
        assert tracker.stdout is not None
        try:
            runner = Runner(_env(folder, tracker.stdout.readline().strip()), str(folder), pairs)
            reports = [[*REPORT, "started"], [*REPORT, "--host-status", "success"]]
            ratio, ours, theirs = runner.added(both, bare, reports)
        finally:
            tracker.terminate()
    figure = f"{ratio:.2f} × ({ours * 1000:.0f} : {theirs * 1000:.0f} ms)"
    return Row("both hooks on GitLab : two reports", figure, "1.2 ×", ratio <= 1.2)


def _hanging(folder: Path, before: Path, after: Path) -> Row:
    with RawServer(hang()) as server:
        env = {**_env(folder, server.url), "VERSIONER_TIMEOUT": str(BUDGET)}
        started = once([SH, str(before)], env, str(folder)).seconds
        ended = once([SH, str(after)], {**env, "CI_JOB_STATUS": "failed"}, str(folder)).seconds
    figure = f"{started:.1f} s and {ended:.1f} s, budgets {BUDGET:.0f} and {3 * BUDGET:.0f} s"
    return Row(
        "hooks on GitLab, tracker never answers", figure, "budget + 1 s", started <= BUDGET + 1 >= ended - 2 * BUDGET
    )


def _script(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / f"{name}.sh"
    path.write_text("set -eu\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _both(before: Path, after: Path) -> list[str]:
    return [SH, "-c", f"{SH} '{before}'; CI_JOB_STATUS=success {SH} '{after}'"]


def _env(folder: Path, url: str) -> dict[str, str]:
    own = {"CI_ENVIRONMENT_NAME": "production", "CI_PROJECT_DIR": str(folder), "HOME": str(folder)}
    connection = {"VERSIONER_API_URL": url, "VERSIONER_API_KEY": KEY, "TMPDIR": str(folder)}
    return {**VARIABLES, **own, **connection, "PATH": f"{BIN}:/usr/bin:/bin"}


def main() -> None:
    """Prints the rows."""
    for row in figures(int(sys.argv[1]) if sys.argv[1:] else 15):
        met = "met" if row.is_met else "NOT MET"
        sys.stdout.write(f"{row.name:<44} {row.figure:<38} goal {row.goal:<16} {met}\n")


if __name__ == "__main__":
    main()
