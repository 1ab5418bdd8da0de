"""All looks at the data, for the API, the pages and the command line: each a short transaction of its own."""

from __future__ import annotations

from typing import NamedTuple

from versioner_ci.server import read_history, read_names, read_slack
from versioner_ci.server.db import Database
from versioner_ci.server.records import (
    EventRow,
    Filters,
    KeyRow,
    LifecycleRow,
    Matrix,
    NameRow,
    NotificationRow,
    Page,
    PreferenceRow,
    VersionRow,
)

LIMIT = 50
MOST = 200
"""Rows on a page: by default, and at most."""


class Slice(NamedTuple):
    """Which page: from behind `cursor` on, at most `limit` rows."""

    cursor: str | None = None
    limit: int = LIMIT


FIRST = Slice()


class Reader:
    """Raises ValueError for a cursor that is none, and SQLAlchemyError if the database cannot be asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def matrix(self) -> Matrix:
        with self._database.read() as connection:
            return read_names.matrix(connection)

    def lifecycles(self, kind: str, filters: Filters | None = None, at: Slice = FIRST) -> Page[LifecycleRow]:
        """Builds (`build`) or deployments (`deployment`), the newest first."""
        with self._database.read() as connection:
            return read_history.lifecycles(connection, kind, filters or Filters(), *at)

    def lifecycle(self, identity: str) -> LifecycleRow | None:
        with self._database.read() as connection:
            return read_history.lifecycle(connection, identity)

    def timeline(self, row: LifecycleRow) -> tuple[EventRow, ...]:
        """Its events by when they happened."""
        with self._database.read() as connection:
            return read_history.timeline(connection, row)

    def events(self, kind: str, filters: Filters | None = None, at: Slice = FIRST) -> Page[EventRow]:
        """As they arrived, the newest first."""
        with self._database.read() as connection:
            return read_history.events(connection, kind, filters or Filters(), *at)

    def products(self, at: Slice = FIRST) -> Page[NameRow]:
        with self._database.read() as connection:
            return read_names.products(connection, *at)

    def environments(self, at: Slice = FIRST) -> Page[NameRow]:
        with self._database.read() as connection:
            return read_names.environment_page(connection, *at)

    def versions(self, product: str | None = None, at: Slice = FIRST) -> Page[VersionRow]:
        with self._database.read() as connection:
            return read_names.versions(connection, product, *at)

    def preferences(self, at: Slice = FIRST) -> Page[PreferenceRow]:
        with self._database.read() as connection:
            return read_slack.preferences(connection, *at)

    def preference(self, identity: str) -> PreferenceRow | None:
        with self._database.read() as connection:
            return read_slack.preference(connection, identity)

    def notifications(self, state: str | None = None, at: Slice = FIRST) -> Page[NotificationRow]:
        """What goes to Slack, the newest first; `state`: new, sending, sent or failed."""
        with self._database.read() as connection:
            return read_slack.notifications(connection, state, *at)

    def notifications_of(self, lifecycle_id: str) -> tuple[NotificationRow, ...]:
        with self._database.read() as connection:
            return read_slack.notifications_of(connection, lifecycle_id)

    def waiting(self) -> int:
        """How many messages are still to go to Slack."""
        with self._database.read() as connection:
            return read_slack.waiting(connection)

    def all_keys(self) -> tuple[KeyRow, ...]:
        with self._database.read() as connection:
            return read_slack.keys(connection)
