"""The gate: the tracker's rules may keep a deployment from starting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from versioner_ci import compose, posting
from versioner_ci.attempt import Deadline
from versioner_ci.courier import Ticket
from versioner_ci.deliver import Posted
from versioner_ci.details import Details
from versioner_ci.lifecycle import Choice, Wanted, moved
from versioner_ci.outcome import Outcome, Verdict
from versioner_ci.posting import BACKEND, SLACK, Written
from versioner_ci.records import replace
from versioner_ci.session import Session
from versioner_ci.settings import Gate
from versioner_ci.sinks._sink import Rejection
from versioner_ci.state import Record
from versioner_ci.status import State

SLACK_SECONDS = 3.0
"""The end of the budget that is Slack's, when the tracker is asked first."""
LAST_WORD = 1.2
"""Seconds to tell of what will not start: `report` and `run` are gone within 2 s of a signal."""
_POLL_SECONDS = 15.0
_LEAST_POLL = 1.0

Say = Callable[[str], None]


class Closing(NamedTuple):
    """The aborted that ends a lifecycle which will not start."""

    written: Written
    outcomes: tuple[Outcome, ...]


class Start(NamedTuple):
    """A deployment's start after the tracker was asked. `outcome` None: no tracker is configured, or it was joined."""

    written: Written
    outcome: Outcome | None
    deadline: Deadline
    is_open: bool
    """Whether the work may begin."""

    @property
    def is_rejected(self) -> bool:
        return self.outcome is not None and self.outcome.verdict is Verdict.REJECTED


class Asking:
    """The tracker is asked; where its rules say no and `--gate-wait` says so, again until they lift."""

    def __init__(self, session: Session, wanted: Wanted, details: Details, say: Say, *, is_required: bool) -> None:
        self._session = session
        self._wanted = wanted
        self._details = details
        self._say = say
        self._is_required = is_required
        self.written: Written | None = None
        self.outcome: Outcome | None = None
        """The tracker's last word; None while it is asked."""
        self._rejected: Outcome | None = None
        """Its last rejection: from then on only an acceptance opens."""

    def start(self) -> Start:
        """The final word, within the budget or the time to wait."""
        session = self._session
        give_up = session.clock.monotonic() + session.config.gate_wait * 60
        deadline = session.deadline()
        while True:
            begun = self._ask(deadline)
            left = give_up - session.clock.monotonic()
            if self._rejected is None or begun.is_open:
                return begun
            if left <= 0:
                return begun._replace(outcome=self._rejected)
            rejection = self._rejected.rejection
            pause = min(_poll(rejection), left)
            self._say(f"{words(rejection)}; waiting, {_duration(left)} left, next try in {_duration(pause)}")
            session.clock.sleep(pause)
            self._forget_start(begun.written)
            deadline = session.deadline(is_fresh=True)

    def abandon(self, reason: str) -> Closing | None:
        """End what will not start: its pending, and a start that the tracker may know. None: nothing is to be told."""
        written, session = self.written, self._session
        if written is None or written.record is None or written.is_joined or written.is_doubled:
            return None
        record = next((r for r in session.state.read() if r.id == written.record.id), written.record)
        is_asked = BACKEND in written.letters and self._is_heard()
        closing = self._end(record, reason) if is_asked else _close(session, record, reason)
        session.state.update(record.id, is_rejected=True)
        return closing

    def _ask(self, deadline: Deadline) -> Start:
        session = self._session
        self.outcome = None
        self.written = posting.write(session, self._wanted, self._details, seconds=deadline.remaining, hold_slack=True)
        self.outcome = _answer(session, self.written, deadline)
        verdict = self.outcome.verdict if self.outcome is not None else None
        if verdict is Verdict.REJECTED:
            self._rejected = self.outcome
        is_open = True
        if self._is_required or self._rejected is not None:
            is_open = self.written.is_joined or verdict in {Verdict.ACCEPTED, Verdict.DUPLICATE}
        return Start(written=self.written, outcome=self.outcome, deadline=deadline, is_open=is_open)

    def _forget_start(self, written: Written) -> None:
        """The next try is the same lifecycle's, and starts when it starts."""
        if written.record is not None:
            self._session.state.update(written.record.id, started_at=None, started_monotonic=None)
            self._wanted = self._wanted._replace(handle=posting.handle_of(_never_started(written.record)))

    def _is_heard(self) -> bool:
        return self.outcome is None or self.outcome.verdict not in {Verdict.REJECTED, Verdict.REFUSED}

    def _end(self, record: Record, reason: str) -> Closing:
        session = self._session
        details = Details(reason=reason, handle=posting.handle_of(record))
        wanted = self._wanted._replace(state=State.ABORTED, handle=details.handle, run=None)
        is_told = self.outcome is not None or _is_shown(record)
        deadline = Deadline(session.clock, LAST_WORD)
        ending = posting.write(session, wanted, details, seconds=LAST_WORD, hold_slack=not is_told)
        return Closing(written=ending, outcomes=_delivered(session, ending.letters, deadline))


def is_required(session: Session) -> bool:
    """Whether only an acceptance may start a deployment."""
    config = session.config
    return (config.gate is Gate.REQUIRED or config.is_gate_broken) and not config.is_disabled


def tell_slack(session: Session, begun: Start) -> list[Ticket]:
    """Slack hears of a start only once the tracker has not rejected it."""
    letters = posting.tell_later(session, begun.written, SLACK, begun.deadline.remaining)
    return session.courier().post(letters, begun.deadline) if letters else []


def words(rejection: Rejection | None) -> str:
    """The rejection in one line: rule, reason and time."""
    if rejection is None:
        return "rejected by the tracker"
    rule = f"rule '{rejection.rule}'" if rejection.rule else "an unnamed rule"
    when = "" if rejection.retry_after is None else f" (try again in {_duration(rejection.retry_after)})"
    return f"rejected by {rule}: {rejection.reason}{when}"


def _answer(session: Session, written: Written, deadline: Deadline) -> Outcome | None:
    letter = written.letters.get(BACKEND)
    if letter is None:
        return None
    share = min(SLACK_SECONDS, deadline.remaining / 2) if SLACK in posting.configured(session) else 0.0
    until = Deadline(session.clock, deadline.remaining - share)
    courier = session.courier()
    tickets = courier.post({BACKEND: letter}, until)
    try:
        return courier.wait(tickets, until, for_backlog=False)[0]
    except BaseException:
        courier.give_up(tickets[0])
        raise


def _close(session: Session, record: Record, reason: str) -> Closing | None:
    """An aborted for whoever was told that this was pending."""
    is_told = {BACKEND: record.is_pending_accepted, SLACK: _is_shown(record)}
    names = [name for name in posting.configured(session) if is_told[name]]
    event, _ = compose.event_of(session.facts, _never_started(record), State.ABORTED, Details(reason=reason))
    ended = moved(record, State.ABORTED)
    letters, _ = posting.write_for(session, ended, event, names, LAST_WORD)
    if not letters:
        return None
    outcomes = _delivered(session, letters, Deadline(session.clock, LAST_WORD))
    return Closing(written=Written(choice=Choice(record=ended), event=event, letters=letters), outcomes=outcomes)


def _delivered(session: Session, letters: Mapping[str, Posted], deadline: Deadline) -> tuple[Outcome, ...]:
    courier = session.courier()
    return tuple(courier.wait(courier.post(letters, deadline), deadline, for_backlog=False))


def _is_shown(record: Record) -> bool:
    """Whether Slack has a message of this lifecycle."""
    return bool(record.channels) or any(word.startswith(SLACK) for word in record.told)


def _never_started(record: Record) -> Record:
    return replace(record, started_at=None, started_monotonic=None)


def _poll(rejection: Rejection | None) -> float:
    asked = rejection.retry_after if rejection is not None else None
    return max(_LEAST_POLL, asked if asked is not None else _POLL_SECONDS)


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    return f"{round(whole / 60)} min" if whole < 5400 else f"{whole / 3600:.1f} h"
