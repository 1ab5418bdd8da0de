"""Row 44: clocks that are wrong, or jump."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.support.faults import Fault, delivered
from tests.support.recorder import Received, Recorder

YEAR = 365 * 86400.0
STARTED, COMPLETED = ("report", "build", "started"), ("report", "build", "completed")


def at(fault: Fault, seconds: float) -> dict[str, str]:
    """The command's wall clock goes wrong by so much, and the times of its files; its monotonic clock is right."""
    return fault.patched(
        f"import time\n_right = time.time\ntime.time = lambda: _right() + {seconds!r}\n"
        f"from versioner_ci import spool_files\n_changed = spool_files.changed\n"
        f"spool_files.changed = lambda path: _changed(path) + {seconds!r}\n"
    )


def in_1970(fault: Fault) -> dict[str, str]:
    """A machine whose clock begins when it is switched on."""
    return fault.patched("import time\n_right, _on = time.time, time.time()\ntime.time = lambda: _right() - _on + 9\n")


def occurred(event: Received) -> datetime:
    return datetime.strptime(event.metadata["vi_occurred_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(-YEAR, id="fault-44 a year slow"),
        pytest.param(YEAR, id="fault-44 a year fast"),
        pytest.param(40 * YEAR, id="fault-44 40 years fast"),
    ],
)
def test_a_wrong_clock_is_told_as_it_is(fault: Fault, tracker: Recorder, seconds: float) -> None:
    env = at(fault, seconds)
    fault(*STARTED, env=env, kept=[])
    fault(*COMPLETED, env=env, kept=[])
    started, completed = tracker.events
    assert abs((occurred(started) - datetime.now(timezone.utc)).total_seconds() - seconds) < 60
    assert started.lifecycle == completed.lifecycle
    assert 0 < completed.metadata["duration_seconds"] < 60


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(-7200.0, id="fault-44 jumps back 2 h"),
        pytest.param(7200.0, id="fault-44 jumps ahead 2 h"),
    ],
)
def test_a_jump_between_start_and_ending_does_not_change_the_duration(
    fault: Fault, tracker: Recorder, jump: float
) -> None:
    fault(*STARTED)
    fault(*COMPLETED, env=at(fault, jump), kept=[])
    assert tracker.states() == ["started", "completed"]
    assert 0 < tracker.events[1].metadata["duration_seconds"] < 60
    assert len({event.lifecycle for event in tracker.events}) == 1


@pytest.mark.parametrize(
    "jump",
    [
        pytest.param(-7200.0, id="fault-44 back"),
        pytest.param(-YEAR, id="fault-44 far back"),
        pytest.param(7200.0, id="fault-44 ahead"),
    ],
)
def test_what_was_kept_under_another_clock_is_delivered_in_order_with_its_time(
    fault: Fault, tracker: Recorder, jump: float
) -> None:
    tracker.down()
    fault(*STARTED, kept=["backend build.started"], budget=0.6)
    tracker.up()
    fault(*COMPLETED, env=at(fault, jump), kept=[])
    assert tracker.states() == ["started", "completed"]
    assert abs((occurred(tracker.events[0]) - datetime.now(timezone.utc)).total_seconds()) < 60


def test_fault_44_an_event_of_1970_waits_and_is_delivered(fault: Fault, tracker: Recorder) -> None:
    tracker.down()
    fault(*STARTED, env=in_1970(fault), kept=["backend build.started"], budget=0.6)
    tracker.up()
    fault("flush", kept=[], said=delivered(1))
    assert occurred(tracker.events[0]).year == 1970


def test_fault_44_a_lease_of_the_future_does_not_hold_an_event_for_ever(fault: Fault, tracker: Recorder) -> None:
    tracker.down()
    fault(*STARTED, budget=0.6)
    [path] = fault.entries()
    path.rename(path.with_name(path.name.replace("-f.json", "-l99999999999999.json")))
    tracker.up()
    fault("flush", kept=[], said=delivered(1))
    assert tracker.states() == ["started"]
