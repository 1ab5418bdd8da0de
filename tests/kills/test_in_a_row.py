"""300 reports and 300 runs in a row, tracker up, slow and down in turn: none over its budget, none hangs at exit."""

from __future__ import annotations

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.faults import KEY, MARGIN, Fault
from tests.support.process import Repo, Result
from tests.support.recorder import Recorder

pytestmark = [pytest.mark.kills, pytest.mark.timeout(500)]

EACH = 300
AT_ONCE = 4
BUDGET = 1.0
PHASES = ("up", "slow", "down")
SLOW = 0.6


def set_phase(tracker: Recorder, phase: str) -> None:
    tracker.delay = SLOW if phase == "slow" else 0.0


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("report", "build", "started"), id="report"),
        pytest.param(("run", "build"), id="run"),
    ],
)
def test_none_of_300_takes_longer_than_its_budget(
    cli_env: dict[str, str], repo: Repo, tmp_path: Path, command: tuple[str, ...]
) -> None:
    fault = Fault(cli_env, repo, tmp_path)
    numbers = itertools.count()

    def one(_: int) -> Result:
        options = ("--product", f"p{next(numbers)}", "--version", "1", "--timeout", f"{BUDGET:g}")
        behind = ("--", "true") if command[0] == "run" else ()
        return fault.start(*command, *options, *behind).wait(BUDGET + MARGIN + 10, is_searched=False)

    results: list[Result] = []
    with Recorder(key=KEY) as tracker, ThreadPoolExecutor(AT_ONCE) as pool:
        fault.env["VERSIONER_API_URL"] = tracker.url
        for phase in PHASES * 2:
            set_phase(tracker, phase)
            if phase == "down":
                tracker.down()
            results += pool.map(one, range(EACH // len(PHASES) // 2))
            if phase == "down":
                tracker.up()
    assert len(results) == EACH
    assert {result.code for result in results} == {0}
    fault.assert_no_secret(results[-1])
    slowest = max(result.seconds for result in results)
    sys.stdout.write(f"\n{command[0]}: the slowest of {EACH} took {slowest:.1f} s\n")
    assert slowest <= BUDGET + MARGIN
