"""What was accepted stays accepted: killed under load, killed in front of Slack, two processes at one database."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from tests.server import tracker as server
from tests.server.tracker import Tracker, deployment, wait_until
from tests.support.fake_slack import FakeSlack
from versioner_ci.server.db import connect

KILLS = 20


class Load:
    """Sends events with keys of their own as long as it runs, to whatever the tracker's address is now."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.accepted: set[str] = set()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self) -> None:
        while not self._is_over.is_set():
            key = str(uuid.uuid4())
            body = deployment("started", version=key[:8], extra_metadata={"vi_lifecycle_id": key})
            try:
                if self.tracker.post("/deployment-events/", body, key=key).status_code == 201:
                    self.accepted.add(key)
            except requests.RequestException:
                time.sleep(0.05)


def stored(database: str) -> tuple[set[str], set[str]]:
    """The keys of all events, and of those with a row in the outbox."""
    opened = connect(database)
    with opened.read() as connection:
        keys = set(connection.execute(text("SELECT idempotency_key FROM event")).scalars())
        told = set(
            connection.execute(
                text("SELECT e.idempotency_key FROM event e JOIN outbox o ON o.event_id = e.id")
            ).scalars()
        )
    opened.dispose()
    return keys, told


@pytest.mark.timeout(240)
def test_20_sigkills_under_load_lose_no_accepted_event(tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    tracker = server.start(str(path), log=tmp_path / "log")
    key = tracker.key
    tracker.prefer("deployment.*", "C0DEPLOYS")
    load = Load(tracker)
    chance = random.Random(4)  # noqa: S311 - no secret
    for _ in range(KILLS):
        before = len(load.accepted)
        wait_until(lambda before=before: len(load.accepted) > before + 5)
        time.sleep(chance.uniform(0, 0.1))
        tracker.stop(signal.SIGKILL)
        load.tracker = tracker = server.start(str(path), key=key, log=tmp_path / "log")
    load.stop()
    tracker.stop()
    keys, told = stored(str(path))
    assert load.accepted <= keys
    assert keys == told, "each with its row in the outbox"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def two(postgres_url: str, tmp_path: Path) -> Iterator[Callable[..., tuple[Tracker, Tracker]]]:
    """Two processes at one PostgreSQL."""
    started: list[Tracker] = []

    def make(**env: str) -> tuple[Tracker, Tracker]:
        first = server.start(postgres_url, "--slack-lease", "3", log=tmp_path / "log", **env)
        started.append(first)
        second = server.start(postgres_url, "--slack-lease", "3", key=first.key, log=tmp_path / "log", **env)
        started.append(second)
        return first, second

    yield make
    for tracker in started:
        tracker.stop()


def test_one_key_sent_16_times_at_once_to_two_processes_counts_once(
    two: Callable[..., tuple[Tracker, Tracker]],
) -> None:
    both = two()
    both[0].prefer("deployment.*", "C0DEPLOYS")
    for _ in range(5):
        key, gate = str(uuid.uuid4()), threading.Barrier(16)

        def send(number: int, key: str = key, gate: threading.Barrier = gate) -> requests.Response:
            gate.wait(10)
            return both[number % 2].post("/deployment-events/", deployment("completed", version=key), key=key)

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(send, range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
        assert sum(answer.json().get("duplicate") is True for answer in answers) == 15
        assert len({answer.json()["event_id"] for answer in answers}) == 1
        [life] = both[1].get("/deployments/", version=key)["items"]
        rows = [row for row in both[0].get("/notifications/")["items"] if row["lifecycle_id"] == life["id"]]
        assert len(rows) == 1


def test_killing_one_of_two_processes_loses_nothing_and_doubles_nothing_that_stood(
    two: Callable[..., tuple[Tracker, Tracker]],
) -> None:
    with FakeSlack() as slack:
        for number in range(6):
            slack.add_channel(f"#c{number}", f"C0CHANNEL{number}")
        first, second = two(SLACK_BOT_TOKEN=slack.token, SLACK_API_URL=slack.url)
        for number in range(6):
            first.prefer("deployment.*", f"C0CHANNEL{number}", product_name=f"p{number}")
        for number in range(6):
            (first, second)[number % 2].deploy("started", product_name=f"p{number}")
        first.stop(signal.SIGKILL)
        for number in range(6):
            second.deploy("completed", product_name=f"p{number}")
        wait_until(lambda: all(row["state"] == "sent" for row in second.get("/notifications/")["items"]), 30)
        for number in range(6):
            messages = slack.messages(f"#c{number}")
            assert messages, number
            assert "✅ Deployment succeeded" in messages[-1].text
        assert sum(len(slack.messages(f"#c{number}")) for number in range(6)) <= 6 + 4, "one in flight in each thread"


@pytest.mark.timeout(240)
def test_killed_between_request_and_reply_20_times_slack_gets_all_and_each_kill_doubles_one_at_most(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "tracker.db")
    with FakeSlack() as slack:
        channels = [f"C0CHANNEL{number:02}" for number in range(KILLS)]
        for channel in channels:
            slack.add_channel(channel, channel)
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}

        def start(key: str = "") -> Tracker:
            return server.start(path, "--slack-lease", "1", key=key, log=tmp_path / "log", **env)

        tracker = start()
        for number, channel in enumerate(channels):
            tracker.prefer("deployment.*", channel, product_name=f"p{number}")
        for number in range(KILLS):
            slack.delay(1.0, method="chat.postMessage", times=1)
            posted = len(slack.calls)
            tracker.deploy("started", product_name=f"p{number}")
            wait_until(lambda posted=posted: len(slack.calls) > posted)
            tracker.stop(signal.SIGKILL)
            slack.faults.clear()
            tracker = start(tracker.key)
        rows = lambda: tracker.get("/notifications/", limit=200)["items"]  # noqa: E731 - a question asked again and again
        wait_until(lambda: all(row["state"] == "sent" for row in rows()), 30)
        assert len(rows()) == KILLS
        counts = [len(slack.messages(channel)) for channel in channels]
        tracker.stop()
    assert min(counts) >= 1, "none lost"
    assert sum(counts) - KILLS <= KILLS, "a kill doubles the one message that was on its way"
