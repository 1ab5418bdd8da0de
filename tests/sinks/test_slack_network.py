from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from slack_sdk.web.client import WebClient
from slack_sdk.webhook.client import WebhookClient

from tests.support.fake_slack import FakeSlack
from tests.support.slack_events import DEPLOYS, a_bot, a_webhook, an_item
from versioner_ci.sinks._sink import Answer, Receipt, Target
from versioner_ci.sinks.slack import Slack
from versioner_ci.status import State


def two(slack: FakeSlack) -> tuple[Target, Target]:
    slack.add_channel("#ops")
    return Target(channel=DEPLOYS), Target(channel="#ops")


def test_one_silent_server_costs_one_budget_for_all_channels(slack: FakeSlack, bot: Slack) -> None:
    targets = two(slack)
    slack.hang()
    began = time.monotonic()
    receipt = bot.send(an_item(State.STARTED, *targets), timeout=0.6)
    assert time.monotonic() - began < 2
    assert (receipt.answer, receipt.retry_once, receipt.targets) == (Answer.UNKNOWN, True, targets)
    assert len(slack.calls) == 1


def test_slow_answers_share_one_budget(slack: FakeSlack, bot: Slack) -> None:
    slack.delay(0.4)
    targets = tuple(Target(channel=slack.add_channel(f"#c{number}").name) for number in range(8))
    began = time.monotonic()
    receipt = bot.send(an_item(State.STARTED, *targets), timeout=1)
    assert time.monotonic() - began < 2
    assert receipt.answer in {Answer.UNKNOWN, Answer.TEMPORARY}
    assert len(receipt.targets) + len(receipt.channels) == 8


def test_a_lost_answer_to_an_update_is_repeated_without_a_second_message(slack: FakeSlack, bot: Slack) -> None:
    first = bot.send(an_item(), timeout=5)
    item = an_item(State.COMPLETED, channels=dict(first.channels))
    slack.answer(200, None, method="chat.update", is_done=True)
    receipt = bot.send(item, timeout=5)
    assert (receipt.answer, receipt.retry_once) == (Answer.UNKNOWN, True)
    assert bot.send(replace(item, is_unsure=True), timeout=5).answer is Answer.ACCEPTED
    assert len(slack.messages(DEPLOYS)) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(slack: FakeSlack, bot: Slack, status: int) -> None:
    with FakeSlack() as other:
        slack.answer(status, "", headers={"Location": f"{other.url}chat.postMessage?secret=x"})
        receipt = bot.send(an_item(), timeout=5)
        assert other.calls == []
    assert receipt.answer is Answer.KEPT
    assert "a redirect to 127.0.0.1, not followed" in receipt.detail
    assert "secret" not in receipt.detail


@pytest.mark.parametrize(
    "body",
    [
        "",
        "ok",
        "null",
        "[]",
        "[1]",
        '"x"',
        "{}",
        '{"ok": 1}',
        '{"ok": "true"}',
        "<html>log in</html>",
        "[" * 50_000,
        '{"ok": true',
        "\ufffd" * 9,
        '{"ok": true, "x": "' + "y" * 70_000 + '"}',
    ],
)
def test_a_200_that_is_not_slacks_is_kept_and_not_shown(slack: FakeSlack, bot: Slack, body: str) -> None:
    slack.answer(200, body)
    receipt = bot.send(an_item(), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.KEPT, (Target(channel=DEPLOYS),))
    assert "not in Slack's words" in receipt.detail
    assert "html" not in receipt.detail


def test_an_acceptance_without_a_place_is_an_acceptance(slack: FakeSlack, bot: Slack) -> None:
    slack.answer(200, '{"ok": true, "ts": 5, "channel": {"x": 1}}')
    assert bot.send(an_item(), timeout=5) == Receipt(answer=Answer.ACCEPTED, detail=DEPLOYS)


def test_slack_sdk_writes_nothing_of_its_own(
    slack: FakeSlack,
    bot: Slack,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    slack.answer(500, "<html>")
    slack.fail("not_in_channel")
    bot.send(an_item(), timeout=5)
    bot.send(an_item(), timeout=5)
    a_bot(slack, api_url="http://127.0.0.1:1/").send(an_item(), timeout=5)
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records if "slack" in record.name] == []


@pytest.mark.parametrize(
    ("client", "method"),
    [
        (WebClient, "_perform_urllib_http_request_internal"),
        (WebhookClient, "_perform_http_request_internal"),
    ],
)
def test_slack_sdk_still_sends_by_the_method_that_is_replaced(client: type, method: str) -> None:
    assert callable(getattr(client, method, None)), f"slack_sdk has renamed {method}: requests bypass the transport"


def test_every_request_of_slack_sdk_goes_through_the_transport(bot: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("slack_sdk opened a connection of its own")

    monkeypatch.setattr("slack_sdk.web.base_client.urlopen", forbidden)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", forbidden)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert bot.send(an_item(), timeout=5).answer is Answer.ACCEPTED


def test_sending_from_several_threads_at_once_mixes_nothing_up(slack: FakeSlack, bot: Slack) -> None:
    channels = [slack.add_channel(f"#c{number}") for number in range(8)]
    receipts: dict[str, Receipt] = {}

    def send(name: str) -> None:
        receipts[name] = bot.send(an_item(State.STARTED, Target(channel=name)), timeout=5)

    threads = [threading.Thread(target=send, args=(channel.name,)) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert all(receipts[channel.name].channels[channel.name].startswith(channel.id) for channel in channels)


def test_a_closed_port_is_tried_a_few_times_and_says_what_to_check() -> None:
    with FakeSlack() as gone:
        bot, hook = a_bot(gone), a_webhook(gone)
    told = bot.send(an_item(), timeout=5)
    assert (told.answer, told.retries, told.fix) == (Answer.TEMPORARY, 3, "check SLACK_API_URL and the proxy")
    told = hook.send(an_item(), timeout=5)
    assert (told.answer, told.retries, told.fix) == (Answer.TEMPORARY, 3, "check SLACK_WEBHOOK_URL and the proxy")
