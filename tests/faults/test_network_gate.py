"""Rows 23 and 25: a deployment's start meets the tracker's rules, or a 409 that is none of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import raw_server
from tests.support.faults import Fault
from tests.support.network_faults import DEPLOYMENT, Expected, Way, serving, soft_and_strict, without_times
from tests.support.raw_server import reply

RUN = ("run", "deployment", "--environment", "production", "--version", "1.4.2", "--", "touch", "started")


def rule(code: str | None = "DEPLOYMENT_FROZEN", **more: Any) -> dict[str, Any]:
    details = {"rule_name": more.pop("rule_name")} if "rule_name" in more else {}
    said = {"error": "Rejected", "message": "No deploys on Friday", "code": code, "details": details}
    return {"detail": {**said, **more}}


FREEZE = rule(rule_name="friday-freeze", retry_after=5400)
HOSTILE = rule(rule_name="a\n::error::b\x1b[2J", message="x\r\ny\u202e ##vso[task.complete result=Failed]")
REJECTED: dict[str, tuple[int, Any, tuple[str, ...]]] = {
    "fault-23 409": (409, FREEZE, ("rejected by rule 'friday-freeze': No deploys on Friday (try again in 1.5 h)",)),
    "fault-23 423": (423, rule("SCHEDULE_BLOCKED", retry_after=60), ("rule 'SCHEDULE_BLOCKED'", "try again in 60 s")),
    "fault-23 428": (428, rule("approval_required"), ("rejected by rule 'approval_required': No deploys on Friday",)),
    "fault-23 hostile": (409, HOSTILE, (r"a\n::error::b\x1b[2J", r"x\r\ny", "# #vso[")),
    "fault-25 409": (409, rule("MOON_PHASE"), ("blocked by an unrecognised rule (MOON_PHASE): No deploys on Friday",)),
    "fault-25 423": (423, b"", ("rejected by an unnamed rule: blocked by an unrecognised rule",)),
    "fault-25 428": (428, {"detail": "Ask Ada"}, ("blocked by an unrecognised rule: Ask Ada",)),
    "fault-25 428 page": (428, b"<html>Precondition Required</html>", ("blocked by an unrecognised rule",)),
}
PASSED: dict[str, Any] = {
    "fault-25 409 bare": b"",
    "fault-25 409 text": {"detail": "version 1.4.2 belongs to another commit"},
    "fault-25 409 code": {"detail": {"message": "Other commit", "code": "VERSION_CONFLICT"}},
    "fault-25 409 key": {"detail": {"message": "Key used", "code": "idempotency_mismatch"}},
}


def has_run(fault: Fault) -> bool:
    """Whether CMD, `touch started`, was started; both calls stand in the same repository."""
    return (fault.repo.path / "started").exists()


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in REJECTED.items()])
def test_a_rejected_start_ends_with_5_and_leaves_nothing(fault: Fault, row: tuple[int, Any, tuple[str, ...]]) -> None:
    status, body, said = row
    unsaid = ("\x1b", "\r", "\u202e", "kept for")
    expected = Expected(outcome="rejected", codes=(5, 5), said=said, unsaid=unsaid, within=5)
    for seen in soft_and_strict(fault, serving(reply(status, body)), expected, Way(args=DEPLOYMENT, budget=10)):
        assert seen.said["rejection"] is not None
        assert seen.said["rejection"]["reason"]


@pytest.mark.parametrize("name", ["fault-23 409", "fault-23 hostile", "fault-25 423"], ids=str)
def test_a_rejected_run_never_starts_its_command(fault: Fault, name: str) -> None:
    status, body, said = REJECTED[name]
    expected = Expected(outcome="rejected", codes=(5, 5), said=said, unsaid=("\x1b", "\r", "\u202e"), within=5)
    soft_and_strict(fault, serving(reply(status, body)), expected, Way(args=RUN, budget=10, is_report=False))
    assert not has_run(fault)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fault-23 409", "build started"),
        ("fault-25 428", "deployment completed --environment production"),
    ],
)
def test_the_same_words_reject_nothing_but_a_gated_start(fault: Fault, name: str, kind: str) -> None:
    status, body, _ = REJECTED[name]
    expected = Expected(outcome="refused", said=(f"HTTP {status} from {{host}}",), within=5)
    soft_and_strict(fault, serving(reply(status, body)), expected, Way(args=("report", *kind.split()), budget=10))


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in PASSED.items()])
def test_a_409_that_is_no_rules_is_a_warning_and_the_work_goes_on(fault: Fault, body: Any) -> None:
    said = ("HTTP 409 from {host}, a conflict but no rule's rejection",)
    expected = Expected(outcome="refused", said=said, within=5)
    soft_and_strict(fault, serving(reply(409, body)), expected, Way(args=DEPLOYMENT, budget=10))


def test_fault_25_a_run_goes_on_after_a_version_conflict(fault: Fault) -> None:
    # Its started is set aside, its ending accepted.
    flight = raw_server.raw(raw_server.head(409, {"Content-Length": "2"}) + b"{}")
    with raw_server.RawServer(flight, reply(201, {})) as server:
        url = {"VERSIONER_API_URL": server.url}
        at = RUN.index("--")
        fault(*RUN[:at], "--timeout", "3", *RUN[at:], env=url, kept=[], bad=1, said="no rule's rejection")
        assert has_run(fault)
        assert [b'"completed"' in request.body for request in server.requests] == [False, True]
    with raw_server.RawServer(reply(409, {})) as server:
        strict = fault.fresh("strict")
        url = {"VERSIONER_API_URL": server.url}
        strict(*RUN[:at], "--timeout", "3", "--fail-on-error", *RUN[at:], env=url, code=4, kept=[], bad=2)


@pytest.mark.parametrize("is_run", [False, True], ids=["report", "run"])
def test_fault_23_gate_wait_asks_again_when_the_tracker_says_and_goes_on_once_it_lifts(
    fault: Fault, is_run: bool
) -> None:
    wait = ("--gate-wait", "0.2")
    content = b'{"detail": {"code": "DEPLOYMENT_FROZEN", "message": "Frozen", "retry_after": 1}}'
    no = raw_server.raw(raw_server.head(409, {"Content-Length": str(len(content))}) + content)
    at = RUN.index("--")
    args = (*RUN[:at], *wait, "--timeout", "3", *RUN[at:]) if is_run else (*DEPLOYMENT, *wait)
    with raw_server.RawServer(no, reply(201, {})) as server:
        result = fault(*args, env={"VERSIONER_API_URL": server.url}, kept=[], bad=0, said="rule 'DEPLOYMENT_FROZEN'")
        assert len(server.requests) == (3 if is_run else 2)
        first, second = server.requests[:2]
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
        assert without_times(first) == without_times(second)
        assert first.body < second.body, "it starts when it may start"
    assert result.seconds > 1
    assert has_run(fault) is is_run


def test_fault_23_gate_wait_that_ends_rejected_is_rejected(fault: Fault) -> None:
    args = (*DEPLOYMENT, "--gate-wait", "0.02")
    expected = Expected(
        outcome="rejected", codes=(5, 5), tries=range(2, 4), said=("waiting, ",), within=5, is_polled=True
    )
    both = soft_and_strict(fault, serving(reply(409, rule(retry_after=1))), expected, Way(args=args))
    assert all(seen.result.seconds > 1 for seen in both)


def test_fault_23_skip_preflight_says_so_to_the_tracker(fault: Fault, tmp_path: Path) -> None:
    way = Way(args=(*DEPLOYMENT, "--skip-preflight"))
    for seen in soft_and_strict(fault, serving(reply(201, {})), Expected(outcome="accepted"), way):
        assert b'"skip_preflight_checks":true' in seen.requests[0].body
