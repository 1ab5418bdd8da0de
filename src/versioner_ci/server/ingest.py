"""Takes a batch of events into the database, in one transaction, and says what each is answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from versioner_ci.identity import fresh_id
from versioner_ci.server import lifecycles, moments, outbox
from versioner_ci.server.applying import Place, When, after, apply, group_open
from versioner_ci.server.book import Book
from versioner_ci.server.book_rows import Known, Names, VersionRow
from versioner_ci.server.life import Life
from versioner_ci.server.lifecycles import MOVED, Effect
from versioner_ci.server.outbox import Told
from versioner_ci.server.payload import Incoming
from versioner_ci.server.problems import Problem
from versioner_ci.server.tables import Environment, Product
from versioner_ci.status import Kind, State

_SHORTEST_SHA = 7
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class Arrival(NamedTuple):
    """An event and when it arrived, in microseconds."""

    event: Incoming
    at: int


class Accepted(NamedTuple):
    """An answer: 201 with a body, or 200 with the first answer again."""

    status: int
    body: bytes


class Ingest:
    """One batch; `names` holds what earlier ones have committed. The caller holds the write lock."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self.book = Book(connection, names)
        self.told: list[Told] = []
        self.messages = 0

    def take(self, batch: Sequence[Arrival]) -> list[Accepted | Problem]:
        """An answer for each, in order. Nothing is committed here."""
        self._load(batch)
        answers = [self._answer(arrival) for arrival in batch]
        self.book.write()
        if self.told:
            self.messages = outbox.enqueue(self.book.connection, self.told, batch[-1].at)
        if self.book.left:
            self.messages += outbox.enqueue_left(self.book.connection, self.book.left, batch[-1].at)
        return answers

    def _load(self, batch: Sequence[Arrival]) -> None:
        book, events = self.book, [arrival.event for arrival in batch]
        book.load_known([event.key for event in events if event.key is not None])
        book.load_names(Product, {event.product for event in events})
        book.load_names(Environment, {event.environment for event in events if event.environment is not None})
        ids = book.names.products
        book.load_versions({(ids[each.product], each.version) for each in events if each.product in ids})
        single = [event.keys.own for event in events if event.lifecycle is not None or event.is_for_group]
        book.load_lives(single, [event.keys.group for event in events if event.keys.group is not None])
        book.load_latest([event.keys for event in events if event.lifecycle is None and not event.is_for_group])
        self._load_places(events)
        self._load_later(batch)

    def _load_places(self, events: Sequence[Incoming]) -> None:
        """What runs and what is queued where the events belong; an ending supersedes nothing."""
        book = self.book
        deployments = {where for event in events if (where := self._where(event)) is not None}
        moving = [event for event in events if not event.state.is_ending]
        book.load_queued_deployments({where for event in moving if (where := self._where(event)) is not None})
        book.load_queued_builds({line for event in moving for line in self._lines(event)})
        book.load_cells(deployments)

    def _where(self, event: Incoming) -> tuple[str, str] | None:
        """The known product and environment of a deployment."""
        product = self.book.names.products.get(event.product)
        environment = self.book.names.environments.get(event.environment or "")
        return (product, environment) if product is not None and environment is not None else None

    def _lines(self, event: Incoming) -> set[tuple[str, str | None]]:
        """The known product and the branches of a build: the one it tells, and the one its lifecycle has."""
        product = self.book.names.products.get(event.product)
        if event.kind is not Kind.BUILD or product is None:
            return set()
        known = {life.branch for life in self.book.by_key.get(event.keys.own, [])}
        return {(product, branch) for branch in {event.texts.get("scm_branch") or None, *known}}

    def _load_later(self, batch: Sequence[Arrival]) -> None:
        """What a queued one that arrives late may have to give way to."""
        newest: set[str] = set()
        for event, now in batch:
            if event.state is not State.PENDING:
                continue
            at = moments.believed(event.occurred_at, now) if event.occurred_at is not None else now
            cell = self.book.cells.get(self._where(event) or ("", ""))
            if cell is not None and cell.last_at > at:
                newest.add(cell.last_lifecycle_id)
            for product, branch in self._lines(event):
                self.book.load_later_build(product, branch, at)
        self.book.load_ids(newest)

    def _answer(self, arrival: Arrival) -> Accepted | Problem:
        event = arrival.event
        known = self.book.known.get(event.key) if event.key is not None else None
        if known is not None:
            return self._repeated(event, known)
        conflict = self._conflict(event)
        return conflict if conflict is not None else self._accept(event, arrival.at)

    def _repeated(self, event: Incoming, known: Known) -> Accepted | Problem:
        names, book = self.book.names, self.book
        product = names.products.get(event.product)
        version = book.versions.get((product or "", event.version))
        environment = names.environments.get(event.environment) if event.environment is not None else None
        own = (event.kind.value, event.state.value, product, version and version.id, environment)
        if own != (known.kind, known.state, known.product_id, known.version_id, known.environment_id):
            message = "this Idempotency-Key was used before, for another event"
            return Problem(409, "idempotency_mismatch", message)
        return Accepted(200, known.answer[:-1].encode() + b',"duplicate":true}')

    def _conflict(self, event: Incoming) -> Problem | None:
        """A version is built from one commit."""
        sha = event.texts.get("scm_sha", "").lower()
        known = self.book.versions.get((self.book.names.products.get(event.product, ""), event.version))
        if event.kind is not Kind.BUILD or known is None or not known.is_built or not known.scm_sha or not sha:
            return None
        first = known.scm_sha.lower()
        is_same = sha == first or (
            min(len(sha), len(first)) >= _SHORTEST_SHA and (sha.startswith(first) or first.startswith(sha))
        )
        if is_same:
            return None
        message = (
            f"this version was built from commit {known.scm_sha[:40]} before: give the new build a version of its own"
        )
        return Problem(409, "version_conflict", message)

    def _accept(self, event: Incoming, now: int) -> Accepted:
        when = When(moments.believed(event.occurred_at, now) if event.occurred_at is not None else now, now)
        place = self._place(event, now)
        identity = fresh_id()
        lives = group_open(self.book, event, place, when.at) if event.is_for_group else []
        life, effect = apply(self.book, event, place, when, lives[0] if lives else None)
        if effect.is_moved:
            self._told(event, life, identity)
            life.closed_by = identity if event.is_for_group else life.closed_by
        for other in lives[1:]:
            lifecycles.moved(other, event, when.at)
            other.closed_by = identity
            after(self.book, other, event, when, MOVED)
            self._told(event, other, identity)
        return self._record(event, _Stored(identity, place, life, effect, when))

    def _told(self, event: Incoming, life: Life, identity: str) -> None:
        self.told.append(Told(life, event.state, identity, event.product, event.version, event.environment))

    def _place(self, event: Incoming, now: int) -> Place:
        product = self.book.product(event.product, now)
        environment = self.book.environment(event.environment, now) if event.environment is not None else None
        return Place(product, self._version(event, product, now).id, environment)

    def _version(self, event: Incoming, product: str, now: int) -> VersionRow:
        sha, repository = event.texts.get("scm_sha"), event.texts.get("scm_repository")
        is_built = event.kind is Kind.BUILD and sha is not None
        known = self.book.versions.get((product, event.version))
        if known is None:
            known = self.book.versions[product, event.version] = VersionRow(
                id=fresh_id(),
                product_id=product,
                name=event.version,
                scm_sha=sha,
                scm_repository=repository,
                is_built=is_built,
                first_seen_at=now,
                is_new=True,
            )
        elif sha is not None and (known.scm_sha is None or (is_built and not known.is_built)):
            known.scm_sha, known.scm_repository, known.is_built = sha, repository, is_built
            known.is_changed = True
        return known

    def _record(self, event: Incoming, stored: _Stored) -> Accepted:
        place, life = stored.place, stored.life
        body = {
            "id": stored.id,
            "event_id": stored.id,
            "product_id": place.product_id,
            "version_id": place.version_id,
            **({"environment_id": place.environment_id} if place.environment_id else {}),
            f"{event.kind.value}_id": life.adopted_by or life.id,
            "status": event.state.value,
        }
        answer = _ENCODER.encode(body)
        row = {
            "id": stored.id,
            "idempotency_key": event.key,
            "kind": event.kind.value,
            "state": event.state.value,
            "lifecycle_id": life.id,
            "group_key": event.keys.group,
            **place._asdict(),
            "occurred_at": event.occurred_at if event.occurred_at is not None else stored.when.now,
            "received_at": stored.when.now,
            **stored.effect._asdict(),
            "payload": event.payload,
            "answer": answer,
        }
        self.book.events.append(row)
        if event.key is not None:
            self.book.known[event.key] = Known(**{name: row[name] for name in Known._fields})
        return Accepted(201, answer.encode())


class _Stored(NamedTuple):
    """An accepted event and what it did."""

    id: str
    place: Place
    life: Life
    effect: Effect
    when: When
