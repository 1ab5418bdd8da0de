"""Which build or deployment an event belongs to, and what it does to it: the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json

import pytest

from tests.server.engine import Engine, event
from versioner_ci.server.ingest import Accepted
from versioner_ci.server.problems import Problem
from versioner_ci.status import Kind

A, B, C = ("00000000-0000-4000-8000-00000000000" + digit for digit in "abc")

Step = tuple[str, float, dict[str, str]]

STORIES: dict[str, tuple[list[Step], list[str]]] = {
    "a start and an ending are one deployment": (
        [("started", 0, {"life": A}), ("completed", 60, {"life": A})],
        ["completed"],
    ),
    "pending, started and failed are one": (
        [("queued", 0, {"life": A}), ("in_progress", 5, {"life": A}), ("failure", 9, {"life": A})],
        ["failed"],
    ),
    "an ending stays, whatever comes after it": (
        [("started", 0, {"life": A}), ("failed", 5, {"life": A}), ("completed", 9, {"life": A})],
        ["failed"],
    ),
    "a late start moves nothing back": (
        [("completed", 60, {"life": A}), ("started", 0, {"life": A})],
        ["completed"],
    ),
    "a late pending moves nothing back": (
        [("started", 10, {"life": A}), ("pending", 0, {"life": A})],
        ["started"],
    ),
    "two lifecycles of one run are two": (
        [("completed", 0, {"life": A, "group": C}), ("completed", 1, {"life": B, "group": C})],
        ["completed", "completed"],
    ),
    "an id that another product uses too is another lifecycle": (
        [("started", 0, {"life": A}), ("failed", 1, {"life": A, "product_name": "blog"})],
        ["started", "failed"],
    ),
    "a start adopts its group's pending": (
        [("pending", 0, {"life": A, "group": C}), ("started", 9, {"life": B, "group": C})],
        ["started"],
    ),
    "each pending is adopted once": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("started", 9, {"life": B, "group": C}),
            ("started", 12, {"life": C, "group": C}),
        ],
        ["started", "started"],
    ),
    "another group's pending is not adopted, but superseded": (
        [("pending", 0, {"life": A, "group": A}), ("started", 9, {"life": B, "group": B})],
        ["superseded", "started"],
    ),
    "a superseded pending may still start": (
        [
            ("pending", 0, {"life": A, "group": A}),
            ("pending", 1, {"life": B, "group": B}),
            ("started", 2, {"life": A, "group": A}),
        ],
        ["started", "superseded"],
    ),
    "a pending elsewhere is not superseded": (
        [("pending", 0, {"life": A, "environment_name": "staging"}), ("started", 9, {"life": B})],
        ["pending", "started"],
    ),
    "a late pending joins the start that it precedes": (
        [("started", 9, {"life": B, "group": C}), ("pending", 0, {"life": A, "group": C})],
        ["started"],
    ),
    "a pending after the start is one of its own": (
        [("started", 0, {"life": B, "group": C}), ("pending", 9, {"life": A, "group": C})],
        ["started", "pending"],
    ),
    "an event for the group ends all that it has open": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("started", 1, {"life": B, "group": C}),
            ("failed", 9, {"group": C}),
        ],
        ["failed", "failed"],
    ),
    "an event for a group that has ended is a repeat": (
        [("started", 0, {"life": A, "group": C}), ("failed", 5, {"life": A, "group": C}), ("failed", 9, {"group": C})],
        ["failed"],
    ),
    "an event for an unknown group is its own lifecycle": ([("aborted", 0, {"group": C})], ["aborted"]),
    "another client's run is found by its id": (
        [("started", 0, {"run": "7"}), ("started", 1, {"run": "8"}), ("completed", 9, {"run": "7"})],
        ["completed", "started"],
    ),
    "a client without ids ends the open one": ([("started", 0, {}), ("completed", 9, {})], ["completed"]),
    "a client without ids ends what another opened": (
        [("started", 0, {"life": A}), ("completed", 9, {})],
        ["completed"],
    ),
    "without ids, a start after the ending opens a new one": (
        [("started", 0, {}), ("completed", 9, {}), ("started", 20, {})],
        ["completed", "started"],
    ),
    "without ids, a start before the ending is late": (
        [("completed", 9, {}), ("started", 0, {})],
        ["completed"],
    ),
    "without ids, the same ending within ten minutes is a repeat": (
        [("completed", 0, {}), ("completed", 599, {})],
        ["completed"],
    ),
    "without ids, the same ending after that is new": (
        [("completed", 0, {}), ("completed", 601, {})],
        ["completed", "completed"],
    ),
    "without ids, another ending is new": ([("completed", 0, {}), ("failed", 5, {})], ["completed", "failed"]),
    "a run's start after its ending opens a new one": (
        [("started", 0, {"run": "7"}), ("failed", 5, {"run": "7"}), ("started", 9, {"run": "7"})],
        ["failed", "started"],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_told(engine: Engine, name: str) -> None:
    steps, shown = STORIES[name]
    for status, at, ids in steps:
        answer = engine.tell(status, at, **ids)
        assert isinstance(answer, Accepted)
        assert answer.status == 201
    assert engine.shown() == shown
    assert len(engine.reader.events("deployment").items) == len(steps), "every event is recorded"


@pytest.mark.parametrize("name", STORIES)
def test_a_story_in_one_transaction_ends_the_same(engine: Engine, name: str) -> None:
    steps, shown = STORIES[name]
    engine.now = 10_000.0
    engine.take(*(event(status, at, **ids) for status, at, ids in steps))
    assert engine.shown() == shown


def test_an_adopted_pending_gives_its_time_and_its_events(engine: Engine) -> None:
    engine.tell("pending", 0, life=A, group=C)
    engine.tell("started", 9, life=B, group=C)
    [life] = engine.lives()
    assert (life.started_at or 0) - (life.pending_at or 0) == 9_000_000
    assert [each.state for each in engine.reader.timeline(life)] == ["pending", "started"]


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
