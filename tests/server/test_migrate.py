"""The schema: each released one is brought up to date, a newer one is left alone, and the code's tables are its own."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text, update

from tests.server.engine import Engine
from tests.server.postgres import Postgres
from versioner_ci.errors import UsageError
from versioner_ci.server import migrate
from versioner_ci.server.db import connect
from versioner_ci.server.tables import Base
from versioner_ci.server.tables_slack import SlackMessage

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = sorted(SCHEMAS.glob("*.sql"))
ON_POSTGRES = sorted((SCHEMAS / "postgresql").glob("*.sql"))


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
    goes_on(str(path))


@pytest.mark.parametrize("dump", ON_POSTGRES, ids=lambda path: path.stem)
def test_a_released_schema_on_postgresql_is_brought_up_to_date(
    postgres_server: Postgres, postgres_url: str, dump: Path
) -> None:
    postgres_server.sql(dump.read_text(encoding="utf-8"), postgres_url.rpartition("/")[2])
    goes_on(postgres_url)


def goes_on(url: str) -> None:
    """The schema is the code's own then, and what had started can end."""
    engine = Engine(connect(url))
    migrate.upgrade(engine.database)
    assert [life.version for life in engine.lives()] == ["1.4.2"]
    engine.tell("completed", 1, key="another")
    assert engine.shown() == ["completed"]
    test_the_migrations_make_exactly_the_tables_of_the_code(engine)
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


def test_the_newest_schema_has_its_dumps() -> None:
    for dumps in (RELEASED, ON_POSTGRES):
        assert dumps[-1].stem == migrate.head(), "keep each released schema: python -m tests.server.dump"


_FIRST_START = """
import sys
from versioner_ci.server import keys, migrate
from versioner_ci.server.db import connect
database = connect(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(database)
with database.write() as connection:
    print(keys.create_first(connection, 1) is not None)
"""


def test_two_first_starts_at_once_make_one_schema_and_one_key(database_url: str) -> None:
    start = [sys.executable, "-c", _FIRST_START, database_url]
    with contextlib.ExitStack() as running:
        both = [
            running.enter_context(subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for each in both:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in both:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        said = sorted(each.communicate(timeout=40)[0] for each in both)
    assert [each.returncode for each in both] == [0, 0]
    assert said == ["False\n", "True\n"]


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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "made by a newer versioner-ci"),
        ("UPDATE alembic_version SET version_num = '0001'", "an older schema"),
        ("DROP TABLE event", "holds tables of something else"),
    ],
)
def test_a_command_reads_no_other_schema(database_url: str, change: str, said: str) -> None:
    database = connect(database_url)
    migrate.upgrade(database)
    with database.write() as connection:
        connection.execute(text(change))
    with pytest.raises(UsageError, match=said):
        migrate.check(database)
    database.dispose()


FOREIGN = {
    "a table of its own": ["CREATE TABLE invoice (name text)"],
    "a table that is called like ours": ["CREATE TABLE event (name text)"],
    "another program's versions": [
        "CREATE TABLE alembic_version (version_num varchar(32))",
        "INSERT INTO alembic_version VALUES ('0002')",
        "CREATE TABLE invoice (name text)",
    ],
}


@pytest.mark.parametrize("name", FOREIGN)
def test_tables_of_something_else_are_left_alone(database_url: str, name: str) -> None:
    database = connect(database_url)
    with database.write() as connection:
        for statement in FOREIGN[name]:
            connection.execute(text(statement))
    with pytest.raises(UsageError, match="holds tables of something else"):
        migrate.upgrade(database)
    with database.read() as connection:
        assert "lifecycle" not in inspect(connection).get_table_names()
    database.dispose()


def test_not_a_byte_of_another_programs_file_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoice (name text)")
    before = path.read_bytes()
    with pytest.raises(UsageError, match="holds tables of something else"):
        migrate.upgrade(connect(str(path)))
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["tracker.db"]


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
