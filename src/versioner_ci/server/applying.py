"""Applies one event to the rows of a batch: its own lifecycle, those that it touches, and what runs where."""

from __future__ import annotations

from typing import NamedTuple

from versioner_ci.identity import fresh_id
from versioner_ci.server import groups, lifecycles
from versioner_ci.server.book import Book
from versioner_ci.server.book_rows import CellRow
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


def group_open(book: Book, event: Incoming, place: Place, at: int) -> list[Life]:
    """What the event's group has open, the newest first; else its newest, for a repeat."""
    group = book.by_group.get(event.keys.group or "", [])
    own = (event.kind.value, place.product_id, place.environment_id)
    fitting = [life for life in group if life.place == own and life.adopted_by is None]
    ended = [life for life in fitting if not life.can_end]
    newest = max(ended, key=lambda life: (life.opened_at, life.id), default=None)
    return groups.meant(event.state, at, fitting) or ([newest] if newest is not None else [])


def apply(book: Book, event: Incoming, place: Place, when: When, life: Life | None) -> tuple[Life, Effect]:
    """Move its lifecycle (`life`, if it is known) on, or open one; and what the event did."""
    at = when.at
    life = life or lifecycles.chosen(event, at, book.by_key.get(event.keys.own, []))
    is_first = life is None
    if life is None:
        life = book.add(_opened(event, place, when))
        is_joined = event.state is State.PENDING and lifecycles.join_late(life, _group(book, life)) is not None
        effect = LATE if is_joined else lifecycles.moved(life, event, at)
    else:
        _part(book, life, event)
        effect = LATE if life.adopted_by is not None else lifecycles.moved(life, event, at)
    life.last_event_at, life.is_changed = when.now, True
    lifecycles.describe(life, event, is_moved=effect.is_moved)
    if _end_with_group(book, life, event, at, is_first=is_first) and not event.state.is_ending:
        effect = LATE
    if not effect.is_repeat:
        after(book, life, event, when, effect)
    return life, effect


def _group(book: Book, life: Life) -> list[Life]:
    return book.by_group.get(life.group_key or "", [])


def _part(book: Book, life: Life, event: Incoming) -> None:
    """A pending that another had taken over has a start or an ending of its own, or that other a pending."""
    if event.lifecycle is None:
        return
    if life.adopted_by is None:
        if event.state is State.PENDING and not life.is_pending:
            groups.part_for_own(life, _group(book, life))
    elif event.state is not State.PENDING:
        book.load_ids({life.adopted_by})
        groups.part(life, book.lives[life.adopted_by], _group(book, life))


def _end_with_group(book: Book, life: Life, event: Incoming, at: int, *, is_first: bool) -> bool:
    """Whether its group's ending had arrived before, and ends it now."""
    if event.keys.group is None or event.is_for_group or life.adopted_by is not None:
        return False
    is_ended = False
    if is_first or (event.state is State.STARTED and not life.has_ended):
        is_ended = groups.overtaken(life, event, at, _group(book, life)) is not None
    groups.give_back(life, _group(book, life))
    return is_ended


def after(book: Book, life: Life, event: Incoming, when: When, effect: Effect) -> None:
    """What a step does to others: adoption, queued ones, what runs where. A late one may do so as well."""
    adopted = lifecycles.adopt(life, _group(book, life))
    if adopted is not None and effect.is_moved:
        life.chain_id = adopted.chain_id
    elif adopted is not None:
        book.left.append((adopted.chain_id, life))
    if not event.state.is_ending:
        lifecycles.supersede(life, when.at, list(book.lives.values()))
    if life.is_pending and life.is_open:
        lifecycles.give_way(life, list(book.lives.values()))
    if life.environment_id is None or life.kind != Kind.DEPLOYMENT.value or life.adopted_by is not None:
        return
    where = (life.product_id, life.environment_id)
    cell = book.cells.get(where)
    if cell is None:
        cell = book.cells[where] = _cell(life, life.environment_id)
    elif life.began_at >= cell.last_at or life.id == cell.last_lifecycle_id or _is_part(book, cell.last_lifecycle_id):
        _point(book, life, cell)
    _runs(book, life, cell)


def _is_part(book: Book, identity: str) -> bool:
    """Whether what stands in the matrix has become part of another."""
    known = book.lives.get(identity)
    return known is not None and known.adopted_by is not None


def _runs(book: Book, life: Life, cell: CellRow) -> None:
    """What runs is what completed last; of those that one ending ended, what began last."""
    holder = book.lives.get(cell.lifecycle_id or "")
    if holder is not None and (holder is life or not holder.has_completed):
        found = [one for one in book.of_place(life) if one.has_completed]
        _hold(cell, max(found, key=_completed, default=None))
    elif life.has_completed and cell.lifecycle_id is not None and life.ended_at == cell.completed_at:
        book.load_ids({cell.lifecycle_id})
        _hold(cell, max(life, book.lives[cell.lifecycle_id], key=_completed))
    elif life.has_completed and (life.ended_at or 0) > (cell.completed_at or 0):
        _hold(cell, life)


def _completed(life: Life) -> tuple[int, int]:
    return (life.ended_at or 0, life.began_at)


def _hold(cell: CellRow, life: Life | None) -> None:
    runs = (life.id, life.version_id, life.ended_at) if life is not None else (None, None, None)
    if runs != (cell.lifecycle_id, cell.version_id, cell.completed_at):
        cell.lifecycle_id, cell.version_id, cell.completed_at = runs
        cell.is_changed = True


def _point(book: Book, life: Life, cell: CellRow) -> None:
    """The newest deployment of a place is the one that began last; what a late start puts back may no longer be it."""
    newest = life if life.began_at >= cell.last_at else book.newest(life)
    if (newest.id, newest.began_at) != (cell.last_lifecycle_id, cell.last_at):
        cell.last_lifecycle_id, cell.last_at, cell.is_changed = newest.id, newest.began_at, True


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
        last_at=life.began_at,
        is_new=True,
    )
