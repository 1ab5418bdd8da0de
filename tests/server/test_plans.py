"""How the databases answer what the pages ask: by an index, never by reading the history."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, delete, event, insert, select

from tests.server.bulk import fill
from tests.server.engine import Engine, opened
from versioner_ci.clock import Clock
from versioner_ci.identity import fresh_id
from versioner_ci.server import slack_claim
from versioner_ci.server.metrics import Stored
from versioner_ci.server.pages.view_history import history
from versioner_ci.server.pages.view_lifecycle import life
from versioner_ci.server.pages.view_matrix import matrix
from versioner_ci.server.read import Reader
from versioner_ci.server.records import Filters
from versioner_ci.server.tables_slack import Outbox, SlackChannel

NOW = 1_800_000_000.0
Asked = list[tuple[str, Any]]
MOST = {True: 10_000, False: 600}
"""Steps of SQLite, rows of PostgreSQL."""


def _lifecycle(reader: Reader) -> None:
    row = reader.lifecycle(reader.lifecycles("deployment").items[0].id)
    assert row is not None
    assert len(life(reader, row, NOW, is_admin=True).events) == 2


def _older(reader: Reader) -> None:
    first = history(reader, {}, NOW)
    assert history(reader, {"cursor": first.older.partition("cursor=")[2]}, NOW).rows


_PLACE = {"product": "product-003", "environment": "environment-1", "kind": "deployment"}
ASKED_BY: dict[str, Callable[[Reader], object]] = {
    "matrix": lambda reader: matrix(reader.matrix(), "", "", NOW),
    "history": lambda reader: history(reader, {}, NOW),
    "history of a product": lambda reader: history(reader, {"product": "product-003"}, NOW),
    "history of an environment": lambda reader: history(reader, {"environment": "environment-1"}, NOW),
    "history of a version": lambda reader: history(reader, {"product": "product-003", "version": "1.3.0"}, NOW),
    "history of a state": lambda reader: history(reader, {"state": "failed", "kind": "deployment"}, NOW),
    "older history": _older,
    "a lifecycle": _lifecycle,
    "history of a version of any product": lambda reader: history(reader, {"version": "1.3.0"}, NOW),
    "a state that is rare in a place": lambda reader: history(reader, {**_PLACE, "state": "aborted"}, NOW),
    "history of a place": lambda reader: history(reader, _PLACE, NOW),
    "history of nothing": lambda reader: history(reader, {"product": "none", "version": "none"}, NOW),
    "events": lambda reader: reader.events("deployment"),
    "events of a version": lambda reader: reader.events("deployment", Filters(version="1.3.0")),
    "events of a product's version": lambda reader: reader.events(
        "deployment", Filters(product="product-003", version="1.3.0")
    ),
    "events of no version": lambda reader: reader.events("deployment", Filters(version="none")),
    "versions": lambda reader: reader.versions(),
    "preferences": lambda reader: (reader.preferences(), reader.waiting(), reader.notifications("failed")),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """6,000 events of 3,000 deployments; PostgreSQL knows how many."""
    with contextlib.ExitStack() as opening:
        url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'tracker.db'}"
        if request.param == "postgresql":
            url = opening.enter_context(request.getfixturevalue("postgres_server").database())
        engine = opening.enter_context(opened(url))
        fill(engine.database, products=10, environments=3, events=6_000)
        if not engine.database.is_sqlite:
            with engine.database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
        yield engine


@pytest.mark.parametrize("page", ASKED_BY)
def test_no_query_of_a_page_reads_much_of_the_history(filled: Engine, page: str) -> None:
    asked = statements(filled, lambda: ASKED_BY[page](filled.reader))
    assert asked
    assert [
        (read(filled, each), each[0]) for each in asked if read(filled, each) > MOST[filled.database.is_sqlite]
    ] == []


def test_no_query_of_the_metrics_reads_much_of_the_history(filled: Engine) -> None:
    asked = statements(filled, lambda: list(Stored(filled.database, Clock()).collect()))
    assert [each[0] for each in asked if read(filled, each) > MOST[filled.database.is_sqlite]] == []


@pytest.mark.parametrize(
    "wasteful",
    [
        "SELECT count(*) FROM event WHERE payload = 'x'",
        "SELECT id FROM lifecycle WHERE kind = 'deployment' AND actor = 'x' ORDER BY opened_at DESC LIMIT 50",
        "SELECT id FROM event WHERE kind = 'deployment' AND group_key = 'x' ORDER BY seq DESC LIMIT 50",
    ],
)
def test_a_query_that_reads_much_of_it_is_noticed_though_it_follows_an_index(filled: Engine, wasteful: str) -> None:
    assert read(filled, (wasteful, ())) > MOST[filled.database.is_sqlite]


def read(engine: Engine, asked: tuple[str, Any]) -> int:
    """How much a query really reads: SQLite's steps, PostgreSQL's rows."""
    return _steps(engine, asked) if engine.database.is_sqlite else _rows(engine, asked)


def _steps(engine: Engine, asked: tuple[str, Any]) -> int:
    taken = itertools.count()
    with engine.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: next(taken) and None, 1)
        try:
            connection.exec_driver_sql(*asked).all()
        finally:
            driver.set_progress_handler(None, 1)
    return next(taken)


def _rows(engine: Engine, asked: tuple[str, Any]) -> int:
    statement, parameters = asked
    with engine.database.read() as connection:
        for way in ("hashjoin", "mergejoin"):  # as if each table were large
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        explained = connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", parameters
        ).scalar_one()
    return _read_by(explained[0]["Plan"])


def _read_by(node: dict[str, Any]) -> int:
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) if "Scan" in node["Node Type"] else 0
    is_big = node.get("Relation Name") in {"event", "lifecycle"}
    return int(own * node["Actual Loops"] * is_big) + sum(map(_read_by, node.get("Plans", ())))


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


@contextlib.contextmanager
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
