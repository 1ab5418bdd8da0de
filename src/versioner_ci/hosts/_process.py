"""Child processes that start at once and are read late: bounded in time and size, never raising."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_LARGEST_ANSWER = 256 * 1024
_REAP = 0.5
_STDERR = 2


class Process(Protocol):
    """A process that runs: its output can be read once, until its deadline."""

    def read(self) -> bytes: ...

    def kill(self) -> None: ...


def start(argv: list[str], env: dict[str, str], limit: float) -> Process | None:
    """Starts a program for at most `limit` seconds; None if it cannot be started."""
    deadline = time.monotonic() + limit
    try:
        return _begin(argv, env, deadline)
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate in an argument
        return None


class _Opened:
    """By subprocess: on Windows, and where a standard stream is closed."""

    def __init__(self, argv: list[str], env: dict[str, str], deadline: float) -> None:
        import subprocess  # noqa: PLC0415 - not needed where posix_spawn is

        self._timed_out: type[Exception] = subprocess.TimeoutExpired
        self._deadline = deadline
        self._process = subprocess.Popen(  # noqa: S603 - an absolute path and fixed arguments
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def read(self) -> bytes:
        try:
            return self._process.communicate(timeout=max(0.1, self._deadline - time.monotonic()))[0]
        except (OSError, ValueError, self._timed_out):
            return b""
        finally:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        with suppress(self._timed_out):
            self._process.wait(_REAP)


_begin: Callable[[list[str], dict[str, str], float], Process] = _Opened
if sys.platform != "win32":
    import select
    import signal

    class _Spawned:
        """By posix_spawn: importing subprocess would cost more than the process does."""

        def __init__(self, pid: int, output: int, deadline: float) -> None:
            self._pid, self._output, self._deadline = pid, output, deadline

        @classmethod
        def start(cls, argv: list[str], env: dict[str, str], deadline: float) -> Process:
            output, end = os.pipe()
            try:
                if min(output, end) <= _STDERR:  # a standard stream is closed: the file actions would mix them up
                    return _Opened(argv, env, deadline)
                actions = [
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, end, 1),
                    (os.POSIX_SPAWN_OPEN, _STDERR, os.devnull, os.O_WRONLY, 0),
                ]
                pid = os.posix_spawn(argv[0], argv, env, file_actions=actions, setpgroup=0)
                output, process = -1, cls(pid, output, deadline)
                return process
            finally:
                os.close(end)
                if output >= 0:
                    os.close(output)

        def read(self) -> bytes:
            answer = b""
            try:
                poller = select.poll()
                poller.register(self._output, select.POLLIN)
                while poller.poll(max(0.0, self._deadline - time.monotonic()) * 1000):
                    piece = os.read(self._output, 65536)
                    answer += piece
                    if not piece or len(answer) > _LARGEST_ANSWER:
                        return b"" if piece else answer
                return b""
            finally:
                self.kill()

        def kill(self) -> None:
            """Whatever is left of it, children included; never waits for what even SIGKILL does not end."""
            os.close(self._output)
            with suppress(OSError):  # it has ended
                os.killpg(self._pid, signal.SIGKILL)
            give_up = time.monotonic() + _REAP
            with suppress(ChildProcessError):  # somebody else has waited for it
                while os.waitpid(self._pid, os.WNOHANG)[0] == 0 and time.monotonic() < give_up:
                    time.sleep(0.002)

    _begin = _Spawned.start
