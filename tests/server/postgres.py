"""A real PostgreSQL server for tests and for the bench: on a port of its own, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60
_TRIES = 5
_ACCOUNTS = ("postgres", "nobody")
"""The server refuses to run as root: the first of these that the machine has runs it then."""

_RUN = """
bin=$1 data=$2 port=$3; shift 3
exec 3<&0
"$bin/postgres" -D "$data" -p "$port" "$@" >"$data/../log" 2>&1 3<&- &
server=$!
( read -r _; kill -INT "$server" 2>/dev/null ) <&3 &
wait "$server" && rm -rf "$data"
"""
"""Ends the server as soon as stdin is closed: also when the process that began it was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server; its owner is `tracker`, who may create databases."""

    port: int
    password: str
    folder: Path
    bin: Path

    def url(self, database: str) -> str:
        """As users type it for `--database-url`."""
        return f"postgresql://tracker:{self.password}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints, without heads."""
        command = [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new, empty database, which is dropped afterwards, whoever is still connected."""
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        self.sql(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")


_NUMBERS = itertools.count(1)


def programs() -> Path | None:
    """The folder with initdb and postgres: Debian keeps it off PATH. None if there is none."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((place for place in places if (place / "postgres").exists() and (place / "psql").exists()), None)


@contextlib.contextmanager
def running(*, is_durable: bool = False) -> Iterator[Postgres]:
    """A server until the block ends. Without `is_durable` it skips fsync, which only a loss of power notices."""
    found = programs()
    assert found is not None, "PostgreSQL is not installed: script/install_tracker_tools"
    folder = Path(tempfile.mkdtemp(prefix="versioner-ci-postgres-"))
    try:
        password = _initialise(found, folder)
        settings = [
            *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
            *("-c", "max_connections=100", "-c", "shared_buffers=64MB", "-c", "jit=off"),
            *(() if is_durable else ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")),
        ]
        process, port = _start(found, folder, settings)
        try:
            yield Postgres(port=port, password=password, folder=folder, bin=found)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(found: Path, folder: Path) -> str:
    password = secrets.token_hex(16)
    (folder / "password").write_text(password, encoding="ascii")
    for path in (folder, folder / "password"):
        _hand_over(path)
    command = [found / "initdb", "-D", folder / "data", "-U", "tracker", "-A", "scram-sha-256", "-E", "UTF8"]
    command += ["--locale=C.UTF-8", "--no-sync", f"--pwfile={folder / 'password'}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=folder,
        user=_account(),
        group=_group(),
        extra_groups=_no_groups(),
    )
    assert done.returncode == 0, done.stderr
    return password


def _start(found: Path, folder: Path, settings: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Another may take the free port first: then the next one."""
    for _ in range(_TRIES):
        port = _free_port()
        process = subprocess.Popen(
            ["/bin/sh", "-c", _RUN, "sh", found, folder / "data", str(port), *settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            start_new_session=True,
            user=_account(),
            group=_group(),
            extra_groups=_no_groups(),
        )
        if _is_ready(process, found, port):
            return process, port
        _stop(process)
    raise AssertionError((folder / "log").read_text(errors="replace"))


def _is_ready(process: subprocess.Popen[bytes], found: Path, port: int) -> bool:
    end = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < end:
        asked = [found / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "tracker"]
        if subprocess.run(asked, timeout=_SECONDS, check=False).returncode == 0:
            return process.poll() is None
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _account() -> int | None:
    """Whom the server runs as: None for ourselves."""
    return None if os.geteuid() else _entry().pw_uid


def _group() -> int | None:
    return None if os.geteuid() else _entry().pw_gid


def _no_groups() -> list[int] | None:
    return None if os.geteuid() else []


def _entry() -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in _ACCOUNTS if name in known)


def _hand_over(path: Path) -> None:
    if not os.geteuid():
        os.chown(path, _entry().pw_uid, _entry().pw_gid)
