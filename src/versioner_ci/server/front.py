"""What every request passes first: the rules of --no-auth, and a collection's address without its last slash."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from versioner_ci.server import errors_api
from versioner_ci.server.access import check_open
from versioner_ci.server.problems import Problem

_COLLECTIONS = frozenset(
    f"/{name}"
    for name in (
        *("build-events", "deployment-events", "builds", "deployments", "products", "environments", "versions"),
        *("notification-preferences", "notifications", "keys"),
    )
)


class Front:
    """Around the application: events go straight to their takers, since all that lies between costs more than they.

    A redirect to the slash would not do: clients do not follow one with a key.
    """

    def __init__(self, app: ASGIApp, events: Mapping[str, ASGIApp], *, is_open: bool) -> None:
        self._app = app
        self._events = events
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._is_open:
                try:
                    check_open(scope["method"], Headers(scope=scope))
                except Problem as problem:
                    await errors_api.answer(problem)(scope, receive, send)
                    return
            if scope["path"] in _COLLECTIONS:
                scope["path"] += "/"
            take = self._events.get(scope["path"]) if scope["method"] == "POST" else None
            if take is not None:
                await take(scope, receive, send)
                return
        await self._app(scope, receive, send)
