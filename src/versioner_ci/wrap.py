"""`run KIND -- CMD`: CMD's whole life is reported, CMD itself is left alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence

from versioner_ci import posting, procs
from versioner_ci.details import Details
from versioner_ci.errors import EXIT_REJECTED, EXIT_UNDELIVERED, Interrupted, VersionerError
from versioner_ci.gate import is_required
from versioner_ci.life import Life
from versioner_ci.procs import Child, Signals
from versioner_ci.records import dataclass, replace
from versioner_ci.redact import Redactor
from versioner_ci.reporter import DISABLED, Reporter
from versioner_ci.result import Report
from versioner_ci.settings import Gate
from versioner_ci.status import Kind, State
from versioner_ci.tail import error_text
from versioner_ci.wanting import RUN_AROUND

ABORT_AFTER = 4.0
"""Seconds after the first signal: CMD may still clean up, but a CI host will kill us soon."""
SHUT = "gate 'required': only the tracker's acceptance starts this deployment, and there is none: not started (exit 5)"
_STEP = 0.25
_ABORTED_CODES = {130, 143}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What to run, how to report it, and where to say so."""

    kind: Kind
    command: Sequence[str]
    env: dict[str, str]
    token: str
    signals: Signals
    open_reporter: Callable[[], Reporter]
    """May raise: a broken setting must not keep CMD from running."""
    say: Callable[[Report], None]
    warn: Callable[[str], None]
    note: Callable[[str], None]
    is_required_by_file: Callable[[], bool] = lambda: False
    """Asked only where the settings could not be read."""
    is_disabled: bool = False
    is_required: bool = False
    """Gate `required` was asked for, whatever else can be read."""
    handle_file: str | None = None
    """Where a CMD that started before its lifecycle was known finds the handle."""


class Run:
    """One `run`, from start to exit code."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._life: Life | None = None

    def run(self) -> int:
        """CMD's exit code; 5, 126, 127 or 128 + N where CMD never ran."""
        code = self._pass_gate()
        if code is not None:
            return code
        try:
            child = procs.spawn(self._task.command, self._child_env())
        except OSError as error:
            return self._not_started(error)
        return self._follow(child)

    def take_over(self, child: Child) -> int:
        """The same for an ungated CMD that was started before anything else."""
        with self._shield():
            self._open()
            if self._life is not None:
                self._life.write_start(Details(occurred_at=child.began_wall))
        self._hand_on()
        return self._follow(child)

    def say_not_started(self, error: OSError) -> int:
        """For an ungated CMD that could not be started: its whole life is reported after the fact."""
        with self._shield():
            self._open()
            if self._life is not None:
                self._life.write_start(Details())
        return self._not_started(error)

    def _pass_gate(self) -> int | None:
        """None: CMD may start; else the exit code."""
        is_shut = self._task.is_required
        self._task.signals.is_raising = True
        try:
            self._open()
            if self._life is None:
                is_open = not is_shut
            else:
                is_shut = is_shut or is_required(self._life.session)
                is_open = self._ask(self._life, is_required=is_shut)
        except Interrupted as stop:
            self._task.warn("interrupted: the command was not started")
            return stop.exit_code
        except Exception as error:  # noqa: BLE001 - only `required` lets trouble of ours keep CMD from running
            self._task.warn(fault(error))
            is_open = not (is_shut or (self._life is None and self._task.is_required_by_file()))
        finally:
            self._task.signals.is_raising = False
        if is_open:
            return None
        if self._life is None or not self._life.is_rejected:
            self._task.warn(SHUT)
        return EXIT_REJECTED

    def _ask(self, life: Life, *, is_required: bool) -> bool:
        if life.gate is Gate.OFF and not is_required:
            life.write_start(Details())
            return True
        return life.ask(self._task.note, is_required=is_required)

    def _open(self) -> None:
        if self._task.is_disabled:
            self._task.say(Report(notice=DISABLED))
            return
        reporter = self._task.open_reporter()
        why = reporter.why_nothing()
        if why is None:
            self._life = Life(reporter, self._task.kind, self._task.token, self._task.say)
        else:
            self._task.say(Report(notice=why, warnings=tuple(reporter.session.warnings)))

    def _follow(self, child: Child) -> int:
        """Deliver the start while CMD runs, wait for CMD, report its ending."""
        signals, life = self._task.signals, self._life
        signals.adopt(child)
        with self._shield():
            if life is not None:
                life.deliver_start()
        while not child.wait(_STEP):
            if life is not None and not life.is_ended and (signals.seconds or 0.0) >= ABORT_AFTER:
                with self._shield():
                    life.write_ending(State.ABORTED, Details(reason="signal", duration=child.seconds))
                    life.deliver_ending()
        self._end(*self._ending(child))
        with self._shield():
            child.drain()
        return self._code(child.code or 0)

    def _ending(self, child: Child) -> tuple[State, Details]:
        code, signals = child.code or 0, self._task.signals
        details = Details(duration=child.seconds, occurred_at=child.began_wall + child.seconds)
        is_signalled = signals.first is not None and signals.first_at <= (child.ended or signals.first_at)
        if is_signalled or code in _ABORTED_CODES:
            return State.ABORTED, replace(details, reason="signal", error_code=str(code) if code else None)
        if code == 0:
            return State.COMPLETED, details
        redactor = self._life.session.redactor if self._life is not None else Redactor()
        error = error_text(child.tail(), redactor)
        return State.FAILED, replace(details, error=error, error_code=str(code), reason="exit_code")

    def _end(self, state: State, details: Details) -> None:
        """The ending is on disk before a signal may cut its sending short."""
        life, signals = self._life, self._task.signals
        with self._shield():
            if life is not None:
                life.write_ending(state, details)
        signals.release()
        with self._shield():
            if life is not None:
                life.deliver_ending()
                life.finish()
        self._forget_handle()

    def _not_started(self, error: OSError) -> int:
        code = procs.exit_code_of(error)
        text = f"cannot start {self._task.command[0]}: {error.strerror}"
        self._task.warn(text)
        with self._shield():
            if self._life is not None:
                self._life.deliver_start()
        self._end(State.FAILED, Details(error=text, error_code=str(code), reason="exit_code", duration=0.0))
        return code

    def _code(self, code: int) -> int:
        life = self._life
        is_strict = life is not None and life.session.config.fail_on_error and life.is_undelivered
        return EXIT_UNDELIVERED if code == 0 and is_strict else code

    def _child_env(self) -> dict[str, str]:
        life = self._life
        if life is None or life.record is None:
            return self._task.env
        around = f"{self._task.env.get(RUN_AROUND, '')} {self._task.token}".strip()
        handle = posting.handle_of(life.record).encode()
        return {**self._task.env, RUN_AROUND: around, "VERSIONER_LIFECYCLE": handle}

    def _hand_on(self) -> None:
        """The handle, for a CMD that started before it was known; an empty file: there is none to wait for."""
        path, record = self._task.handle_file, self._life.record if self._life is not None else None
        if path is None:
            return
        with self._shield(), contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
            part = f"{path}.part"
            with open(os.open(part, flags, 0o600), "w", encoding="ascii") as file:
                file.write(posting.handle_of(record).encode() if record is not None else "")
            os.rename(part, path)  # noqa: PTH104 - a string is all there is

    def _forget_handle(self) -> None:
        if self._task.handle_file is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._task.handle_file)  # noqa: PTH108 - a string is all there is

    @contextlib.contextmanager
    def _shield(self) -> Iterator[None]:
        """Nothing of ours may keep CMD's exit code from being passed on."""
        try:
            yield
        except Interrupted:
            self._task.warn("interrupted")
        except Exception as error:  # noqa: BLE001 - see above
            self._task.warn(fault(error))


def fault(error: Exception) -> str:
    """A fault in one line; what was typed or set wrong is told in its own words."""
    if isinstance(error, VersionerError):
        return f"{error}; nothing is reported" if error.exit_code else str(error)
    return f"a fault of versioner-ci ({type(error).__name__}): the command goes on unreported"
