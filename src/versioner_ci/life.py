"""The report of one `run`: its start, its one ending, and what it leaves to whoever opened the lifecycle."""

from __future__ import annotations

from collections.abc import Callable

from versioner_ci import gate, posting
from versioner_ci.courier import Ticket
from versioner_ci.details import Details
from versioner_ci.errors import Interrupted
from versioner_ci.gate import Asking
from versioner_ci.lifecycle import Wanted
from versioner_ci.outcome import Outcome, Verdict
from versioner_ci.posting import Written
from versioner_ci.records import replace
from versioner_ci.reporter import Reporter
from versioner_ci.result import Report
from versioner_ci.settings import Gate
from versioner_ci.state import Record
from versioner_ci.status import Kind, State

JOINED = "opened already: its start and its ending are left to whoever opened it"


class Life:
    """Used from the main thread only; the sinks' threads do the sending."""

    def __init__(self, reporter: Reporter, kind: Kind, token: str, say: Callable[[Report], None]) -> None:
        self.reporter = reporter
        self.session = reporter.session
        self._kind = kind
        self._token = token
        self._say = say
        self._started: Written | None = None
        self._ended: Written | None = None
        self._first: list[Outcome] = []
        """The tracker's answer to a gated start."""
        self._tickets: list[Ticket] = []
        self._last_tickets: list[Ticket] = []
        self.is_rejected = False
        self.is_undelivered = False

    @property
    def record(self) -> Record | None:
        """The lifecycle, once it is known."""
        return self._started.record if self._started is not None else None

    @property
    def is_joined(self) -> bool:
        return self._started is not None and self._started.is_joined

    @property
    def is_ended(self) -> bool:
        return self._ended is not None

    @property
    def gate(self) -> Gate:
        """The gate that this kind has."""
        return posting.gate_of(self.session, self._kind)

    def ask(self, note: Callable[[str], None], *, is_required: bool) -> bool:
        """Whether the tracker lets the deployment start."""
        asking = Asking(self.session, self._wanted(State.STARTED), Details(), note, is_required=is_required)
        try:
            begun = asking.start()
            if begun.is_open:
                self._tickets = gate.tell_slack(self.session, begun)
        except Interrupted:
            self._note_closing(asking, "signal")
            raise
        except Exception:
            if is_required:
                self._note_closing(asking, "rejected")
            raise
        finally:
            self._started = asking.written
        self._first = [begun.outcome] if begun.outcome is not None else []
        self.is_rejected = begun.is_rejected
        if not begun.written.is_joined:
            self._say(self.reporter.summed(begun.written, self._first, ()))
        if not begun.is_open:
            self._note_closing(asking, "rejected")
        return begun.is_open

    def write_start(self, details: Details) -> None:
        """Write the start down; `deliver_start` sends it."""
        seconds = self.session.config.timeout
        self._started = posting.write(self.session, self._wanted(State.STARTED), details, seconds=seconds)

    def deliver_start(self) -> None:
        """Send the start while CMD runs."""
        if self._started is not None and self._started.letters and not self._first and not self._tickets:
            self._tickets = self.reporter.post(self._started, self.session.deadline(is_fresh=True))

    def write_ending(self, state: State, details: Details) -> None:
        """Write the one ending down; inside an opened lifecycle, leave the error to its ending."""
        if self._ended is not None or self._started is None or self.record is None:
            return
        if self.is_joined:
            self._ended = Written(choice=self._started.choice)
            left = {"error": details.error, "error_code": details.error_code} if state is not State.COMPLETED else {}
            self.session.state.update(self.record.id, **{name: text for name, text in left.items() if text})
            return
        seconds = self.session.deadline(is_ending=True, is_fresh=True).remaining
        details = replace(details, handle=posting.handle_of(self.record))
        self._ended = posting.write(self.session, self._wanted(state, details), details, seconds=seconds)

    def deliver_ending(self) -> None:
        """Begin to send it."""
        if self._ended is not None and self._ended.letters and not self._last_tickets:
            self._last_tickets = self.reporter.post(self._ended, self.session.deadline(is_ending=True, is_fresh=True))

    def finish(self) -> None:
        """Wait, within one budget, for whatever is still to be sent, and say what became of it."""
        if self._started is None or self._ended is None:
            return
        if self.is_joined:
            self._say(replace(self.reporter.summed(self._started, (), ()), notice=JOINED))
            return
        deadline = self.session.deadline(is_ending=True, is_fresh=True)
        ended = self.reporter.finish(self._ended, self._last_tickets, deadline)
        delivered = {outcome.sink for outcome in ended.outcomes if outcome.verdict.is_delivered}
        started = [_with_ending(self._outcome(ticket), delivered) for ticket in self._tickets if ticket.posted]
        first = [_with_ending(outcome, delivered) for outcome in self._first]
        self.is_undelivered = any(not o.verdict.is_delivered for o in (*first, *started, *ended.outcomes))
        if started or not self._first:
            self._say(self.reporter.summed(self._started, started, ()))
        self._say(ended)

    def _outcome(self, ticket: Ticket) -> Outcome:
        return ticket.outcome or self.session.courier().give_up(ticket)

    def _note_closing(self, asking: Asking, reason: str) -> None:
        closing = asking.abandon(reason)
        if closing is not None:
            self._say(self.reporter.summed(closing.written, closing.outcomes, ()))

    def _wanted(self, state: State, details: Details | None = None) -> Wanted:
        run = self._token if state is State.STARTED else None
        return self.reporter.wanted(self._kind, state, details or Details(), run=run)


def _with_ending(outcome: Outcome, delivered: set[str]) -> Outcome:
    """A start that was kept has gone out before its ending: nothing overtakes."""
    if outcome.verdict is Verdict.KEPT and outcome.sink in delivered:
        return replace(outcome, verdict=Verdict.ACCEPTED, detail="late, just before the ending", fix=None)
    return outcome
