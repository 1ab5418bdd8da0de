"""One way to the database, SQLite or PostgreSQL: quick readers, and writers that follow each other."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from versioner_ci.errors import UsageError
from versioner_ci.text import cut, one_line

_WRITERS = 7_237_459_137_001
"""PostgreSQL's advisory lock that each writer takes: any number, but always the same."""
_FORMS = "write postgresql://HOST/NAME, or the path of an SQLite file"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_PLAN_MODES = 120_000
"""The first PostgreSQL that can be told how to plan prepared statements."""
_TRIES, _PAUSE = 100, 0.1
_ALIVE = {
    "connect_timeout": 10,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
"""PostgreSQL's driver: a machine or a network that is gone is noticed within 10 to 25 seconds."""


class Patience(NamedTuple):
    """Seconds."""

    sqlite: float = 30.0
    """A writer waits so long for another one."""
    lock: float = 8.0
    """The same on PostgreSQL; under the 10 seconds that a client waits."""
    idle: float = 5.0
    """PostgreSQL ends a transaction whose process does nothing for so long, and frees its locks."""


PATIENCE = Patience()


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
    def write(self, *, is_patient: bool = False) -> Iterator[Connection]:
        """A transaction that no other writer runs beside, in any process; commits at the block's end.

        `is_patient`: for changes of the schema, which wait, and may take, as long as it takes.
        """
        with self.engine.connect() as connection, self._writing(connection):
            if not self.is_sqlite:
                for name in ("lock_timeout", "idle_in_transaction_session_timeout") if is_patient else ():
                    connection.exec_driver_sql(f"SET LOCAL {name} = 0")
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


def connect(where: str, patience: Patience = PATIENCE) -> Database:
    """A database by its URL or its file's path; nothing is opened before it is used. Raises UsageError."""
    url = parsed(where)
    if url.get_backend_name() == "sqlite":
        given = {"check_same_thread": False, "timeout": patience.sqlite}
        engine = create_engine(url, pool_size=20, max_overflow=20, connect_args=given)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        alive = {name: value for name, value in _ALIVE.items() if name not in url.query}
        engine = create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True, connect_args=alive)
        event.listen(engine, "connect", partial(_prepare_postgres, patience=patience))
    return Database(engine, one_line(url.render_as_string(hide_password=True)))


def parsed(where: str) -> URL:
    """`postgresql://…`, `sqlite:///…` or a file's path. Raises UsageError for anything else."""
    if "://" not in where:
        return _file(URL.create("sqlite", database=where))
    try:
        url = make_url(where)
        url = url.set(drivername=_DRIVERS[url.get_backend_name()])
    except (ArgumentError, KeyError, ValueError):
        kind = one_line(where.partition("://")[0])[:40]
        raise UsageError(f"a database address that starts with {kind}:// cannot be used", fix=_FORMS) from None
    return _file(url) if url.get_backend_name() == "sqlite" else url


def _file(url: URL) -> URL:
    """SQLite by the path of a file and nothing else: a database in memory would be another one in each thread."""
    path = url.database or ""
    if url.host or url.query or not path or path.startswith((":memory:", "file:")) or "\0" in path:
        raise UsageError("an SQLite database must be a file that is named by its path", fix=_FORMS)
    try:
        return url.set(database=str(Path(path).expanduser()))
    except RuntimeError:
        raise UsageError(f"there is no home folder for {one_line(path)[:60]}", fix="write its whole path") from None


def make_file(database: Database) -> None:
    """The folder and the file of an SQLite database, for their owner only, if they are not there yet."""
    path = database.engine.url.database
    if not database.is_sqlite or not path:
        return
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def complaint(error: SQLAlchemyError | OSError) -> str:
    """What a database says is wrong, on one line, without the statement."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return cut(one_line(str(said).strip().partition("\n")[0]), 300)


def _prepare_sqlite(raw: Any, _record: object) -> None:
    raw.isolation_level = None  # the driver begins no transaction by itself: see _begin_sqlite
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")


def use_wal(database: Database) -> None:
    """SQLite's readers and its writer side by side; the file remembers it, so it is said once, at the start.

    No transaction may be open anywhere meanwhile, and SQLite does not wait for that by itself.
    """
    if not database.is_sqlite:
        return
    raw = database.engine.raw_connection()
    try:
        for left in reversed(range(_TRIES)):
            if _is_done(raw, "PRAGMA journal_mode=WAL", is_last=not left):
                break
            time.sleep(_PAUSE)
    finally:
        raw.close()


def _is_done(raw: Any, statement: str, *, is_last: bool) -> bool:
    try:
        raw.cursor().execute(statement)
    except sqlite3.Error as error:
        if is_last or "locked" not in str(error):
            raise OperationalError(statement, None, error) from None
        return False
    return True


def _prepare_postgres(raw: Any, _record: object, patience: Patience) -> None:
    """A plan made once, while the tables were empty, would read them from end to end for good."""
    said = [
        f"SET lock_timeout = {int(patience.lock * 1000)}",
        f"SET idle_in_transaction_session_timeout = {int(patience.idle * 1000)}",
    ]
    if raw.info.server_version >= _PLAN_MODES:
        said.append("SET plan_cache_mode = force_custom_plan")
    raw.autocommit = True
    raw.execute("; ".join(said))
    raw.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
