"""CMD as a child, and the signals that are its: the parts that a whole `run` does not show one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from versioner_ci import procs
from versioner_ci.errors import Interrupted
from versioner_ci.procs import Child, Signals

DRIVER = """
import os, sys, time
from versioner_ci import procs
child = procs.spawn(sys.argv[1:], dict(os.environ))
began = time.monotonic()
while not child.wait(5):
    pass
waited = time.monotonic() - began
child.drain()
print(child.code, round(waited, 1), round(child.seconds, 1), len(child.tail()), child.is_own_group)
"""


def drive(*command: str, stderr: int = subprocess.DEVNULL) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
        timeout=30, check=True, text=True, start_new_session=True,
    )  # fmt: skip
    return done.stdout.split()


class Recorded(Child):
    """A child that is none: it keeps the signals that it is sent."""

    def __init__(self, *, is_own_group: bool = True) -> None:
        self.is_own_group = is_own_group
        self.got: list[int] = []

    def send(self, signum: int) -> None:
        self.got.append(signum)


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in (1, 2, 3, 10, 12, 15, 18, 28)}
    made = Signals()
    made.listen()
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 42", 42), ("kill -9 $$", 137), ("kill -15 $$", 143), ("kill -1 $$", 129)]
)
def test_a_code_is_told_as_a_shell_tells_it(script: str, code: int) -> None:
    assert drive("sh", "-c", script)[0] == str(code)


def test_a_pipe_that_a_daemon_holds_is_left_after_a_fifth_of_a_second() -> None:
    code, waited, ran, tail, _ = drive("sh", "-c", "sleep 4 & echo bye >&2; exit 3")
    assert (code, tail) == ("3", "4")
    assert float(ran) < 1.5
    assert 0.1 < float(waited) < 2


def test_no_more_than_the_end_of_stderr_is_remembered() -> None:
    assert drive("sh", "-c", "head -c 1000000 /dev/zero >&2")[3] == "65536"


def test_without_a_terminal_cmd_has_a_group_of_its_own() -> None:
    assert drive("true")[4] == "True"


@pytest.mark.parametrize(
    ("error", "code"),
    [(FileNotFoundError(), 127), (PermissionError(), 126), (NotADirectoryError(), 126), (OSError(7, "too long"), 126)],
    ids=repr,
)
def test_the_code_of_a_command_that_cannot_start(error: OSError, code: int) -> None:
    assert procs.exit_code_of(error) == code


def test_an_argument_list_that_is_too_long_is_an_oserror() -> None:
    with pytest.raises(OSError):  # noqa: PT011 - which one is the system's affair
        procs.spawn(["true", "x" * 200_000], dict(os.environ))


def test_no_descriptor_is_left_of_a_command_that_could_not_start() -> None:
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(FileNotFoundError):
            procs.spawn(["/nowhere"], {})
    assert set(os.listdir("/proc/self/fd")) == before


def test_what_came_before_cmd_is_passed_on_once(signals: Signals) -> None:
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.raise_signal(number)
    child = Recorded()
    signals.adopt(child)
    signals.adopt(child)
    signal.raise_signal(signal.SIGHUP)
    assert child.got == [signal.SIGUSR1, signal.SIGTERM, signal.SIGHUP]
    assert signals.first == signal.SIGTERM
    assert signals.seconds is not None


def test_on_a_terminal_what_it_sends_itself_is_not_passed_on(signals: Signals) -> None:
    child = Recorded(is_own_group=False)
    signals.adopt(child)
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGCONT, signal.SIGTERM, signal.SIGUSR1):
        signal.raise_signal(number)
    assert child.got == [signal.SIGTERM, signal.SIGUSR1]
    assert signals.first == signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_and_after_cmd_an_ending_signal_ends_the_call(signals: Signals, number: int) -> None:
    signals.is_raising = True
    signal.raise_signal(signal.SIGUSR1)
    with pytest.raises(Interrupted) as caught:
        signal.raise_signal(number)
    assert caught.value.exit_code == 128 + number
    child = Recorded()
    signals.adopt(child)
    signal.raise_signal(number)
    signals.release()
    with pytest.raises(Interrupted):
        signal.raise_signal(number)
    assert child.got == [number]


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Signals().listen()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number in (1, 2, 3, 10, 12, 15, 18, 28):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        signal.signal(signal.SIGHUP, before)


def test_a_signal_for_cmd_that_is_gone_reaches_nobody() -> None:
    child = procs.spawn(["true"], dict(os.environ))
    assert child.wait(10)
    child.send(signal.SIGKILL)
    assert child.code == 0


def test_waiting_has_an_end() -> None:
    child = procs.spawn(["sleep", "20"], dict(os.environ))
    began = time.monotonic()
    assert not child.wait(0.1)
    assert time.monotonic() - began < 5
    child.send(signal.SIGKILL)
    assert child.wait(10)
    assert child.code == 137


def test_our_threads_hold_up_nobody() -> None:
    child = procs.spawn(["true"], dict(os.environ))
    assert all(thread.daemon for thread in threading.enumerate() if thread.name in {"reap", "stderr"})
    assert child.wait(10)
