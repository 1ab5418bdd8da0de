"""`POST /build-events/` and `POST /deployment-events/`: bare ASGI, since every pipeline waits for it."""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from versioner_ci.server import errors_api, incoming, keys, payload
from versioner_ci.server.ingest import Accepted
from versioner_ci.server.services import Services
from versioner_ci.status import Kind

PATHS = {"/build-events/": Kind.BUILD, "/deployment-events/": Kind.DEPLOYMENT}


def takers(services: Services) -> dict[str, Taker]:
    """One for each path."""
    return {path: Taker(services, kind, path) for path, kind in PATHS.items()}


class Taker:
    """ASGI application: key, body, fields, then the writer's queue: the answer comes once it is on disk."""

    def __init__(self, services: Services, kind: Kind, path: str) -> None:
        self._services = services
        self._kind = kind
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.perf_counter(), 500
        try:
            try:
                accepted = await self._take(scope, receive)
            except Exception as error:  # noqa: BLE001 - whatever it is, its sender must hear of it
                problem = errors_api.problem_of(error)
                status = problem.status
                await errors_api.answer(problem)(scope, receive, send)
            else:
                status = accepted.status
                await _answer(accepted, send)
        finally:
            self._services.requests.answered(scope, self._path, status, time.perf_counter() - began)

    async def _take(self, scope: Scope, receive: Receive) -> Accepted:
        access = self._services.access
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        authorization = headers.get("authorization")
        if access.is_fresh(authorization):
            access.check(authorization, keys.WRITE)
        else:
            await run_in_threadpool(access.check, authorization, keys.WRITE)
        raw = await incoming.body_of(headers, receive)
        key = payload.check_key(headers.get("idempotency-key"))
        return await self._services.writer.event(payload.read(self._kind, incoming.parse(raw), key))


async def _answer(accepted: Accepted, send: Send) -> None:
    headers = [(b"content-length", b"%d" % len(accepted.body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": accepted.status, "headers": headers})
    await send({"type": "http.response.body", "body": accepted.body})
