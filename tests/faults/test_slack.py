"""Rows 50 to 55: what Slack may answer."""

from __future__ import annotations

import json

import pytest

from tests.support.fake_slack import WEBHOOK, FakeSlack
from tests.support.faults import CANARY, Fault, delivered

STARTED = ("report", "build", "started")
FAILED = ("report", "build", "failed", "--error", "it broke")
KEPT = ["slack build.started"]


@pytest.fixture
def alone(fault: Fault, slack: FakeSlack) -> FakeSlack:
    """Slack without a tracker."""
    del fault.env["VERSIONER_API_KEY"]
    return slack


def rows(row: int, *codes: str) -> list[object]:
    return [pytest.param(code, id=f"fault-{row} {code}") for code in codes]


FIXES = {
    "channel_not_found": "/invite @versioner-ci",
    "not_in_channel": "/invite @versioner-ci",
    "is_archived": "unarchive",
    "restricted_action": "ask the workspace's admins",
    "posting_to_general_channel_denied": "ask the workspace's admins",
}


@pytest.mark.parametrize("code", rows(50, *FIXES))
def test_a_channel_that_takes_no_message_is_final_and_its_fix_is_said(
    fault: Fault, alone: FakeSlack, code: str
) -> None:
    alone.fail(code, times=9)
    fault.soft_and_strict(*STARTED, kept=[], bad=1, said=[f"#deploys: {code}", FIXES[code]])
    assert alone.methods() == ["chat.postMessage"] * 2, "one try a call"


def test_fault_50_one_bad_channel_does_not_keep_a_message_from_another(fault: Fault, alone: FakeSlack) -> None:
    alone.add_channel("#team")
    alone.fail("is_archived", channel="#deploys")
    fault(*STARTED, "--slack-channel", "#deploys", "--slack-channel", "#team", said="#deploys: is_archived")
    assert len(alone.messages("#team")) == 1


@pytest.mark.parametrize(
    "code", rows(51, "invalid_auth", "not_authed", "token_revoked", "account_inactive", "missing_scope")
)
def test_a_token_that_does_not_serve_is_kept_for_a_better_one(fault: Fault, alone: FakeSlack, code: str) -> None:
    more = {"needed": "chat:write", "provided": "users:read"} if code == "missing_scope" else {}
    alone.fail(code, times=2, **more)
    said = [f"from SLACK_BOT_TOKEN: {code}", *(["add the bot scope chat:write"] if more else [])]
    fault.soft_and_strict(*STARTED, kept=KEPT, bad=0, said=said)
    assert alone.methods() == ["chat.postMessage"] * 2, "one try a call"
    fault("flush", kept=[], said=delivered(1))
    assert len(alone.messages("#deploys")) == 1


def test_fault_51_a_bad_token_ends_a_flush(fault: Fault, alone: FakeSlack) -> None:
    alone.fail("invalid_auth", times=9)
    for product in ("a", "b", "c"):
        fault(*STARTED, "--product", product)
    before = len(alone.calls)
    fault("flush", "--fail-on-error", code=4, kept=KEPT * 3)
    assert len(alone.calls) == before + 1


@pytest.mark.parametrize("wait", [pytest.param(wait, id=f"fault-52 Retry-After {wait}") for wait in (0, 1)])
def test_a_rate_limit_that_fits_into_the_budget_is_waited_for(fault: Fault, alone: FakeSlack, wait: int) -> None:
    alone.rate_limit(wait)
    fault(*STARTED, kept=[])
    first, second = (call.at for call in alone.calls)
    assert second - first >= max(wait, 0.2)
    assert len(alone.messages("#deploys")) == 1


@pytest.mark.parametrize("wait", [pytest.param(wait, id=f"fault-52 Retry-After {wait}") for wait in ("120", "1e9")])
def test_a_longer_rate_limit_is_kept_at_once_and_not_tried_before_then(
    fault: Fault, alone: FakeSlack, wait: str
) -> None:
    alone.rate_limit(wait)
    result = fault(*STARTED, kept=KEPT)
    assert result.seconds < 3
    fault("flush", kept=KEPT)
    assert len(alone.calls) == 1


def test_fault_52_updates_that_were_held_back_are_merged_to_the_newest(fault: Fault, alone: FakeSlack) -> None:
    alone.rate_limit(1)
    fault(*STARTED, budget=0.8, kept=KEPT)
    fault(*FAILED, budget=4, kept=[])
    [message] = alone.messages("#deploys")
    assert "failed" in message.shown
    assert message.edits == 0, "the start was never shown: it need not be"


def test_fault_52_by_the_words_rate_limited(fault: Fault, alone: FakeSlack) -> None:
    alone.fail("rate_limited")
    fault(*STARTED, kept=[])
    assert len(alone.calls) == 2


@pytest.mark.parametrize("code", rows(53, "internal_error", "fatal_error", "service_unavailable", "request_timeout"))
def test_an_ambiguous_failure_is_tried_once_more_and_kept(fault: Fault, alone: FakeSlack, code: str) -> None:
    alone.fail(code, times=4)
    fault.soft_and_strict(*STARTED, kept=KEPT, said=code)
    assert alone.methods() == ["chat.postMessage"] * 4, "two tries a call"
    fault("flush", kept=[])


@pytest.mark.parametrize("status", [pytest.param(status, id=f"fault-53 HTTP {status}") for status in (500, 502, 503)])
def test_a_5xx_is_tried_once_more_and_kept(fault: Fault, alone: FakeSlack, status: int) -> None:
    alone.answer(status, f"<html>{CANARY} oops", times=4)
    fault.soft_and_strict(*STARTED, kept=KEPT, said=f"HTTP {status}")
    assert len(alone.calls) == 4


def test_fault_53_a_message_that_stands_is_updated_and_not_posted_again(fault: Fault, alone: FakeSlack) -> None:
    fault(*STARTED, kept=[])
    alone.fail("internal_error", is_done=True)
    fault("report", "build", "completed", kept=[])
    assert alone.methods() == ["chat.postMessage", "chat.update", "chat.update"]
    assert len(alone.messages("#deploys")) == 1


@pytest.mark.parametrize(
    "code", rows(54, "msg_too_long", "msg_blocks_too_long", "invalid_blocks", "no_text", "too_many_attachments")
)
def test_a_message_that_slack_refuses_goes_as_plain_text(fault: Fault, alone: FakeSlack, code: str) -> None:
    alone.fail(code)
    fault(*STARTED, kept=[], bad=0, said=f"Slack refused the message's form ({code}): sent as plain text")
    assert alone.methods() == ["chat.postMessage"] * 2
    [message] = alone.messages("#deploys")
    assert message.blocks == message.attachments == []


def test_fault_54_a_hostile_error_text_fits_into_slacks_limits(fault: Fault, alone: FakeSlack) -> None:
    fault("report", "build", "failed", "--error", "<!channel> & <b>" * 2_000, "--product", "&<>" * 200, kept=[])
    [message] = alone.messages("#deploys")
    assert message.pings == []
    assert "<!channel>" not in message.shown


WEBHOOK_WORDS = {
    "invalid_payload": 400,
    "action_prohibited": 403,
    "invalid_token": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "channel_is_archived": 410,
    "no_active_hooks": 404,
    "team_disabled": 403,
}


@pytest.mark.parametrize("code", rows(55, *WEBHOOK_WORDS))
def test_a_webhooks_refusal_in_words_is_final(fault: Fault, alone: FakeSlack, code: str) -> None:
    env = {"SLACK_BOT_TOKEN": None, "SLACK_CHANNEL": None, "SLACK_WEBHOOK_URL": alone.webhook_url}
    alone.fail(code, method=WEBHOOK, status=WEBHOOK_WORDS[code], times=2)
    result, _ = fault.soft_and_strict(*STARTED, env=env, kept=[], bad=1, said=code)
    assert alone.methods() == [WEBHOOK] * 2, "one try a call"
    assert alone.webhook_url.rpartition("/")[2] not in result.err


def test_fault_55_the_word_ok_is_an_acceptance(fault: Fault, alone: FakeSlack) -> None:
    env = {"SLACK_BOT_TOKEN": None, "SLACK_CHANNEL": None, "SLACK_WEBHOOK_URL": alone.webhook_url}
    said = json.loads(fault(*STARTED, "--json", env=env, kept=[]).out)
    assert said["outcome"] == "accepted"
    assert len(alone.messages()) == 1
