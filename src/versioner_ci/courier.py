"""All sinks at the same time, in daemon threads, under one deadline that is enforced from outside them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from versioner_ci.attempt import Deadline
from versioner_ci.clock import Clock
from versioner_ci.deliver import Effort, Line, Posted
from versioner_ci.outcome import Backlog, Outcome, Verdict, united
from versioner_ci.records import dataclass
from versioner_ci.spool import Entry, Spool

_FLUSH_THREADS = 4
_ENTRY_SECONDS = 5.0
_GRACE = 0.15
"""Seconds in which a sink that has run out of time may say so itself: it knows whom it waited for."""
_MOST_FAILURES = 8
PATIENT = Effort(_ENTRY_SECONDS)
"""A flush: what fails is tried again for a while, and the sink is given up only after several failures in a row."""
BRIEF = Effort(_ENTRY_SECONDS, retries=0)
"""After an event that went through: the sink works, so what fails is that event's own matter, and later calls'."""


@dataclass(slots=True)
class Ticket:
    """One sink's share of a call; its thread fills it in."""

    sink: str
    posted: Posted | None = None
    outcome: Outcome | None = None
    backlog: Backlog | None = None
    is_done: bool = False


class Courier:
    """Hands events to the sinks' threads and waits for what becomes of them."""

    def __init__(
        self, lines: Sequence[Line], spool: Spool | None, clock: Clock, unusable: Mapping[str, str] | None = None
    ) -> None:
        self._lines = {line.sink.name: line for line in lines}
        self._unusable = unusable or {}
        self._spool = spool
        self._clock = clock
        self._jobs: dict[str, queue.SimpleQueue[Callable[[], None]]] = {}
        self._changed = threading.Event()
        self._tickets: list[Ticket] = []

    @property
    def backlogs(self) -> tuple[Backlog, ...]:
        """What became of events that earlier calls had kept, so far."""
        return united(ticket.backlog for ticket in self._tickets if ticket.backlog is not None)

    def post(self, letters: Mapping[str, Posted], deadline: Deadline) -> list[Ticket]:
        """Have each named sink deliver its event, and after it what else was kept for that sink."""
        tickets = [Ticket(sink=name, posted=posted) for name, posted in letters.items()]
        for ticket in tickets:
            if ticket.sink in self._lines:
                self._enqueue(ticket, deadline)
            else:
                ticket.outcome = self.give_up(ticket, self._unusable.get(ticket.sink, "not configured"))
                ticket.is_done = True
        return tickets

    def flush(self, deadline: Deadline) -> list[Ticket]:
        """Have each sink deliver everything that was kept for it."""
        tickets = [Ticket(sink=name) for name in self._lines]
        for ticket in tickets:
            self._enqueue(ticket, deadline)
        return tickets

    def wait(self, tickets: Sequence[Ticket], deadline: Deadline, *, for_backlog: bool = True) -> list[Outcome]:
        """The outcomes, in the tickets' order; what is not known by the deadline is given up and kept.

        `for_backlog`: wait, too, for what else was kept, also behind other tickets of this courier.
        """
        awaited = self._tickets if for_backlog else tickets
        while not all(_is_settled(ticket, for_backlog=for_backlog) for ticket in awaited):
            left = deadline.remaining + _GRACE
            if left <= 0:
                break
            self._changed.wait(min(left, 1.0))
            self._changed.clear()
        return [ticket.outcome or self.give_up(ticket) for ticket in tickets if ticket.posted is not None]

    def give_up(self, ticket: Ticket, why: str = "no answer in time; it may have been recorded") -> Outcome:
        """Stop waiting for a sink: its event is released to whoever calls next."""
        entry = ticket.posted.entry if ticket.posted is not None else None
        if entry is not None and self._spool is not None and ticket.outcome is None:
            self._spool.keep(entry)
        return Outcome(sink=ticket.sink, verdict=Verdict.KEPT, detail=why)

    def _enqueue(self, ticket: Ticket, deadline: Deadline) -> None:
        self._tickets.append(ticket)
        if ticket.sink not in self._jobs:
            jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
            self._jobs[ticket.sink] = jobs
            threading.Thread(target=_work, args=(jobs,), name=ticket.sink, daemon=True).start()
        self._jobs[ticket.sink].put(lambda: self._serve(ticket, deadline))

    def _serve(self, ticket: Ticket, deadline: Deadline) -> None:
        line = self._lines[ticket.sink]
        try:
            if ticket.posted is not None:
                ticket.outcome = line.deliver(ticket.posted, deadline)
                self._changed.set()
            if ticket.outcome is None or ticket.outcome.verdict is not Verdict.KEPT or line.is_final:
                ticket.backlog = self._serve_backlog(line, ticket, deadline)
        except Exception as error:  # noqa: BLE001 - a fault of one sink must not silence the others, or hang the call
            detail = f"a fault of versioner-ci: {type(error).__name__}"
            if ticket.posted is None:
                ticket.backlog = Backlog(sink=ticket.sink, left=self._count(ticket.sink), detail=detail)
            else:
                ticket.outcome = ticket.outcome or self.give_up(ticket, detail)
        finally:
            ticket.is_done = True
            self._changed.set()

    def _count(self, sink: str) -> int:
        return len(self._spool.entries(sink)) if self._spool is not None else 0

    def _serve_backlog(self, line: Line, ticket: Ticket, deadline: Deadline) -> Backlog | None:
        if self._spool is None:
            return None
        # What this call has just kept, or waits to send, is not tried once more.
        is_standing = line.is_final or (ticket.outcome is not None and ticket.outcome.verdict is Verdict.KEPT)
        own = ticket.posted.order_id if ticket.posted is not None and is_standing else None
        entries = [entry for entry in self._spool.entries(line.sink.name) if entry.order_id != own]
        groups = _groups(entries, self._clock.wall(), is_final=line.is_final)
        if not groups:
            return None
        effort = PATIENT if ticket.posted is None or line.is_final else BRIEF
        batch = _Batch(line, groups, deadline, effort, is_urgent=lambda: not self._jobs[ticket.sink].empty())
        batch.run(_FLUSH_THREADS if line.is_parallel else 1)
        return batch.tally


class _Batch:
    """Kept lifecycles shared out among a few threads; the order inside each is kept."""

    def __init__(
        self,
        line: Line,
        groups: Sequence[Sequence[Entry]],
        deadline: Deadline,
        effort: Effort,
        is_urgent: Callable[[], bool],
    ) -> None:
        self._line = line
        self._deadline = deadline
        self._effort = effort
        self._is_urgent = is_urgent
        """Something newer waits to be sent: what was kept for so long can wait behind it."""
        self._todo: queue.SimpleQueue[Sequence[Entry]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._failures = 0
        self.tally = Backlog(sink=line.sink.name, left=sum(map(len, groups)))
        for group in groups:
            self._todo.put(group)

    def run(self, threads: int) -> None:
        """Return when all is tried, the sink has failed too often, something newer waits, or the time is up."""
        others = [threading.Thread(target=self._work, daemon=True) for _ in range(min(threads, self._todo.qsize()) - 1)]
        for thread in others:
            thread.start()
        self._work()
        for thread in others:
            thread.join(max(self._deadline.remaining, 0))

    def _work(self) -> None:
        while not self._is_over():
            try:
                group = self._todo.get_nowait()
            except queue.Empty:
                return
            done = self._deliver(group)
            with self._lock:
                self._failures = self._failures + 1 if done.left else 0
                self.tally = _sum(self.tally, done, len(group))

    def _is_over(self) -> bool:
        is_hopeless = self._effort.retries is None and self._failures >= _MOST_FAILURES
        return is_hopeless or self._deadline.remaining <= 0 or self._line.is_stopped or self._is_urgent()

    def _deliver(self, group: Sequence[Entry]) -> Backlog:
        try:
            return self._line.deliver_kept(group, self._deadline, self._effort)
        except Exception as error:  # noqa: BLE001 - a fault over one lifecycle must not keep the others back
            detail = f"a fault of versioner-ci: {type(error).__name__}"
            return Backlog(sink=self._line.sink.name, left=len(group), detail=detail)


def _sum(total: Backlog, done: Backlog, tried: int) -> Backlog:
    return Backlog(
        sink=total.sink,
        delivered=total.delivered + done.delivered,
        left=total.left - tried + done.left,
        set_aside=total.set_aside + done.set_aside,
        detail=done.detail or total.detail,
    )


def _groups(entries: Iterable[Entry], now: float, *, is_final: bool) -> list[list[Entry]]:
    """Lifecycle by lifecycle, oldest first, without those that nobody may touch now; in a last hook these come last."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.order_id, []).append(entry)
    due = [group for group in groups.values() if group[0].is_due(now)]
    return due + [group for group in groups.values() if is_final and not group[0].is_due(now)]


def _is_settled(ticket: Ticket, *, for_backlog: bool) -> bool:
    return ticket.is_done or (ticket.outcome is not None and not for_backlog)


def _work(jobs: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        jobs.get()()
