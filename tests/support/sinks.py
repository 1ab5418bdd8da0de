"""Small sinks and clocks for the delivery's unit tests: they do what a real one may do, and remember it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.spools import NOW, an_item
from versioner_ci.attempt import Deadline
from versioner_ci.clock import Clock
from versioner_ci.deliver import Line, Posted
from versioner_ci.sinks._sink import Answer, Item, Receipt, Target
from versioner_ci.spool import Entry, Spool
from versioner_ci.status import State

ACCEPTED = Receipt(answer=Answer.ACCEPTED)
DOWN = Receipt(answer=Answer.TEMPORARY, detail="HTTP 503")
CHANNEL = (Target(channel="#deploys"),)


class Time:
    """A clock that only sleeping moves; safe to use from several threads."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self.clock = Clock(wall=lambda: NOW + self.now, monotonic=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(self.clock, seconds)


Reaction = Receipt | Exception | Callable[[Item, float], Receipt]


class Scripted:
    """A sink that reacts as scripted, and by the last reaction from then on."""

    def __init__(self, *reactions: Reaction, name: str = "backend") -> None:
        self.name = name
        self._reactions = list(reactions) or [ACCEPTED]
        self._lock = threading.Lock()
        self.sent: list[Item] = []
        self.timeouts: list[float] = []

    def send(self, item: Item, *, timeout: float) -> Receipt:
        with self._lock:
            self.sent.append(item)
            self.timeouts.append(timeout)
            reaction = self._reactions[min(len(self.sent), len(self._reactions)) - 1]
        if isinstance(reaction, Exception):
            raise reaction
        return reaction if isinstance(reaction, Receipt) else reaction(item, timeout)

    def preview(self, _item: Item) -> list[dict[str, Any]]:
        return []

    @property
    def told(self) -> list[str]:
        """`one started` for each try, by what an_item() was called with."""
        return [named(item) for item in self.sent]


def named(item: Item) -> str:
    return f"{item.event.metadata['name']} {item.event.state.value}"


@dataclass
class Notes:
    """Where messages are written down: a Book."""

    known: dict[str, str] = field(default_factory=dict)
    noted: list[tuple[str, bool]] = field(default_factory=list)

    def channels(self, _job: str | None, _lifecycle: str) -> Mapping[str, str]:
        return self.known

    def note(self, _job: str | None, _sink: str, item: Item, *, is_delivered: bool) -> None:
        self.noted.append((named(item), is_delivered))


class Bench:
    """A spool in a folder, a clock, one sink and its line."""

    def __init__(self, folder: Path, sink: Scripted, *, is_final: bool = False, has_disk: bool = True) -> None:
        self.time = Time()
        self.sink = sink
        self.notes = Notes()
        self.spool = Spool(folder / "spool", self.time.clock)
        self.line = Line(sink, self.spool if has_disk else None, self.notes, self.time.clock, is_final=is_final)
        self.has_disk = has_disk

    def posted(self, name: str, state: State, targets: Iterable[Target] = (), **more: Any) -> Posted:
        """An event, written down and leased for 10 s."""
        item = a_named_item(name, state, targets=tuple(targets), **more)
        entry = self.spool.add(self.sink.name, item, job="job", lease_until=self.time.clock.wall() + 10)
        order_id = (item.event.lifecycle_id or "").replace("-", "")
        return Posted(item=item, job="job", entry=entry if self.has_disk else None, order_id=order_id, rank=state.rank)

    def kept(self, name: str, state: State = State.STARTED, *, not_before: float | None = None, **more: Any) -> Entry:
        """An event that an earlier call kept; `not_before`: seconds from now."""
        entry = self.posted(name, state, **more).entry
        assert entry is not None
        released = self.spool.keep(entry, None if not_before is None else self.time.clock.wall() + not_before)
        assert released is not None
        return released

    def holds(self) -> list[str]:
        """`one started` with `f`, `l` or `n`, for each entry."""
        found = []
        for entry in self.spool.entries():
            stored = self.spool.read(entry)
            assert stored is not None
            found.append(f"{named(stored.item)} {entry.hold}")
        return found


def a_named_item(name: str, state: State, **more: Any) -> Item:
    """an_item() that carries its name, so that a test can tell it."""
    item = an_item(name, state, **more)
    return replace(item, event=replace(item.event, metadata={"name": name}))
