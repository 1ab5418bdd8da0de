"""The tracker's pages over a long history: time at the server."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import requests

from tests.bench.gitlab import Row
from tests.server import tracker
from tests.server.bulk import fill
from versioner_ci.server import migrate
from versioner_ci.server.db import connect

PRODUCTS, ENVIRONMENTS, EVENTS = 200, 6, 1_000_000
_TIMES = 30
_GOAL = 0.1


def figures(_pairs: int) -> Iterator[Row]:
    """Each page 30 times, one after the other, over SQLite; the median and the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tracker.db"
        database = connect(str(path))
        migrate.upgrade(database)
        fill(database, PRODUCTS, ENVIRONMENTS, EVENTS)
        database.dispose()
        with tracker.running(str(path)) as one:
            session = requests.Session()
            session.post(f"{one.url}/sign-in", data={"key": one.key}, timeout=60)
            _bring_to_life(one)
            life = one.get("/deployments/")["items"][0]["id"]
            for name, where in (
                (f"matrix page, {PRODUCTS} × {ENVIRONMENTS}, {EVENTS:,} events", "/"),
                ("history page over the same", "/history"),
                ("history of one product and state", "/history?product=product-003&state=completed"),
                ("one deployment's page", f"/lifecycles/{life}"),
            ):
                yield _row(name, session, one.url + where)


def _bring_to_life(one: tracker.Tracker) -> None:
    """A third of the cells has a deployment under way, some a failed one, as real ones have."""
    for number in range(0, PRODUCTS * ENVIRONMENTS, 3):
        product, environment = divmod(number, ENVIRONMENTS)
        names = {"product_name": f"product-{product:03}", "environment_name": f"environment-{environment}"}
        one.deploy("failed" if number % 5 == 0 else "started", version="2.0.0", invoke_id=str(number), **names)


def _row(name: str, session: requests.Session, url: str) -> Row:
    spent = []
    for _ in range(_TIMES):
        answer = session.get(url, timeout=60)
        answer.raise_for_status()
        spent.append(answer.elapsed.total_seconds())
    median = statistics.median(spent)
    return Row(name, f"{median * 1000:.0f} ms, at most {max(spent) * 1000:.0f} ms", "100 ms", is_met=median < _GOAL)
