"""Reads notification preferences, what goes to Slack, and keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from versioner_ci.server.cursors import number_of, oldest_first, page
from versioner_ci.server.records import KeyRow, NotificationRow, Page, PreferenceRow
from versioner_ci.server.tables import ApiKey
from versioner_ci.server.tables_slack import Outbox, Preference

_PREFERENCE = [getattr(Preference, name) for name in PreferenceRow.__dataclass_fields__]
_NOTIFICATION = [getattr(Outbox, name) for name in NotificationRow.__dataclass_fields__]
_KEY = [getattr(ApiKey, name) for name in KeyRow.__dataclass_fields__]


def preferences(connection: Connection, cursor: str | None, limit: int) -> Page[PreferenceRow]:
    """The oldest first."""
    query = oldest_first(select(*_PREFERENCE), Preference.created_at.expression, Preference.id.expression, cursor)
    rows = [_preference(row) for row in connection.execute(query.limit(limit + 1)).mappings()]
    return page(rows, limit, lambda row: f"{row.created_at}.{row.id}")


def preference(connection: Connection, identity: str) -> PreferenceRow | None:
    """One of them."""
    row = connection.execute(select(*_PREFERENCE).where(Preference.id == identity)).mappings().one_or_none()
    return _preference(row) if row is not None else None


def notifications(connection: Connection, state: str | None, cursor: str | None, limit: int) -> Page[NotificationRow]:
    """The newest first."""
    query = select(*_NOTIFICATION)
    if state is not None:
        query = query.where(Outbox.state == state)
    if cursor is not None:
        query = query.where(Outbox.seq < number_of(cursor))
    rows = [
        NotificationRow(**row)
        for row in connection.execute(query.order_by(Outbox.seq.desc()).limit(limit + 1)).mappings()
    ]
    return page(rows, limit, lambda row: str(row.seq))


def notifications_of(connection: Connection, lifecycle_id: str, most: int = 200) -> tuple[NotificationRow, ...]:
    """What one build or deployment sent or will send, in order."""
    query = select(*_NOTIFICATION).where(Outbox.lifecycle_id == lifecycle_id).order_by(Outbox.seq).limit(most)
    return tuple(NotificationRow(**row) for row in connection.execute(query).mappings())


def waiting(connection: Connection) -> int:
    """How many messages are still to be sent."""
    query = select(func.count()).select_from(Outbox).where(Outbox.state.in_(("new", "sending")))
    return int(connection.execute(query).scalar_one())


def keys(connection: Connection) -> tuple[KeyRow, ...]:
    """All of them, the oldest first."""
    rows = connection.execute(select(*_KEY).order_by(ApiKey.created_at, ApiKey.id)).mappings()
    return tuple(KeyRow(**{**row, "scopes": tuple(row["scopes"])}) for row in rows)


def _preference(row: Any) -> PreferenceRow:
    return PreferenceRow(**{**row, "mention": tuple(row["mention"])})
