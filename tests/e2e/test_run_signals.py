"""Signals are CMD's: passed on once, to its whole group; aborted is told in time and once, and we never kill CMD."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Start, wait_until
from tests.support.process import Repo, RunCli
from tests.support.recorder import Received, Recorder

BOTH = ["build", "deployment"]
DEPLOY = ("--environment", "production")
CATCH = """
import os, signal, sys, time
name = 'child' if os.fork() == 0 else 'cmd'
def caught(number, _):
    os.write(1, f'{name} got {number}\\n'.encode())
for number in (1, 2, 3, 10, 12, 15):
    signal.signal(number, caught)
os.write(1, f'{name} ready\\n'.encode())
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    time.sleep(0.05)
os.write(1, f'{name} over\\n'.encode())
os._exit(int(sys.argv[2]))
"""


def catching(seconds: float, code: int = 0) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", CATCH, str(seconds), str(code))


def aborted(event: Received) -> bool:
    return event.state == "aborted"


def spooled(folder: Path) -> list[str]:
    """The states of what is kept below a folder, the oldest first."""
    paths = sorted(path for path in folder.rglob("v1-*.json") if path.parent.name not in {"state", "bad"})
    return [json.loads(path.read_text())["event"]["state"] for path in paths]


@pytest.mark.parametrize("kind", BOTH)
def test_each_signal_reaches_the_whole_group_once(start: Start, repo: Repo, tracker: Recorder, kind: str) -> None:
    running = start("run", kind, *DEPLOY, *catching(2.5), cwd=repo.path)
    running.until("child ready")
    running.until("cmd ready")
    for signum in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        running.send(signum)
        time.sleep(0.15)
    assert running.wait() == 0
    for name in ("cmd", "child"):
        got = [line for line in running.out.splitlines() if line.startswith(f"{name} got")]
        assert got == [f"{name} got {number}" for number in (10, 12, 1, 2, 15)]
    assert [event.state for event in tracker.events] == ["started", "aborted"]


@pytest.mark.parametrize("signum", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT])
def test_other_signals_abort_nothing(start: Start, repo: Repo, tracker: Recorder, signum: int) -> None:
    running = start("run", "build", *catching(0.6), cwd=repo.path)
    running.until("cmd ready")
    running.send(signum)
    assert running.wait() == 0
    assert tracker.types() == ["build.started", "build.completed"]


@pytest.mark.parametrize(
    ("signum", "script", "code"),
    [
        (signal.SIGTERM, "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done", 0),
        (signal.SIGINT, "trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done", 5),
        (signal.SIGTERM, "echo ready; exec sleep 20", 143),
        (signal.SIGINT, "echo ready; exec sleep 20", 130),
        (signal.SIGHUP, "echo ready; exec sleep 20", 129),
    ],
    ids=["cleans-up-0", "cleans-up-5", "dies-of-term", "dies-of-int", "dies-of-hup"],
)
@pytest.mark.parametrize("kind", BOTH)
def test_what_a_signal_ended_is_aborted_and_the_code_is_cmds(
    start: Start, repo: Repo, tracker: Recorder, kind: str, signum: int, script: str, code: int
) -> None:
    running = start("run", kind, *DEPLOY, "--", "sh", "-c", script, cwd=repo.path)
    running.until("ready")
    running.send(signum)
    assert running.wait() == code
    assert [event.state for event in tracker.events] == ["started", "aborted"]
    assert tracker.events[1].metadata["reason"] == "signal"


def test_aborted_is_told_within_5_s_though_cmd_goes_on_and_is_the_one_ending(
    start: Start, repo: Repo, tracker: Recorder
) -> None:
    running = start("run", "build", *catching(8, 3), cwd=repo.path)
    running.until("cmd ready")
    sent = running.send(signal.SIGTERM)
    tracker.wait_for(1, when=aborted)
    assert 3.5 < time.monotonic() - sent < 5.5
    assert running.process.poll() is None, "CMD still runs"
    assert running.wait() == 3
    assert "cmd over" in running.out
    assert tracker.types() == ["build.started", "build.aborted"]
    assert tracker.duplicates == []


def test_aborted_is_kept_within_5_s_though_the_tracker_is_down(
    start: Start, repo: Repo, tracker: Recorder, tmp_path: Path, cli: RunCli
) -> None:
    tracker.down()
    spool = tmp_path / "spool"
    running = start(
        "run", "build", *catching(7), cwd=repo.path, env={"VERSIONER_SPOOL_DIR": str(spool), "VERSIONER_TIMEOUT": "2"}
    )
    running.until("cmd ready")
    sent = running.send(signal.SIGTERM)
    wait_until(lambda: "aborted" in spooled(spool), 6)
    assert time.monotonic() - sent < 5.5
    running.send(signal.SIGKILL)
    running.wait()
    assert spooled(spool) == ["started", "aborted"]
    tracker.up()
    time.sleep(2.5)  # until the dead process's leases have run out
    wait_until(lambda: cli("flush", cwd=repo.path, env={"VERSIONER_SPOOL_DIR": str(spool)}).code == 0
               and len(tracker.events) == 2, 15)  # fmt: skip
    assert tracker.types() == ["build.started", "build.aborted"]


def test_a_signal_before_cmd_ends_the_call_and_what_was_begun(
    start: Start, repo: Repo, tracker: Recorder, tmp_path: Path
) -> None:
    tracker.delay = 30
    spool = tmp_path / "spool"
    running = start("run", "deployment", *DEPLOY, "--", "touch", str(tmp_path / "ran"), cwd=repo.path,
                    env={"VERSIONER_SPOOL_DIR": str(spool)})  # fmt: skip
    wait_until(lambda: spooled(spool) == ["started"])
    time.sleep(0.3)
    sent = running.send(signal.SIGTERM)
    assert running.wait() == 143
    assert time.monotonic() - sent < 2.5
    assert not (tmp_path / "ran").exists()
    assert spooled(spool) == ["started", "aborted"]


@pytest.mark.parametrize("kind", BOTH)
def test_a_second_signal_cuts_the_telling_short_and_all_is_kept(
    start: Start, repo: Repo, tracker: Recorder, tmp_path: Path, kind: str
) -> None:
    spool = tmp_path / "spool"
    running = start("run", kind, *DEPLOY, "--", "sh", "-c", "echo ready; exec sleep 20", cwd=repo.path,
                    env={"VERSIONER_SPOOL_DIR": str(spool)})  # fmt: skip
    tracker.wait_for(1)
    running.until("ready")
    tracker.delay = 30
    running.send(signal.SIGINT)
    wait_until(lambda: "aborted" in spooled(spool))
    time.sleep(0.5)
    sent = running.send(signal.SIGTERM)
    assert running.wait() == 130
    assert time.monotonic() - sent < 2
    assert "interrupted" in running.err
    assert spooled(spool) == ["aborted"]


def test_a_signal_after_cmds_end_does_not_make_it_aborted(start: Start, repo: Repo, tracker: Recorder) -> None:
    tracker.delay = 1.0
    running = start("run", "build", "--", "sh", "-c", "sleep 1.5; echo over", cwd=repo.path)
    running.until("over")
    time.sleep(0.5)
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert "build.aborted" not in tracker.types()


@pytest.mark.parametrize("kind", BOTH)
def test_a_signal_while_cmd_starts_is_not_lost(start: Start, repo: Repo, tracker: Recorder, kind: str) -> None:
    for pause in (0.05, 0.12, 0.2, 0.3):
        running = start("run", kind, *DEPLOY, "--", "sleep", "20", cwd=repo.path)
        time.sleep(pause)
        running.send(signal.SIGTERM)
        assert running.wait() == 143
    endings = [event.state for event in tracker.events if event.state != "started"]
    begun = [event.state for event in tracker.events if event.state == "started"]
    assert set(endings) <= {"aborted"}
    assert len(endings) == len(begun)
