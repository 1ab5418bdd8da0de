"""What was accepted stays accepted: killed under load, killed in front of Slack, two processes at one database."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from tests.server import tracker as server
from tests.server.tracker import Tracker, deployment, wait_until
from tests.support.fake_slack import FakeSlack
from versioner_ci.server.db import connect

KILLS = 20
PATIENT = ("--slack-lease", "6")
"""With 3 seconds for each call: a Slack that takes one of them is slow, and no more."""
SLOW = 1.5


@dataclass(slots=True)
class Herd:
    """Trackers at one database. While one starts, another is at work and can be killed: so 20 kills take less long."""

    database: str
    log: Path
    env: dict[str, str]
    key: str = ""
    trackers: list[Tracker] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    _coming: list[Future[Tracker]] = field(default_factory=list)

    def start(self) -> Tracker:
        return server.start(self.database, *PATIENT, key=self.key, log=self.log, **self.env)

    def gather(self, count: int) -> Tracker:
        """So many are at work or about to be: one that is."""
        if not self.key:
            self.trackers.append(self.start())
            self.key = self.trackers[0].key
        while len(self.trackers) + len(self._coming) < count:
            self._coming.append(self._pool.submit(self.start))
        while self._coming and (self._coming[0].done() or not self.trackers):
            self.trackers.append(self._coming.pop(0).result(60))
        return self.trackers[0]

    def kill(self, pid: int) -> list[int]:
        """That one. What it had on its way to Slack: the numbers of its messages."""
        while all(each.process.pid != pid for each in self.trackers):  # it has just come
            self.trackers.append(self._coming.pop(0).result(60))
        [tracker] = [each for each in self.trackers if each.process.pid == pid]
        self.trackers.remove(tracker)
        tracker.stop(signal.SIGKILL)
        return in_flight(self.database, pid)

    def stop(self) -> None:
        self.trackers += [coming.result(60) for coming in self._coming]
        self._pool.shutdown()
        for tracker in self.trackers:
            tracker.stop()


class Load:
    """Sends events with keys of their own as long as it runs, to whatever is at work now."""

    def __init__(self, herd: Herd) -> None:
        self.herd = herd
        self.accepted: set[str] = set()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, number: int) -> None:
        while not self._is_over.wait(0.01):  # some 100 a second: the trackers must have time to start as well
            key, trackers = str(uuid.uuid4()), tuple(self.herd.trackers)
            body = deployment("started", product_name="load", version=key[:8], extra_metadata={"vi_lifecycle_id": key})
            if trackers:
                with contextlib.suppress(requests.RequestException):
                    if trackers[number % len(trackers)].post("/deployment-events/", body, key=key).status_code == 201:
                        self.accepted.add(key)


def asked(database: str, query: str, **values: object) -> list[Any]:
    """What the database says, without a tracker between."""
    opened = connect(database)
    with opened.read() as connection:
        found = list(connection.execute(text(query), values).all())
    opened.dispose()
    return found


def in_flight(database: str, pid: int) -> list[int]:
    query = "SELECT seq FROM outbox WHERE state = 'sending' AND owner LIKE :owner"
    return [row.seq for row in asked(database, query, owner=f"%:{pid}")]


def sender(database: str, channel: str) -> int:
    """The process that has this channel's message on its way."""
    [row] = asked(database, "SELECT owner FROM outbox WHERE state = 'sending' AND channel = :channel", channel=channel)
    return int(row.owner.rpartition(":")[2])


def doubled(slack: FakeSlack) -> int:
    """How many messages too many stand there: each lifecycle has a version of its own."""
    texts = [message.text for channel in slack.channels.values() for message in channel.messages]
    return len(texts) - len(set(texts))


@pytest.mark.timeout(240)
def test_20_sigkills_under_load_and_in_front_of_slack_lose_nothing_and_double_only_what_was_in_flight(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "tracker.db")
    channels = [f"C0CHANNEL{number:02}" for number in range(KILLS)]
    on_their_way: list[int] = []
    with FakeSlack() as slack:
        for channel in ("C0LOAD", *channels):
            slack.add_channel(channel, channel)
        herd = Herd(path, tmp_path / "log", {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url})
        herd.gather(1).prefer("deployment.*", "C0LOAD", product_name="load")
        for channel in channels:
            herd.gather(3).prefer("deployment.*", channel, product_name=channel)
        load = Load(herd)
        for channel in channels:
            before = len(load.accepted)
            slack.delay(SLOW, channel=channel, times=1)
            herd.gather(3).deploy("started", product_name=channel, version=channel)
            wait_until(lambda channel=channel: any(call.args.get("channel") == channel for call in slack.calls))
            on_their_way += herd.kill(sender(path, channel))
            herd.gather(3)
            wait_until(lambda before=before: len(load.accepted) > before + 5)
        load.stop()
        unsent = "SELECT count(*) FROM outbox WHERE state <> 'sent' AND channel <> 'C0LOAD'"
        wait_until(lambda: asked(path, unsent) == [(0,)], 30)
        herd.stop()
        assert len(on_their_way) >= KILLS
        for seq, channel in asked(path, "SELECT seq, channel FROM outbox WHERE channel <> 'C0LOAD'"):
            assert 1 <= len(slack.messages(channel)) <= 1 + on_their_way.count(seq), "a kill doubles what it catches"
        assert doubled(slack) <= len(on_their_way)
    keys = {row[0] for row in asked(path, "SELECT idempotency_key FROM event")}
    told = {row[0] for row in asked(path, "SELECT e.idempotency_key FROM event e JOIN outbox o ON o.event_id = e.id")}
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
        first = server.start(postgres_url, *PATIENT, log=tmp_path / "log", **env)
        started.append(first)
        second = server.start(postgres_url, *PATIENT, key=first.key, log=tmp_path / "log", **env)
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


def test_killing_one_of_two_processes_loses_nothing_and_doubles_only_what_it_had_in_flight(
    two: Callable[..., tuple[Tracker, Tracker]],
) -> None:
    with FakeSlack() as slack:
        for number in range(6):
            slack.add_channel(f"#c{number}", f"C0CHANNEL{number}")
        slack.delay(SLOW / 2, method="chat.postMessage", times=6)
        first, second = two(SLACK_BOT_TOKEN=slack.token, SLACK_API_URL=slack.url)
        for number in range(6):
            first.prefer("deployment.*", f"C0CHANNEL{number}", product_name=f"p{number}")
        for number in range(6):
            (first, second)[number % 2].deploy("started", product_name=f"p{number}")
        first.stop(signal.SIGKILL)
        on_their_way = in_flight(first.database, first.process.pid)
        for number in range(6):
            second.deploy("completed", product_name=f"p{number}")
        wait_until(lambda: all(row["state"] == "sent" for row in second.get("/notifications/")["items"]), 30)
        counts = [len(slack.messages(f"#c{number}")) for number in range(6)]
        for number in range(6):
            assert "✅ Deployment succeeded" in slack.messages(f"#c{number}")[-1].text
    assert max(counts) <= 2
    assert sum(counts) - 6 <= len(on_their_way)
