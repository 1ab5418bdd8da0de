"""One sink's deliveries, in order: what was kept of the same lifecycle, the event itself, then what else was kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from versioner_ci.attempt import Attempt, Deadline, attempt
from versioner_ci.backoff import LONGEST_HOLD
from versioner_ci.clock import Clock
from versioner_ci.outcome import Backlog, Outcome, Verdict
from versioner_ci.records import replace
from versioner_ci.sinks._sink import Answer, Item, Sink
from versioner_ci.spool import Entry, Spool

_POLL = 0.1
_LEASE_MARGIN = 0.5
_FINAL = {
    Answer.ACCEPTED: Verdict.ACCEPTED,
    Answer.DUPLICATE: Verdict.DUPLICATE,
    Answer.REFUSED: Verdict.REFUSED,
    Answer.REJECTED: Verdict.REJECTED,
}


class Book(Protocol):
    """Where the lifecycles' Slack messages are written down."""

    def channels(self, job: str | None, lifecycle: str) -> Mapping[str, str]: ...

    def note(self, job: str | None, sink: str, item: Item, *, is_delivered: bool) -> None: ...


class Posted(NamedTuple):
    """An event that is on disk, leased to us (`entry`), or could not be written (None)."""

    item: Item
    job: str | None
    entry: Entry | None
    order_id: str
    rank: int


class Effort(NamedTuple):
    """How much one event may take of a call: seconds, and tries after the first; None: all that there is."""

    seconds: float | None = None
    retries: int | None = None


WHOLE = Effort()


class Line:
    """All deliveries to one sink within one call."""

    def __init__(self, sink: Sink, spool: Spool | None, book: Book, clock: Clock, *, is_final: bool = False) -> None:
        self.sink = sink
        self._spool = spool
        self._book = book
        self._clock = clock
        self.is_final = is_final
        """Nothing comes after this call, and what it keeps is lost: nothing is left for later."""
        self.is_stopped = False
        """The key or the URL is wrong: nothing else is tried in this call."""
        self.is_parallel = sink.name == "backend"

    def deliver(self, posted: Posted, deadline: Deadline) -> Outcome:
        """The event's outcome, after whatever was kept of its lifecycle before it."""
        posted = self._as_first_written(posted)
        earlier = self._deliver_earlier(posted, deadline)
        standing = next((outcome for outcome in earlier if outcome.verdict is Verdict.KEPT), None)
        if standing is not None and not self.is_final:
            self._keep(posted.entry, None)
            return replace(standing, detail=f"behind an earlier event: {standing.detail}")
        outcome = self._send(posted, deadline)
        notes = tuple(
            f"{older.sink}: an earlier event of this lifecycle was not accepted: {_why(older)}"
            for older in earlier
            if not older.verdict.is_delivered
        )
        return replace(outcome, warnings=(*outcome.warnings, *notes))

    def deliver_kept(self, group: Sequence[Entry], deadline: Deadline, effort: Effort = WHOLE) -> Backlog:
        """One lifecycle's kept entries, in order, until one of them stays kept."""
        tally = Backlog(sink=self.sink.name)
        for index, entry in enumerate(group):
            if deadline.remaining <= 0 or self.is_stopped:
                return tally._replace(left=len(group) - index)
            outcome = self._deliver_entry(entry, self._items(group[index + 1 :]), deadline, effort)
            if outcome is None:
                continue
            if outcome.verdict is Verdict.KEPT and not self.is_final:
                return tally._replace(left=len(group) - index, detail=outcome.detail)
            is_delivered, is_kept = outcome.verdict.is_delivered, outcome.verdict is Verdict.KEPT
            tally = tally._replace(
                delivered=tally.delivered + is_delivered,
                left=tally.left + is_kept,
                set_aside=tally.set_aside + (not is_delivered and not is_kept),
                detail=tally.detail if is_delivered else _why(outcome),
            )
        return tally

    def _as_first_written(self, posted: Posted) -> Posted:
        """With the body of the first try, where an earlier call of the same hook has kept this very event."""
        stored = self._spool.read(posted.entry) if self._spool is not None and posted.entry is not None else None
        if stored is None:
            return posted
        channels = {**stored.item.channels, **posted.item.channels}
        return posted._replace(item=replace(stored.item, channels=channels, is_gated=posted.item.is_gated))

    def _deliver_earlier(self, posted: Posted, deadline: Deadline) -> list[Outcome]:
        """What became of the kept events before it; the last may be one that stays kept."""
        outcomes: list[Outcome] = []
        entries = self._spool.entries(self.sink.name) if self._spool is not None else []
        for entry in entries:
            if entry.order_id != posted.order_id or entry.rank >= posted.rank:
                continue
            share = deadline.within(deadline.remaining / 2) if self.is_final else deadline
            outcome = self._deliver_entry(entry, (posted.item,), share, WHOLE)
            if outcome is not None:
                outcomes.append(outcome)
            if outcome is not None and outcome.verdict is Verdict.KEPT and not self.is_final:
                break
        return outcomes

    def _deliver_entry(self, entry: Entry, newer: Iterable[Item], deadline: Deadline, effort: Effort) -> Outcome | None:
        """Claim and send one kept entry; None if there was nothing left to send."""
        spool = self._spool
        if spool is None:
            return None
        share = deadline if effort.seconds is None else deadline.within(effort.seconds)
        claimed = self._claim(spool, entry, deadline, share)
        if not isinstance(claimed, Entry):
            return claimed
        stored = spool.read(claimed)
        if stored is None:
            return None
        if stored.item.targets and any(_covers(item, stored.item) for item in newer):
            spool.done(claimed)
            return None
        # A lease that lapsed: its owner died with the request perhaps on its way.
        item = replace(stored.item, is_unsure=stored.item.is_unsure or entry.hold == "leased")
        posted = Posted(item=item, job=stored.job, entry=claimed, order_id=entry.order_id, rank=entry.rank)
        return self._send(posted, share, effort.retries)

    def _items(self, entries: Iterable[Entry]) -> Iterator[Item]:
        for entry in entries:
            stored = self._spool.read(entry) if self._spool is not None else None
            if stored is not None:
                yield stored.item

    def _claim(self, spool: Spool, entry: Entry, deadline: Deadline, share: Deadline) -> Entry | Outcome | None:
        """The entry leased to us; None: somebody has dealt with it; an Outcome: why it has to wait."""
        current: Entry | None = entry
        while self.is_final and current is not None and current.is_leased(self._clock.wall()):
            if deadline.remaining <= _POLL:
                break
            self._clock.sleep(_POLL)
            current = _as_it_stands(spool, entry)
        if current is None:
            return None
        now = self._clock.wall()
        if not (current.is_leased(now) or current.is_due(now) or self.is_final):
            wait = current.until - now
            if wait + _POLL > share.remaining:
                return self._kept(f"the server asked to wait another {wait:.0f} s")
            self._clock.sleep(wait)
        claimed = spool.claim(current, self._clock.wall() + max(share.remaining, 1.0) + _LEASE_MARGIN)
        if claimed is None and _as_it_stands(spool, entry) is None:
            return None
        return claimed if claimed is not None else self._kept("another call is sending it")

    def _kept(self, detail: str) -> Outcome:
        return Outcome(sink=self.sink.name, verdict=Verdict.KEPT, detail=detail)

    def _send(self, posted: Posted, deadline: Deadline, retries: int | None = None) -> Outcome:
        item = self._with_channels(posted)
        tried = attempt(self.sink, item, deadline, self._clock, retries=retries)
        receipt = tried.receipt
        verdict = _FINAL.get(receipt.answer, Verdict.KEPT)
        outcome = Outcome(
            sink=self.sink.name,
            verdict=verdict,
            detail=receipt.detail,
            fix=receipt.fix,
            ids=receipt.ids,
            rejection=receipt.rejection,
            channels=tried.item.channels,
            warnings=receipt.warnings,
            debug=receipt.debug,
        )
        if tried.item.channels != item.channels or verdict.is_delivered:
            self._book.note(posted.job, self.sink.name, tried.item, is_delivered=verdict.is_delivered)
        self._settle(posted.entry, tried, verdict)
        self.is_stopped = self.is_stopped or receipt.answer is Answer.MISCONFIGURED
        return outcome

    def _with_channels(self, posted: Posted) -> Item:
        item = posted.item
        if not item.targets or item.event.lifecycle_id is None:
            return item
        known = self._book.channels(posted.job, item.event.lifecycle_id)
        return replace(item, channels={**item.channels, **known})

    def _settle(self, entry: Entry | None, tried: Attempt, verdict: Verdict) -> None:
        if entry is None or self._spool is None:
            return
        if verdict is Verdict.KEPT:
            if tried.item.targets or tried.item.is_unsure:
                self._spool.rewrite(entry, tried.item)
            self._keep(entry, tried.not_before)
        elif verdict is Verdict.REFUSED:
            self._spool.set_aside(entry)
        else:
            self._spool.done(entry)

    def _keep(self, entry: Entry | None, asked: float | None) -> None:
        if entry is not None and self._spool is not None:
            self._spool.keep(entry, None if asked is None else self._clock.wall() + min(asked, LONGEST_HOLD))


def _as_it_stands(spool: Spool, entry: Entry) -> Entry | None:
    """The same entry under the hold that it now has; None: it is there no more."""
    found = (other for other in spool.entries(entry.sink) if (other.seq, other.key) == (entry.seq, entry.key))
    return next(found, None)


def _why(outcome: Outcome) -> str:
    rejection = outcome.rejection
    return outcome.detail if rejection is None else f"rejected by rule '{rejection.rule}': {rejection.reason}"


def _covers(newer: Item, older: Item) -> bool:
    """A Slack message's update that a newer one overwrites anyway need not be sent."""
    channels = {target.channel for target in newer.targets}
    return all(t.channel and t.channel in channels and not t.is_reply_due for t in older.targets)
