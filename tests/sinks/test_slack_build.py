from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.slack_events import an_item
from versioner_ci import sinks
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config, Route
from versioner_ci.sinks._sink import Target
from versioner_ci.status import State

BOT: dict[str, Any] = {"slack_token": "xoxb-1", "slack_channels": ("#x",)}
HOOK: dict[str, Any] = {"slack_webhook_url": "https://hooks.slack.com/services/T/B/x"}


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, []),
        ({"api_key": "k"}, ["Backend"]),
        ({"api_url": "https://tracker.example"}, ["Backend"]),
        (BOT, ["Slack"]),
        (HOOK, ["Webhook"]),
        ({**BOT, **HOOK}, ["Slack"]),
        ({**HOOK, "slack_token": "xoxb-1"}, ["Webhook"]),
        ({"slack_token": "xoxb-1", "routes": (Route(event_type="*", channel_id="C0123"),)}, ["Slack"]),
        ({"api_key": "k", **BOT}, ["Backend", "Slack"]),
        ({"api_key": "k", "unusable": {"api_key": "it has a newline"}}, []),
        ({"api_key": "k", "unusable": {"api_url": "it is malformed"}, **BOT}, ["Slack"]),
        ({**BOT, "unusable": {"slack_api_url": "it is malformed"}}, []),
        ({"unusable": {"slack_webhook_url": "it is malformed"}}, []),
    ],
    ids=str,
)
def test_what_is_configured_and_usable_is_built(settings: dict[str, Any], kinds: list[str]) -> None:
    built = sinks.build(Config(**settings), {}, Redactor())
    assert [type(sink).__name__ for sink in built] == kinds
    assert [sink.name for sink in built] == [{"Backend": "backend"}.get(kind, "slack") for kind in kinds]


def python(program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_libraries_are_imported_only_for_what_is_configured() -> None:
    assert (
        python("""
import sys
from versioner_ci import sinks
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config
sinks.build(Config(), {}, Redactor())
first = {"requests", "slack_sdk"} & set(sys.modules)
sinks.build(Config(api_key="k"), {}, Redactor())
print(sorted(first), "slack_sdk" in sys.modules, "requests" in sys.modules)
""")
        == "[] False True"
    )


SEND_IN_THREAD = """
import sys, threading
from tests.support.slack_events import an_item
from versioner_ci import sinks
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config
from versioner_ci.sinks._sink import Target
from versioner_ci.status import State
url, hook, token = sys.argv[1:]
bot = {"slack_token": token, "slack_channels": ("#deploys",), "slack_api_url": url}
item = an_item(State.FAILED, Target(channel="#deploys", mentions=("U0456",)))
for config in (Config(**bot), Config(slack_webhook_url=hook)):
    [sink] = sinks.build(config, {}, Redactor())
    before, answers = set(sys.modules), []
    thread = threading.Thread(target=lambda: answers.append(sink.send(item, timeout=5).answer.value))
    thread.start()
    thread.join()
    print(*answers, sorted(set(sys.modules) - before))
"""


def test_a_thread_that_sends_imports_nothing() -> None:
    with FakeSlack() as slack:
        slack.add_channel("#deploys")
        lines = python(SEND_IN_THREAD, slack.url, slack.webhook_url, slack.token).split("\n")
        assert lines == ["accepted []", "accepted []"]


@pytest.mark.parametrize("allow_http", [False, True])
def test_plain_http_to_another_machine_needs_the_setting(allow_http: bool) -> None:
    config = Config(**BOT, slack_api_url="http://slack.invalid/api/", allow_http=allow_http)
    [sink] = sinks.build(config, {}, Redactor())
    receipt = sink.send(an_item(State.STARTED, Target(channel="#x")), timeout=1)
    assert ("plain http://" in receipt.detail) is not allow_http
