"""What the pages change: signing in and out, notification preferences, closing what nobody ends.

Every form works without JavaScript. Each is answered by a redirect, so that reloading repeats nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from versioner_ci.server import sweep
from versioner_ci.server.access import is_own
from versioner_ci.server.pages import render
from versioner_ci.server.pages.render import HEADERS
from versioner_ci.server.pages.routes import Pages, page_of, problem, way_in
from versioner_ci.server.pages.session import COOKIE, Visitor, has_mark, safe_next
from versioner_ci.server.problems import Problem

_MOST = 16 * 1024
"""Bytes of a form."""
Sent = Mapping[str, str]


class _TooLargeError(Exception):
    """A form that no page of ours sends."""


class Letter(NamedTuple):
    """A form that was sent: where to, by whom, what."""

    request: Request
    visitor: Visitor
    sent: Sent


class Task(NamedTuple):
    """What a form does: `scope` is what its key needs."""

    act: Callable[[Letter], Awaitable[Response]]
    scope: str


async def read(request: Request) -> Sent:
    """The fields, each once. Raises _TooLargeError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST:
            raise _TooLargeError
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise _TooLargeError from None


class Forms:
    """Each method answers one form."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._services = pages.services

    def checked(self, task: Task) -> Callable[[Request], Awaitable[Response]]:
        """For who is signed in, may do it, and sent it from a page of ours."""

        async def answer(request: Request) -> Response:
            visitor = await run_in_threadpool(self._pages.sessions.visitor, request)
            if visitor is None:
                return way_in(request)
            try:
                sent = await read(request)
            except _TooLargeError:
                return problem(request, visitor, 413, "That is too much", "A form has 16 KiB at most.")
            if not is_own(request.headers) or not has_mark(visitor, sent.get("csrf", "")):
                text = "Go back, reload the page and send it again. Nothing was changed."
                return problem(request, visitor, 403, "This form is not from a page of yours", text)
            if not visitor.may(task.scope):
                text = f"Sign in with a key that has the scope {task.scope}."
                return problem(request, visitor, 403, "Your key may not do that", text)
            try:
                return await task.act(Letter(request, visitor, sent))
            except Problem as found:
                return problem(request, visitor, found.status, "That did not work", f"{found.message}.")

        return answer

    def show_sign_in(self, request: Request) -> Response:
        """The way in."""
        return self._sign_in(request, request.query_params.get("next", "/"))

    async def sign_in(self, request: Request) -> Response:
        """Begin a session with a key that may read."""
        try:
            sent = await read(request)
        except _TooLargeError:
            return problem(request, None, 413, "That is too much", "A form has 16 KiB at most.")
        wanted = sent.get("next", "/")
        if not is_own(request.headers):
            return self._sign_in(request, wanted, "That came from another site. Please sign in here.", 403)
        try:
            caller = await run_in_threadpool(self._services.access.holder, sent.get("key", "").strip())
        except Problem as refused:
            return self._sign_in(request, wanted, f"{refused.message[:1].upper()}{refused.message[1:]}.", 401)
        if not caller.may("read"):
            return self._sign_in(request, wanted, "This key may not read.", 403)
        response = RedirectResponse(safe_next(wanted), 303, headers=HEADERS)
        is_secure = request.url.scheme == "https"
        await run_in_threadpool(self._pages.sessions.begin, response, caller.key_id, is_secure=is_secure)
        return response

    async def sign_out(self, _letter: Letter) -> Response:
        """End the session of this browser."""
        response = RedirectResponse("/sign-in?said=out", 303, headers=HEADERS)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        return response

    async def close(self, letter: Letter) -> Response:
        """Close what nobody ends."""
        request, visitor, _ = letter
        identity = request.path_params["id"]
        row = await run_in_threadpool(self._services.reader.lifecycle, identity)
        if row is None:
            return problem(request, visitor, 404, "There is no such build or deployment", "Nothing was changed.")
        name, kind = visitor.name or "--no-auth", row.kind
        done = await self._services.writer.change(lambda connection: sweep.close(connection, kind, identity, name))
        return RedirectResponse(f"/lifecycles/{identity}{'?said=closed' if done else ''}", 303, headers=HEADERS)

    def _sign_in(self, request: Request, wanted: str, wrong: str = "", status: int = 200) -> Response:
        if self._services.options.is_open:
            return RedirectResponse("/", 303, headers=HEADERS)
        values = {"next": safe_next(wanted), "wrong": wrong}
        return render.html("sign_in.html", page_of(request, None), values, status)
