"""Many rows by one statement, in the driver's own SQL: for the writer, which would spend most of its time building it.

SQLite takes lists of parameters, PostgreSQL arrays or JSON: its statement is the same for any number, stays prepared,
and needs one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Boolean, Connection, Double, Integer
from sqlalchemy.orm import DeclarativeBase

_TYPES = {BigInteger: "bigint", Integer: "bigint", Boolean: "boolean", Double: "double precision"}
"""All others are text."""
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MOST = 400
"""Values in one list: SQLite's limit of parameters was 999 for long."""


@dataclass(frozen=True, slots=True)
class Find:
    """Rows whose `match` columns are one of the wanted tuples; `rest` is SQL that follows, its literals for SQLite."""

    table: type[DeclarativeBase]
    columns: Sequence[str]
    match: Sequence[str]
    rest: str = ""
    _texts: dict[int, str] = field(default_factory=dict)

    def rows(self, connection: Connection, wanted: Sequence[tuple[str, ...]]) -> list[Any]:
        """Each as a tuple of `columns`."""
        if connection.dialect.name != "sqlite":
            text = self._texts.get(0) or self._texts.setdefault(0, self._postgres())
            return list(connection.exec_driver_sql(text, tuple(map(list, zip(*wanted, strict=True)))))
        found: list[Any] = []
        for start in range(0, len(wanted), _MOST):
            part = wanted[start : start + _MOST]
            text = self._texts.get(len(part)) or self._texts.setdefault(len(part), self._sqlite(len(part)))
            found += connection.exec_driver_sql(text, tuple(chain.from_iterable(part)))
        return found

    def _postgres(self) -> str:
        rest = self.rest.replace(" = 1", "")
        if len(self.match) == 1:
            return f"{self._select()} {_names(self.match)} = ANY(%s::text[]) {rest}"
        arrays = ", ".join("%s::text[]" for _ in self.match)
        return f"{self._select()} ({_names(self.match)}) IN (SELECT * FROM unnest({arrays})) {rest}"  # noqa: S608 - our own names

    def _sqlite(self, count: int) -> str:
        if len(self.match) == 1:
            return f"{self._select()} {_names(self.match)} IN ({', '.join('?' * count)}) {self.rest}"
        row = f"({', '.join('?' * len(self.match))})"
        return f"{self._select()} ({_names(self.match)}) IN (VALUES {', '.join([row] * count)}) {self.rest}"

    def _select(self) -> str:
        return f"SELECT {_names(self.columns)} FROM {_names([self.table.__tablename__])} WHERE"  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class First:
    """Of each wanted tuple the first `most` rows in an order; `rest` is SQL that follows, its literals for SQLite."""

    table: type[DeclarativeBase]
    columns: Sequence[str]
    match: Sequence[str]
    rest: str
    order: str
    most: int
    _texts: dict[str, str] = field(default_factory=dict)

    def rows(self, connection: Connection, wanted: Sequence[tuple[str, ...]]) -> list[Any]:
        """Each as a tuple of `columns`."""
        name = connection.dialect.name
        text = self._texts.get(name) or self._texts.setdefault(
            name, self._select("?") if name == "sqlite" else self._postgres()
        )
        if name == "sqlite":
            driver: Any = (
                connection.connection.driver_connection
            )  # for each key: SQLAlchemy would take most of the time
            return [row for each in wanted for row in driver.execute(text, each)]
        return list(connection.exec_driver_sql(text, tuple(map(list, zip(*wanted, strict=True)))))

    def _select(self, *marks: str) -> str:
        table = _names([self.table.__tablename__])
        given = marks if len(marks) == len(self.match) else marks * len(self.match)
        fits = " AND ".join(f'{table}."{name}" = {mark}' for name, mark in zip(self.match, given, strict=True))
        chosen = f"SELECT {_names(self.columns)} FROM {table} WHERE {fits} {self.rest}"  # noqa: S608 - our own names
        return f"{chosen} ORDER BY {self.order} LIMIT {self.most}"

    def _postgres(self) -> str:
        names = [f"key{number}" for number in range(len(self.match))]
        arrays = ", ".join("%s::text[]" for _ in names)
        one = self._select(*(f"wanted.{name}" for name in names)).replace(" = 1", "")
        return f"SELECT one.* FROM unnest({arrays}) AS wanted ({', '.join(names)}) CROSS JOIN LATERAL ({one}) AS one"  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Put:
    """New rows, or, with `match`, new values of rows that are known by these columns, which come last."""

    table: type[DeclarativeBase]
    columns: Sequence[str]
    match: Sequence[str] = ()
    _texts: dict[str, str] = field(default_factory=dict)

    def rows(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write them; each is a tuple of `columns` and `match`."""
        if not rows:
            return
        name = connection.dialect.name
        text = self._texts.get(name) or self._texts.setdefault(
            name, self._sqlite() if name == "sqlite" else self._postgres()
        )
        if name == "sqlite":
            connection.exec_driver_sql(text, list(rows))
        else:
            every = (*self.columns, *self.match)
            packed = _ENCODER.encode([dict(zip(every, row, strict=True)) for row in rows])
            connection.exec_driver_sql(text, (packed, len(rows)))

    def _sqlite(self) -> str:
        table = _names([self.table.__tablename__])
        if not self.match:
            return f"INSERT INTO {table} ({_names(self.columns)}) VALUES ({', '.join('?' * len(self.columns))})"  # noqa: S608 - our own names
        values = ", ".join(f'"{name}" = ?' for name in self.columns)
        return f"UPDATE {table} SET {values} WHERE {' AND '.join(f'{_names([name])} = ?' for name in self.match)}"  # noqa: S608 - our own names

    def _postgres(self) -> str:
        """LIMIT tells the planner how many rows to expect, so that it looks them up instead of reading the table."""
        table, every = _names([self.table.__tablename__]), (*self.columns, *self.match)
        typed = ", ".join(f'"{name}" {self._type(name)}' for name in every)
        given = f"(SELECT * FROM json_to_recordset(%s::json) AS each ({typed}) LIMIT %s) AS one"  # noqa: S608 - our own names
        if not self.match:
            return f"INSERT INTO {table} ({_names(self.columns)}) SELECT * FROM {given}"  # noqa: S608 - our own names
        values = ", ".join(f'"{name}" = one."{name}"' for name in self.columns)
        fits = " AND ".join(f'{table}."{name}" = one."{name}"' for name in self.match)
        return f"UPDATE {table} SET {values} FROM {given} WHERE {fits}"  # noqa: S608 - our own names

    def _type(self, name: str) -> str:
        kind = self.table.__table__.c[name].type
        return next((word for each, word in _TYPES.items() if isinstance(kind, each)), "text")


def _names(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
