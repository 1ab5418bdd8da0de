"""Templates to answers: escaped, with a strict policy, whole pages or only what changes on them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from versioner_ci import __version__
from versioner_ci.text import visible

HERE = Path(__file__).parent
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
FRAGMENT = "x-fragment"
TAG = "x-tag"


class Place(NamedTuple):
    """A page of the menu."""

    url: str
    label: str


class Notice(NamedTuple):
    """A line above the content; `tone` is good, bad or "" for neither."""

    text: str
    tone: str = ""


class Part(NamedTuple):
    """Rendered, in UTF-8; `tag` changes with it."""

    html: bytes
    tag: str


class Asset(NamedTuple):
    """A file that pages load; its address changes with its content, so that it may be kept for ever."""

    body: bytes
    kind: str
    tag: str


PLACES = (Place("/", "Matrix"), Place("/history", "History"), Place("/preferences", "Notifications"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every page shows around its content."""

    place: str = ""
    is_inside: bool = True
    who: str = ""
    """The name of the key; empty with --no-auth."""
    csrf: str = ""
    origin: str = ""
    notice: Notice | None = None
    version: str = __version__
    places: tuple[Place, ...] = field(default=PLACES)

    def asset(self, name: str) -> str:
        """The address of a file."""
        return f"/assets/{assets()[name].tag}/{name}"


@cache
def assets() -> dict[str, Asset]:
    """All files by name."""
    found = {}
    for path in sorted((HERE / "assets").iterdir()):
        body = path.read_bytes()
        found[path.name] = Asset(body, KINDS[path.suffix], hashlib.sha256(body).hexdigest()[:12])
    return found


@cache
def templates() -> Environment:
    """Everything is escaped, and shown without controls that turn text around; a name that is missing is a fault."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=_seen,
    )


def _seen(value: Any) -> Any:
    return visible(value) if type(value) is str and not value.isascii() else value


def html(name: str, page: Page, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """A page that only its own actions change."""
    body = templates().get_template(name).render(page=page, **values)
    return HTMLResponse(body, status_code=status, headers=HEADERS)


def live(request: Request, name: str, page: Page, values: Mapping[str, Any]) -> Response:
    """A page that renews itself: whole, or the part that changes, or 204 if that is as it was."""
    inner = part(name, page, values)
    if FRAGMENT in request.headers:
        return renewed(request, inner)
    return html(name, page, {**values, "tag": inner.tag, "live": Markup(inner.html.decode())})  # noqa: S704 - ours


def part(name: str, page: Page, values: Mapping[str, Any]) -> Part:
    """What changes on a page that renews itself."""
    inner = templates().get_template(f"_{name}").render(page=page, **values).encode()
    return Part(inner, hashlib.sha256(inner).hexdigest()[:24])


def renewed(request: Request, inner: Part) -> Response:
    """The part, or 204 if it is what the page shows already."""
    headers = {**HEADERS, "X-Tag": inner.tag}
    if request.headers.get(TAG) == inner.tag:
        return Response(status_code=204, headers=headers)
    return HTMLResponse(inner.html, headers=headers)


def asset(name: str, tag: str) -> Response:
    """A file; one of another content is asked for anew each time."""
    found = assets().get(name)
    if found is None:
        return Response("no such file\n", status_code=404, media_type="text/plain", headers=HEADERS)
    keep = "public, max-age=31536000, immutable" if tag == found.tag else "no-cache"
    return Response(found.body, headers={**HEADERS, "Cache-Control": keep, "Content-Type": found.kind})
