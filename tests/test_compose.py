"""From settings, host facts and a lifecycle's record to the event: its times, its duration, its metadata."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sinks import Time
from tests.support.spools import NOW
from versioner_ci import compose
from versioner_ci.clock import Clock, boot_id
from versioner_ci.compose import Facts
from versioner_ci.context import CIContext
from versioner_ci.details import Details
from versioner_ci.identity import event_key, uid
from versioner_ci.lifecycle import Wanted
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config, Identity
from versioner_ci.state import Record
from versioner_ci.status import Kind, State
from versioner_ci.times import stamp

STARTED, COMPLETED, FAILED, ABORTED = State.STARTED, State.COMPLETED, State.FAILED, State.ABORTED
SECRET = "sk_1_verysecretvalue"
BEGAN, EARLIER = stamp(NOW), stamp(NOW - 60)


def facts(context: CIContext | None = None, **settings: Any) -> Facts:
    clock = Time().clock
    found = context or CIContext(source_system="github", actor="ada", actor_name="Ada L", actor_email="ada@example.com")
    return Facts(context=found, config=Config(**settings), redactor=Redactor([SECRET]), clock=clock)


def a_record(**more: Any) -> Record:
    given = {
        "id": uid("one"),
        "group": uid("group"),
        "kind": "deployment",
        "product": "shop",
        "version": "1.4.2",
        "environment": "production",
        "opened": NOW,
        "invoke_id": "77",
    }
    return Record(**{**given, **more})


def made(state: State, record: Record | None = None, details: Details | None = None, **settings: Any) -> Any:
    return compose.event_of(facts(**settings), record or a_record(), state, details or Details())[0]


TIMES = {
    "pending": (State.PENDING, None, (None, None)),
    "started": (STARTED, None, (BEGAN, None)),
    "an ending whose start is known": (COMPLETED, EARLIER, (EARLIER, BEGAN)),
    "an ending whose start is not": (FAILED, None, (None, BEGAN)),
}


@pytest.mark.parametrize(("state", "began", "expected"), TIMES.values(), ids=TIMES)
def test_started_at_and_completed_at_of(
    state: State, began: str | None, expected: tuple[str | None, str | None]
) -> None:
    event = made(state, a_record(started_at=began))
    assert (event.started_at, event.completed_at) == expected
    assert event.occurred_at == BEGAN


def test_an_event_that_happened_earlier_has_that_time() -> None:
    event = made(STARTED, details=Details(occurred_at=NOW - 3600))
    assert event.occurred_at == event.started_at == stamp(NOW - 3600)


def lasted(*, boot: str | None = "this", wall: float = 90.0, monotonic: float = 60.0, **details: Any) -> Any:
    """The duration of an ending `monotonic` seconds after the start, by a wall clock that says `wall`."""
    clock = Clock(wall=lambda: NOW + wall, monotonic=lambda: 1_000.0 + monotonic)
    began = {"started_at": BEGAN, "started_monotonic": 1_000.0, "boot": boot_id() if boot == "this" else boot}
    event, _ = compose.event_of(facts()._replace(clock=clock), a_record(**began), COMPLETED, Details(**details))
    return event.metadata.get("duration_seconds")


def test_a_duration_is_told_by_the_monotonic_clock_of_one_boot() -> None:
    assert lasted() == 60.0


def test_after_another_boot_the_wall_clock_tells_the_duration() -> None:
    assert lasted(boot="another") == 90.0


def test_a_wall_clock_that_ran_backwards_tells_none() -> None:
    assert lasted(boot="another", wall=-5.0) is None


def test_an_ending_of_a_given_time_lasted_until_then() -> None:
    assert lasted(occurred_at=NOW + 30) == 30.0


def test_a_duration_that_was_measured_is_not_reckoned_anew() -> None:
    assert lasted(duration=1.23456) == 1.235


def test_a_start_of_a_given_time_counts_from_then() -> None:
    told = facts()
    event = compose.event_of(told, a_record(), STARTED, Details(occurred_at=NOW - 600))[0]
    marks = compose.started_marks(told, event)
    assert (marks["started_at"], marks["started_monotonic"]) == (stamp(NOW - 600), -600.0)
    assert compose.started_marks(told, made(COMPLETED)) == {}


@pytest.mark.parametrize(
    ("state", "is_told"), [(FAILED, True), (ABORTED, True), (COMPLETED, False)], ids=["failed", "aborted", "completed"]
)
def test_the_error_that_an_inner_run_left_is_told_by_an_ending_that_is(state: State, *, is_told: bool) -> None:
    metadata = made(state, a_record(error="it broke", error_code="2")).metadata
    assert (metadata.get("error"), metadata.get("error_code")) == (("it broke", "2") if is_told else (None, None))


def test_an_endings_own_error_counts_more() -> None:
    assert made(FAILED, a_record(error="inner"), Details(error="own")).metadata["error"] == "own"


PEOPLE = {
    Identity.LOGIN: ("ada", None, None),
    Identity.FULL: ("ada", "ada@example.com", "Ada L"),
    Identity.NONE: (None, None, None),
}


@pytest.mark.parametrize(("identity", "told"), PEOPLE.items(), ids=[each.value for each in PEOPLE])
def test_how_much_of_a_person_is_told(identity: Identity, told: tuple[str | None, ...]) -> None:
    event = made(STARTED, identity=identity)
    assert (event.actor, event.actor_email, event.actor_name) == told


def test_metadata_comes_from_settings_host_and_call_each_stronger_than_the_one_before() -> None:
    context = CIContext(source_system="github", metadata={"b": "host", "c": "host"})
    config = Config(metadata={"a": "setting", "b": "setting"})
    told = facts(context)._replace(config=config)
    details = Details(metadata={"c": "call"}, reason="timeout", host_word="TIMEDOUT", is_unstable=True)
    event = compose.event_of(told, a_record(), FAILED, details)[0]
    assert event.metadata == {
        "a": "setting",
        "b": "host",
        "c": "call",
        "reason": "timeout",
        "vi_host_status": "TIMEDOUT",
        "unstable": True,
    }


def test_no_secret_is_in_an_event_wherever_it_came_from() -> None:
    context = CIContext(
        source_system="github",
        scm_branch=f"fix-{SECRET}",
        run_url=f"https://ci.example/?key={SECRET}",
        actor=SECRET,
        metadata={"vi_gh_ref": SECRET},
    )
    config = Config(metadata={SECRET: [{"deep": (SECRET, 1)}]})
    told = facts(context)._replace(config=config)
    details = Details(error=f"failed with {SECRET}", stack_trace=SECRET, error_code=SECRET)
    assert SECRET not in repr(compose.event_of(told, a_record(), FAILED, details))


def test_bytes_that_are_no_text_are_replaced() -> None:
    context = CIContext(source_system="github", scm_branch="caf\udce9", metadata={"vi_gh_ref": "\udcff"})
    event = compose.event_of(facts(context), a_record(), STARTED, Details(error="\udcff"))[0]
    assert event.scm_branch == "caf\ufffd"
    assert set(event.metadata.values()) == {"\ufffd"}


def test_what_is_cut_is_told() -> None:
    event, notes = compose.event_of(facts(), a_record(), FAILED, Details(error="x" * 10_000))
    assert len(event.metadata["error"]) <= 8192
    assert notes


@pytest.mark.parametrize(("kind", "is_skipped"), [("deployment", True), ("build", False)])
def test_only_a_deployment_skips_preflight_checks(kind: str, *, is_skipped: bool) -> None:
    assert made(STARTED, a_record(kind=kind), skip_preflight=True).skip_preflight is is_skipped


def test_identity_is_the_records() -> None:
    event = made(COMPLETED)
    assert (event.lifecycle_id, event.group_id, event.invoke_id) == (uid("one"), uid("group"), "77")
    assert event.key == event_key(uid("one"), COMPLETED)
    assert made(COMPLETED).key == event.key != made(FAILED).key


def test_a_runs_ending_has_its_groups_id_no_lifecycle_and_a_key_of_its_attempt() -> None:
    wanted = Wanted(
        kind=Kind.BUILD, state=FAILED, product="shop", version="1", environment=None, key=None, given=frozenset()
    )
    runs = [CIContext(source_system="github", invoke_id="77", attempt=attempt) for attempt in ("1", "2")]
    first, second = (compose.group_event(facts(run), wanted, Details())[0] for run in runs)
    assert first.lifecycle_id is None
    assert first.group_id == second.group_id
    assert first.key != second.key
    assert first.completed_at == BEGAN
