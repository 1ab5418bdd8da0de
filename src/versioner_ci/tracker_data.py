"""What `matrix` and `history` show: asked of a running tracker, or read from its database."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Protocol

from versioner_ci import extra
from versioner_ci.errors import UsageError
from versioner_ci.tracker_client import Client

Row = Mapping[str, Any]


class Source(Protocol):
    """Answers are the API's JSON."""

    def matrix(self) -> Row: ...

    def lifecycles(self, kind: str, query: Mapping[str, str]) -> Row: ...


class Remote:
    """A running tracker; needs no extra. Raises UsageError for whatever it refuses."""

    def __init__(self, url: str, env: Mapping[str, str]) -> None:
        self._client = Client(url, env)

    def matrix(self) -> Row:
        """What runs where."""
        return self._ask("/matrix", {})

    def lifecycles(self, kind: str, query: Mapping[str, str]) -> Row:
        """One page."""
        return self._ask(f"/{kind}s/", query)

    def _ask(self, path: str, query: Mapping[str, str]) -> Row:
        try:
            found = self._client.ask("GET", path, query=query)
        except LookupError:
            found = None
        if not isinstance(found, Mapping):
            raise UsageError(f"{self._client.host} is no tracker of this kind: it has no {path}", fix="check --url")
        return found


def add_place(made: argparse.ArgumentParser) -> None:
    """--url and --database-url."""
    made.add_argument(
        "--url", metavar="URL", help="a running tracker; its key is read from VERSIONER_API_KEY [VERSIONER_API_URL]"
    )
    made.add_argument(
        "--database-url",
        metavar="URL|PATH",
        help="the tracker's database itself, if no URL is given "
        "[VERSIONER_DATABASE_URL; default: tracker.db in the user's data folder]",
    )


def source(options: argparse.Namespace, env: Mapping[str, str]) -> Source:
    """What was typed comes first, then the variables, the running tracker before the file."""
    if options.url and options.database_url:
        raise UsageError("give only one of --url and --database-url")
    url = options.url or ("" if options.database_url else env.get("VERSIONER_API_URL", "").strip())
    if url:
        return Remote(url, env)
    with extra.needed():
        from versioner_ci.server.local_data import Local  # noqa: PLC0415 - the extra
        from versioner_ci.server.serving import default_database  # noqa: PLC0415 - the extra
    return Local(options.database_url or env.get("VERSIONER_DATABASE_URL", "").strip() or default_database(env))
