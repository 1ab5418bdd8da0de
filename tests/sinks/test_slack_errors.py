from __future__ import annotations

from typing import Any

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.slack_events import DEPLOYS, an_item
from versioner_ci.sinks import slack_errors as errors
from versioner_ci.sinks._sink import Answer, Target
from versioner_ci.sinks.slack import Slack
from versioner_ci.status import State


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("channel_not_found", "check the channel's id"),
        ("not_in_channel", "invite the app to #deploys: type `/invite @versioner-ci` there; or, if it is public, add"),
        ("is_archived", "unarchive #deploys"),
        ("restricted_action", "ask the workspace's admins"),
        ("restricted_action_read_only_channel", "ask the workspace's admins"),
        ("posting_to_general_channel_denied", "ask the workspace's admins"),
        ("ekm_access_denied", "ask the workspace's admins"),
        ("invalid_arguments", "please report it"),
    ],
)
def test_a_final_refusal_tells_its_exact_fix(slack: FakeSlack, bot: Slack, code: str, fix: str) -> None:
    slack.fail(code)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.detail, receipt.targets) == (Answer.REFUSED, f"#deploys: {code}", ())
    assert fix in str(receipt.fix)
    assert len(slack.calls) == 1


@pytest.mark.parametrize(
    ("kind", "scopes", "code"),
    [
        ({"is_member": False}, {"chat:write"}, "not_in_channel"),
        ({"is_member": False, "is_private": True}, {"chat:write", "chat:write.public"}, "channel_not_found"),
        ({"is_archived": True}, {"chat:write"}, "is_archived"),
    ],
    ids=["public", "private", "archived"],
)
def test_real_channels_are_refused_for_real_reasons(
    slack: FakeSlack,
    bot: Slack,
    kind: dict[str, Any],
    scopes: set[str],
    code: str,
) -> None:
    slack.add_channel("#other", **kind)
    slack.scopes = scopes
    receipt = bot.send(an_item(State.STARTED, Target(channel="#other")), timeout=5)
    assert receipt.detail == f"#other: {code}"
    assert "#other" in str(receipt.fix)


@pytest.mark.parametrize("code", ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"])
def test_a_wrong_token_is_kept_and_its_source_named(slack: FakeSlack, bot: Slack, code: str) -> None:
    slack.fail(code)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.MISCONFIGURED, (Target(channel=DEPLOYS),))
    assert receipt.detail == f"token …0001 from SLACK_BOT_TOKEN: {code}"
    assert "set SLACK_BOT_TOKEN to its Bot User OAuth Token" in str(receipt.fix)
    assert slack.token not in repr(receipt)


def test_a_missing_scope_is_named_from_the_reply(slack: FakeSlack, bot: Slack) -> None:
    slack.scopes = {"chat:write.public", "users:read"}
    receipt = bot.send(an_item(), timeout=5)
    assert receipt.answer is Answer.MISCONFIGURED
    assert receipt.detail == (
        "token …0001 from SLACK_BOT_TOKEN: missing_scope, needs chat:write, has chat:write.public,users:read"
    )
    assert "add the bot scope chat:write to the Slack app" in str(receipt.fix)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        ("0", 0.0),
        ("", 1.0),
        ("-5", 1.0),
        ("nan", 1.0),
        ("soon", 1.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_a_rate_limit_waits_as_slack_asks(slack: FakeSlack, bot: Slack, header: str, seconds: float) -> None:
    slack.rate_limit(header)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.retry_after, receipt.retry_once) == (Answer.TEMPORARY, seconds, False)
    assert receipt.targets == (Target(channel=DEPLOYS),)


def test_an_endless_rate_limit_stays_a_finite_number(slack: FakeSlack, bot: Slack) -> None:
    slack.rate_limit("1e999")
    wait = bot.send(an_item(), timeout=5).retry_after
    assert wait is not None
    assert 3_600 < wait < float("inf")


@pytest.mark.parametrize("code", ["ratelimited", "rate_limited"])
def test_a_rate_limit_in_the_body_alone_is_understood(slack: FakeSlack, bot: Slack, code: str) -> None:
    slack.fail(code)
    assert bot.send(an_item(), timeout=5).answer is Answer.TEMPORARY


@pytest.mark.parametrize("body", ['{"ok": false, "error": "anything"}', '{"ok": false}', "slow down"])
def test_http_429_is_a_rate_limit_whatever_its_body_says(slack: FakeSlack, bot: Slack, body: str) -> None:
    slack.answer(429, body, headers={"retry-after": "4"})
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.retry_after) == (Answer.TEMPORARY, 4.0)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
def test_a_fault_of_slack_is_tried_once_more_at_most(slack: FakeSlack, bot: Slack, code: str) -> None:
    slack.fail(code)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.retry_once, receipt.targets) == (Answer.UNKNOWN, True, (Target(channel=DEPLOYS),))


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", "", '{"ok": false, "error": "not_in_channel"}'], ids=["html", "empty", "json"]
)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_is_tried_once_more_at_most(slack: FakeSlack, bot: Slack, status: int, body: str) -> None:
    slack.answer(status, body)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.retry_once) == (Answer.UNKNOWN, True)
    assert f"HTTP {status}" in receipt.detail
    assert "html" not in receipt.detail


@pytest.mark.parametrize("code", sorted(errors.TOO_MUCH))
def test_a_message_that_slack_finds_bad_is_sent_as_plain_text(slack: FakeSlack, bot: Slack, code: str) -> None:
    slack.fail(code)
    receipt = bot.send(an_item(), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.warnings == (f"Slack refused the message's form ({code}): sent as plain text",)
    assert (message.blocks, message.attachments) == ([], [])
    assert "Deployment in progress: shop 1.4.2" in message.text


def test_an_update_as_plain_text_removes_what_stood_there(slack: FakeSlack, bot: Slack) -> None:
    receipt = bot.send(an_item(), timeout=5)
    slack.fail("invalid_blocks", method="chat.update")
    bot.send(an_item(State.COMPLETED, channels=dict(receipt.channels)), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert (message.blocks, message.attachments) == ([], [])
    assert "Deployment succeeded" in message.text


def test_a_bad_update_is_said_even_if_the_reply_went_well(slack: FakeSlack, bot: Slack) -> None:
    receipt = bot.send(an_item(), timeout=5)
    slack.fail("invalid_blocks", method="chat.update")
    receipt = bot.send(an_item(State.FAILED, channels=dict(receipt.channels)), timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.warnings == ("Slack refused the message's form (invalid_blocks): sent as plain text",)


def test_plain_text_still_calls_who_is_mentioned(slack: FakeSlack, bot: Slack) -> None:
    slack.fail("invalid_attachments")
    bot.send(an_item(State.FAILED, Target(channel=DEPLOYS, mentions=("<!subteam^S012>",))), timeout=5)
    assert slack.messages(DEPLOYS)[0].pings == ["<!subteam^S012>"]


def test_plain_text_that_is_refused_too_is_final(slack: FakeSlack, bot: Slack) -> None:
    slack.fail("invalid_blocks", times=2)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.detail) == (Answer.REFUSED, "#deploys: invalid_blocks")
    assert len(slack.calls) == 2


@pytest.mark.parametrize("code", ["brand_new_error", "x" * 500, "evil\nline", "<!channel>", "xoxb-1234567890-leaked"])
def test_an_unknown_code_is_final_and_named_on_one_line(slack: FakeSlack, bot: Slack, code: str) -> None:
    slack.fail(code)
    receipt = bot.send(an_item(), timeout=5)
    assert receipt.answer is Answer.REFUSED
    assert "\n" not in receipt.detail
    assert len(receipt.detail) < 250
    assert "xoxb-1234567890-leaked" not in receipt.detail


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, Answer.REFUSED),
        (401, Answer.MISCONFIGURED),
        (403, Answer.MISCONFIGURED),
        (404, Answer.MISCONFIGURED),
        (405, Answer.MISCONFIGURED),
        (408, Answer.UNKNOWN),
        (409, Answer.REFUSED),
        (418, Answer.REFUSED),
        (429, Answer.TEMPORARY),
    ],
)
def test_a_status_that_is_not_in_slacks_words(slack: FakeSlack, bot: Slack, status: int, answer: Answer) -> None:
    slack.answer(status, "<html>")
    receipt = bot.send(an_item(), timeout=5)
    assert receipt.answer is answer
    assert f"127.0.0.1:{slack.url.split(':')[2].split('/')[0]} answered HTTP {status}" in receipt.detail


@pytest.mark.parametrize(
    "code",
    [
        *errors._REFUSED,
        *errors._MISCONFIGURED,
        *errors._UNKNOWN,
        *errors._LIMITED,
        *errors._HOOK_REFUSED,
        *sorted(errors.TOO_MUCH),
    ],
)
def test_every_fix_of_the_table_has_its_blanks_filled(code: str) -> None:
    for meaning in (errors.bot_meaning(code), errors.webhook_meaning(code)):
        fix = errors.fix_of(meaning, channel="#x", setting="SLACK_BOT_TOKEN") if meaning else None
        assert fix is None or "{" not in fix


@pytest.mark.parametrize("codes", [errors.GONE, errors.UNTHREADABLE], ids=["gone", "unthreadable"])
def test_a_bad_form_is_never_mistaken_for_a_lost_message(codes: frozenset[str]) -> None:
    assert not codes & errors.TOO_MUCH
