"""The tracker tells Slack: in the right channels, in order, once, in place. A strict fake checks each message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.server import tracker as server
from tests.server.tracker import Tracker, wait_until
from tests.support.fake_slack import FakeSlack, Message

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
GROUP = "00000000-0000-4000-8000-00000000000f"
Start = Callable[..., Tracker]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as made:
        made.add_channel("#deploys", "C0DEPLOYS")
        made.add_channel("#alarm", "C0ALARM")
        yield made


@pytest.fixture
def start(slack: FakeSlack, sqlite_url: str, tmp_path: Path) -> Iterator[Start]:
    """A tracker that tells the fake Slack."""
    started: list[Tracker] = []

    def make(*options: str, **more: str) -> Tracker:
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        started.append(server.start(sqlite_url, *options, log=tmp_path / "log", key=more.pop("key", ""), **env))
        return started[-1]

    yield make
    for tracker in started:
        tracker.stop()


def event(life: str = A, **metadata: object) -> dict[str, object]:
    return {"vi_lifecycle_id": life, **metadata}


def standing(slack: FakeSlack, channel: str, count: int = 1) -> list[Message]:
    wait_until(lambda: len(slack.messages(channel)) >= count)
    return slack.messages(channel)


def settled(tracker: Tracker) -> None:
    """Nothing is left to send."""

    def is_empty() -> bool:
        rows = tracker.get("/notifications/", limit=200)["items"]
        return bool(rows) and all(row["state"] in {"sent", "failed"} for row in rows)

    wait_until(is_empty, 25)


def test_a_failure_is_told_once_in_its_channel_only_with_its_mentions(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.failed", "C0ALARM", mention=["@U0456"])
    tracker.prefer("build.*", "C0DEPLOYS")
    tracker.deploy("started", extra_metadata=event())
    tracker.deploy("failed", extra_metadata=event(error="boom <!channel>", duration_seconds=72))
    [message] = standing(slack, "#alarm")
    assert "❌ Deployment failed: shop 1.4.2 → production" in message.text
    assert "<@U0456>" in message.text
    assert "boom &lt;!channel&gt;" in str(message.attachments)
    assert "1 m 12 s" in str(message.attachments)
    settled(tracker)
    assert slack.messages("#deploys") == []
    assert len(slack.messages("#alarm")) == 1


def test_a_message_moves_on_in_place_through_all_states(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.*", "C0DEPLOYS")
    for status in ("pending", "started", "completed"):
        tracker.deploy(status, extra_metadata=event())
    settled(tracker)
    [message] = slack.messages("#deploys")
    assert "✅ Deployment succeeded" in message.text
    assert message.edits == 2


def test_later_states_update_a_message_also_where_they_were_not_asked_for(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.started", "C0DEPLOYS", mention=["@U0456"])
    tracker.deploy("started", extra_metadata=event())
    tracker.deploy("failed", extra_metadata=event())
    settled(tracker)
    [message] = slack.messages("#deploys")
    assert "❌ Deployment failed" in message.text
    assert message.replies == [], "nobody asked to be told of failures there"


def test_a_failure_replies_in_the_thread_of_its_message(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("*", "C0DEPLOYS", mention=["<!subteam^S012>"])
    tracker.deploy("started", extra_metadata=event())
    tracker.deploy("aborted", extra_metadata=event(reason="user"))
    settled(tracker)
    message = slack.messages("#deploys")[0]
    assert "🛑 Deployment aborted" in message.text
    assert len(message.replies) == 1
    assert "<!subteam^S012>" in message.replies[0].text


def test_an_adopted_pendings_message_goes_on_as_its_starts(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.*", "C0DEPLOYS")
    tracker.deploy("pending", extra_metadata={"vi_lifecycle_id": A, "vi_group_id": GROUP})
    standing(slack, "#deploys")
    tracker.deploy("started", extra_metadata={"vi_lifecycle_id": B, "vi_group_id": GROUP})
    settled(tracker)
    [message] = slack.messages("#deploys")
    assert "🚀 Deployment in progress" in message.text


def test_filters_of_product_and_environment_count(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("*", "C0DEPLOYS", product_name="shop", environment_name="production")
    tracker.deploy("started", environment_name="staging")
    tracker.deploy("started", product_name="blog")
    tracker.deploy("completed", version="9")
    [message] = standing(slack, "#deploys")
    settled(tracker)
    assert "shop 9 → production" in message.text
    assert len(slack.messages("#deploys")) == 1


def test_with_slack_down_messages_come_later_and_in_order(start: Start, slack: FakeSlack) -> None:
    slack.answer(503, "down", times=3)
    tracker = start()
    tracker.prefer("deployment.*", "C0DEPLOYS")
    for status in ("pending", "started", "completed"):
        tracker.deploy(status, extra_metadata=event())
    settled(tracker)
    [message] = slack.messages("#deploys")
    assert "✅ Deployment succeeded" in message.text
    tried = [call.method for call in slack.calls if call.status == 200]
    assert tried == ["chat.postMessage", "chat.update", "chat.update"]
    rows = tracker.get("/notifications/")["items"]
    assert [row["state"] for row in rows] == ["sent"] * 3
    assert max(row["attempts"] for row in rows) > 1


def test_retry_after_is_honoured(start: Start, slack: FakeSlack) -> None:
    slack.rate_limit(2, times=1)
    tracker = start()
    tracker.prefer("deployment.*", "C0DEPLOYS")
    began = time.monotonic()
    tracker.deploy("started")
    standing(slack, "#deploys")
    assert time.monotonic() - began >= 2


def test_a_channel_that_is_not_there_fails_visibly_with_its_fix(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.*", "C0NOWHERE")
    tracker.prefer("deployment.*", "C0DEPLOYS")
    tracker.deploy("started")
    settled(tracker)
    [row] = tracker.get("/notifications/", state="failed")["items"]
    assert row["channel"] == "C0NOWHERE"
    assert "channel_not_found (check the channel's id" in row["last_error"]
    assert len(slack.messages("#deploys")) == 1, "others are told all the same"


def test_about_one_message_a_second_goes_to_a_channel(start: Start, slack: FakeSlack) -> None:
    tracker = start()
    tracker.prefer("deployment.*", "C0DEPLOYS")
    for number in range(4):
        tracker.deploy("started", version=str(number))
    settled(tracker)
    times = sorted(call.at for call in slack.calls if call.method == "chat.postMessage")
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) > 0.7


def test_no_ending_heard_is_told_once_and_a_real_ending_still_wins(start: Start, slack: FakeSlack) -> None:
    tracker = start("--stale-after", "0.0003")
    tracker.prefer("deployment.*", "C0DEPLOYS")
    answer = tracker.deploy("started", extra_metadata=event())
    wait_until(lambda: tracker.get("/deployments/")["items"][0]["shown"] == "no_ending_heard")
    settled(tracker)
    time.sleep(1.5)
    [message] = [each for each in slack.messages("#deploys") if "in progress" in each.text]
    assert len(message.replies) == 1
    assert "No ending heard" in message.replies[0].text
    tracker.deploy("completed", extra_metadata=event())
    settled(tracker)
    assert tracker.get(f"/deployments/{answer['deployment_id']}")["shown"] == "completed"
    assert any("✅ Deployment succeeded" in each.text for each in slack.messages("#deploys"))


def test_a_message_without_a_token_waits_and_is_sent_by_the_next_start(
    slack: FakeSlack, sqlite_url: str, start: Start
) -> None:
    with server.running(sqlite_url) as tracker:
        tracker.prefer("deployment.*", "C0DEPLOYS")
        tracker.deploy("started")
        assert tracker.get("/notifications/")["items"][0]["state"] == "new"
        key = tracker.key
    start(key=key)
    assert "in progress" in standing(slack, "#deploys")[0].text
