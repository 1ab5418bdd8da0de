"""The PostgreSQL that the tests run against: real, private, and gone when its owner is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]


def test_each_test_has_an_empty_database_of_its_own(postgres_server: Postgres) -> None:
    with postgres_server.database() as first, postgres_server.database() as second:
        assert first != second
        postgres_server.sql("CREATE TABLE t (a int)", first.rpartition("/")[2])
        assert (
            postgres_server.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'", second.rpartition("/")[2])
            == "0"
        )


def test_it_asks_for_its_password(postgres_server: Postgres) -> None:
    command = [postgres_server.bin / "psql", "-w", "-d", postgres_server.url("postgres").replace("tracker:", "nobody:")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "password authentication failed" in done.stderr


def test_it_ends_with_the_process_that_began_it() -> None:
    script = (
        "import os, signal\nfrom tests.server import postgres\n"
        "with postgres.running() as server:\n"
        "    print(server.port, server.folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False, cwd=ROOT, env=env)
    folder = Path(done.stdout.split()[1])
    end = time.monotonic() + 20
    while (folder / "data").exists():
        assert time.monotonic() < end, "the server is still there"
        time.sleep(0.1)
    (folder / "password").unlink()
    (folder / "log").unlink()
    folder.rmdir()


@pytest.mark.parametrize("name", ["initdb", "postgres", "psql"])
def test_its_programs_are_found(postgres_server: Postgres, name: str) -> None:
    assert os.access(postgres_server.bin / name, os.X_OK)
