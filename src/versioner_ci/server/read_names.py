"""Reads the matrix, products, environments and versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from versioner_ci.server.cursors import Statement, newest_first, oldest_first, page
from versioner_ci.server.records import Cell, Matrix, NameRow, Page, VersionRow, shown_state
from versioner_ci.server.tables import Current, Environment, Lifecycle, Product, Version

_DONE, _LAST, _LAST_VERSION = aliased(Lifecycle), aliased(Lifecycle), aliased(Version)


def matrix_query() -> Statement:
    """A row for each product and environment; by their keys, never by history."""
    return (
        select(
            Current.product_id,
            Current.environment_id,
            Current.lifecycle_id,
            Current.version_id,
            Current.completed_at,
            Version.name.label("version"),
            Version.first_seen_at,
            _DONE.actor.label("actor"),
            _DONE.sha.label("sha"),
            _DONE.url.label("url"),
            _LAST.id.label("last_id"),
            _LAST.actor.label("last_actor"),
            _LAST_VERSION.name.label("last_version"),
            _LAST.state,
            _LAST.is_open,
            _LAST.is_stale,
            _LAST.superseded_by,
            _LAST.closed_name,
            _LAST.ended_at,
            _LAST.started_at,
            _LAST.opened_at,
        )
        .outerjoin(Version, Version.id == Current.version_id)
        .outerjoin(_DONE, _DONE.id == Current.lifecycle_id)
        .join(_LAST, _LAST.id == Current.last_lifecycle_id)
        .join(_LAST_VERSION, _LAST_VERSION.id == _LAST.version_id)
    )


def matrix(connection: Connection) -> Matrix:
    """What runs where."""
    cells = [_cell(row) for row in connection.execute(matrix_query())]
    used = {cell.product_id for cell in cells}
    products = connection.execute(select(Product).order_by(Product.name)).all()
    return Matrix(
        products=tuple(
            NameRow(id=row.id, name=row.name, created_at=row.created_at) for row in products if row.id in used
        ),
        environments=environments(connection),
        cells={(cell.product_id, cell.environment_id): cell for cell in cells},
    )


def _cell(row: Any) -> Cell:
    return Cell(
        product_id=row.product_id,
        environment_id=row.environment_id,
        version=row.version,
        version_id=row.version_id,
        first_seen_at=row.first_seen_at,
        completed_at=row.completed_at,
        lifecycle_id=row.lifecycle_id,
        actor=row.actor,
        sha=row.sha,
        url=row.url,
        last_id=row.last_id,
        last_version=row.last_version,
        last_state=shown_state(row),
        last_at=row.ended_at or row.started_at or row.opened_at,
        last_actor=row.last_actor,
    )


def environments(connection: Connection) -> tuple[NameRow, ...]:
    """All of them, by position: there are few."""
    rows = connection.execute(select(Environment).order_by(Environment.position, Environment.id))
    return tuple(NameRow(id=row.id, name=row.name, created_at=row.created_at, position=row.position) for row in rows)


def products(connection: Connection, cursor: str | None, limit: int) -> Page[NameRow]:
    """In the order in which they appeared."""
    query = oldest_first(select(Product), Product.created_at.expression, Product.id.expression, cursor)
    rows = connection.execute(query.limit(limit + 1))
    found = [NameRow(id=row.id, name=row.name, created_at=row.created_at) for row in rows]
    return page(found, limit, lambda row: f"{row.created_at}.{row.id}")


def environment_page(connection: Connection, cursor: str | None, limit: int) -> Page[NameRow]:
    """In the order in which they appeared."""
    query = oldest_first(select(Environment), Environment.created_at.expression, Environment.id.expression, cursor)
    rows = connection.execute(query.limit(limit + 1))
    found = [NameRow(id=row.id, name=row.name, created_at=row.created_at, position=row.position) for row in rows]
    return page(found, limit, lambda row: f"{row.created_at}.{row.id}")


def versions(connection: Connection, product: str | None, cursor: str | None, limit: int) -> Page[VersionRow]:
    """The newest first; of one product, if it is named."""
    query = select(Version, Product.name.label("product")).join(Product, Product.id == Version.product_id)
    if product is not None:
        query = query.where(Product.name == product)
    query = newest_first(query, Version.first_seen_at.expression, Version.id.expression, cursor)
    names = tuple(name for name in VersionRow.__dataclass_fields__)
    rows = connection.execute(query.limit(limit + 1))
    found = [VersionRow(**{name: getattr(row, name) for name in names}) for row in rows]
    return page(found, limit, lambda row: f"{row.first_seen_at}.{row.id}")
