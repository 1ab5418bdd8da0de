"""Which lifecycle an event belongs to: every sentence of the contract, on records made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.identity import Handle
from versioner_ci.lifecycle import STALE_SECONDS, Choice, Wanted, choose, group_of, joins, moved, taken
from versioner_ci.state import Record
from versioner_ci.status import Kind, State

NOW = 1_800_000_000.0
ID = "00000000-0000-5000-8000-00000000000{}"
CI = CIContext(source_system="github", server_url="https://github.com", invoke_id="77", attempt="1", job="deploy")
LOCAL = CIContext(source_system="local")
ALL_GIVEN = frozenset({"product", "version", "environment", "key"})


def a_record(number: int = 1, **changes: Any) -> Record:
    values: dict[str, Any] = {
        "id": ID.format(number),
        "group": ID.format(9),
        "kind": "deployment",
        "product": "shop",
        "version": "1.0",
        "environment": "production",
        "opened": NOW - 60,
        "state": "started",
    }
    return Record(**{**values, **changes})


def a_wish(state: State = State.STARTED, **changes: Any) -> Wanted:
    values: dict[str, Any] = {
        "kind": Kind.DEPLOYMENT,
        "state": state,
        "product": "shop",
        "version": "1.0",
        "environment": "production",
        "key": None,
        "given": frozenset(),
    }
    return Wanted(**{**values, **changes})


def a_handle(**changes: Any) -> Handle:
    values: dict[str, Any] = {
        "id": ID.format(1),
        "group": ID.format(9),
        "kind": Kind.DEPLOYMENT,
        "product": "shop",
        "version": "1.0",
        "environment": "production",
    }
    return Handle(**{**values, **changes})


def chosen(*records: Record, wanted: Wanted, context: CIContext = CI) -> Choice:
    return choose(records, wanted, context, NOW)


def test_the_first_event_opens_a_lifecycle_that_is_frozen_with_what_it_said() -> None:
    choice = chosen(wanted=a_wish(key="eu"))
    assert choice.is_new
    record = choice.record
    assert (record.product, record.version, record.environment, record.key) == ("shop", "1.0", "production", "eu")
    assert (record.count, record.invoke_id, record.opened, record.is_open) == (0, "77", NOW, True)


@pytest.mark.parametrize("state", list(State), ids=str)
@pytest.mark.parametrize("context", [CI, LOCAL], ids=["ci", "local"])
def test_any_event_continues_the_open_one_that_fits(state: State, context: CIContext) -> None:
    choice = chosen(a_record(state="pending"), wanted=a_wish(state), context=context)
    assert (choice.record.id, choice.is_new, choice.is_doubled) == (ID.format(1), False, False)


@pytest.mark.parametrize(
    ("given", "changes"),
    [("product", {"product": "api"}), ("environment", {"environment": "staging"}), ("key", {"key": "eu"})],
    ids=["product", "environment", "key"],
)
def test_what_was_given_must_fit_what_was_only_detected_need_not(given: str, changes: dict[str, str]) -> None:
    wish = a_wish(State.COMPLETED, **changes)
    assert chosen(a_record(), wanted=wish).record.id == ID.format(1)
    assert chosen(a_record(), wanted=wish._replace(given=frozenset({given}))).is_new


def test_another_kind_never_fits() -> None:
    assert chosen(a_record(kind="build"), wanted=a_wish(State.COMPLETED)).is_new


def test_of_several_open_ones_the_newest_is_taken() -> None:
    assert chosen(a_record(1), a_record(2), wanted=a_wish(State.COMPLETED)).record.id == ID.format(2)


def test_of_several_open_ones_the_one_of_a_given_version_is_taken() -> None:
    records = (a_record(1), a_record(2, version="2.0"))
    wish = a_wish(State.COMPLETED, given=frozenset({"version"}))
    assert chosen(*records, wanted=wish).record.id == ID.format(1)


def test_a_version_that_was_only_detected_does_not_turn_the_choice() -> None:
    records = (a_record(1), a_record(2, version="2.0"))
    assert chosen(*records, wanted=a_wish(State.COMPLETED)).record.id == ID.format(2)


@pytest.mark.parametrize("name", ["product", "version", "environment"])
def test_a_later_difference_is_a_warning_and_never_another_identity(name: str) -> None:
    choice = chosen(a_record(), wanted=a_wish(State.COMPLETED, **{name: "other"}))
    assert choice.record == a_record()
    assert len(choice.warnings) == 1
    assert f"{name} 'other' differs from '" in choice.warnings[0]


def test_no_difference_no_warning() -> None:
    assert chosen(a_record(), wanted=a_wish(State.COMPLETED)).warnings == ()


@pytest.mark.parametrize("last", ["completed", "failed", "aborted"])
@pytest.mark.parametrize("state", [State.PENDING, State.STARTED], ids=str)
def test_after_an_ending_pending_and_started_open_a_new_one(last: str, state: State) -> None:
    assert chosen(a_record(state=last), wanted=a_wish(state)).is_new


@pytest.mark.parametrize("state", [State.PENDING, State.STARTED], ids=str)
def test_after_a_rejection_pending_and_started_open_a_new_one(state: State) -> None:
    assert chosen(a_record(is_rejected=True), wanted=a_wish(state)).is_new


def test_in_ci_an_ending_that_repeats_the_last_one_is_a_doubled_hook() -> None:
    choice = chosen(a_record(state="failed"), wanted=a_wish(State.FAILED))
    assert (choice.is_doubled, choice.record.id) == (True, ID.format(1))


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.ABORTED], ids=str)
def test_in_ci_any_ending_after_a_rejection_is_a_doubled_hook(state: State) -> None:
    assert chosen(a_record(is_rejected=True), wanted=a_wish(state)).is_doubled


def test_in_ci_an_ending_of_another_state_is_new() -> None:
    assert chosen(a_record(state="failed"), wanted=a_wish(State.COMPLETED)).is_new


def test_in_ci_an_ending_of_another_given_version_is_new() -> None:
    wish = a_wish(State.FAILED, version="2.0", given=frozenset({"version"}))
    assert chosen(a_record(state="failed"), wanted=wish).is_new


def test_in_ci_a_version_that_was_only_detected_does_not_make_a_doubled_hook_new() -> None:
    assert chosen(a_record(state="failed"), wanted=a_wish(State.FAILED, version="2.0")).is_doubled


def test_only_the_last_ending_can_be_repeated() -> None:
    records = (a_record(1, state="failed"), a_record(2, state="completed"))
    assert chosen(*records, wanted=a_wish(State.FAILED)).is_new


@pytest.mark.parametrize("state", [State.COMPLETED, State.FAILED, State.ABORTED], ids=str)
def test_an_ending_that_names_an_ended_handle_is_a_doubled_hook(state: State) -> None:
    choice = chosen(a_record(state="failed"), wanted=a_wish(state, handle=a_handle()))
    assert choice.is_doubled


def test_outside_ci_each_ending_with_nothing_open_is_new() -> None:
    assert chosen(a_record(state="failed"), wanted=a_wish(State.FAILED), context=LOCAL).is_new


@pytest.mark.parametrize("state", [State.PENDING, State.STARTED], ids=str)
def test_outside_ci_another_given_version_is_new(state: State) -> None:
    wish = a_wish(state, version="2.0", given=frozenset({"version"}))
    assert chosen(a_record(), wanted=wish, context=LOCAL).is_new
    assert not chosen(a_record(), wanted=wish, context=CI).is_new
    assert not chosen(a_record(), wanted=wish._replace(state=State.COMPLETED), context=LOCAL).is_new


def test_outside_ci_another_detected_version_is_the_same_lifecycle() -> None:
    assert not chosen(a_record(), wanted=a_wish(version="2.0"), context=LOCAL).is_new


@pytest.mark.parametrize(("age", "is_new"), [(STALE_SECONDS - 1, False), (STALE_SECONDS + 1, True)])
def test_outside_ci_an_open_one_is_left_after_a_day(age: float, is_new: bool) -> None:
    record = a_record(opened=NOW - age)
    assert chosen(record, wanted=a_wish(), context=LOCAL).is_new is is_new
    assert not chosen(record, wanted=a_wish(), context=CI).is_new
    assert not chosen(record, wanted=a_wish(State.COMPLETED), context=LOCAL).is_new


def test_a_handle_names_the_lifecycle_whatever_else_is_open() -> None:
    records = (a_record(1), a_record(2))
    assert chosen(*records, wanted=a_wish(State.COMPLETED, handle=a_handle())).record.id == ID.format(1)


def test_a_handle_of_another_job_brings_all_that_is_frozen() -> None:
    handle = a_handle(version="0.9", started_at="2026-11-23T10:00:00.000000Z", channels={"#d": "C1=1.1"})
    choice = chosen(wanted=a_wish(State.COMPLETED, handle=handle))
    record = choice.record
    assert (record.id, record.group, record.version) == (ID.format(1), ID.format(9), "0.9")
    assert (record.started_at, record.channels, record.is_own) == (handle.started_at, handle.channels, False)
    assert not choice.is_new


@pytest.mark.parametrize(
    ("given", "changes", "said"),
    [
        (frozenset(), {"kind": Kind.BUILD}, "kind 'build', not 'deployment'"),
        (frozenset({"product"}), {"product": "api"}, "product 'api', not 'shop'"),
        (frozenset({"environment"}), {"environment": "staging"}, "environment 'staging', not 'production'"),
    ],
    ids=["kind", "product", "environment"],
)
def test_a_handle_for_something_else_is_ignored_with_a_warning(
    given: frozenset[str], changes: dict[str, Any], said: str
) -> None:
    choice = chosen(wanted=a_wish(given=given, handle=a_handle(**changes)))
    assert choice.is_new
    assert choice.warnings == (f"the lifecycle handle is for {said}: ignored",)


def test_the_handle_of_a_run_around_is_not_meant_for_another_kind_and_nothing_is_said() -> None:
    choice = chosen(wanted=a_wish(handle=a_handle(kind=Kind.BUILD), around=("t",)))
    assert choice.is_new
    assert choice.warnings == ()


def test_a_start_that_names_an_ended_handle_opens_a_new_one() -> None:
    assert chosen(a_record(state="completed"), wanted=a_wish(handle=a_handle())).is_new


RUN = {"run": "me"}


@pytest.mark.parametrize(
    ("record", "wish", "context", "is_joined", "is_new"),
    [
        pytest.param(a_record(), {}, CI, True, False, id="opened by this job"),
        pytest.param(a_record(), {}, LOCAL, False, True, id="outside CI nobody knows who opened it"),
        pytest.param(a_record(is_own=False), {}, CI, False, True, id="opened by another job"),
        pytest.param(a_record(run="other"), {}, CI, False, True, id="of a run that was killed, or runs beside us"),
        pytest.param(a_record(run="other"), {"around": ("other",)}, LOCAL, True, False, id="of the run around us"),
        pytest.param(a_record(run="a"), {"around": ("a", "b")}, LOCAL, True, False, id="of a run two levels up"),
        pytest.param(a_record(state="pending"), {}, CI, False, False, id="only pending: taken over"),
        pytest.param(a_record(state="pending"), {}, LOCAL, False, False, id="only pending, outside CI: taken over"),
        pytest.param(a_record(state="completed"), {}, CI, False, True, id="ended"),
        pytest.param(a_record(is_rejected=True), {}, CI, False, True, id="rejected"),
    ],
)
def test_what_a_run_joins(
    record: Record, wish: dict[str, Any], context: CIContext, is_joined: bool, is_new: bool
) -> None:
    wanted = a_wish(**RUN, **wish)
    choice = chosen(record, wanted=wanted, context=context)
    assert joins(choice, wanted, context) is is_joined
    assert choice.is_new is is_new


def test_a_run_in_another_repository_joins_the_run_around_it_by_its_handle() -> None:
    wanted = a_wish(**RUN, product="lib", handle=a_handle(), around=("outer",))
    choice = chosen(wanted=wanted, context=LOCAL)
    assert joins(choice, wanted, LOCAL)
    assert choice.record.product == "shop"


def test_a_typed_handle_of_another_job_is_not_joined_but_taken_over() -> None:
    wanted = a_wish(**RUN, handle=a_handle(), given=frozenset({"lifecycle"}))
    choice = chosen(wanted=wanted)
    assert (choice.record.id, joins(choice, wanted, CI)) == (ID.format(1), False)


def test_a_report_never_joins() -> None:
    wanted = a_wish()
    assert not joins(chosen(a_record(), wanted=wanted), wanted, CI)


def test_a_start_makes_the_lifecycle_the_runs_own() -> None:
    pending = a_record(state="pending", is_own=False)
    record = taken(Choice(record=pending), a_wish(**RUN))
    assert (record.run, record.is_own) == ("me", True)
    assert taken(Choice(record=pending), a_wish(State.COMPLETED)) == pending


def test_a_reported_start_after_a_killed_run_is_the_jobs_own_again() -> None:
    record = a_record(run="killed")
    assert taken(Choice(record=record), a_wish()).run is None
    assert taken(Choice(record=record), a_wish(around=("killed",))).run == "killed"


def test_lifecycles_of_one_group_are_counted_even_if_older_ones_are_forgotten() -> None:
    first = chosen(wanted=a_wish()).record
    done = moved(first, State.COMPLETED)
    second = chosen(done, wanted=a_wish()).record
    third = chosen(moved(second, State.COMPLETED), wanted=a_wish()).record
    assert [first.count, second.count, third.count] == [0, 1, 2]
    assert len({first.id, second.id, third.id}) == 3
    assert first.group == second.group == third.group


@pytest.mark.parametrize(
    "changes",
    [{"attempt": "2"}, {"job": "other"}, {"leg": "1"}],
    ids=["attempt", "job", "leg"],
)
def test_attempt_job_and_leg_tell_lifecycles_of_one_group_apart(changes: dict[str, str]) -> None:
    one = chosen(wanted=a_wish()).record
    other = chosen(wanted=a_wish(), context=replace(CI, **changes)).record
    assert one.group == other.group
    assert one.id != other.id


@pytest.mark.parametrize(
    "changes",
    [{"product": "api"}, {"environment": "staging"}, {"key": "eu"}, {"kind": Kind.BUILD}],
    ids=["product", "environment", "key", "kind"],
)
def test_what_is_of_another_group(changes: dict[str, Any]) -> None:
    assert chosen(wanted=a_wish()).record.group != chosen(wanted=a_wish(**changes)).record.group


def test_a_group_holds_nothing_from_git() -> None:
    other = replace(CI, scm_sha="f" * 40, scm_branch="b", scm_repository="o/r", product="x", version="y")
    assert group_of(a_wish(), CI, "77") == group_of(a_wish(version="2"), other, "77")


def test_outside_ci_each_new_lifecycle_has_a_run_of_its_own() -> None:
    one, other = (chosen(wanted=a_wish(), context=LOCAL).record for _ in range(2))
    assert one.invoke_id
    assert one.invoke_id != other.invoke_id
    assert one.group != other.group


@pytest.mark.parametrize("name", ["product", "version", "environment"])
def test_what_is_not_known_is_taken_from_the_open_one_and_asked_for_where_there_is_none(name: str) -> None:
    wish = a_wish(State.COMPLETED, **{name: ""})
    assert chosen(a_record(), wanted=wish).record.id == ID.format(1)
    assert chosen(a_record(), wanted=wish).warnings == ()
    with pytest.raises(UsageError, match=f"the deployment's {name} is not known .give --{name} or VERSIONER_"):
        chosen(wanted=wish)


def test_a_state_never_moves_back() -> None:
    assert moved(a_record(state="started"), State.PENDING).state == "started"
    assert moved(a_record(state="completed"), State.STARTED).state == "completed"
    assert moved(a_record(state=None), State.PENDING).state == "pending"
