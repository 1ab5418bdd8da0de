"""Keeps the newest schema, with a deployment in it, for the tests of later ones: `python -m tests.server.dump`.

One file for SQLite and one for PostgreSQL in `schemas`, named by the schema.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.server import postgres
from tests.server.engine import opened
from versioner_ci.server import migrate

SQLITE = Path(__file__).parent / "schemas"
POSTGRES = SQLITE / "postgresql"


def main() -> None:
    """Write both."""
    name = f"{migrate.head()}.sql"
    with tempfile.TemporaryDirectory() as folder, postgres.running() as server, server.database() as url:
        path = Path(folder) / "tracker.db"
        for each in (str(path), url):
            _fill(each)
        with sqlite3.connect(path) as connection:
            (SQLITE / name).write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")
        (POSTGRES / name).write_text(_dumped(server, url), encoding="utf-8")
    sys.stdout.write(f"{name}\n")


def _fill(url: str) -> None:
    with opened(url) as engine:
        engine.prefer("deployment.*", "C0123456789")
        engine.tell("started", 0, key="key-0")


def _dumped(server: postgres.Postgres, url: str) -> str:
    """Statements only: what psql alone understands differs between its versions."""
    command = [server.bin / "pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", "-d", url]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    kept = [line for line in said.splitlines() if line and not line.startswith(("--", "\\", "SET ", "SELECT "))]
    return "\n".join([*kept, _sequences(said)]) + "\n"


def _sequences(said: str) -> str:
    return "\n".join(line for line in said.splitlines() if "pg_catalog.setval" in line)


if __name__ == "__main__":
    main()
