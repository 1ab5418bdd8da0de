"""Rows 35 to 38: what a signal leaves behind, and how soon."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import pytest

from tests.support.faults import COMMAND, Fault, delivered, eventually
from tests.support.recorder import Recorder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

BUILD = ("report", "build", "started", "--timeout", "20")
DEPLOYMENT = ("report", "deployment", "started", "--environment", "production", "--timeout", "20")
SIGNALS = {35: [signal.SIGINT], 36: [signal.SIGTERM, signal.SIGHUP]}


@pytest.mark.parametrize("command", [BUILD, DEPLOYMENT], ids=["ungated", "gated"])
@pytest.mark.parametrize(
    "signum",
    [pytest.param(signum, id=f"fault-{row} {signum.name}") for row, group in SIGNALS.items() for signum in group],
)
def test_a_signal_mid_send_ends_the_call_within_2_s_and_keeps_the_event(
    fault: Fault, tracker: Recorder, command: tuple[str, ...], signum: int
) -> None:
    tracker.delay = 30
    running = fault.start(*command)
    eventually("a request in flight", lambda: tracker.requests)
    began = running.signal(signum)
    result = running.wait()
    assert time.monotonic() - began < 2
    assert result.code == 128 + signum
    assert "interrupted" in result.err
    assert str(fault.folder / "spool") in result.err, "where it is kept"
    kept = fault.entries()
    assert f"backend {command[1]}.started" in fault.kept()
    assert [path.name for path in kept if not path.name.endswith("-f.json")] == [], "free for the next call at once"


def test_fault_35_a_second_interrupt_ends_it_at_once(fault: Fault, tracker: Recorder) -> None:
    tracker.delay = 30
    running = fault.start(*BUILD)
    eventually("a request in flight", lambda: tracker.requests)
    running.signal(signal.SIGINT)
    began = running.signal(signal.SIGINT)
    assert running.wait().code == 130
    assert time.monotonic() - began < 1
    assert len(fault.entries()) == 1


@pytest.mark.parametrize("delay", [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])
def test_fault_36_a_signal_at_any_time_leaves_no_traceback(fault: Fault, tracker: Recorder, delay: float) -> None:
    tracker.delay = 30
    running = fault.start(*BUILD)
    time.sleep(delay)
    running.signal(signal.SIGTERM)
    assert running.wait().code == 143


def test_fault_37_an_event_of_a_killed_call_is_sent_by_the_next_once_its_lease_is_over(
    fault: Fault, tracker: Recorder
) -> None:
    tracker.delay = 30
    running = fault.start(*BUILD[:-1], "2")
    eventually("a request in flight", lambda: tracker.requests)
    running.signal(signal.SIGKILL)
    assert running.wait().code == 137
    tracker.delay = 0
    [kept] = fault.entries()
    until = int(kept.stem.rpartition("-l")[2]) / 1000
    assert until < time.time() + 3, "leased no longer than the budget lasts"
    time.sleep(max(0.0, until - time.time()) + 0.05)
    fault("flush", kept=[], said=delivered(1))
    assert tracker.states() == ["started"], "each event once, however often it was sent"


def test_fault_37_a_killed_call_does_not_hold_up_another_lifecycle(fault: Fault, tracker: Recorder) -> None:
    tracker.delay = 30
    running = fault.start(*BUILD)
    eventually("a request in flight", lambda: tracker.requests)
    running.signal(signal.SIGKILL)
    running.wait()
    tracker.delay = 0
    fault("report", "build", "started", "--product", "other", "--version", "2", said="backend: accepted")


def test_fault_38_where_only_the_shell_was_killed_a_later_hook_ends_the_lifecycle_once(
    fault: Fault, tracker: Recorder
) -> None:
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "77",
        "GITHUB_JOB": "build",
        "GITHUB_REPOSITORY": "octo/shop",
        "RUNNER_TEMP": str(fault.folder / "tmp"),
    }
    script = f"'{COMMAND}' run build -- sleep 3; true"
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=fault.repo.path,
        env={**fault.env, **job},
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        tracker.wait_for(1)
        process.kill()
        process.wait(5)
        fault("report", "build", "--host-status", "cancelled", env=job, said="backend: accepted")
        assert tracker.states() == ["started", "aborted"]
        process.communicate(timeout=20)  # `run` holds the pipe until its command has ended
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert tracker.states() == ["started", "aborted"], "one ending, though `run` saw its command end well"
    assert len({event.lifecycle for event in tracker.events}) == 1
