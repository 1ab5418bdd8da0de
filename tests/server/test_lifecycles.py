"""Which build or deployment an event belongs to, and what it does to it: the same on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.server.engine import NOON, Engine, event, opened
from tests.server.stories import ORDERED, STORIES, A, B, C, Step
from versioner_ci.server import book, moments, read_history
from versioner_ci.server.ingest import Accepted, Arrival, Ingest
from versioner_ci.server.problems import Problem
from versioner_ci.server.records import Filters
from versioner_ci.status import Kind

_PLAYS = itertools.count()
Seen = tuple[list[str], list[tuple[str | None, str, str]]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for many stories, each with products of its own."""
    with contextlib.ExitStack() as opening:
        url = f"sqlite:///{tmp_path_factory.mktemp('stage') / 'tracker.db'}"
        if request.param == "postgresql":
            url = opening.enter_context(request.getfixturevalue("postgres_server").database())
        yield opening.enter_context(opened(url))


def play(stage: Engine, steps: Iterable[Step], *, is_together: bool = False) -> Seen:
    """What is shown in the end, the oldest first, and what runs where; in one transaction, or in many."""
    stage.now = 10_000.0 if is_together else 0.0
    number = next(_PLAYS)
    own = [(status, at, _own(fields, number)) for status, at, fields in steps]
    if is_together:
        stage.take(*(event(status, at, **fields) for status, at, fields in own))
    else:
        for status, at, fields in own:
            answer = stage.tell(status, at, **fields)
            assert isinstance(answer, Accepted)
            assert answer.status == 201
    products = {str(fields["product_name"]) for _, _, fields in own}
    found = stage.reader.matrix()
    ids = {row.id for row in found.products if row.name in products}
    cells = [(one.version, one.last_version, one.last_state) for one in found.cells.values() if one.product_id in ids]
    lives = []
    for kind, product in itertools.product(("build", "deployment"), products):
        lives += stage.reader.lifecycles(kind, Filters(product=product)).items
        events = stage.reader.events(kind, Filters(product=product)).items
        about = [fields for _, _, fields in own if fields["product_name"] == product]
        assert len(events) == sum(fields.get("kind", Kind.DEPLOYMENT) == kind for fields in about), "all are recorded"
    return [life.shown for life in sorted(lives, key=lambda life: life.opened_at)], sorted(cells, key=str)


def _own(fields: dict[str, Any], number: int) -> dict[str, Any]:
    """Ids and a product that no other play has."""
    names = {name: f"{value}-{number}" for name, value in fields.items() if name in {"life", "group", "run"}}
    return {**fields, **names, "product_name": f"{fields.get('product_name', 'shop')}-{number}"}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_told(stage: Engine, name: str) -> None:
    steps, shown = STORIES[name]
    assert play(stage, steps)[0] == shown
    assert play(stage, steps, is_together=True)[0] == shown


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_the_same_in_whatever_order_it_arrives(stage: Engine, name: str) -> None:
    steps, _ = STORIES[name]
    shown, cells = play(stage, steps)
    first, second = ORDERED.get(name, (0, 0))
    for order in itertools.permutations(range(len(steps))):
        if order.index(first) <= order.index(second):
            came = [steps[number] for number in order]
            for is_together in (False, True):
                seen = play(stage, came, is_together=is_together)
                assert (sorted(seen[0]), seen[1]) == (sorted(shown), cells), [step[:2] for step in came]


def test_an_adopted_pending_gives_its_time_and_its_events(engine: Engine) -> None:
    engine.tell("pending", 0, life=A, group=C)
    engine.tell("started", 9, life=B, group=C)
    [life] = engine.lives()
    assert (life.started_at or 0) - (life.pending_at or 0) == 9_000_000
    assert [each.state for each in engine.reader.timeline(life)] == ["pending", "started"]


def test_a_long_timeline_keeps_what_moved_it_and_the_newest_by_when_it_happened(engine: Engine) -> None:
    engine.tell("started", 5, life=A)
    for number in range(9):
        engine.tell("started", 10 + number, life=A)
    engine.tell("completed", 90, life=A)
    engine.tell("pending", 0, life=A)
    with engine.database.read() as connection:
        found = read_history.timeline(connection, engine.lives()[0], most=5)
    assert [(each.state, (each.occurred_at - NOON) // 1_000_000) for each in found] == [
        ("pending", 0),
        ("started", 5),
        ("started", 17),
        ("started", 18),
        ("completed", 90),
    ]


def test_a_groups_ending_stands_in_each_timeline(engine: Engine) -> None:
    engine.tell("started", 0, life=A, group=C)
    engine.tell("started", 1, life=B, group=C)
    engine.tell("aborted", 9, group=C)
    for life in engine.lives():
        assert [each.state for each in engine.reader.timeline(life)] == ["started", "aborted"]


def test_late_and_repeated_events_say_so(engine: Engine) -> None:
    for status, at in (("started", 5), ("started", 6), ("completed", 9), ("pending", 0), ("completed", 10)):
        engine.tell(status, at, life=A)
    found = {(each.state, each.is_late, each.is_repeat) for each in engine.reader.events("deployment").items}
    assert found == {
        ("started", False, False),
        ("started", False, True),
        ("completed", False, False),
        ("pending", True, False),
        ("completed", False, True),
    }


def test_what_runs_is_the_newest_completed_deployment_by_when_it_happened(engine: Engine) -> None:
    engine.tell("completed", 60, life=A, version="2")
    engine.tell("completed", 30, life=B, version="1")
    engine.tell("failed", 90, life=C, version="3")
    [cell] = engine.reader.matrix().cells.values()
    assert (cell.version, cell.last_version, cell.last_state) == ("2", "3", "failed")


def test_a_build_of_a_known_version_from_another_commit_is_refused(engine: Engine) -> None:
    engine.build("completed", 0, life=A, scm_sha="a" * 40)
    refused = engine.build("completed", 1, life=B, scm_sha="b" * 40)
    assert isinstance(refused, Problem)
    assert (refused.status, refused.code) == (409, "version_conflict")
    assert engine.build("started", 2, life=C, scm_sha="a" * 12), "a short form of the same commit is the same"
    assert isinstance(engine.tell("completed", 3, scm_sha="c" * 40), Accepted), "a deployment may come from elsewhere"


def test_a_deployments_commit_is_no_builds(engine: Engine) -> None:
    engine.tell("completed", 0, scm_sha="d" * 40)
    assert isinstance(engine.build("completed", 1, scm_sha="b" * 40), Accepted)
    assert engine.reader.versions().items[0].scm_sha == "b" * 40


def test_a_repeated_key_gets_its_first_answer_whatever_its_times_say(engine: Engine) -> None:
    first = engine.tell("completed", 5, key="k", life=A)
    again = engine.tell("completed", 50, key="k", life=A)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (first.status, again.status) == (201, 200)
    assert json.loads(again.body) == {**json.loads(first.body), "duplicate": True}
    assert len(engine.reader.events("deployment").items) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "2"},
        {"product_name": "blog"},
        {"environment_name": "staging"},
        {"status": "failed"},
        {"kind": Kind.BUILD},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_key_for_another_event_is_a_mismatch(engine: Engine, changed: dict[str, object]) -> None:
    engine.tell("completed", 0, key="k")
    fields = {name: value for name, value in changed.items() if name != "status"}
    answer = engine.tell(str(changed.get("status", "completed")), 1, key="k", **fields)
    assert isinstance(answer, Problem)
    assert (answer.status, answer.code) == (409, "idempotency_mismatch")


def test_one_key_twice_in_one_transaction_is_one_event(engine: Engine) -> None:
    answers = engine.take(event("started", key="k"), event("started", key="k"))
    assert [answer.status for answer in answers] == [201, 200]


def test_a_refused_key_is_not_remembered(engine: Engine) -> None:
    engine.build("completed", 0, scm_sha="a" * 40)
    assert isinstance(engine.build("completed", 1, scm_sha="b" * 40, key="k"), Problem)
    assert isinstance(engine.build("completed", 2, scm_sha="a" * 40, key="k"), Accepted)


def test_a_time_far_ahead_does_not_freeze_what_runs(engine: Engine) -> None:
    engine.tell("completed", life=A, version="1", metadata={"vi_occurred_at": "9999-12-31T23:59:59Z"})
    engine.tell("completed", 400, life=B, version="2")
    [cell] = engine.reader.matrix().cells.values()
    assert (cell.version, cell.last_version) == ("2", "2")
    first = engine.lives()[0]
    assert (first.ended_at or 0) - NOON == 300_000_000, "five minutes after it arrived"
    [told] = engine.reader.timeline(first)
    assert told.occurred_at == moments.parse("9999-12-31T23:59:59Z"), "the event keeps what it was told"


def test_a_start_that_is_told_to_be_after_its_ending_is_put_there(engine: Engine) -> None:
    engine.tell("completed", 9, life=A, started_at="9999-12-31T23:59:59Z")
    engine.tell("failed", 9, life=B)
    engine.tell("started", 600, life=B)
    assert [(life.started_at or 0) - NOON for life in engine.lives()] == [9_000_000, 9_000_000]


def test_the_newest_deployment_is_the_one_that_began_last(engine: Engine) -> None:
    engine.tell("pending", 0, life=A, version="1", group=A)
    engine.tell("pending", 1, life=B, version="2", group=B)
    engine.tell("started", 2, life=A, version="1", group=A)
    [cell] = engine.reader.matrix().cells.values()
    assert (cell.last_version, cell.last_state) == ("1", "started")


def test_a_late_start_gives_the_newest_place_back(engine: Engine) -> None:
    engine.tell("started", 50, life=B, version="2")
    engine.tell("completed", 60, life=A, version="1")
    assert next(iter(engine.reader.matrix().cells.values())).last_version == "1"
    engine.tell("started", 0, life=A, version="1")
    assert next(iter(engine.reader.matrix().cells.values())).last_version == "2"


def test_without_ids_clocks_may_differ_a_little(engine: Engine) -> None:
    engine.tell("started", 60)
    engine.tell("completed", 30)
    assert engine.shown() == ["completed"], "whose clock is behind still ends what it began"
    engine.tell("started", 9_000, version="2")
    engine.tell("completed", 30, version="2")
    assert engine.shown() == ["completed", "completed", "started"]


def test_each_group_and_each_place_has_a_limit_of_its_own(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    one = dataclasses.replace(book._QUEUED_DEPLOYMENTS, most=3, _texts={})
    monkeypatch.setattr(book, "_QUEUED_DEPLOYMENTS", one)
    for number in range(3):
        engine.tell("pending", 0, life=f"busy-{number}", environment_name="busy", version=f"{number}")
    engine.tell("pending", 0, life=A, group=A)
    engine.take(event("started", 9, life="busy", environment_name="busy"), event("started", 9, life=B, group=B))
    assert sorted(engine.shown()) == ["started"] * 2 + ["superseded"] * 4


def test_queued_builds_of_other_branches_are_not_even_read(engine: Engine) -> None:
    for number in range(5):
        engine.build("pending", number, life=f"{number}", scm_branch=f"dead-{number}")
    with engine.database.write() as connection:
        ingest = Ingest(connection, engine.names)
        ingest.take([Arrival(event("started", 9, kind=Kind.BUILD, life=A, scm_branch="dead-3"), engine.clock)])
        assert sorted(life.branch or "" for life in ingest.book.lives.values()) == ["dead-3", "dead-3"]
