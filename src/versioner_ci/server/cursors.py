"""Where a page ends: a cursor that stays right while rows are added in front."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, or_

from versioner_ci.server.records import Page

PAIR = r"-?[0-9]{1,17}\.[0-9a-f-]{36}"
NUMBER = r"[0-9]{1,18}"
Row = TypeVar("Row")
Statement = Any
"""A select: SQLAlchemy 2.0 and 2.1 spell its type in two ways."""


def pair_of(cursor: str) -> tuple[int, str]:
    """A moment and an id. Raises ValueError."""
    if not re.fullmatch(PAIR, cursor, re.ASCII):
        raise ValueError("not a cursor")
    moment, _, identity = cursor.partition(".")
    return int(moment), identity


def number_of(cursor: str) -> int:
    """An event's number. Raises ValueError."""
    if not re.fullmatch(NUMBER, cursor, re.ASCII):
        raise ValueError("not a cursor")
    return int(cursor)


def newest_first(
    query: Statement, at: ColumnElement[Any], identity: ColumnElement[Any], cursor: str | None
) -> Statement:
    """Ordered by a moment and an id, from behind the cursor on."""
    if cursor is not None:
        moment, last = pair_of(cursor)
        query = query.where(at <= moment, or_(at < moment, and_(at == moment, identity < last)))
    return query.order_by(at.desc(), identity.desc())


def oldest_first(
    query: Statement, at: ColumnElement[Any], identity: ColumnElement[Any], cursor: str | None
) -> Statement:
    """The same the other way round."""
    if cursor is not None:
        moment, last = pair_of(cursor)
        query = query.where(at >= moment, or_(at > moment, and_(at == moment, identity > last)))
    return query.order_by(at, identity)


def page(rows: Sequence[Row], limit: int, cursor: Callable[[Row], str]) -> Page[Row]:
    """The first `limit` of the rows; one more than that must have been asked for."""
    shown = tuple(rows[:limit])
    return Page(items=shown, next=cursor(shown[-1]) if len(rows) > limit else None)
