from __future__ import annotations

import pytest

from tests.test_report import EVENT, REJECTION, outcome
from versioner_ci.outcome import Backlog, Verdict
from versioner_ci.report_json import as_json, verdict_of
from versioner_ci.result import Report

NAMES = {
    "outcome", "ok", "error", "event_type", "status", "product", "version", "environment", "occurred_at", "group_id",
    "lifecycle_id", "idempotency_key", "lifecycle", "ids", "slack", "sinks", "rejection", "backlog", "kept_at",
    "notice", "warnings",
}  # fmt: skip


@pytest.mark.parametrize(
    "report",
    [Report(), Report(event=EVENT, outcomes=(outcome(Verdict.KEPT),)), Report(is_doubled=True), Report(signum=15)],
    ids=["nothing", "kept", "doubled", "interrupted"],
)
def test_the_object_has_the_same_names_whatever_happened(report: Report) -> None:
    assert as_json(report).keys() == NAMES


@pytest.mark.parametrize("verdict", Verdict)
def test_the_outcome_is_the_sinks_word(verdict: Verdict) -> None:
    body = as_json(Report(event=EVENT, outcomes=(outcome(verdict, "why"),)))
    assert body["outcome"] == verdict.value
    assert body["ok"] is (verdict in {Verdict.NOTHING, Verdict.ACCEPTED, Verdict.DUPLICATE})
    assert body["sinks"] == [{"sink": "backend", "outcome": verdict.value, "detail": "why", "fix": None}]


def test_the_worst_sink_decides() -> None:
    report = Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED), outcome(Verdict.REFUSED), outcome(Verdict.KEPT)))
    assert as_json(report)["outcome"] == "refused"


def test_an_error_or_a_signal_is_never_ok() -> None:
    body = as_json(Report(), error="it was wrong")
    assert (body["outcome"], body["ok"], body["error"]) == ("nothing", False, "it was wrong")
    assert as_json(Report(signum=2))["ok"] is False


def test_a_rejection_comes_with_rule_reason_and_time() -> None:
    body = as_json(Report(event=EVENT, outcomes=(outcome(Verdict.REJECTED, rejection=REJECTION),)))
    assert body["rejection"] == {"rule": "freeze", "reason": "Friday afternoon", "retry_after": 240.0}


@pytest.mark.parametrize(
    ("backlogs", "verdict"),
    [
        ((Backlog(sink="backend", delivered=2),), Verdict.ACCEPTED),
        ((Backlog(sink="backend", delivered=2, left=1),), Verdict.KEPT),
        ((Backlog(sink="backend", delivered=2), Backlog(sink="slack", set_aside=1)), Verdict.REFUSED),
        ((), Verdict.NOTHING),
    ],
    ids=["delivered", "left", "set aside", "nothing there"],
)
def test_a_flush_is_judged_by_what_was_kept(backlogs: tuple[Backlog, ...], verdict: Verdict) -> None:
    assert verdict_of(Report(backlogs=backlogs)) is verdict


def test_an_events_own_verdict_does_not_depend_on_older_ones() -> None:
    report = Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED),), backlogs=(Backlog(sink="backend", left=9),))
    assert verdict_of(report) is Verdict.ACCEPTED
