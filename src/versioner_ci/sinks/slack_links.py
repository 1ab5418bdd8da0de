"""Web addresses of a branch and a commit, by the kind of server; None where that is unknown."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from versioner_ci.event import Event
from versioner_ci.sinks.slack_text import web_url

_PATHS = {
    "github": ("/tree/{}", "/commit/{}"),
    "gitlab": ("/-/tree/{}", "/-/commit/{}"),
    "bitbucket": ("/branch/{}", "/commits/{}"),
}


def branch(event: Event) -> str | None:
    """The page of the event's branch."""
    return _page(event, 0, event.scm_branch)


def commit(event: Event) -> str | None:
    """The page of the event's commit."""
    return _page(event, 1, event.scm_sha)


def _page(event: Event, which: int, name: str | None) -> str | None:
    base = web_url((event.scm_url or "").rstrip("/").removesuffix(".git"))
    kind = _kind(base, event.source_system) if base else None
    if base is None or kind is None or not name:
        return None
    return base + _PATHS[kind][which].format(quote(name.encode("utf-8", "replace"), safe="/"))


def _kind(base: str, source_system: str | None) -> str | None:
    """By the host's name, else by the CI host: an Enterprise server runs under any name."""
    host = (urlsplit(base).hostname or "").lower()
    if host == "bitbucket.org":
        return "bitbucket"
    labels = set(host.split("."))
    return next((kind for kind in ("github", "gitlab") if kind in labels), None) or (
        source_system if source_system in {"github", "gitlab"} else None
    )
