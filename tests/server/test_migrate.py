"""The schema: each released one is brought up to date, a newer one is left alone, and the code's tables are its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text, update

from tests.server.engine import Engine
from versioner_ci.errors import UsageError
from versioner_ci.server import migrate
from versioner_ci.server.db import connect
from versioner_ci.server.tables import Base
from versioner_ci.server.tables_slack import SlackMessage

RELEASED = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_second_start_changes_nothing(database_url: str) -> None:
    database = connect(database_url)
    migrate.upgrade(database)
    migrate.upgrade(database)
    migrate.check(database)
    database.dispose()


@pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)
def test_a_released_schema_with_data_is_brought_up_to_date(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "tracker.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    engine = Engine(connect(str(path)))
    migrate.upgrade(engine.database)
    assert [life.version for life in engine.lives()] == ["1.4.2"]
    engine.tell("completed", 1, key="another")
    assert engine.shown() == ["completed"]
    engine.database.dispose()


def test_where_messages_stand_outlives_the_change_of_its_column(database_url: str) -> None:
    database = connect(database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(insert(SlackMessage), [{"chain_id": "a", "channel": "C0A", "place": "C0A=1.1"}])
    migrate.upgrade(database)
    with database.write() as connection:
        assert connection.execute(select(SlackMessage.place)).scalar_one() == "C0A=1.1"
        connection.execute(update(SlackMessage).values(place="C0A=" + "1" * 200))
    database.dispose()


def test_the_newest_schema_has_its_dump() -> None:
    assert RELEASED[-1].stem == migrate.head(), "keep a dump of each released schema in tests/server/schemas"


def test_a_schema_of_a_newer_version_is_left_alone(database_url: str) -> None:
    database = connect(database_url)
    migrate.upgrade(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match=r"made by a newer versioner-ci .schema 9999"):
        migrate.upgrade(database)
    with database.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"
    database.dispose()


def test_tables_of_something_else_are_left_alone(database_url: str) -> None:
    database = connect(database_url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE event (name text)"))
    with pytest.raises(UsageError, match="holds tables of something else"):
        migrate.upgrade(database)
    database.dispose()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    path.write_text("my shopping list, not a database, and long enough to be read as one\n" * 20)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="file is not a database"):
        migrate.upgrade(connect(str(path)))
    assert path.read_bytes() == before


def test_only_the_owner_may_read_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tracker.db"
    migrate.upgrade(connect(str(path)))
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
