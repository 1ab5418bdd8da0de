"""The way to the database: who waits for whom how long, and which addresses are none."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.server.engine import Engine
from versioner_ci.errors import UsageError
from versioner_ci.server import migrate
from versioner_ci.server.db import Patience, connect, parsed

_HOLD = """
import sys, time
from versioner_ci.server.db import Patience, connect
with connect(sys.argv[1], Patience(idle=float(sys.argv[2]))).write() as connection:
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@contextmanager
def held(url: str, *, idle: float, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process with the writers' lock, for so long; its transaction may do nothing for `idle` seconds."""
    command = [sys.executable, "-c", _HOLD, url, str(idle), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_stopped_process_does_not_hold_the_others_up(postgres_url: str) -> None:
    engine = Engine(connect(postgres_url))
    migrate.upgrade(engine.database)
    with held(postgres_url, idle=0.3, seconds=60) as process:
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        engine.tell("completed", 0)
        assert time.monotonic() - began < 0.3 + 2
    assert engine.shown() == ["completed"]
    engine.database.dispose()


def test_a_lock_that_is_not_given_back_is_waited_for_only_so_long(postgres_url: str) -> None:
    engine = Engine(connect(postgres_url, Patience(lock=0.2)))
    migrate.upgrade(engine.database)
    with held(postgres_url, idle=60, seconds=60):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            engine.tell("completed", 0)
        assert time.monotonic() - began < 0.2 + 2
    engine.database.dispose()


def test_a_change_of_the_schema_waits_as_long_as_it_takes(postgres_url: str) -> None:
    database = connect(postgres_url, Patience(lock=0.05))
    with held(postgres_url, idle=60, seconds=0.5):
        migrate.upgrade(database)
    migrate.check(database)
    database.dispose()


def test_the_address_may_say_otherwise_how_its_network_is_watched(postgres_url: str) -> None:
    for query, expected in (("", 10_000), ("?tcp_user_timeout=3000", 3_000)):
        database = connect(postgres_url + query)
        with database.read() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            given = {row.keyword.decode(): row.val for row in driver.pgconn.info if row.val is not None}
        assert int(given["tcp_user_timeout"]) == expected
        database.dispose()


@pytest.mark.parametrize(
    "address",
    [
        *("sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:", "sqlite://host/x.db", "sqlite:///x.db?foo=1"),
        *("sqlite:///file:x?mode=memory&uri=true", "file:x?mode=memory", "x\0y", "~nobody-of-this-name/x.db"),
        *("mysql://h/x", "postgresql://h:port/x", "://", "postgresql+nothing:/x://"),
    ],
)
def test_an_address_that_is_none_is_one_clear_line(address: str) -> None:
    with pytest.raises(UsageError) as raised:
        parsed(address)
    assert raised.value.fix
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("address", ["x.db", "sqlite:///x.db", "sqlite:////tmp/x.db", "~/x.db"])
def test_a_file_is_named_by_its_path(address: str) -> None:
    assert parsed(address).database in {"x.db", "/tmp/x.db", str(Path.home() / "x.db")}


def test_only_a_tracker_that_starts_changes_how_a_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    database = connect(str(path))
    for work, mode in ((lambda: None, "delete"), (lambda: migrate.upgrade(database), "wal")):
        with database.write() as connection:
            connection.exec_driver_sql("SELECT 1")
        work()
        with contextlib.closing(sqlite3.connect(path)) as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == (mode,)
    database.dispose()
