"""`POST /build-events/` and `POST /deployment-events/`: the bare route, since every pipeline waits for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from versioner_ci.server import incoming, keys, payload
from versioner_ci.server.services import Services
from versioner_ci.status import Kind

PATHS = {"/build-events/": Kind.BUILD, "/deployment-events/": Kind.DEPLOYMENT}


def routes(services: Services) -> list[Route]:
    """One for each kind."""
    return [Route(path, taker(services, kind), methods=["POST"]) for path, kind in PATHS.items()]


def taker(services: Services, kind: Kind) -> Callable[[Request], Awaitable[Response]]:
    """Key, body, fields, then the writer's queue: the answer comes once it is on disk."""
    access, writer = services.access, services.writer

    async def take(request: Request) -> Response:
        headers = request.headers
        authorization = headers.get("authorization")
        if access.is_fresh(authorization):
            access.check(authorization, keys.WRITE)
        else:
            await run_in_threadpool(access.check, authorization, keys.WRITE)
        raw = await incoming.body_of(request)
        key = payload.check_key(headers.get("idempotency-key"))
        accepted = await writer.event(payload.read(kind, incoming.parse(raw), key))
        return Response(accepted.body, accepted.status, media_type="application/json")

    return take
