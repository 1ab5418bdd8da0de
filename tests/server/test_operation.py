"""What operators look at: health, metrics, the log."""

from __future__ import annotations

import io
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from tests.server.tracker import Tracker, running
from versioner_ci.clock import Clock
from versioner_ci.redact import Redactor
from versioner_ci.server import migrate
from versioner_ci.server.access import Access
from versioner_ci.server.db import connect
from versioner_ci.server.health import PATIENCE, Probe
from versioner_ci.server.logs import Lines
from versioner_ci.server.options import Options
from versioner_ci.server.read import Reader
from versioner_ci.server.services import Services
from versioner_ci.server.watch import Requests
from versioner_ci.server.writer import Writer


def samples(tracker: Tracker) -> dict[tuple[str, ...], float]:
    text = requests.get(f"{tracker.url}/metrics", timeout=20).text
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_requests_by_route_and_tell_what_waits(tmp_path: Path) -> None:
    with running(str(tmp_path / "tracker.db")) as tracker:
        tracker.prefer("*", "C0123456789")
        tracker.deploy("started")
        tracker.deploy("started", product_name="secret-project", invoke_id="9")
        for path in ("/lifecycles/1", "/lifecycles/2", "/no-such-place", "/no-such-place-either"):
            requests.get(tracker.url + path, timeout=20, allow_redirects=False)
        found = samples(tracker)
        assert found["versioner_events_total",] == 2
        assert found["versioner_open", "kind=deployment", "state=started"] == 2
        assert found["versioner_slack_messages", "state=new"] == 2
        assert found["versioner_slack_oldest_seconds",] > 0
        counted = {key[2:]: value for key, value in found.items() if key[0] == "versioner_http_requests_total"}
        assert [value for key, value in counted.items() if "status=404" in key] == [2]
        assert sum(value for key, value in counted.items() if "status=303" in key) == 2
        assert sum(value for key, value in counted.items() if "status=201" in key) == 3
        text = requests.get(f"{tracker.url}/metrics", timeout=20).text
        assert "secret-project" not in text
        assert "no-such-place" not in text


@contextmanager
def without_table(path: Path, table: str) -> Iterator[None]:
    """A database that has lost a table, and gets it back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO mislaid")
        yield
        connection.execute(f"ALTER TABLE mislaid RENAME TO {table}")


def test_a_broken_database_makes_it_unready_not_unhealthy_and_only_the_log_says_how(tmp_path: Path) -> None:
    path, log = tmp_path / "tracker.db", tmp_path / "log"
    with running(str(path), log=log) as tracker:
        assert tracker.request("GET", "/readyz").json()["status"] == "ok"
        with without_table(path, "meta"):
            answers = [tracker.request("GET", "/readyz") for _ in range(3)]
            assert tracker.request("GET", "/healthz").status_code == 200
        assert [answer.status_code for answer in answers] == [503] * 3
        assert answers[0].json() == {"status": "unavailable", "database": "error"}
        assert tracker.request("GET", "/readyz").status_code == 200
    assert log.read_text().count("no such table") == 1
    assert "ready again" in log.read_text()


def test_a_page_without_its_database_says_so_and_only_the_log_says_how(tmp_path: Path) -> None:
    path, log = tmp_path / "tracker.db", tmp_path / "log"
    with running(str(path), "--no-auth", log=log) as tracker, without_table(path, "current"):
        answer = requests.get(tracker.url, timeout=20)
    assert answer.status_code == 503
    assert "The database cannot be asked" in answer.text
    assert "no such table" not in answer.text
    assert "no such table" in log.read_text()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """The parts of a server, whose writer has not been started."""
    database = connect(str(tmp_path / "tracker.db"))
    migrate.upgrade(database)
    clock, registry = Clock(), CollectorRegistry()
    yield Services(
        database=database,
        reader=Reader(database),
        access=Access(database, clock),
        writer=Writer(database, clock),
        options=Options(database_url=database.url),
        clock=clock,
        registry=registry,
        requests=Requests(registry),
    )
    database.dispose()


def outside(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run it in a thread of its own: a browser's tests leave a loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(anyio.run, work).result()


def test_without_its_writer_it_is_not_ready(services: Services) -> None:
    async def look() -> list[dict[str, str]]:
        probe = Probe(services)
        found = [await probe.problems()]
        services.writer.start()
        found.append(await probe.problems())
        services.writer.stop()
        return [*found, await probe.problems()]

    stopped = {"writer": "not running"}
    assert outside(look) == [stopped, {}, stopped]


def test_probes_of_a_database_that_hangs_end_in_time_and_keep_two_threads_at_most(services: Services) -> None:
    free = threading.Event()
    services.writer.start()
    event.listen(services.database.engine, "before_cursor_execute", lambda *_: free.wait(30))
    found: list[dict[str, str]] = []

    async def look() -> int:
        probe = Probe(services)

        async def one() -> None:
            found.append(await probe.problems())

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(one)
        hanging = sum(thread.name.startswith("AnyIO") for thread in threading.enumerate())
        free.set()
        return hanging

    began = time.monotonic()
    assert outside(look) <= 2
    assert time.monotonic() - began < PATIENCE + 2
    assert found == [{"database": "no answer"}] * 6
    services.writer.stop()


def test_the_log_is_lines_of_json_without_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(str(tmp_path / "tracker.db"), "--log-format", "json", "--log-level", "debug", log=log) as tracker:
        requests.get(f"{tracker.url}/matrix", headers={"Authorization": "Bearer sk_1_0123456789abcdef"}, timeout=20)
        requests.get(f"{tracker.url}/matrix?key=sk_1_0123456789abcdef", timeout=20)
        key = tracker.key
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line.get("path") == "/matrix"]
    assert [(line["status"], line["method"], line["level"]) for line in refused] == [(401, "GET", "info")] * 2
    assert key not in text
    assert "0123456789abcdef" not in text


def test_outside_text_cannot_write_a_line_of_the_log() -> None:
    for form in ("logfmt", "json"):
        record = logging.LogRecord("x", logging.INFO, "", 0, "request", None, None)
        record.fields = {
            "path": "/a\nlevel=error\x1b[31m\u202e?k=hunter22&key=sk_1_0123456789abcdef",
            "status": 200,
            "none": None,
        }
        line = Lines(form, Redactor(["hunter22"])).format(record)
        stream = io.StringIO(line)
        assert len(stream.read().splitlines()) == 1
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert "none" not in line
        assert "hunter22" not in line
        assert "0123456789abcdef" not in line
        assert "status" in line
