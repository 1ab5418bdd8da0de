"""One way to the database, SQLite or PostgreSQL: quick readers, and writers that follow each other."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from versioner_ci.errors import UsageError
from versioner_ci.text import cut, one_line

_WRITERS = 7_237_459_137_001
"""PostgreSQL's advisory lock that each writer takes: any number, but always the same."""
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_PLAN_MODES = 120_000
"""The first PostgreSQL that can be told how to plan prepared statements."""
_PATIENCE = 30.0
"""Seconds that a writer waits for another one."""


@dataclass(frozen=True, slots=True)
class Database:
    """`url` is fit to be shown: its password is masked."""

    engine: Engine
    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database for the whole block."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that no other writer runs beside, in any process; commits at the block's end."""
        with self.engine.connect() as connection, self._writing(connection):
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
            yield connection

    @contextlib.contextmanager
    def touch(self) -> Iterator[Connection]:
        """A transaction that locks only the rows it takes, where the database can: for the outbox."""
        with self.engine.connect() as connection, self._writing(connection):
            yield connection

    def _writing(self, connection: Connection) -> contextlib.AbstractContextManager[Any]:
        """SQLite's lock is taken at the beginning: an upgrade in the middle could only fail."""
        if self.is_sqlite:
            connection.execution_options(begin="BEGIN IMMEDIATE")
        return connection.begin()

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def connect(where: str) -> Database:
    """A database by its URL or its file's path; nothing is opened before it is used. Raises UsageError."""
    url = parsed(where)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url, pool_size=20, max_overflow=20, connect_args={"check_same_thread": False, "timeout": _PATIENCE}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            url, pool_size=20, max_overflow=20, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
        event.listen(engine, "connect", _prepare_postgres)
    return Database(engine, one_line(url.render_as_string(hide_password=True)))


def parsed(where: str) -> URL:
    """`postgresql://…`, `sqlite:///…` or a file's path. Raises UsageError for anything else."""
    if "://" not in where:
        return URL.create("sqlite", database=str(Path(where).expanduser()))
    try:
        url = make_url(where)
        return url.set(drivername=_DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError, ValueError):
        kind = one_line(where.partition("://")[0])[:40]
        raise UsageError(
            f"a database address that starts with {kind}:// cannot be used",
            fix="write postgresql://HOST/NAME, or the path of an SQLite file",
        ) from None


def make_file(database: Database) -> None:
    """The folder and the file of an SQLite database, for their owner only, if they are not there yet."""
    path = database.engine.url.database
    if not database.is_sqlite or not path or path == ":memory:":
        return
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def complaint(error: SQLAlchemyError | OSError) -> str:
    """What a database says is wrong, on one line, without the statement."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return cut(one_line(str(said).strip().partition("\n")[0]), 300)


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver begins no transaction by itself: see _begin_sqlite
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={int(_PATIENCE * 1000)}"):
        raw.execute(f"PRAGMA {pragma}")


def _prepare_postgres(raw: Any, _record: object) -> None:
    """A plan made once, while the tables were empty, would read them from end to end for good."""
    if raw.info.server_version >= _PLAN_MODES:
        raw.autocommit = True
        raw.execute("SET plan_cache_mode = force_custom_plan")
        raw.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
