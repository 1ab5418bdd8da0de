"""`with reporter.track(…)`: a build's or a deployment's whole life around a block of Python."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from versioner_ci import report
from versioner_ci.details import Details
from versioner_ci.errors import Interrupted, RejectedError
from versioner_ci.gate import Say, is_required, words
from versioner_ci.outcome import Verdict
from versioner_ci.records import replace
from versioner_ci.result import Report
from versioner_ci.session import Session
from versioner_ci.status import Kind, State

_SIGNAL_EXITS = {129, 130, 143}
_ACCEPTED = {Verdict.ACCEPTED, Verdict.DUPLICATE}


class Reports(Protocol):
    """As much of a Reporter as is needed."""

    session: Session

    def report(self, kind: Kind, state: State, details: Details | None = None, *, say: Say = ...) -> Report: ...


class Track:
    """Reports started on entry and one ending on exit; the block's own exception always goes on.

    What is to be said goes to the logger `versioner_ci`: trouble of ours never reaches the block.
    """

    def __init__(self, reporter: Reports, kind: Kind) -> None:
        self._reporter = reporter
        self._kind = kind
        self._began = 0.0
        self.started: Report | None = None
        self.ended: Report | None = None

    def __enter__(self) -> Track:  # noqa: PYI034 - Self is of 3.11
        """Raises RejectedError where the tracker's rules, or gate `required`, do not let the deployment start."""
        session = self._reporter.session
        is_shut = self._kind is Kind.DEPLOYMENT and is_required(session)
        self.started = self._reported(State.STARTED, Details())
        self._began = session.clock.monotonic()
        rejection = self.started.rejection if self.started is not None else None
        if rejection is not None:
            raise RejectedError(words(rejection))
        if is_shut and (self.started is None or self.started.verdict not in _ACCEPTED):
            raise RejectedError("gate 'required': the tracker has not accepted the start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.started is None or self.started.handle is None:
            return
        seconds = self._reporter.session.clock.monotonic() - self._began
        details = Details(duration=seconds, handle=self.started.handle)
        state = State.COMPLETED
        if error is not None:
            state, details = _ending(error, details)
        self.ended = self._reported(state, details)

    def _reported(self, state: State, details: Details) -> Report | None:
        import logging  # noqa: PLC0415 - for the Python API only

        log = logging.getLogger("versioner_ci")
        try:
            result = self._reporter.report(self._kind, state, details, say=log.info)
        except Exception as error:  # noqa: BLE001 - nothing of ours may take the place of what the block does
            log.warning("%s: nothing is reported", self._masked(str(error) or type(error).__name__))
            return None
        for line, tone in report.lines(result):
            log.log(
                logging.INFO if tone in {report.Tone.NOTE, report.Tone.NOTICE} else logging.WARNING,
                "%s",
                self._masked(line),
            )
        return result

    def _masked(self, line: str) -> str:
        return report.inert(self._reporter.session.redactor(line))


def _ending(error: BaseException, details: Details) -> tuple[State, Details]:
    if isinstance(error, (KeyboardInterrupt, Interrupted)):
        return State.ABORTED, replace(details, reason="signal")
    if isinstance(error, SystemExit):
        if error.code in {None, 0}:
            return State.COMPLETED, details
        if error.code in _SIGNAL_EXITS:
            return State.ABORTED, replace(details, reason="signal")
    import traceback  # noqa: PLC0415 - costs more than the rest, and is seldom needed

    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    said = "".join(traceback.format_exception_only(type(error), error)).strip()
    return State.FAILED, replace(details, error=said, error_code=type(error).__name__, stack_trace=text)
