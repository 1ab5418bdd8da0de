"""How the databases answer what the pages ask: by an index, never by reading the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert, select

from tests.server.bulk import fill
from tests.server.engine import Engine
from versioner_ci.clock import Clock
from versioner_ci.identity import fresh_id
from versioner_ci.server import slack_claim
from versioner_ci.server.metrics import Stored
from versioner_ci.server.pages.view_history import history
from versioner_ci.server.pages.view_lifecycle import life
from versioner_ci.server.pages.view_matrix import matrix
from versioner_ci.server.read import Reader
from versioner_ci.server.tables_slack import Outbox, SlackChannel

NOW = 1_800_000_000.0
Asked = list[tuple[str, Any]]


def _lifecycle(reader: Reader) -> None:
    row = reader.lifecycle(reader.lifecycles("deployment").items[0].id)
    assert row is not None
    assert len(life(reader, row, NOW, is_admin=True).events) == 2


def _older(reader: Reader) -> None:
    first = history(reader, {}, NOW)
    assert history(reader, {"cursor": first.older.partition("cursor=")[2]}, NOW).rows


ASKED_BY: dict[str, Callable[[Reader], object]] = {
    "matrix": lambda reader: matrix(reader.matrix(), "", "", NOW),
    "history": lambda reader: history(reader, {}, NOW),
    "history of a product": lambda reader: history(reader, {"product": "product-003"}, NOW),
    "history of an environment": lambda reader: history(reader, {"environment": "environment-1"}, NOW),
    "history of a version": lambda reader: history(reader, {"product": "product-003", "version": "1.3.0"}, NOW),
    "history of a state": lambda reader: history(reader, {"state": "failed", "kind": "deployment"}, NOW),
    "older history": _older,
    "a lifecycle": _lifecycle,
    "preferences": lambda reader: (reader.preferences(), reader.waiting(), reader.notifications("failed")),
}


@pytest.mark.parametrize("page", ASKED_BY)
def test_no_query_of_a_page_reads_the_whole_history(engine: Engine, page: str) -> None:
    fill(engine.database, products=10, environments=3, events=6_000)
    asked = statements(engine, lambda: ASKED_BY[page](engine.reader))
    assert asked
    assert [plan for plan in plans(engine, asked) if reads_all(plan)] == []


def test_no_query_of_the_metrics_reads_the_whole_history(engine: Engine) -> None:
    fill(engine.database, products=10, environments=3, events=6_000)
    asked = statements(engine, lambda: list(Stored(engine.database, Clock()).collect()))
    assert [plan for plan in plans(engine, asked) if reads_all(plan)] == []


def test_a_query_that_does_read_it_is_noticed(engine: Engine) -> None:
    fill(engine.database, products=2, environments=2, events=2_000)
    assert any(map(reads_all, plans(engine, [("SELECT count(*) FROM event WHERE payload = 'x'", ())])))


def reads_all(plan: str) -> bool:
    """Whether a plan reads a table that grows with each event, from end to end and in no useful order."""
    lines = [line.strip() for line in plan.splitlines()]
    slow = [line for line in lines if line.startswith("SCAN ") or "Seq Scan on" in line]
    return any(name in line.split() for line in slow for name in ("event", "lifecycle") if "USING" not in line)


def statements(engine: Engine, work: Callable[[], object]) -> Asked:
    """What is asked of the database meanwhile."""
    asked: Asked = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(engine.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine.database.engine, "before_cursor_execute", note)
    return asked


def plans(engine: Engine, asked: Asked) -> list[str]:
    """How the database means to answer. PostgreSQL is asked as if each table were large."""
    found = []
    word = "EXPLAIN QUERY PLAN" if engine.database.is_sqlite else "EXPLAIN"
    with engine.database.read() as connection:
        if not engine.database.is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


def test_the_next_message_is_found_without_reading_what_else_waits(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0)
    queue(engine, 20_000, channels=10)
    with engine.database.read() as connection, counting(engine, connection) as read:
        asked: dict[str, Any] = {"now": engine.clock, "is_sqlite": engine.database.is_sqlite}
        channels = connection.execute(slack_claim.due(**asked)).scalars().all()
        assert connection.execute(slack_claim.head(channels[0], **asked)).one_or_none() is not None
        count = read()
    assert len(channels) == 10
    assert 10 <= count < 500, "a few for each channel"


def queue(engine: Engine, count: int, channels: int) -> None:
    """As many messages that wait, of as many lifecycles, as if nobody had told Slack for hours."""
    with engine.database.write() as connection:
        [row] = connection.execute(select(*Outbox.__table__.c)).mappings()
        rows = [
            {**row, "seq": number, "id": fresh_id(), "chain_id": fresh_id(), "channel": f"C0CHANNEL{number % channels}"}
            for number in range(count)
        ]
        connection.execute(delete(Outbox))
        connection.execute(insert(Outbox), rows)
        names = sorted({row["channel"] for row in rows})
        connection.execute(insert(SlackChannel), [{"channel": name, "next_at": engine.clock} for name in names])
    if not engine.database.is_sqlite:
        with engine.database.write() as connection:
            connection.exec_driver_sql("ANALYZE outbox")


@contextmanager
def counting(engine: Engine, connection: Connection) -> Iterator[Callable[[], int]]:
    """How many rows of the outbox are read meanwhile. SQLite counts its steps: a row takes ten or more."""
    ticks: list[int] = []
    if engine.database.is_sqlite:
        raw: Any = connection.connection.dbapi_connection
        raw.set_progress_handler(lambda: ticks.append(1), 10)
    query = (
        "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables WHERE relname = 'outbox'"
    )

    def read() -> int:
        return len(ticks) if engine.database.is_sqlite else int(connection.exec_driver_sql(query).scalar_one())

    before = read()  # of what this connection did earlier
    yield lambda: read() - before
    if engine.database.is_sqlite:
        raw.set_progress_handler(None, 0)
