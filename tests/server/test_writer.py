"""The writer when its database fails: everybody hears of it soon, and one bad event costs nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine as Sql
from sqlalchemy import event as hook
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.server.engine import Engine, event
from tests.server.postgres import Postgres
from versioner_ci.clock import Clock
from versioner_ci.server import migrate, writer
from versioner_ci.server.db import Database, Patience, connect
from versioner_ci.server.ingest import Accepted
from versioner_ci.server.payload import Incoming
from versioner_ci.server.problems import Problem
from versioner_ci.server.writer import Writer

POISON = "poison"
_POISONED = {
    "sqlite": "CREATE TRIGGER poisoned BEFORE INSERT ON event WHEN instr(NEW.payload, 'poison') "
    "BEGIN SELECT RAISE(ABORT, 'poison'); END",
    "postgresql": "ALTER TABLE event ADD CHECK (strpos(payload, 'poison') = 0)",
}


def send(database: Database, events: Sequence[Incoming]) -> tuple[list[Any], float]:
    """What each event is answered, all of them handed in before the writer starts; and the seconds from then on."""
    made = Writer(database, Clock())
    made.is_running = True

    async def work() -> tuple[list[Any], float]:
        waiting = [asyncio.ensure_future(made.event(each)) for each in events]
        await asyncio.sleep(0)
        began = time.monotonic()
        made.start()
        return await asyncio.gather(*waiting, return_exceptions=True), time.monotonic() - began

    try:
        with ThreadPoolExecutor(1) as pool:  # a browser's tests leave a loop in the main thread
            return pool.submit(lambda: asyncio.run(work())).result()
    finally:
        made.stop()


@contextlib.contextmanager
def counted(engine: Sql) -> Iterator[list[object]]:
    """Each beginning of a transaction meanwhile."""
    begun: list[object] = []
    note = begun.append
    hook.listen(engine, "begin", note)
    yield begun
    hook.remove(engine, "begin", note)


def test_a_bad_event_costs_no_other_and_is_found_in_a_few_steps(engine: Engine) -> None:
    with engine.database.write() as connection:
        connection.exec_driver_sql(_POISONED[engine.database.engine.dialect.name])
    events = [event("started", number, life=f"{number}", version=f"{number}") for number in range(64)]
    events[37] = event("started", 37, life="37", metadata={"what": POISON})
    with counted(engine.database.engine) as begun:
        answers, _ = send(engine.database, events)
    assert isinstance(answers[37], IntegrityError)
    others = [answer for answer in answers if answer is not answers[37]]
    assert [answer.status for answer in others] == [201] * 63
    assert len(begun) == 1 + 2 * 6, "all of them, and two halves six times"
    assert len(engine.reader.events("deployment").items) == 50


def test_what_comes_while_another_process_writes_goes_together(database_url: str) -> None:
    database, other = connect(database_url), connect(database_url)
    migrate.upgrade(database)
    made = Writer(database, Clock())
    events = [event("started", number, life=f"{number}", version=f"{number}") for number in range(20)]

    async def work() -> list[Any]:
        with other.write():
            made.start()
            first = asyncio.ensure_future(made.event(events[0]))
            await asyncio.sleep(0.2)
            waiting = [asyncio.ensure_future(made.event(each)) for each in events[1:10]]
            changed = asyncio.ensure_future(made.change(lambda _: "changed"))
            await asyncio.sleep(0)
            waiting += [asyncio.ensure_future(made.event(each)) for each in events[10:]]
            await asyncio.sleep(0.1)
        return await asyncio.gather(first, *waiting, changed)

    with counted(database.engine) as begun, ThreadPoolExecutor(1) as pool:
        *answers, changed = pool.submit(lambda: asyncio.run(work())).result()
        made.stop()
    assert [answer.status for answer in answers] == [201] * 20
    assert changed == "changed"
    assert len(begun) == 3, "ten events, the change, ten events"
    for each in (database, other):
        each.dispose()


def test_a_locked_database_costs_one_wait_for_all(sqlite_url: str) -> None:
    database, other = connect(sqlite_url, Patience(sqlite=0.3)), connect(sqlite_url)
    migrate.upgrade(database)
    with other.write():
        answers, seconds = send(database, [event("started", life=f"{number}") for number in range(60)])
    assert {type(answer) for answer in answers} == {OperationalError}
    assert seconds < 0.3 + 2
    database.dispose()
    other.dispose()


def test_a_database_that_goes_away_is_told_to_all_at_once_and_used_again_when_it_is_back(
    postgres_server: Postgres, postgres_url: str
) -> None:
    database, name = connect(postgres_url), postgres_url.rpartition("/")[2]
    migrate.upgrade(database)

    postgres_server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 - our own name
    with counted(database.engine) as begun:
        answers, seconds = send(database, [event("started", life=f"{number}") for number in range(64)])
    assert {type(answer) for answer in answers} == {OperationalError}
    assert seconds < 2
    assert begun == [], "not one connection"
    postgres_server.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    answers, _ = send(database, [event("started", life="1")])
    assert [type(answer) for answer in answers] == [Accepted]
    database.dispose()


def test_a_full_queue_says_come_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_WAITING", 5)
    answers, _ = send(engine.database, [event("started", life=f"{number}") for number in range(8)])
    assert [type(answer) for answer in answers[:5]] == [Accepted] * 5
    for answer in answers[5:]:
        assert isinstance(answer, Problem)
        assert (answer.status, answer.code, answer.headers) == (503, "busy", {"Retry-After": "2"})


def test_what_is_beyond_a_limit_of_the_database_is_the_events_fault() -> None:
    class Large(Exception):  # noqa: N818 - as the driver's own
        sqlstate = "54000"

    class Gone(Exception):  # noqa: N818
        sqlstate = "57P01"

    assert not writer.is_outage(OperationalError("", None, Large()))
    assert writer.is_outage(OperationalError("", None, Gone()))
    assert not writer.is_outage(IntegrityError("", None, Large()))
