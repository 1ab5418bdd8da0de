"""`/metrics` for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select, true
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from versioner_ci import __version__
from versioner_ci.clock import Clock
from versioner_ci.server.db import Database
from versioner_ci.server.services import Services
from versioner_ci.server.tables import Event, Lifecycle
from versioner_ci.server.tables_slack import Outbox
from versioner_ci.server.watch import Watch

_WAITING = ("new", "sending", "failed")


def mount(app: FastAPI, services: Services) -> None:
    """Add the route and the counting of every request. It needs no key: it holds numbers, no names."""
    registry = services.registry
    registry.register(Stored(services.database, services.clock))
    app.add_middleware(Watch, requests=services.requests)

    async def metrics(_request: Request) -> Response:
        body = await run_in_threadpool(generate_latest, registry)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    app.add_route("/metrics", metrics, include_in_schema=False)


class Stored(Collector):
    """What the database knows, asked for at each scrape: the same from every replica. No query reads the history."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Nothing: a registry would ask the database while the server starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Numbers of events, open lifecycles and Slack messages that wait."""
        yield _info()
        with self._database.read() as connection:
            yield from _events(connection)
            yield from _lifecycles(connection)
            yield from _outbox(connection, self._clock)


def _info() -> Metric:
    family = GaugeMetricFamily("versioner_build_info", "Always 1; the label tells the version", labels=["version"])
    family.add_metric([__version__], 1)
    return family


def _events(connection: Connection) -> Iterator[Metric]:
    newest = connection.scalar(select(func.max(Event.seq)))
    yield CounterMetricFamily("versioner_events", "Events accepted since the database was made", value=newest or 0)


def _lifecycles(connection: Connection) -> Iterator[Metric]:
    family = GaugeMetricFamily("versioner_open", "Builds and deployments without an ending", labels=["kind", "state"])
    own = Lifecycle.kind.concat("")  # else SQLite would walk the whole history, which an index has in that order
    query = select(own, Lifecycle.state, Lifecycle.is_stale, func.count()).where(Lifecycle.is_open == true())
    for kind, state, is_stale, count in connection.execute(query.group_by(own, Lifecycle.state, Lifecycle.is_stale)):
        family.add_metric([kind, "no_ending_heard" if is_stale else state], count)
    yield family


def _outbox(connection: Connection, clock: Clock) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "versioner_slack_messages", "Slack messages by state, those sent left out", labels=["state"]
    )
    counts = dict.fromkeys(_WAITING, 0)
    query = select(Outbox.state, func.count()).where(Outbox.state.in_(_WAITING)).group_by(Outbox.state)
    for state, count in connection.execute(query):
        counts[state] = count
    for state, count in counts.items():
        family.add_metric([state], count)
    yield family
    oldest = connection.scalar(select(func.min(Outbox.created_at)).where(Outbox.state.in_(_WAITING[:2])))
    age = max(0.0, clock.wall() - oldest / 1e6) if oldest else 0.0
    yield GaugeMetricFamily("versioner_slack_oldest_seconds", "Age of the oldest Slack message not yet sent", value=age)
