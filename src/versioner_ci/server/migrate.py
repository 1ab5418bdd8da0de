"""Brings a database's schema up to date; one that is newer than this program is left alone."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.errors import UsageError
from versioner_ci.server import tables_slack
from versioner_ci.server.db import Database, complaint, make_file, use_wal

_SCRIPTS = Path(__file__).with_name("migrations")
_VERSION_TABLE = "alembic_version"
_CORE = {"event", "lifecycle", "meta"}
"""Tables that each of our schemas has; another program with Alembic has its versions in a table of the same name."""
LOADED = tables_slack.__name__
"""All tables are known to Base once both modules are loaded."""


def upgrade(database: Database) -> None:
    """Make the tables, or change them, in one transaction. Raises UsageError that says what is wrong."""
    try:
        make_file(database)
        with database.read() as connection:
            look(connection, database.url)
        use_wal(database)
        with database.write(is_patient=True) as connection:
            migrate(connection, database.url)
    except (SQLAlchemyError, OSError) as error:
        raise unusable(database, error) from None


def migrate(connection: Connection, name: str) -> None:
    """The same within a write transaction that is open already."""
    look(connection, name)
    command.upgrade(_config(connection), "head")


def look(connection: Connection, name: str) -> None:
    """Whether it is ours, and not newer than this program. Changes nothing. Raises UsageError."""
    tables = set(inspect(connection).get_table_names()) - {_VERSION_TABLE}
    found = MigrationContext.configure(connection).get_current_heads()
    if tables and not (found and tables >= _CORE):
        raise UsageError(
            f"the database {name} holds tables of something else", fix="name an empty database; nothing was changed"
        )
    known = {revision.revision for revision in ScriptDirectory.from_config(_config(None)).walk_revisions()}
    if any(revision not in known for revision in found):
        raise UsageError(
            f"the database {name} was made by a newer versioner-ci (schema {found[0][:40]}, known up to {head()})",
            fix="install that version; nothing was changed",
        )


def head() -> str:
    """The newest version of the schema."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def check(database: Database) -> None:
    """For a command that only reads or changes rows: there must be a database, of this version. Raises UsageError."""
    path = database.engine.url.database
    if database.is_sqlite and path and not Path(path).exists():
        raise UsageError(f"there is no database {path}", fix="`versioner-ci serve` makes one; --database-url names it")
    try:
        with database.read() as connection:
            look(connection, database.url)
            found = MigrationContext.configure(connection).get_current_heads()
    except SQLAlchemyError as error:
        raise unusable(database, error) from None
    if found != (head(),):
        raise UsageError(
            f"the database {database.url} has an older schema, or none", fix="start `versioner-ci serve` with it once"
        )


def unusable(database: Database, error: SQLAlchemyError | OSError) -> UsageError:
    """One line on a database that does not open."""
    return UsageError(f"the database {database.url} cannot be used: {complaint(error)}", fix="check --database-url")


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
