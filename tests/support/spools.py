"""A spool in a folder of the test's own, its clock, and events to put into it."""

from __future__ import annotations

from pathlib import Path

from versioner_ci.event import Event
from versioner_ci.identity import event_key, uid
from versioner_ci.sinks._sink import Item
from versioner_ci.spool import Entry, Spool
from versioner_ci.status import Kind, State

NOW = 1_764_000_000.0


class Wall:
    """A clock that is set by hand; seconds since the epoch."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def an_item(name: str = "one", state: State = State.STARTED, **more: object) -> Item:
    """An event of the lifecycle `name`; `more` are fields of the Item."""
    lifecycle = uid(name)
    event = Event(
        kind=Kind.DEPLOYMENT,
        state=state,
        product="shop",
        version="1.4.2",
        environment="production",
        occurred_at="2026-01-31T12:00:00.000000Z",
        lifecycle_id=lifecycle,
        key=event_key(lifecycle, state),
    )
    return Item(event=event, **more)  # type: ignore[arg-type]


def kept(spool: Spool, name: str = "one") -> Entry:
    """Such an event, kept for anybody to send."""
    entry = spool.keep(spool.add("backend", an_item(name), job=None, lease_until=NOW + 30))
    assert entry is not None
    return entry


def names(folder: Path) -> list[str]:
    """What is in a folder; nothing where it is missing."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
