"""What an ending for a whole group does to its lifecycles, and to what runs where."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.server.engine import NOON, Engine, event, opened
from versioner_ci.server.tables import Current, Lifecycle
from versioner_ci.server.tables import Event as Recorded
from versioner_ci.server.tables_slack import Outbox

Step = tuple[str, float, dict[str, Any]]
G = {"group": "g"}


def runs(engine: Engine) -> tuple[str | None, str | None, float | None]:
    """The matrix' version, the version of its lifecycle, and when that completed, in seconds after noon."""
    [cell] = engine.reader.matrix().cells.values()
    names = {row.id: row.name for row in engine.reader.versions().items}
    with engine.database.read() as connection:
        query = select(Lifecycle.version_id, Lifecycle.ended_at, Lifecycle.state, Current.completed_at).join(
            Lifecycle, Lifecycle.id == Current.lifecycle_id
        )
        row = connection.execute(query).one_or_none()
    if row is None:
        return (cell.version, None, None)
    assert (row.state, row.ended_at) == ("completed", row.completed_at)
    return (cell.version, names[row.version_id], (row.ended_at - NOON) / 1_000_000)


def tell(engine: Engine, *steps: Step) -> None:
    engine.now = 1_000.0
    for status, at, fields in steps:
        engine.tell(status, at, **fields)


@contextmanager
def told(folder: Path, steps: list[Step], *, is_together: bool) -> Iterator[Engine]:
    with opened(f"sqlite:///{folder / 'tracker.db'}") as engine:
        engine.now = 1_000.0
        if is_together:
            engine.take(*(event(status, at, **fields) for status, at, fields in steps))
        else:
            tell(engine, *steps)
        yield engine


def test_a_late_failure_of_a_member_is_not_what_runs(engine: Engine) -> None:
    tell(engine, ("started", 0, {"life": "a", "version": "1", **G}), ("completed", 20, {"version": "1", **G}))
    tell(engine, ("failed", 10, {"life": "b", "version": "2", **G}))
    assert runs(engine) == ("1", "1", 20)


def test_a_failure_does_not_swallow_the_ending_that_its_group_had_told(engine: Engine) -> None:
    tell(engine, ("completed", 15, G), ("failed", 5, {"life": "b", **G}))
    assert engine.shown() == ["failed", "completed"]
    assert runs(engine) == ("1.4.2", "1.4.2", 15)


def test_two_endings_alike_are_one_deployment_that_completed_when_it_said_itself(engine: Engine) -> None:
    tell(engine, ("completed", 15, G), ("completed", 5, {"life": "b", **G}))
    assert engine.shown() == ["completed"]
    assert runs(engine) == ("1.4.2", "1.4.2", 5)


def test_what_a_group_told_too_late_makes_place_for_what_completed_between(engine: Engine) -> None:
    tell(engine, ("completed", 10, {"life": "x", "version": "2"}))
    tell(engine, ("completed", 15, G), ("completed", 5, {"life": "b", **G}))
    assert runs(engine) == ("2", "2", 10)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_version_and_lifecycle_of_what_runs_belong_together(engine: Engine, order: tuple[int, ...]) -> None:
    steps: list[Step] = [
        ("started", 0, {"life": "a", "version": "1", **G}),
        ("started", 10, {"life": "b", "version": "2", **G}),
        ("completed", 20, {"version": "1", **G}),
    ]
    tell(engine, *(steps[number] for number in order))
    assert engine.shown() == ["completed", "completed"]
    assert runs(engine) == ("2", "2", 20)


def test_a_members_start_of_another_version_is_no_part_of_the_groups_ending(engine: Engine) -> None:
    tell(engine, ("completed", 20, {"version": "1", **G}), ("started", 10, {"life": "b", "version": "2", **G}))
    assert engine.shown() == ["completed", "completed"]
    assert runs(engine) == ("1", "1", 20)


_SUPERSEDED: list[Step] = [
    ("pending", 0, {"life": "p", "version": "1", **G}),
    ("pending", 5, {"life": "x", "version": "1.5", "group": "h"}),
    ("started", 10, {"life": "x", "version": "1.5", "group": "h"}),
    ("completed", 12, {"life": "x", "version": "1.5", "group": "h"}),
    ("pending", 13, {"life": "q", "version": "2", **G}),
    ("started", 14, {"life": "q", "version": "2", **G}),
    ("completed", 20, {"version": "2", **G}),
]


@pytest.mark.parametrize("is_together", [False, True])
@pytest.mark.parametrize("first", range(len(_SUPERSEDED)))
def test_what_gave_way_and_never_started_did_not_complete(tmp_path: Path, first: int, *, is_together: bool) -> None:
    steps = [_SUPERSEDED[first], *_SUPERSEDED[:first], *_SUPERSEDED[first + 1 :]]
    with told(tmp_path, steps, is_together=is_together) as engine:
        shown = {life.version: life.shown for life in engine.lives()}
        assert shown == {"1": "superseded", "1.5": "completed", "2": "completed"}
        assert runs(engine) == ("2", "2", 20)


def test_a_pending_that_goes_on_by_itself_is_told_beside_what_had_adopted_it(engine: Engine) -> None:
    engine.prefer("*", "CALL")
    tell(engine, ("pending", 0, {"life": "p", **G}), ("started", 10, {"life": "q", **G}))
    tell(engine, ("started", 11, {"life": "p", **G}), ("completed", 20, {"life": "q", **G}))
    tell(engine, ("failed", 30, {"life": "p", **G}))
    first, second = engine.lives()
    assert (first.shown, second.shown, second.pending_at) == ("failed", "completed", None)
    assert not any(each.is_late for each in engine.reader.events("deployment").items)
    with engine.database.read() as connection:
        rows = connection.execute(select(Outbox.lifecycle_id, Outbox.chain_id).order_by(Outbox.seq)).all()
    chains = {life: {chain for one, chain in rows[1:] if one == life} for life in (first.id, second.id)}
    assert [len(found) for found in chains.values()] == [1, 1]
    assert chains[first.id] != chains[second.id], "each has a message of its own"


@pytest.mark.parametrize("is_together", [False, True])
def test_a_message_of_a_pending_moves_on_with_what_a_late_start_made_it_part_of(
    engine: Engine, *, is_together: bool
) -> None:
    engine.prefer("*.pending", "CQUEUED")
    engine.tell("pending", 0, life="p", **G)
    engine.now = 1_000.0
    steps = [event("completed", 20, life="s", **G), event("started", 10, life="s", **G)]
    for batch in [steps] if is_together else [[step] for step in steps]:
        engine.take(*batch)
    [life] = engine.lives()
    with engine.database.read() as connection:
        query = select(Outbox.channel, Outbox.what, Outbox.chain_id, Outbox.lifecycle_id, Recorded.state)
        rows = connection.execute(query.join(Recorded, Recorded.id == Outbox.event_id).order_by(Outbox.seq)).all()
    assert [(row.channel, row.what, row.state) for row in rows] == [
        ("CQUEUED", "event", "pending"),
        ("CQUEUED", "quiet", "completed"),
    ]
    assert rows[0].chain_id == rows[1].chain_id, "the same message"
    assert rows[1].lifecycle_id == life.id
