"""The embedded tracker under load: events a second on both databases, and how soon Slack has them."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.bench.gitlab import Row
from tests.server import postgres, tracker
from tests.server.tracker import Tracker, wait_until
from tests.support.fake_slack import FakeSlack

SCRIPT = Path(__file__).with_name("events.lua")
CONNECTIONS = 16
SECONDS = 10
CHANNELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk says, of all trackers together. `p99` in milliseconds."""

    rate: float
    p99: float
    bad: int


def figures(_pairs: int) -> Iterator[Row]:
    """All of them; wrk and PostgreSQL must be there: script/install_tracker_tools."""
    if shutil.which("wrk") is None:
        yield Row("events a second", "wrk is not installed", "1,000", is_met=False)
        return
    with tempfile.TemporaryDirectory() as folder, tracker.running(f"{folder}/tracker.db") as one:
        yield _row("events a second, SQLite FULL", load([one]))
        yield _hostile(one)
    with postgres.running(is_durable=True) as server, server.database() as url, ExitStack() as both:
        first = both.enter_context(tracker.running(url))
        second = both.enter_context(tracker.running(url, key=first.key))
        yield _row("events a second, PostgreSQL, 2 processes", load([first, second]))
    yield _told()
    yield _slack()


def load(trackers: list[Tracker]) -> Load:
    """wrk with 16 connections in all, after a second to warm up."""
    _wrk(trackers, 1)
    found = _wrk(trackers, SECONDS)
    return Load(
        rate=sum(count / (micros / 1e6) for count, micros, _, _ in found),
        p99=max(p99 for _, _, p99, _ in found),
        bad=int(sum(bad for _, _, _, bad in found)),
    )


def _wrk(trackers: list[Tracker], seconds: int) -> list[tuple[float, float, float, float]]:
    share = str(CONNECTIONS // len(trackers))
    running = [
        subprocess.Popen(
            ["wrk", "-t", "1", "-c", share, "-d", str(seconds), "-s", str(SCRIPT), each.url],
            env={**os.environ, "KEY": each.key},
            stdout=subprocess.PIPE,
            text=True,
        )
        for each in trackers
    ]
    said = [each.communicate(timeout=seconds + 60)[0] for each in running]
    rows = [next(line for line in text.splitlines() if line.startswith("RESULT")).split()[1:] for text in said]
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in rows]


def _row(name: str, found: Load) -> Row:
    is_met = found.rate >= 1_000 and found.p99 < 50 and found.bad == 0
    return Row(name, f"{found.rate:,.0f}, p99 {found.p99:.0f} ms, {found.bad} not 2xx", "1,000, 50 ms, 0", is_met)


def _hostile(one: Tracker) -> Row:
    """The slowest of the bodies that must be refused."""
    from tests.server.test_api import HOSTILE  # noqa: PLC0415 - the one list of them

    slowest = 0.0
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {one.key}", "Content-Type": "application/json"})
        for raw, _, _ in HOSTILE.values():
            began = time.perf_counter()
            assert 400 <= session.post(f"{one.url}/deployment-events/", data=raw, timeout=20).status_code < 500
            slowest = max(slowest, time.perf_counter() - began)
    return Row("hostile JSON, the slowest refusal", f"{slowest * 1000:.0f} ms", "100 ms", is_met=slowest < 0.1)


def _told() -> Row:
    """Each event has its row in the outbox, and is sent as fast as Slack takes messages."""
    with tempfile.TemporaryDirectory() as folder, FakeSlack() as slack:
        slack.add_channel("#deploys", "C0DEPLOYS")
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        with tracker.running(f"{folder}/tracker.db", **env) as one:
            one.prefer("deployment.*", "C0DEPLOYS")
            return _row("events a second with a Slack preference set, SQLite FULL", load([one]))


def _slack() -> Row:
    """From the answer to an event until the fake Slack has its message."""
    with tempfile.TemporaryDirectory() as folder, FakeSlack() as slack:
        names = [f"C0CHANNEL{number:02}" for number in range(CHANNELS)]
        for name in names:
            slack.add_channel(name, name)
        env = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
        with tracker.running(f"{folder}/tracker.db", **env) as one:
            for name in names:
                one.prefer("deployment.*", name, product_name=name)
            delays = []
            for turn in range(5):
                accepted = {}
                before = len(slack.calls)
                for name in names:
                    one.deploy("completed", product_name=name, version=str(turn))
                    accepted[name] = time.time()
                wait_until(lambda before=before: len(slack.calls) >= before + len(names))
                delays += [call.at - accepted[str(call.args["channel"])] for call in slack.calls[before:]]
                time.sleep(1.2)
    p95 = statistics.quantiles(delays, n=20)[-1]
    return Row("accepted event to Slack, p95", f"{max(0.0, p95):.2f} s", "2 s", is_met=p95 < 2)
