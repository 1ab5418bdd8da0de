"""The one table of words."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.errors import UsageError
from versioner_ci.status import LOOKS, WORDS, Kind, State, normalise, reason_of

BOTH = {
    State.PENDING: "pending queued scheduled waiting created requested preparing waiting_for_resource manual on_hold",
    State.STARTED: "started in_progress init running inprogress",
    State.COMPLETED: "success completed complete finished succeeded successful passed neutral"
    " succeeded_with_issues unstable",
    State.FAILED: "failed fail failure error timed_out timedout startup_failure infrastructure_fail"
    " action_required broken",
    State.ABORTED: "aborted abort cancelled cancel skipped canceled canceling not_built stale stopped"
    " interrupted killed",
}
ONLY = {
    (Kind.DEPLOYMENT, "deploying"): State.STARTED,
    (Kind.DEPLOYMENT, "deployed"): State.COMPLETED,
    (Kind.BUILD, "building"): State.STARTED,
    (Kind.BUILD, "built"): State.COMPLETED,
}
CONTRACT = {
    *("pending", "queued", "scheduled", "started", "in_progress", "init", "deploying", "building"),
    *("success", "completed", "complete", "finished", "deployed", "built"),
    *("failed", "fail", "failure", "error", "aborted", "abort", "cancelled", "cancel", "skipped"),
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(("state", "word"), [(state, word) for state, words in BOTH.items() for word in words.split()])
def test_a_word_of_either_kind_means_its_state(kind: Kind, state: State, word: str) -> None:
    assert normalise(kind, word) is state


@pytest.mark.parametrize(("kind", "word"), ONLY)
def test_a_word_of_one_kind_is_an_error_for_the_other(kind: Kind, word: str) -> None:
    other = Kind.BUILD if kind is Kind.DEPLOYMENT else Kind.DEPLOYMENT
    assert normalise(kind, word) is ONLY[kind, word]
    with pytest.raises(UsageError, match=f"use '{ONLY[kind, word].value}'"):
        normalise(other, word)


def test_the_table_holds_these_words_and_no_others() -> None:
    known = {word for words in BOTH.values() for word in words.split()} | {word for _, word in ONLY}
    assert {row.word for row in WORDS} == known
    assert len(WORDS) == len(known)
    assert {row.word for row in WORDS if not row.host} == CONTRACT


@pytest.mark.parametrize("spelling", ["In-Progress", "IN PROGRESS", " in_progress ", "in - progress", "in__progress"])
def test_case_hyphen_underscore_and_space_do_not_matter(spelling: str) -> None:
    assert normalise(Kind.BUILD, spelling) is State.STARTED


@pytest.mark.parametrize(
    ("word", "nearest"), [("sucess", "success"), ("faild", "failed"), ("compleeted", "completed"), ("bilt", "built")]
)
def test_an_unknown_word_is_refused_with_the_nearest(word: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=nearest):
        normalise(Kind.BUILD, word)


def test_a_word_like_no_other_is_refused_with_the_states() -> None:
    with pytest.raises(UsageError, match="pending or started or completed or failed or aborted"):
        normalise(Kind.BUILD, "xyzzy")


@given(st.text())
def test_any_text_is_a_state_or_a_usage_error(word: str) -> None:
    with contextlib.suppress(UsageError):
        assert normalise(Kind.DEPLOYMENT, word) in State


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("timed_out", "timeout"),
        ("TimedOut", "timeout"),
        ("skipped", "skipped"),
        ("NOT_BUILT", "superseded"),
        ("failed", None),
    ],
)
def test_a_word_that_tells_why_gives_the_reason(word: str, reason: str | None) -> None:
    assert reason_of(word) == reason


def test_endings_outrank_started_and_started_outranks_pending() -> None:
    assert [state.rank for state in State] == [0, 1, 2, 2, 2]
    assert [state.is_ending for state in State] == [False, False, True, True, True]


@pytest.mark.parametrize(
    ("kind", "state", "icon", "wording"),
    [
        (Kind.DEPLOYMENT, State.PENDING, "⏳", "Deployment queued"),
        (Kind.DEPLOYMENT, State.STARTED, "🚀", "Deployment in progress"),
        (Kind.DEPLOYMENT, State.COMPLETED, "✅", "Deployment succeeded"),
        (Kind.DEPLOYMENT, State.FAILED, "❌", "Deployment failed"),
        (Kind.DEPLOYMENT, State.ABORTED, "🛑", "Deployment aborted"),
        (Kind.BUILD, State.PENDING, "⏳", "Build queued"),
        (Kind.BUILD, State.STARTED, "🔨", "Build started"),
        (Kind.BUILD, State.COMPLETED, "✅", "Build succeeded"),
        (Kind.BUILD, State.FAILED, "❌", "Build failed"),
        (Kind.BUILD, State.ABORTED, "🛑", "Build aborted"),
    ],
)
def test_an_event_is_shown_with_its_icon_and_wording(kind: Kind, state: State, icon: str, wording: str) -> None:
    look = LOOKS[kind, state]
    assert (look.icon, look.wording) == (icon, wording)
    assert look.colour.startswith("#")
