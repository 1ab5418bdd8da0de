"""CMD as a child process: started early, its stderr passed through and remembered, signals passed on.

Imports nothing heavy: an ungated CMD starts before the rest of the program is loaded.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence

from versioner_ci.passthrough import Passthrough

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_DRAIN_SECONDS = 0.2
_ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_OTHER_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT") if hasattr(signal, name)
)
_FROM_TERMINAL = {getattr(signal, name, None) for name in ("SIGINT", "SIGQUIT", "SIGWINCH", "SIGCONT")}
"""A terminal (or its shell) sends these to the whole process group: CMD has had its own."""


class Child:
    """A started CMD. `code` is its exit code as a shell tells it (128 + N after signal N), None while it runs."""

    def __init__(self, pid: int, *, is_own_group: bool, stderr: int | None) -> None:
        self.pid = pid
        self.code: int | None = None
        self.began = time.monotonic()
        self.began_wall = time.time()
        self.ended: float | None = None
        self.is_own_group = is_own_group
        self._over = threading.Event()
        self._stderr = Passthrough(stderr) if stderr is not None else None
        threading.Thread(target=self._reap, name="reap", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has ended; waits at most so long. A signal's handler runs meanwhile."""
        is_over = self._over.wait(seconds)
        if is_over and self._stderr is not None:
            self._stderr.wait(_DRAIN_SECONDS)
        return is_over

    def drain(self) -> None:
        """Wait until our stderr has taken all that CMD wrote."""
        if self._stderr is not None:
            self._stderr.drain()

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return (self.ended if self.ended is not None else time.monotonic()) - self.began

    def send(self, signum: int) -> None:
        """Pass a signal on, to its whole process group where it has one of its own."""
        if self._over.is_set():
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.is_own_group:
                os.killpg(self.pid, signum)
            else:
                os.kill(self.pid, signum)

    def tail(self) -> bytes:
        """The last of what it wrote to stderr, where that is no terminal."""
        return self._stderr.tail() if self._stderr is not None else b""

    def _reap(self) -> None:
        try:
            status = os.waitpid(self.pid, 0)[1]
            code = os.waitstatus_to_exitcode(status)
            self.code = code if code >= 0 else 128 - code
        except ChildProcessError:
            self.code = 1
        self._close_account()

    def _close_account(self) -> None:
        self.ended = time.monotonic()
        if self._stderr is not None:
            self._stderr.close_account()
        self._over.set()


def spawn(command: Sequence[str], env: dict[str, str]) -> Child:
    """Start CMD. Raises FileNotFoundError or PermissionError (and other OSErrors) at once where that cannot be."""
    if not command[0]:
        raise FileNotFoundError(2, "No such file or directory")
    is_own_group = not _has_terminal()
    reader, writer = (None, None) if _is_terminal(2) else os.pipe()
    try:
        if os.name == "nt":
            return _spawn_windows(command, env, reader, writer)
        actions = [] if writer is None else [(os.POSIX_SPAWN_DUP2, writer, 2)]
        pid = _spawn_posix(command, env, actions, is_own_group=is_own_group)
    except BaseException:
        if reader is not None:
            os.close(reader)
        raise
    finally:
        if writer is not None:
            os.close(writer)
    return Child(pid, is_own_group=is_own_group, stderr=reader)


def _spawn_posix(command: Sequence[str], env: dict[str, str], actions: list, *, is_own_group: bool) -> int:  # type: ignore[type-arg]
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:  # inherited: the system would throw CMD's exit code away
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Python ignores these two; CMD must find them as it would without us.
    options = {"setsigdef": [signal.SIGPIPE, signal.SIGXFSZ], **({"setpgroup": 0} if is_own_group else {})}
    try:
        return os.posix_spawnp(command[0], list(command), env, file_actions=actions, **options)  # type: ignore[arg-type]
    except OSError as error:
        import errno  # noqa: PLC0415 - only for a script without a first line that names its interpreter

        if error.errno != errno.ENOEXEC:
            raise
    path = _which(command[0], env)
    return os.posix_spawn("/bin/sh", ["/bin/sh", path, *command[1:]], env, file_actions=actions, **options)  # type: ignore[arg-type]


def _which(name: str, env: dict[str, str]) -> str:
    if os.sep in name:
        return name
    folders = (os.path.join(folder, name) for folder in os.get_exec_path(env))  # noqa: PTH118 - pathlib costs 4 ms
    return next((path for path in folders if os.access(path, os.X_OK)), name)


def _spawn_windows(command: Sequence[str], env: dict[str, str], reader: int | None, writer: int | None) -> Child:
    import subprocess  # noqa: PLC0415 - Windows only

    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    process = subprocess.Popen(list(command), env=env, stderr=writer, creationflags=flags)  # noqa: S603 - CMD is the user's own
    return WindowsChild(process, stderr=reader)


class WindowsChild(Child):
    """Windows has no process groups to signal: CTRL_BREAK stands for every signal."""

    def __init__(self, process: object, *, stderr: int | None) -> None:
        self._process = process
        super().__init__(process.pid, is_own_group=True, stderr=stderr)  # type: ignore[attr-defined]

    def send(self, signum: int) -> None:  # noqa: ARG002 - there is only one to send
        """CTRL_BREAK, whatever arrived."""
        with contextlib.suppress(OSError, ValueError):
            self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))  # type: ignore[attr-defined]

    def _reap(self) -> None:
        self.code = self._process.wait()  # type: ignore[attr-defined]
        self._close_account()


class Signals:
    """What has arrived since `listen`; each is passed on to CMD once there is one."""

    def __init__(self) -> None:
        self.child: Child | None = None
        """CMD, once it is started; also after its end."""
        self.first: int | None = None
        self.first_at = 0.0
        self.is_raising = False
        """Before CMD runs and after its end, an ending signal ends the call: the handler raises."""
        self._waiting: list[int] = []

    def listen(self) -> None:
        """Handle what would end or stop us; what our parent ignores (nohup) stays ignored."""
        for signum in (*_ENDING_SIGNALS, *_OTHER_SIGNALS):
            with contextlib.suppress(OSError, ValueError):
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    signal.signal(signum, self._on_signal)

    def adopt(self, child: Child) -> None:
        """From now on signals are CMD's; what came before it was there is passed on now, and once."""
        self.is_raising = False
        self.child = child
        while self._waiting:
            child.send(self._waiting.pop(0))

    def release(self) -> None:
        """CMD has ended and its ending is on disk: from now on an ending signal ends the call."""
        self.is_raising = True

    @property
    def seconds(self) -> float | None:
        """Since the first ending signal; None: there was none."""
        return None if self.first is None else time.monotonic() - self.first_at

    def _on_signal(self, signum: int, _frame: object) -> None:
        is_ending = signum in _ENDING_SIGNALS
        if is_ending and self.first is None:
            self.first, self.first_at = signum, time.monotonic()
        if self.is_raising:
            if is_ending:
                from versioner_ci.errors import Interrupted  # noqa: PLC0415 - loaded by then; not before CMD starts

                raise Interrupted(signum)
        elif self.child is None:
            self._waiting.append(signum)
        elif self.child.is_own_group or signum not in _FROM_TERMINAL:
            self.child.send(signum)


def exit_code_of(error: OSError) -> int:
    """What a shell exits with when it cannot start a command: 127 not found, 126 not executable."""
    return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


def open_streams() -> None:
    """A closed stream's number must not be given to a file of ours, or lines would be printed into it."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _has_terminal() -> bool:
    """Whether Ctrl-C reaches our process group by itself, and CMD may want to ask the user something."""
    return any(_is_terminal(fd) for fd in (0, 1, 2)) or _is_in_foreground()


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def _is_in_foreground() -> bool:
    """With all streams redirected, CMD may still open the terminal; from another group that would stop it."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except (OSError, AttributeError):
        return False
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(fd)
