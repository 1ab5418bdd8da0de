"""Starts the tracker: port, database, schema, first key, then requests until a signal comes."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.cli import Invocation
from versioner_ci.clock import Clock
from versioner_ci.errors import Interrupted, UsageError
from versioner_ci.redact import Redactor
from versioner_ci.server import keys, logs, migrate, moments
from versioner_ci.server.access import is_loopback
from versioner_ci.server.app import create_app
from versioner_ci.server.db import Database, connect
from versioner_ci.server.options import Options
from versioner_ci.settings_parse import ParseError, shown, url
from versioner_ci.text import one_line

_BACKLOG = 2048
_GRACEFUL = 10
"""Seconds that open requests have once the server is to stop."""


def settings(values: Mapping[str, str | None], env: Mapping[str, str], *, is_open: bool) -> Options:
    """The checked options. Raises UsageError."""
    host, port = values["host"] or "", values["port"] or ""
    if not port.isdecimal() or int(port) > 65_535:
        raise UsageError(f"--port must be a number from 0 to 65535, not {one_line(port)[:60]!r}")
    if is_open and not is_loopback(host):
        raise UsageError(
            f"--no-auth serves this machine only, not {one_line(host)[:60]}", fix="leave out --no-auth, or --host"
        )
    for name, legal in (("log_format", logs.FORMATS), ("log_level", logs.LEVELS)):
        if values[name] not in legal:
            raise UsageError(f"--{name.replace('_', '-')} must be {' or '.join(legal)}")
    token = env.get("SLACK_BOT_TOKEN", "").strip() or env.get("SLACK_TOKEN", "").strip()
    return Options(
        database_url=values["database_url"] or default_database(env),
        host=host,
        port=int(port),
        is_open=is_open,
        stale_after=3600 * _number(values["stale_after"] or "", "--stale-after", 0.0001, 8760),
        slack_token=token or None,
        slack_api_url=_slack_url(values["slack_api_url"]),
        slack_lease=_number(values["slack_lease"] or "", "--slack-lease", 1, 600),
        trusted_proxies=values["trusted_proxies"] or "",
        log_format=values["log_format"] or "",
        log_level=values["log_level"] or "",
    )


def default_database(env: Mapping[str, str]) -> str:
    """tracker.db in the user's data folder. Raises UsageError where there is none."""
    from platformdirs import user_data_dir  # noqa: PLC0415 - seldom

    base = env.get("XDG_DATA_HOME") or (user_data_dir() if env.get("HOME") or os.name == "nt" else "")
    if not base or base.startswith("~"):
        raise UsageError("there is no home folder for the database", fix="name one with --database-url PATH")
    return str(Path(base) / "versioner-ci" / "tracker.db")


def serve(call: Invocation, options: Options) -> None:
    """Until SIGINT, SIGTERM or SIGHUP. Raises UsageError for what keeps it from starting; nothing is changed then."""
    gc.enable()
    listening = _bind(options)
    try:
        database = connect(options.database_url)
        migrate.upgrade(database)
        _tell(call, options, database, listening)
        _run(call, options, database, listening)
        database.dispose()
    finally:
        listening.close()


def _run(call: Invocation, options: Options, database: Database, listening: socket.socket) -> None:
    """The web server has a thread of its own, so that the signals stay the command line's."""
    secrets = [options.slack_token, database.engine.url.password]
    logs.configure(sys.stderr, options.log_format, options.log_level, Redactor(secrets))
    config = uvicorn.Config(
        create_app(options, database, call.env),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACEFUL,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=options.trusted_proxies,
        lifespan="on",
    )
    server = uvicorn.Server(config)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio_run(server, listening)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    thread = threading.Thread(target=work, name="web", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.5)
    except Interrupted:
        server.should_exit = True
        thread.join(_GRACEFUL + 20)
        call.console.note("stopped")
    if failed:
        raise failed[0]


def asyncio_run(server: uvicorn.Server, listening: socket.socket) -> None:
    """With uvloop, where it is installed."""
    factory = server.config.get_loop_factory()
    if factory is None:
        asyncio.run(server.serve(sockets=[listening]))
        return
    loop = factory()
    try:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve(sockets=[listening]))
    finally:
        loop.close()


def _bind(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((options.host, options.port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        where = f"{one_line(options.host)[:60]}:{options.port}"
        raise UsageError(
            f"cannot listen on {where}: {one_line(error.strerror or str(error))}",
            fix="name another with --port or --host",
        ) from None
    listening.setblocking(False)  # noqa: FBT003 - its own word
    return listening


def _tell(call: Invocation, options: Options, database: Database, listening: socket.socket) -> None:
    """Where it is, and the first key: on stdout, so that no log keeps it."""
    host = f"[{options.host}]" if ":" in options.host else options.host
    console = call.console
    console.data(f"tracker: http://{host}:{listening.getsockname()[1]}")
    console.data(f"database: {database.url}")
    if not options.is_open:
        try:
            with database.write() as connection:
                made = keys.create_first(connection, moments.micros(Clock().wall()))
        except SQLAlchemyError as error:
            raise migrate.unusable(database, error) from None
        if made is not None:
            console.unmasked(f"admin key, shown this once: {made.text}")
    if options.slack_token is None:
        console.note("Slack is not told: SLACK_BOT_TOKEN is not set; messages wait for 24 hours")
    console.flush()


def _slack_url(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(url(text)[0])
    except ParseError as error:
        raise UsageError(f"--slack-api-url {error}", fix=error.fix) from None


def _number(text: str, name: str, lowest: float, highest: float) -> float:
    """Raises UsageError for what is no number, or out of bounds."""
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not lowest <= found <= highest:
        raise UsageError(f"{name} must be a number from {lowest:g} to {highest:g}, not {shown(text)}")
    return found
