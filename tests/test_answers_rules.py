"""The tracker's rules: which answers reject a gated start, and which only look like it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import NOW, answer, gated
from versioner_ci.sinks._sink import Answer
from versioner_ci.times import stamp

# The tracker's rules


def policy(**fields: Any) -> dict[str, Any]:
    return {"detail": {"error": "Rejected", "message": "No deploys on Friday", **fields}}


REJECTED: list[tuple[str, int, Any]] = [
    ("423", 423, b""),
    ("428", 428, b"<html>"),
    ("423-text", 423, {"detail": "frozen"}),
    ("409-code", 409, policy(code="NO_DEPLOY_WINDOW")),
    ("409-unknown-code", 409, policy(code="FULL_MOON")),
    ("409-error-only", 409, {"detail": {"error": "Blocked"}}),
    ("409-rule-only", 409, {"detail": {"details": {"rule_name": "friday"}}}),
    ("409-top-level", 409, {"code": "FLOW_VIOLATION", "message": "Not in staging yet"}),
    ("409-concurrent", 409, policy(code="CONCURRENT_DEPLOYMENT")),
    ("409-sentence", 409, {"detail": {"error": "Deploying this version would conflict with the freeze"}}),
    ("428-mismatch", 428, policy(code="idempotency_mismatch")),
]


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_a_rule_rejects_a_gated_start(status: int, body: Any) -> None:
    receipt = gated(status, body)
    assert receipt.answer is Answer.REJECTED
    assert receipt.rejection is not None
    assert receipt.rejection.reason


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_the_same_anywhere_else_is_a_refusal(status: int, body: Any) -> None:
    receipt = answer(status, body)
    assert (receipt.answer, receipt.rejection) == (Answer.REFUSED, None)


NOT_POLICY: list[tuple[str, Any]] = [
    ("no-body", b""),
    ("no-code", {"detail": "version 1.2 belongs to another commit"}),
    ("message-only", {"detail": {"message": "version 1.2 belongs to another commit"}}),
    ("list", {"detail": [{"loc": ["body"], "msg": "x"}]}),
    *(
        (code, policy(code=code))
        for code in (
            "idempotency_mismatch",
            "IDEMPOTENCY-MISMATCH",
            "VERSION_CONFLICT",
            "version-conflict",
            "Version Conflict",
            "VERSION_EXISTS",
            "version_already_exists",
            "COMMIT_MISMATCH",
            "commit_conflict",
            "version_commit_conflict",
            "version_sha_mismatch",
            "build_version_exists",
            "scm_sha_mismatch",
            "DUPLICATE_VERSION",
            "conflicting_commit",
        )
    ),
    ("error-as-code", {"error": "version_conflict", "message": "x"}),
]


@pytest.mark.parametrize("body", [row[1] for row in NOT_POLICY], ids=[row[0] for row in NOT_POLICY])
def test_a_409_that_is_no_rules_lets_the_work_go_on(body: Any) -> None:
    receipt = gated(409, body)
    assert (receipt.answer, receipt.rejection) == (Answer.REFUSED, None)
    assert receipt.detail.startswith("HTTP 409 from api.test, a conflict but no rule's rejection")


def test_our_own_earlier_try_is_no_concurrent_deployment() -> None:
    body = policy(code="Concurrent-Deployment")
    assert gated(409, body, is_unsure=True).answer is Answer.REFUSED
    assert gated(409, body, is_unsure=False).answer is Answer.REJECTED
    assert gated(409, policy(code="FLOW_VIOLATION"), is_unsure=True).answer is Answer.REJECTED


@pytest.mark.parametrize(("asked_for", "wait"), [(None, 0.5), (0, 0.5), (0.1, 0.2), (0.7, 0.7), (60, 1.0), ("x", 0.5)])
@pytest.mark.parametrize("is_gated", [True, False])
def test_a_copy_in_flight_is_waited_for_shortly(asked_for: object, wait: float, is_gated: bool) -> None:
    receipt = answer(409, policy(code="IDEMPOTENCY-IN-FLIGHT", retry_after=asked_for), is_gated=is_gated)
    assert (receipt.answer, receipt.retry_after) == (Answer.TEMPORARY, wait)


def test_a_rejection_names_rule_reason_and_time() -> None:
    body = policy(code="NO_DEPLOY_WINDOW", retry_after=90, details={"rule_name": "no-fridays"})
    rejection = gated(409, body).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason, rejection.retry_after) == ("no-fridays", "No deploys on Friday", 90)


def test_a_known_code_stands_for_the_rule() -> None:
    rejection = gated(409, policy(code="flow-violation")).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason) == ("flow-violation", "No deploys on Friday")


UNRECOGNISED = [
    (423, b"", None, "blocked by an unrecognised rule"),
    (428, {"detail": "Approval missing"}, None, "blocked by an unrecognised rule: Approval missing"),
    (409, policy(code="FULL_MOON"), "FULL_MOON", "blocked by an unrecognised rule (FULL_MOON): No deploys on Friday"),
    (409, {"error": "moon"}, "moon", "blocked by an unrecognised rule: moon"),
]


@pytest.mark.parametrize(("status", "body", "rule", "reason"), UNRECOGNISED)
def test_an_unknown_rule_still_blocks_and_says_so(status: int, body: Any, rule: str | None, reason: str) -> None:
    rejection = gated(status, body).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason) == (rule, reason)


WAITS = [
    (30, 30.0),
    ("30", 30.0),
    (stamp(NOW + 30), 30.0),
    (stamp(NOW - 30), 0.0),
    (True, None),
    (-1, None),
    ("later", None),
    (None, None),
    ({}, None),
    (1e400, None),
    ("Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
]


@pytest.mark.parametrize(("value", "seconds"), WAITS, ids=[str(row[0]) for row in WAITS])
@pytest.mark.parametrize("place", ["error", "details"])
def test_a_rejections_time_comes_from_the_body(value: object, seconds: float | None, place: str) -> None:
    fields = {"retry_after": value} if place == "error" else {"details": {"retry_after": value}}
    rejection = gated(409, policy(code="X", **fields)).rejection
    assert rejection is not None
    if value == 1e400:
        assert rejection.retry_after is not None
    else:
        assert rejection.retry_after == seconds


def test_a_rejections_time_comes_from_the_header_first() -> None:
    rejection = gated(423, policy(retry_after=90), headers={"Retry-After": "5"}).rejection
    assert rejection is not None
    assert rejection.retry_after == 5
