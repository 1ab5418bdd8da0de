"""On a terminal everything stays CMD's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.process import Repo
from tests.support.recorder import Recorder

BOTH = ["build", "deployment"]
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""
LOOK = """
import os, sys
print('terminals', [os.isatty(fd) for fd in (0, 1, 2)])
print('foreground', os.tcgetpgrp(0) == os.getpgrp(), 'leader', os.getpgrp() == os.getpid())
print('said', input())
sys.stderr.write('to the terminal\\n')
sys.exit(3)
"""
COUNT = """
import signal, sys, time
caught = []
for number in (2, 3):
    signal.signal(number, lambda number, _: caught.append(number))
print('ready', flush=True)
time.sleep(0.1)
end = time.monotonic() + 2
while time.monotonic() < end:
    time.sleep(0.05)
print('caught', caught, flush=True)
"""


class Terminal:
    """The user's end of a pseudo-terminal."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.seen = ""

    def type(self, text: bytes) -> None:
        os.write(self._master, text)

    def until(self, text: str, timeout: float = 15.0) -> None:
        end = time.monotonic() + timeout
        os.set_blocking(self._master, False)
        while text not in self.seen and time.monotonic() < end:
            with suppress(BlockingIOError, OSError):
                self.seen += os.read(self._master, 4096).decode(errors="replace")
                continue
            time.sleep(0.02)
        assert text in self.seen, self.seen


@contextmanager
def terminal(env: Mapping[str, str], cwd: Path, *args: str, log: Path | None = None) -> Iterator[Terminal]:
    """`versioner-ci` in the foreground of a terminal of its own; with `log`, all its streams are redirected."""
    master, slave = os.openpty()
    streams = (slave, slave, slave)
    files = []
    if log is not None:
        files = [open(os.devnull, "rb"), log.open("wb")]  # noqa: SIM115 - closed below
        streams = (files[0].fileno(), files[1].fileno(), files[1].fileno())
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, str(slave), str(COMMAND), *args], cwd=cwd, env=dict(env),
        stdin=streams[0], stdout=streams[1], stderr=streams[2], start_new_session=True, pass_fds=[slave],
    )  # fmt: skip
    for file in files:
        file.close()
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        os.close(master)


@pytest.mark.parametrize("kind", BOTH)
def test_streams_terminal_and_group_stay_cmds_own_and_nothing_is_captured(
    cli_env: dict[str, str], repo: Repo, tracker: Recorder, kind: str
) -> None:
    command = ("run", kind, "--environment", "production", "--", sys.executable, "-c", LOOK)
    with terminal(cli_env, repo.path, *command) as user:
        user.until("foreground")
        user.type(b"hello\n")
        user.until(f"{kind} failed: backend: accepted")
        assert user.process.wait(10) == 3
    assert "terminals [True, True, True]" in user.seen
    assert "foreground True leader False" in user.seen
    assert "said hello" in user.seen
    assert "to the terminal" in user.seen
    assert tracker.events[1].metadata["error"] == "exit code 3"


@pytest.mark.parametrize(("key", "number"), [(b"\x03", 2), (b"\x1c", 3)], ids=["Ctrl-C", "Ctrl-backslash"])
@pytest.mark.parametrize("kind", BOTH)
def test_a_typed_signal_reaches_cmd_once(
    cli_env: dict[str, str], repo: Repo, tracker: Recorder, kind: str, key: bytes, number: int
) -> None:
    command = ("run", kind, "--environment", "production", "--", sys.executable, "-c", COUNT)
    with terminal(cli_env, repo.path, *command) as user:
        user.until("ready")
        user.type(key)
        user.until("caught")
        user.until("backend: accepted")
        assert user.process.wait(10) == 0
    assert f"caught [{number}]" in user.seen
    assert [event.state for event in tracker.events] == ["started", "aborted" if number == 2 else "completed"]


def test_a_signal_sent_to_us_on_a_terminal_is_passed_on(cli_env: dict[str, str], repo: Repo, tracker: Recorder) -> None:
    with terminal(cli_env, repo.path, "run", "build", "--", "sh", "-c", "echo ready; exec sleep 20") as user:
        user.until("ready")
        user.process.terminate()
        assert user.process.wait(10) == 143
    assert tracker.types() == ["build.started", "build.aborted"]


@pytest.mark.parametrize("kind", BOTH)
def test_with_all_streams_redirected_cmd_may_still_ask_on_the_terminal(
    cli_env: dict[str, str], repo: Repo, tmp_path: Path, kind: str
) -> None:
    log = tmp_path / "log"
    ask = "with open('/dev/tty', 'r+b', buffering=0) as tty: tty.write(b'password? '); print('read', tty.readline())"
    command = ("run", kind, "--environment", "production", "--", sys.executable, "-c", ask)
    with terminal(cli_env, repo.path, *command, log=log) as user:
        user.until("password?")
        user.type(b"secret\n")
        assert user.process.wait(10) == 0
    assert "read b'secret\\n'" in log.read_text()
