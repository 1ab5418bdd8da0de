"""The four stages put together: detect, event, deliver, report. Also the Python API."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from versioner_ci import gate, posting, wanting
from versioner_ci.attempt import Deadline
from versioner_ci.courier import Ticket
from versioner_ci.details import Details
from versioner_ci.errors import Interrupted
from versioner_ci.identity import Handle
from versioner_ci.lifecycle import Wanted
from versioner_ci.options import kind_of
from versioner_ci.outcome import Backlog, Outcome, Verdict
from versioner_ci.posting import Written
from versioner_ci.records import replace
from versioner_ci.report import outcome_line
from versioner_ci.result import Report
from versioner_ci.session import Call, Session, open_session
from versioner_ci.settings import Gate
from versioner_ci.status import Kind, State
from versioner_ci.track import Track

FLUSH_SECONDS = 60.0
NO_SINK = (
    "nothing is configured to report to: set VERSIONER_API_KEY (and VERSIONER_API_URL), "
    "or SLACK_BOT_TOKEN and SLACK_CHANNEL; `versioner-ci doctor` tells more"
)
DISABLED = "switched off by VERSIONER_DISABLED: nothing is sent"
NO_SECRETS = "no key and no token: a run for a fork's or Dependabot's pull request gets no secrets; nothing is sent"


class Reporter:
    """Reports events of one process; one budget a call."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, cwd: str | None = None, **settings: object) -> Reporter:
        """A reporter for this process; `settings` by their names in the settings table.

        Raises UsageError for a setting whose value is wrong.
        """
        call = Call(flags=settings, env=os.environ if env is None else env, cwd=cwd or str(Path.cwd()))
        return cls(open_session(call))

    def track(self, kind: str, **settings: object) -> Track:
        """A context manager: started on entry; completed, failed (with the traceback) or aborted on exit."""
        call = self.session.call._replace(flags={**self.session.call.flags, **settings}, began=None)
        return Track(Reporter(open_session(call)), kind_of(kind))

    def report(
        self, kind: Kind, state: State, details: Details | None = None, *, say: gate.Say = lambda _: None
    ) -> Report:
        """One event to every sink, within the budget. Raises UsageError where a required field is unknown."""
        details = details or Details()
        why = self.why_nothing()
        if why is not None:
            return self._nothing(why)
        wanted = self.wanted(kind, state, details)
        if state is State.STARTED and posting.gate_of(self.session, kind) is not Gate.OFF:
            return self._report_gated(wanted, details, say)
        deadline = self.session.deadline(is_ending=state.is_ending)
        written = posting.write(self.session, wanted, details, seconds=deadline.remaining)
        return self._deliver(written, deadline)

    def report_group(self, kind: Kind, state: State, details: Details) -> Report:
        """A whole run's ending: it speaks for the group, not for one lifecycle."""
        why = self.why_nothing()
        if why is not None:
            return self._nothing(why)
        deadline = self.session.deadline(is_ending=True)
        written = posting.write_group(
            self.session, self.wanted(kind, state, details), details, seconds=deadline.remaining
        )
        return self._deliver(written, deadline)

    def flush(self) -> Report:
        """Deliver what earlier calls kept, within 60 s unless another time was typed."""
        why = self.why_nothing()
        if why is not None:
            return self._nothing(why)
        self.session.tidy()
        config = self.session.config
        deadline = Deadline(self.session.clock, config.timeout if "timeout" in config.typed else FLUSH_SECONDS)
        return self.finish(Written(choice=None), self.session.courier().flush(deadline), deadline)

    def why_nothing(self) -> str | None:
        """Why nothing can be sent at all; None: something can."""
        if self.session.config.is_disabled:
            return DISABLED
        if self.session.context.is_fork and not self.session.config.secrets():
            return NO_SECRETS
        return None if posting.configured(self.session) else NO_SINK

    def post(self, written: Written, deadline: Deadline) -> list[Ticket]:
        """Start delivering what was written down; with nothing of its own, a call still sends what others kept."""
        if written.letters:
            return self.session.courier().post(written.letters, deadline)
        is_idle = self.session.spool is None or not self.session.spool.entries()
        return [] if is_idle else self.session.courier().flush(deadline)

    def finish(
        self, written: Written, tickets: Sequence[Ticket], deadline: Deadline, first: Sequence[Outcome] = ()
    ) -> Report:
        """Wait for the sinks, tidy up and put the report together.

        `first`: outcomes known already.
        """
        courier = self.session.standing_courier
        also = {ticket.sink: ticket.posted for ticket in tickets if ticket.posted is not None}
        written = written._replace(letters={**written.letters, **also})
        try:
            outcomes = courier.wait(tickets, deadline) if courier is not None else []
        except Interrupted as stop:
            return self.interrupted(written, tickets, first, stop.signum)
        self.session.tidy()
        return self.summed(written, [*first, *outcomes], courier.backlogs if courier is not None else ())

    def summed(
        self, written: Written, outcomes: Sequence[Outcome], backlogs: Sequence[Backlog], signum: int | None = None
    ) -> Report:
        """The report of a call."""
        place, record = self.session.place, written.record
        told = [self._as_it_will_be(outcome, written) for outcome in outcomes]
        noted = [note for outcome in told for note in outcome.warnings]
        if outcomes and record is not None and any(o.verdict is Verdict.REJECTED for o in outcomes):
            self.session.state.update(record.id, is_rejected=True)
        return Report(
            event=written.event,
            outcomes=tuple(told),
            backlogs=tuple(backlog._replace(is_lost=place.is_lost_with_job) for backlog in backlogs),
            warnings=(*self._warnings(), *written.warnings, *noted),
            is_doubled=written.is_doubled,
            handle=self._handle(written, outcomes),
            kept_at=str(place.root) if place.root is not None else None,
            signum=signum,
        )

    def wanted(self, kind: Kind, state: State, details: Details, *, run: str | None = None) -> Wanted:
        """What the choice of the lifecycle goes by. Raises UsageError where a required field is unknown."""
        return wanting.wanted(self.session, kind, state, details, run=run)

    def _deliver(self, written: Written, deadline: Deadline) -> Report:
        try:
            tickets = self.post(written, deadline)
        except Interrupted as stop:
            return self.interrupted(written, (), (), stop.signum)
        return self.finish(written, tickets, deadline)

    def _report_gated(self, wanted: Wanted, details: Details, say: gate.Say) -> Report:
        asking = gate.Asking(self.session, wanted, details, say, is_required=gate.is_required(self.session))
        try:
            begun = asking.start()
        except Interrupted as stop:
            if asking.written is None:
                raise
            first = [asking.outcome] if asking.outcome is not None else []
            _tell(asking.abandon("signal"), say)
            return self.interrupted(asking.written, (), first, stop.signum)
        first = [begun.outcome] if begun.outcome is not None else []
        if not begun.is_open:
            _tell(asking.abandon("rejected"), say)
            return self.summed(begun.written, first, ())
        try:
            tickets = gate.tell_slack(self.session, begun)
        except Interrupted as stop:
            return self.interrupted(begun.written, (), first, stop.signum)
        return self.finish(begun.written, tickets, begun.deadline, first)

    def interrupted(self, written: Written, tickets: Sequence[Ticket], first: Sequence[Outcome], signum: int) -> Report:
        """Nothing more is waited for: what has no answer yet is released to whoever calls next."""
        known = {ticket.sink: ticket.outcome for ticket in tickets} | {outcome.sink: outcome for outcome in first}
        outcomes = []
        for name, letter in written.letters.items():
            outcome = known.get(name)
            if outcome is None and letter.entry is not None and self.session.spool is not None:
                self.session.spool.keep(letter.entry)
            outcomes.append(outcome or Outcome(sink=name, verdict=Verdict.KEPT, detail="interrupted"))
        return self.summed(written, outcomes, (), signum)

    def _handle(self, written: Written, outcomes: Sequence[Outcome]) -> Handle | None:
        record = written.record
        if record is None:
            return None
        standing = {name: message for outcome in outcomes for name, message in outcome.channels.items()}
        return posting.handle_of(replace(record, channels={**record.channels, **standing}))

    def _nothing(self, why: str) -> Report:
        return Report(notice=why, is_notable=True, warnings=self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        problem = self.session.state.problem
        said = tuple(dict.fromkeys([*self.session.warnings, *([problem] if problem else [])]))
        self.session.warnings.clear()
        self.session.state.problem = None
        return said

    def _as_it_will_be(self, outcome: Outcome, written: Written) -> Outcome:
        """Kept only where a later call will find it: not without a copy, nor where the copy dies with the job."""
        letter = written.letters.get(outcome.sink)
        is_lost = self.session.place.is_lost_with_job or (letter is not None and letter.entry is None)
        is_kept = outcome.verdict is Verdict.KEPT
        return replace(outcome, verdict=Verdict.LOST) if is_kept and is_lost else outcome


def _tell(closing: gate.Closing | None, say: gate.Say) -> None:
    """What became of the aborted that closes what will not start."""
    for outcome in closing.outcomes if closing is not None else ():
        say(f"aborted: {outcome_line(outcome)}")
