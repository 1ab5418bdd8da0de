"""What one call came to: the event, each sink's outcome, and what has to be said."""

from __future__ import annotations

from versioner_ci.event import Event
from versioner_ci.identity import Handle
from versioner_ci.outcome import Backlog, Outcome, Verdict, worst
from versioner_ci.records import dataclass, replace
from versioner_ci.sinks._sink import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`report.py` turns it into text, annotations, a summary, JSON and an exit code."""

    event: Event | None = None
    outcomes: tuple[Outcome, ...] = ()
    backlogs: tuple[Backlog, ...] = ()
    warnings: tuple[str, ...] = ()
    notice: str | None = None
    """Why nothing was sent, where nothing was."""
    is_notable: bool = False
    """Nothing can be sent at all: GitHub shows the notice beside the run."""
    is_doubled: bool = False
    handle: Handle | None = None
    kept_at: str | None = None
    """The folder that holds what is kept."""
    signum: int | None = None
    """The signal that cut the call short."""
    earlier: Verdict = Verdict.NOTHING
    """What became of the job's earlier track, where this call has ended it."""
    is_unread: bool = False
    """The host's word says nothing that could be reported."""

    @property
    def verdict(self) -> Verdict:
        """The worst sink's."""
        if self.is_doubled:
            return Verdict.DUPLICATE if self.earlier.is_delivered else self.earlier
        return worst([*(outcome.verdict for outcome in self.outcomes), *self._missed])

    @property
    def _missed(self) -> tuple[Verdict, ...]:
        """The earlier ending where it did not arrive; no rule keeps this event from going on because of that."""
        if self.earlier.is_delivered:
            return ()
        return (Verdict.REFUSED if self.earlier is Verdict.REJECTED else self.earlier,)

    def after(self, earlier: Report) -> Report:
        """This call's report with what became of the earlier track's ending."""
        return replace(self, earlier=earlier.verdict, signum=self.signum or earlier.signum)

    @property
    def rejection(self) -> Rejection | None:
        return next((outcome.rejection for outcome in self.outcomes if outcome.rejection is not None), None)
