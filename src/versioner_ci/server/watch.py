"""Numbers and times of all requests for `/metrics`, and a line in the log for each that went wrong."""

from __future__ import annotations

import logging
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from versioner_ci.server.logs import LOG, tell

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_SLOW = 1.0
"""Seconds after which a request is worth a line of the log."""


class Requests:
    """Counts and times requests by their route's template, never by what stands in a path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ("method", "route")
        self._count = Counter("versioner_http_requests", "Requests answered", (*names, "status"), registry=registry)
        self._time = Histogram(
            "versioner_http_request_seconds", "Time to an answer", names, registry=registry, buckets=_BUCKETS
        )
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        """Found once: a look-up by labels costs as much as all the rest."""

    def answered(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        """One more."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        series = self._series.get((method, route, status)) or self._new(method, route, status)
        series[0].inc()
        series[1].observe(seconds)
        level = (
            logging.WARNING if status >= 500 else logging.INFO if status >= 400 or seconds > _SLOW else logging.DEBUG
        )
        if not LOG.isEnabledFor(level):
            return
        client = scope.get("client")
        tell(level, "request", method=method, path=scope["path"], status=status,
             milliseconds=round(seconds * 1000, 1), client=client[0] if client else None)  # fmt: skip

    def _new(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        found = (self._count.labels(method, route, str(status)), self._time.labels(method, route))
        self._series[method, route, status] = found
        return found


class Watch:
    """ASGI middleware: every request that a route of the application answers."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

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
            self._requests.answered(scope, _template(scope), status, time.perf_counter() - began)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _template(scope: Scope) -> str:
    route: Any = scope.get("route")
    if route is not None:
        return str(getattr(route, "path", "other"))
    endpoint = scope.get("endpoint")
    return str(getattr(endpoint, "__name__", "other")) if endpoint is not None else "none"
