"""Events into a database without a network between: what the tracker makes of them, step by step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from versioner_ci.server import migrate, moments, payload, preferences
from versioner_ci.server.book_rows import Names
from versioner_ci.server.db import Database, connect
from versioner_ci.server.ingest import Accepted, Arrival, Ingest
from versioner_ci.server.preferences import Wish
from versioner_ci.server.problems import Problem
from versioner_ci.server.read import Reader
from versioner_ci.server.records import LifecycleRow
from versioner_ci.status import Kind

NOON = moments.parse("2026-01-31T12:00:00Z")
_KEYS = itertools.count()


@dataclass(slots=True)
class Engine:
    """A database and the rules. Its clock stands still unless a test moves it; times are seconds after noon."""

    database: Database
    now: float = 0.0
    names: Names = field(default_factory=Names)

    @property
    def reader(self) -> Reader:
        return Reader(self.database)

    @property
    def clock(self) -> int:
        return NOON + moments.micros(self.now)

    def take(self, *events: payload.Incoming) -> list[Accepted | Problem]:
        """All of them in one transaction."""
        with self.database.write() as connection:
            ingest = Ingest(connection, self.names)
            answers = ingest.take([Arrival(event, self.clock) for event in events])
        self.names = ingest.book.names
        return answers

    def tell(self, status: str, at: float | None = None, **fields: Any) -> Accepted | Problem:
        """One deployment's event that happened `at`, which arrives now, or then if that is later."""
        self.now = max(self.now, at or 0.0)
        return self.take(event(status, at, **fields))[0]

    def build(self, status: str, at: float | None = None, **fields: Any) -> Accepted | Problem:
        return self.tell(status, at, kind=Kind.BUILD, **fields)

    def prefer(self, event_type: str, channel: str, **fields: Any) -> None:
        with self.database.write() as connection:
            preferences.create(connection, preferences.checked(Wish(event_type, channel, **fields)), self.clock)

    def lives(self, kind: str = "deployment") -> list[LifecycleRow]:
        """All of them, the oldest first; what was adopted is part of another."""
        return list(reversed(self.reader.lifecycles(kind).items))

    def shown(self, kind: str = "deployment") -> list[str]:
        return [life.shown for life in self.lives(kind)]


def event(status: str, at: float | None = None, *, kind: Kind = Kind.DEPLOYMENT, **fields: Any) -> payload.Incoming:
    """`life`, `group`, `run`: the ids; `key`: the Idempotency-Key; other fields go into the body."""
    key = fields.pop("key", f"key-{next(_KEYS)}")
    metadata = dict(fields.pop("metadata", {}))
    for name, word in (("life", "vi_lifecycle_id"), ("group", "vi_group_id")):
        if name in fields:
            metadata[word] = fields.pop(name)
    if at is not None:
        metadata["vi_occurred_at"] = moments.stamp(NOON + moments.micros(at))
    if "run" in fields:
        fields |= {"source_system": "github", "invoke_id": fields.pop("run")}
    body = {"product_name": "shop", "version": "1.4.2", "status": status, "extra_metadata": metadata, **fields}
    if kind is Kind.DEPLOYMENT:
        body.setdefault("environment_name", "production")
    return payload.read(kind, body, key)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine over a new database with the newest schema."""
    database = connect(url)
    migrate.upgrade(database)
    try:
        yield Engine(database)
    finally:
        database.dispose()
