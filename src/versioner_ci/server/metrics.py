"""`/metrics` for Prometheus, and a line in the log for each request that went wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select, true
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from versioner_ci import __version__
from versioner_ci.clock import Clock
from versioner_ci.server.db import Database
from versioner_ci.server.logs import tell
from versioner_ci.server.services import Services
from versioner_ci.server.tables import Event, Lifecycle
from versioner_ci.server.tables_slack import Outbox

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SLOW = 1.0
"""Seconds after which a request is worth a line of the log."""
_WAITING = ("new", "sending", "failed")


def mount(app: FastAPI, services: Services) -> None:
    """Add the route and the counting of every request. It needs no key: it holds numbers, no names."""
    registry = services.registry
    registry.register(Stored(services.database, services.clock))
    app.add_middleware(Watch, registry=registry)

    async def metrics(_request: Request) -> Response:
        body = await run_in_threadpool(generate_latest, registry)
        return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    app.add_route("/metrics", metrics, include_in_schema=False)


class Watch:
    """Counts and times requests by their route's template, never by what stands in a path."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        names = ("method", "route")
        self._count = Counter("versioner_http_requests", "Requests answered", (*names, "status"), registry=registry)
        self._time = Histogram(
            "versioner_http_request_seconds", "Time to an answer", names, registry=registry, buckets=_BUCKETS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._noted(scope, status, time.perf_counter() - began)

    def _noted(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _template(scope)
        self._count.labels(method, route, str(status)).inc()
        self._time.labels(method, route).observe(seconds)
        level = (
            logging.WARNING if status >= 500 else logging.INFO if status >= 400 or seconds > _SLOW else logging.DEBUG
        )
        client = scope.get("client")
        tell(level, "request", method=method, path=scope["path"], status=status,
             milliseconds=round(seconds * 1000, 1), client=client[0] if client else None)  # fmt: skip


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _template(scope: Scope) -> str:
    route: Any = scope.get("route")
    if route is not None:
        return str(getattr(route, "path", "other"))
    endpoint = scope.get("endpoint")
    return str(getattr(endpoint, "__name__", "other")) if endpoint is not None else "none"


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
    query = select(Lifecycle.kind, Lifecycle.state, Lifecycle.is_stale, func.count()).where(Lifecycle.is_open == true())
    for kind, state, is_stale, count in connection.execute(
        query.group_by(Lifecycle.kind, Lifecycle.state, Lifecycle.is_stale)
    ):
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
