"""Reads builds, deployments and their events. Each query follows an index; none reads the whole history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, false, select, union_all

from versioner_ci.server import moments
from versioner_ci.server.cursors import Statement, newest_first, number_of, page
from versioner_ci.server.records import EventRow, Filters, LifecycleRow, Page
from versioner_ci.server.tables import Environment, Event, Lifecycle, Product, Version

_NAMES = (Product.name.label("product"), Version.name.label("version"), Environment.name.label("environment"))
_JOINED = {"product", "version", "environment"}
_LIFECYCLE = [getattr(Lifecycle, name) for name in LifecycleRow.__dataclass_fields__ if name not in _JOINED]
_MANY = 400
"""SQLite takes 500 parts of one query."""
_EVENT = [getattr(Event, name) for name in EventRow.__dataclass_fields__ if name not in _JOINED]


def lifecycles(
    connection: Connection, kind: str, filters: Filters, cursor: str | None, limit: int
) -> Page[LifecycleRow]:
    """Builds or deployments, the newest first; adopted ones belong to those that go on."""
    query = select(Lifecycle.id).where(Lifecycle.kind == kind, Lifecycle.adopted_by.is_(None))
    if filters.state is not None:
        query = query.where(Lifecycle.state == filters.state)
    if filters.since is not None:
        query = query.where(Lifecycle.opened_at >= filters.since)
    if filters.until is not None:
        query = query.where(Lifecycle.opened_at < filters.until)
    query = newest_first(query, Lifecycle.opened_at.expression, Lifecycle.id.expression, cursor).limit(limit + 1)
    ids = _ids(connection, query, Lifecycle, (Lifecycle.opened_at, Lifecycle.id), filters)
    found = _named(select(*_LIFECYCLE, *_NAMES), Lifecycle).where(Lifecycle.id.in_(ids[: limit + 1]))
    rows = [LifecycleRow(**row) for row in connection.execute(found).mappings()]
    rows.sort(key=lambda row: (row.opened_at, row.id), reverse=True)
    return page(rows, limit, lambda row: f"{row.opened_at}.{row.id}")


def lifecycle(connection: Connection, identity: str) -> LifecycleRow | None:
    """One build or deployment, adopted ones too."""
    query = _named(select(*_LIFECYCLE, *_NAMES), Lifecycle).where(Lifecycle.id == identity)
    row = connection.execute(query).mappings().one_or_none()
    return LifecycleRow(**row) if row is not None else None


def events(connection: Connection, kind: str, filters: Filters, cursor: str | None, limit: int) -> Page[EventRow]:
    """Events as they arrived, the newest first."""
    query = select(Event.id).where(Event.kind == kind)
    if filters.lifecycle_id is not None:
        query = query.where(Event.lifecycle_id == filters.lifecycle_id)
    if cursor is not None:
        query = query.where(Event.seq < number_of(cursor))
    ids = _ids(connection, query.order_by(Event.seq.desc()).limit(limit + 1), Event, (Event.seq,), filters)
    found = _named(select(*_EVENT, *_NAMES), Event).where(Event.id.in_(ids[: limit + 1]))
    rows = [_event(row) for row in connection.execute(found).mappings()]
    rows.sort(key=lambda row: row.seq, reverse=True)
    return page(rows, limit, lambda row: str(row.seq))


def event(connection: Connection, identity: str) -> EventRow | None:
    """One event."""
    row = (
        connection.execute(_named(select(*_EVENT, *_NAMES), Event).where(Event.id == identity)).mappings().one_or_none()
    )
    return _event(row) if row is not None else None


def timeline(connection: Connection, row: LifecycleRow, most: int = 200) -> tuple[EventRow, ...]:
    """What was told of it, by when it happened: with its adopted pendings and the event of its group that ended it.

    Of more than `most` the newest, and repeats only where there is room.
    """
    adopted = select(Lifecycle.id).where(Lifecycle.adopted_by == row.id)
    ids = [row.id, *connection.execute(adopted).scalars()]
    base = _named(select(*_EVENT, *_NAMES), Event)
    own = base.where(Event.lifecycle_id.in_(ids)).order_by(
        Event.is_repeat, Event.is_late, Event.occurred_at.desc(), Event.seq.desc()
    )
    found = [_event(each) for each in connection.execute(own.limit(most)).mappings()]
    if row.closed_by is not None and row.closed_by not in {each.id for each in found}:
        found += [_event(each) for each in connection.execute(base.where(Event.id == row.closed_by)).mappings()]
    return tuple(sorted(found, key=lambda each: (moments.believed(each.occurred_at, each.received_at), each.seq)))


def _named(query: Statement, table: Any) -> Statement:
    return (
        query.join(Product, Product.id == table.product_id)
        .join(Version, Version.id == table.version_id)
        .outerjoin(Environment, Environment.id == table.environment_id)
    )


def _ids(connection: Connection, query: Statement, table: Any, order: Sequence[Any], filters: Filters) -> Sequence[str]:
    """The rows that a query and the names choose; the database sees ids, so that it picks the index with the order."""
    if filters.product is not None:
        query = query.where(table.product_id == _id_of(connection, Product, filters.product))
    if filters.environment is not None:
        query = query.where(table.environment_id == _id_of(connection, Environment, filters.environment))
    if filters.version is not None:
        wanted = select(Version.id).where(Version.name == filters.version)
        if filters.product is not None:
            wanted = wanted.where(Version.product_id == _id_of(connection, Product, filters.product))
        versions = connection.execute(wanted).scalars().all()
        query = _of_versions(query, table, order, versions)
    return connection.execute(query).scalars().all()


def _of_versions(query: Statement, table: Any, order: Sequence[Any], versions: Sequence[str]) -> Statement:
    """Many products may have a version of that name: the first rows of each, so that no history is walked for them."""
    if len(versions) == 1 or len(versions) > _MANY:
        return query.where(table.version_id.in_(versions))
    if not versions:
        return query.where(false())
    every = [query.with_only_columns(table.id, *order).where(table.version_id == each).subquery() for each in versions]
    first = union_all(*(select(*each.c) for each in every)).subquery()
    return select(first.c.id).order_by(*(first.c[column.key].desc() for column in order))


def _id_of(connection: Connection, table: Any, name: str) -> str:
    """Empty, which is nobody's, for a name that is not known."""
    return connection.execute(select(table.id).where(table.name == name)).scalar() or ""


def _event(row: Any) -> EventRow:
    return EventRow(**{**row, "payload": json.loads(row["payload"])})
