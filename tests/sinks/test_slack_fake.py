"""The fake must refuse what Slack refuses, or the tests on it prove nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_slack import WEBHOOK, FakeSlack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel("#deploys", "C0DEPLOYS")
        yield fake


def call(slack: FakeSlack, method: str, body: object, token: str | None = None) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or slack.token}"}
    request = urllib.request.Request(slack.url + method, raw, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        reply: dict[str, Any] = json.load(answer)
        return reply


def hook(slack: FakeSlack, body: object) -> tuple[int, str]:
    request = urllib.request.Request(slack.webhook_url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def section(text: str, **more: object) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, **more}}


def test_a_message_is_posted_edited_and_answered(slack: FakeSlack) -> None:
    posted = call(slack, "chat.postMessage", {"channel": "#deploys", "text": "one", "blocks": [section("<!here>")]})
    place = {"channel": posted["channel"], "ts": posted["ts"]}
    assert call(slack, "chat.update", {**place, "text": "two <!channel>"})["ok"]
    thread = {"channel": "#deploys", "text": "three", "thread_ts": posted["ts"], "reply_broadcast": True}
    assert call(slack, "chat.postMessage", thread)["ok"]
    [message] = slack.messages("C0DEPLOYS")
    assert (message.text, message.edits, message.pings) == ("two <!channel>", 1, ["<!here>"])
    assert message.blocks == [section("<!here>")], "blocks that an edit leaves out stay"
    assert [(reply.text, reply.is_broadcast) for reply in message.replies] == [("three", True)]


@pytest.mark.parametrize(
    ("method", "body", "code"),
    [
        ("chat.postMessage", {"channel": "#deploys"}, "no_text"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#deploys", "text": "x", "colour": "red"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#deploys", "text": None}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#deploys", "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": "#deploys", "text": "a & b"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#deploys", "text": "<@alice>"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#nope", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#deploys", "text": "x", "thread_ts": "1.2"}, "thread_not_found"),
        ("chat.postMessage", {"channel": "#deploys", "text": "x", "reply_broadcast": True}, "invalid_arguments"),
        ("chat.postMessage", {"channel": "#deploys", "blocks": [section("x")] * 51}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "#deploys", "blocks": [section("x" * 3_001)]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "#deploys", "blocks": [section("")]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "#deploys", "blocks": [section("x", emoji=True)]}, "invalid_blocks"),
        ("chat.postMessage", {"channel": "#deploys", "blocks": [{"type": "wall"}]}, "invalid_blocks"),
        (
            "chat.postMessage",
            {"channel": "#deploys", "blocks": [{"type": "context", "elements": []}]},
            "invalid_blocks",
        ),
        (
            "chat.postMessage",
            {
                "channel": "#deploys",
                "blocks": [{"type": "section", "fields": [{"type": "plain_text", "text": "x"}] * 11}],
            },
            "invalid_blocks",
        ),
        (
            "chat.postMessage",
            {"channel": "#deploys", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]},
            "invalid_blocks",
        ),
        (
            "chat.postMessage",
            {
                "channel": "#deploys",
                "blocks": [
                    {
                        "type": "actions",
                        "elements": [
                            {"type": "button", "text": {"type": "plain_text", "text": "x"}, "url": "javascript:x"}
                        ],
                    }
                ],
            },
            "invalid_blocks",
        ),
        ("chat.postMessage", {"channel": "#deploys", "blocks": {}, "text": "x"}, "invalid_blocks_format"),
        (
            "chat.postMessage",
            {"channel": "#deploys", "attachments": [{"color": "red", "blocks": [section("x")]}]},
            "invalid_attachments",
        ),
        (
            "chat.postMessage",
            {"channel": "#deploys", "attachments": [{"color": "#ff0000", "blocks": []}]},
            "invalid_attachments",
        ),
        (
            "chat.postMessage",
            {"channel": "#deploys", "attachments": [{"blocks": [section("x")]}] * 101},
            "too_many_attachments",
        ),
        ("chat.update", {"channel": "C0DEPLOYS", "ts": "1.2", "text": "x"}, "message_not_found"),
        ("chat.update", {"channel": "#deploys", "ts": "1.2", "text": "x"}, "channel_not_found"),
        ("chat.update", {"channel": "C0DEPLOYS", "text": "x"}, "invalid_arguments"),
        ("conversations.list", {}, "unknown_method"),
        ("chat.postMessage", b'{"channel": "#deploys", "text": "x", "text": "y"}', "invalid_json"),
        ("chat.postMessage", b"[]", "json_not_object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_fake_refuses_what_slack_refuses(slack: FakeSlack, method: str, body: object, code: str) -> None:
    reply = call(slack, method, body)
    assert (reply["ok"], reply["error"]) == (False, code)
    assert slack.calls[-1].error == code
    assert slack.messages("#deploys") == []


def test_the_fake_wants_its_token_and_scopes(slack: FakeSlack) -> None:
    assert call(slack, "auth.test", {}, token="xoxb-no")["error"] == "invalid_auth"
    slack.scopes = {"users:read"}
    reply = call(slack, "chat.postMessage", {"channel": "#deploys", "text": "x"})
    assert (reply["error"], reply["needed"], reply["provided"]) == ("missing_scope", "chat:write", "users:read")


def test_the_webhook_answers_in_words(slack: FakeSlack) -> None:
    assert hook(slack, {"text": "x"}) == (200, "ok")
    assert hook(slack, []) == (400, "invalid_payload")
    assert hook(slack, {"channel": "#x", "text": "x"}) == (400, "invalid_arguments")
    slack.rate_limit(5, method=WEBHOOK)
    assert hook(slack, {"text": "x"}) == (429, "rate_limited")
    slack.channel(WEBHOOK).is_archived = True
    assert hook(slack, {"text": "x"}) == (410, "channel_is_archived")


def test_faults_fit_by_method_and_channel_and_wear_off(slack: FakeSlack) -> None:
    slack.add_channel("#ops")
    slack.fail("internal_error", method="chat.postMessage", channel="#ops", times=2)
    errors = [
        call(slack, "chat.postMessage", {"channel": name, "text": "x"}).get("error")
        for name in ("#deploys", "#ops", "#ops", "#ops")
    ]
    assert errors == [None, "internal_error", "internal_error", None]


def test_a_fault_may_lie_about_what_was_done(slack: FakeSlack) -> None:
    slack.fail("internal_error", is_done=True)
    assert not call(slack, "chat.postMessage", {"channel": "#deploys", "text": "x"})["ok"]
    assert len(slack.messages("#deploys")) == 1


def test_it_runs_alone_and_prints_what_to_export() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.support.fake_slack", "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as fake:
        try:
            assert fake.stdout is not None
            lines = dict(fake.stdout.readline().strip().split("=", 1) for _ in range(5))
            with urllib.request.urlopen(lines["MESSAGES"], timeout=5) as answer:
                assert json.load(answer) == {"#webhook": [], "#deploys": []}
        finally:
            fake.kill()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/", lines["SLACK_API_URL"])
