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
from versioner_ci.server.db import Database, complaint, make_file
from versioner_ci.server.tables import Base

_SCRIPTS = Path(__file__).with_name("migrations")
LOADED = tables_slack.__name__
"""All tables are known to Base once both modules are loaded."""


def upgrade(database: Database) -> None:
    """Make the tables, or change them, in one transaction. Raises UsageError that says what is wrong."""
    try:
        make_file(database)
        with database.write() as connection:
            migrate(connection, database.url)
    except (SQLAlchemyError, OSError) as error:
        raise unusable(database, error) from None


def migrate(connection: Connection, name: str) -> None:
    """The same within a write transaction that is open already."""
    config = _config(connection)
    scripts = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_heads()
    known = {revision.revision for revision in scripts.walk_revisions()}
    if any(revision not in known for revision in found):
        raise UsageError(
            f"the database {name} was made by a newer versioner-ci (schema {found[0][:40]}, known up to {head()})",
            fix="install that version; nothing was changed",
        )
    if not found and _is_foreign(connection):
        raise UsageError(
            f"the database {name} holds tables of something else", fix="name an empty database; nothing was changed"
        )
    command.upgrade(config, "head")


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
            found = MigrationContext.configure(connection).get_current_heads()
    except SQLAlchemyError as error:
        raise unusable(database, error) from None
    if found != (head(),):
        raise UsageError(
            f"the database {database.url} has another schema", fix="start `versioner-ci serve` with it once"
        )


def unusable(database: Database, error: SQLAlchemyError | OSError) -> UsageError:
    """One line on a database that does not open."""
    return UsageError(f"the database {database.url} cannot be used: {complaint(error)}", fix="check --database-url")


def _is_foreign(connection: Connection) -> bool:
    own = set(Base.metadata.tables)
    return bool(set(inspect(connection).get_table_names()) & own)


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
