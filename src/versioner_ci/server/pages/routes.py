"""The pages that only show: matrix, history, one lifecycle; and what all pages have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from versioner_ci.server.db import complaint
from versioner_ci.server.keys import ADMIN
from versioner_ci.server.logs import tell
from versioner_ci.server.pages import render
from versioner_ci.server.pages.render import FRAGMENT, HEADERS, Notice, Page
from versioner_ci.server.pages.session import Sessions, Visitor
from versioner_ci.server.pages.shared import Shared
from versioner_ci.server.pages.view_history import history
from versioner_ci.server.pages.view_lifecycle import life
from versioner_ci.server.pages.view_matrix import matrix
from versioner_ci.server.services import Services

Shown = Callable[[Request, Visitor], Response]
NOTICES = {
    "added": Notice("Added.", "good"),
    "changed": Notice("Saved.", "good"),
    "deleted": Notice("Deleted.", "good"),
    "closed": Notice("Closed. A real ending that arrives later still counts.", "good"),
    "out": Notice("You are signed out.", "good"),
}
"""What a page says after a form: only words of ours, however its address was come by."""


class Pages:
    """Each method answers one page; they run in threads, since they ask the database."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.sessions = Sessions(services)
        self._shared = Shared(services.clock)

    def matrix(self, request: Request, visitor: Visitor) -> Response:
        """What runs where."""
        query = request.query_params.get("q", "")[:100].strip()
        after = request.query_params.get("after", "")[:200]
        page = page_of(request, visitor, "/")

        def shown() -> dict[str, Any]:
            data = self.services.reader.matrix()
            return {"matrix": matrix(data, query, after, self.services.clock.wall()), "query": query}

        if FRAGMENT in request.headers:
            part = self._shared.part((query, after, page.origin), lambda: render.part("matrix.html", page, shown()))
            return render.renewed(request, part)
        return render.live(request, "matrix.html", page, shown())

    def history(self, request: Request, visitor: Visitor) -> Response:
        """All builds and deployments, filtered."""
        try:
            shown = history(self.services.reader, request.query_params, self.services.clock.wall())
        except ValueError:
            return problem(request, visitor, 422, "That page of the history does not exist", "Its cursor is none.")
        return render.live(request, "history.html", page_of(request, visitor, "/history"), shown._asdict())

    def lifecycle(self, request: Request, visitor: Visitor) -> Response:
        """One of them."""
        reader = self.services.reader
        row = reader.lifecycle(request.path_params["id"])
        if row is not None and row.adopted_by is not None:
            return RedirectResponse(f"/lifecycles/{row.adopted_by}", 303, headers=HEADERS)
        if row is None:
            return problem(
                request, visitor, 404, "There is no such build or deployment", "Perhaps its address was cut."
            )
        shown = life(reader, row, self.services.clock.wall(), is_admin=visitor.may(ADMIN))
        return render.live(request, "lifecycle.html", page_of(request, visitor), {"life": shown})

    def asset(self, request: Request) -> Response:
        """A style sheet, a script, an icon: nobody need be signed in."""
        return render.asset(request.path_params["name"], request.path_params["tag"])

    def inside(self, show: Shown) -> Callable[[Request], Response]:
        """For who is signed in; everybody else is shown the way in."""

        def answer(request: Request) -> Response:
            try:
                visitor = self.sessions.visitor(request)
                return show(request, visitor) if visitor is not None else way_in(request)
            except SQLAlchemyError as error:
                tell(logging.ERROR, "a page cannot be shown", path=request.url.path, error=complaint(error))
                text = "The tracker's log says why. Nothing that was taken is lost: reload this page in a while."
                return problem(request, None, 503, "The database cannot be asked", text)

        return answer


def page_of(request: Request, visitor: Visitor | None, place: str = "") -> Page:
    """The frame around a page."""
    return Page(
        place=place,
        is_inside=visitor is not None,
        who=visitor.name if visitor is not None else "",
        csrf=visitor.csrf if visitor is not None else "",
        origin=f"{request.url.scheme}://{request.url.netloc}",
        notice=NOTICES.get(request.query_params.get("said", "")),
    )


def problem(request: Request, visitor: Visitor | None, status: int, title: str, text: str) -> Response:
    """A page that says why there is none."""
    if FRAGMENT in request.headers:
        return Response(status_code=status, headers=HEADERS)
    values: dict[str, Any] = {"title": title, "text": text}
    return render.html("problem.html", page_of(request, visitor), values, status)


def way_in(request: Request) -> Response:
    """To the sign-in, and back afterwards; a page that renews itself gets a 401."""
    if FRAGMENT in request.headers:
        return Response(status_code=401, headers=HEADERS)
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = "/sign-in" if back == "/" or request.method != "GET" else f"/sign-in?next={quote(back, safe='')}"
    return RedirectResponse(place, 303, headers=HEADERS)
