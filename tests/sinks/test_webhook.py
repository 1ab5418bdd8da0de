from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.fake_slack import WEBHOOK, FakeSlack
from tests.support.slack_events import a_webhook, an_event, an_item
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.sinks import slack_errors as errors
from versioner_ci.sinks._sink import Answer, Receipt, Target
from versioner_ci.sinks.webhook import Webhook
from versioner_ci.status import State

HERE = Target(channel="", mentions=("<!subteam^S012>",))


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def hook(slack: FakeSlack) -> Webhook:
    return a_webhook(slack)


def test_each_event_is_a_message_of_its_own(slack: FakeSlack, hook: Webhook) -> None:
    for state in (State.STARTED, State.COMPLETED):
        assert hook.send(an_item(state, HERE), timeout=5) == Receipt(answer=Answer.ACCEPTED)
    assert [message.text for message in slack.messages()] == [
        "🚀 Deployment in progress: shop 1.4.2 → production",
        "✅ Deployment succeeded: shop 1.4.2 → production",
    ]
    assert [message.colour for message in slack.messages()] == ["#1d72d2", "#2e8540"]


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_mentions_are_called_on_trouble_only(slack: FakeSlack, hook: Webhook, state: State) -> None:
    hook.send(an_item(state, HERE), timeout=5)
    assert slack.messages()[0].pings == (["<!subteam^S012>"] if state in {State.FAILED, State.ABORTED} else [])


def test_unknown_mentions_are_left_out_and_said(hook: Webhook) -> None:
    [warning] = hook.send(an_item(State.FAILED, Target(channel="", mentions=("@bob",))), timeout=5).warnings
    assert warning.startswith("mention '@bob' is left out")


@pytest.mark.parametrize(
    ("status", "word", "fix"),
    [
        (400, "invalid_payload", "please report it"),
        (403, "action_prohibited", "ask the workspace's admins"),
        (403, "invalid_token", "make a new webhook"),
        (404, "channel_not_found", "make a new webhook"),
        (404, "no_service", "make a new webhook"),
        (410, "channel_is_archived", "unarchive the webhook's channel"),
        (400, "no_active_hooks", "switch the app's incoming webhooks on"),
        (403, "team_disabled", "the webhook's workspace is disabled"),
    ],
)
def test_a_refusal_in_slacks_words_is_final_with_its_fix(
    slack: FakeSlack,
    hook: Webhook,
    status: int,
    word: str,
    fix: str,
) -> None:
    slack.fail(word, method=WEBHOOK, status=status)
    receipt = hook.send(an_item(State.STARTED, HERE), timeout=5)
    assert (receipt.answer, receipt.detail, receipt.targets) == (Answer.REFUSED, word, ())
    assert fix in str(receipt.fix)
    assert len(slack.calls) == 1


def test_an_archived_channel_and_a_removed_webhook_are_refused(slack: FakeSlack, hook: Webhook) -> None:
    slack.channel(WEBHOOK).is_archived = True
    assert hook.send(an_item(), timeout=5).detail == "channel_is_archived"
    removed = Webhook(f"{slack.origin}/services/T0/B0/gone", Transport({}), Redactor([]))
    assert removed.send(an_item(), timeout=5).detail == "no_service"


@pytest.mark.parametrize("word", sorted(errors.TOO_MUCH))
def test_a_message_that_slack_finds_bad_is_sent_as_plain_text(slack: FakeSlack, hook: Webhook, word: str) -> None:
    slack.fail(word, method=WEBHOOK)
    receipt = hook.send(an_item(State.FAILED, HERE), timeout=5)
    [message] = slack.messages()
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.warnings == (f"Slack refused the message's form ({word}): sent as plain text",)
    assert (message.blocks, message.attachments, message.pings) == ([], [], ["<!subteam^S012>"])


def test_a_rate_limit_waits_as_slack_asks(slack: FakeSlack, hook: Webhook) -> None:
    slack.rate_limit(3, method=WEBHOOK)
    receipt = hook.send(an_item(State.STARTED, HERE), timeout=5)
    assert (receipt.answer, receipt.retry_after, receipt.targets) == (Answer.TEMPORARY, 3.0, (HERE,))


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (500, "rollup_error", Answer.UNKNOWN),
        (500, "<html>", Answer.UNKNOWN),
        (503, "no_service", Answer.UNKNOWN),
        (404, "<html>nothing here</html>", Answer.MISCONFIGURED),
        (403, "", Answer.MISCONFIGURED),
        (400, "<html>", Answer.REFUSED),
        (200, "<html>log in</html>", Answer.KEPT),
        (200, "", Answer.KEPT),
        (200, "OK, thank you", Answer.KEPT),
        (302, "", Answer.KEPT),
    ],
    ids=str,
)
def test_other_answers(slack: FakeSlack, hook: Webhook, status: int, body: str, answer: Answer) -> None:
    slack.answer(status, body)
    receipt = hook.send(an_item(State.STARTED, HERE), timeout=5)
    assert receipt.answer is answer
    assert receipt.retry_once == (answer is Answer.UNKNOWN)
    assert "html" not in receipt.detail
    assert receipt.targets == (() if answer is Answer.REFUSED else (HERE,))


def test_no_answer_may_have_been_posted(slack: FakeSlack, hook: Webhook) -> None:
    slack.hang()
    began = time.monotonic()
    receipt = hook.send(an_item(), timeout=0.5)
    assert time.monotonic() - began < 2
    assert (receipt.answer, receipt.retry_once) == (Answer.UNKNOWN, True)


def test_preview_shows_the_one_request(slack: FakeSlack, hook: Webhook) -> None:
    item = replace(an_item(State.FAILED, HERE), event=an_event(State.FAILED, metadata={"error": "boom"}))
    [request] = hook.preview(item)
    assert slack.calls == []
    hook.send(item, timeout=5)
    assert request["url"] == slack.webhook_url
    assert request["body"] == slack.calls[0].args


def test_a_test_message_is_posted(slack: FakeSlack, hook: Webhook) -> None:
    assert hook.send_test().answer is Answer.ACCEPTED
    assert "test message of versioner-ci" in slack.messages()[0].text


def test_slack_sdk_writes_nothing_of_its_own(
    slack: FakeSlack,
    hook: Webhook,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    slack.answer(500, "x")
    slack.answer(200, None)
    hook.send(an_item(), timeout=5)
    hook.send(an_item(), timeout=5)
    assert capfd.readouterr() == ("", "")
    assert slack.webhook_url not in caplog.text
