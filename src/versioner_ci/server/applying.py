"""Applies one event to the rows of a batch: its own lifecycle, those that it touches, and what runs where."""

from __future__ import annotations

from typing import NamedTuple

from versioner_ci.identity import fresh_id
from versioner_ci.server import lifecycles
from versioner_ci.server.book import Book, CellRow
from versioner_ci.server.life import Life
from versioner_ci.server.lifecycles import LATE, Effect
from versioner_ci.server.payload import Incoming
from versioner_ci.status import Kind, State


class Place(NamedTuple):
    """Where an event belongs, by ids."""

    product_id: str
    version_id: str
    environment_id: str | None


class When(NamedTuple):
    """When an event happened and when it arrived, in microseconds."""

    at: int
    now: int


def group_open(book: Book, event: Incoming, place: Place) -> list[Life]:
    """What the event's group has open, the newest first; else its newest, for a repeat."""
    group = book.by_group.get(event.keys.group or "", [])
    own = (event.kind.value, place.product_id, place.environment_id)
    fitting = [life for life in group if life.place == own and life.adopted_by is None]
    fitting.sort(key=lambda life: life.opened_at, reverse=True)
    return [life for life in fitting if life.can_end] or fitting[:1]


def apply(book: Book, event: Incoming, place: Place, when: When, life: Life | None) -> tuple[Life, Effect]:
    """Move its lifecycle (`life`, if it is known) on, or open one; and what the event did."""
    at = when.at
    life = life or lifecycles.chosen(event, at, book.by_key.get(event.keys.own, []))
    if life is None:
        life = book.add(_opened(event, place, when))
        if event.state is State.PENDING and lifecycles.join_late(life, _group(book, life)) is not None:
            effect = LATE
        else:
            effect = lifecycles.moved(life, event, at)
    elif life.adopted_by is not None:
        effect = LATE
    else:
        effect = lifecycles.moved(life, event, at)
    life.last_event_at, life.is_changed = when.now, True
    lifecycles.describe(life, event, is_moved=effect.is_moved)
    if effect.is_moved:
        after(book, life, event, at)
    return life, effect


def _group(book: Book, life: Life) -> list[Life]:
    return book.by_group.get(life.group_key or "", [])


def after(book: Book, life: Life, event: Incoming, at: int) -> None:
    """What a step forward does to others: adoption, queued ones, what runs where."""
    adopted = lifecycles.adopt(life, _group(book, life)) if event.state is State.STARTED else None
    if not event.state.is_ending:
        lifecycles.supersede(life, at, list(book.lives.values()))
    if life.environment_id is None or life.kind != Kind.DEPLOYMENT.value:
        return
    where = (life.product_id, life.environment_id)
    cell = book.cells.get(where)
    if cell is None:
        cell = book.cells[where] = _cell(life, life.environment_id)
    elif life.opened_at >= cell.last_at or (adopted is not None and cell.last_lifecycle_id == adopted.id):
        cell.last_lifecycle_id, cell.last_at, cell.is_changed = life.id, max(life.opened_at, cell.last_at), True
    ended = life.ended_at
    if event.state is State.COMPLETED and ended is not None and ended >= (cell.completed_at or ended):
        cell.lifecycle_id, cell.version_id, cell.completed_at = life.id, life.version_id, ended
        cell.is_changed = True


def _opened(event: Incoming, place: Place, when: When) -> Life:
    identity = fresh_id()
    return Life(
        id=identity,
        kind=event.kind.value,
        key=event.keys.own,
        slot=event.keys.slot,
        group_key=event.keys.group,
        **place._asdict(),
        state=State.PENDING.value,
        chain_id=identity,
        opened_at=when.at,
        last_event_at=when.now,
        is_new=True,
    )


def _cell(life: Life, environment_id: str) -> CellRow:
    return CellRow(
        product_id=life.product_id,
        environment_id=environment_id,
        lifecycle_id=None,
        version_id=None,
        completed_at=None,
        last_lifecycle_id=life.id,
        last_at=life.opened_at,
        is_new=True,
    )
