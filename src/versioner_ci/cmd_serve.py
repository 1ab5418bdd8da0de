"""`versioner-ci serve`: the embedded tracker."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import NamedTuple

from versioner_ci import extra
from versioner_ci.cli import Invocation
from versioner_ci.errors import EXIT_OK, UsageError
from versioner_ci.options import Parser

DEFAULT_PORT = 8080


class _Env(NamedTuple):
    """An option's variable and default."""

    variable: str
    default: str | None = None


FROM_ENV = {
    "database_url": _Env("VERSIONER_DATABASE_URL"),
    "host": _Env("VERSIONER_SERVE_HOST", "127.0.0.1"),
    "port": _Env("VERSIONER_SERVE_PORT", str(DEFAULT_PORT)),
    "stale_after": _Env("VERSIONER_STALE_AFTER", "6"),
    "log_format": _Env("VERSIONER_LOG_FORMAT", "logfmt"),
    "log_level": _Env("VERSIONER_LOG_LEVEL", "info"),
    "trusted_proxies": _Env("VERSIONER_TRUSTED_PROXIES", "127.0.0.1"),
    "slack_lease": _Env("VERSIONER_SLACK_LEASE", "20"),
    "slack_api_url": _Env("SLACK_API_URL"),
}
"""What an option is when it is not typed."""


def parser() -> Parser:
    """The options of `serve`."""
    made = Parser(
        "serve",
        usage="versioner-ci serve [options]",
        description="Serve the embedded release tracker: the API that events go to, the Slack routing and the page. "
        "A first start prints an admin key, once. Slack is told with the bot token in SLACK_BOT_TOKEN.",
    )
    add_database(made)
    _add(made, "--host", "ADDRESS", "address to listen on; 0.0.0.0 for all of the machine's")
    _add(made, "--port", "PORT", "port to listen on; 0 for any that is free")
    made.add_argument("--no-auth", action="store_true", help="ask for no keys: for trying out, on this machine only")
    _add(made, "--stale-after", "HOURS", "say 'no ending heard' of what was started so long ago and is open")
    _add(made, "--slack-api-url", "URL", "Slack's API, for GovSlack and tests")
    _add(made, "--slack-lease", "SECONDS", "a message whose sender died is sent again after this time")
    _add(made, "--trusted-proxies", "ADDRESSES", "whose X-Forwarded headers count, with commas between them")
    _add(made, "--log-format", "logfmt|json", "form of the log, one line each on stderr")
    _add(made, "--log-level", "LEVEL", "debug, info, warning or error")
    return made


def add_database(made: argparse.ArgumentParser) -> None:
    """--database-url, as all commands that open the tracker's database have it."""
    made.add_argument(
        "--database-url",
        metavar="URL|PATH",
        help="postgresql://USER:PASSWORD@HOST/NAME, or the path of an SQLite file "
        "[VERSIONER_DATABASE_URL; default: tracker.db in the user's data folder]",
    )


def main(call: Invocation) -> int:
    """The exit code of `serve`."""
    options = parser().read(call.arguments)
    with extra.needed():
        from versioner_ci.server import serving  # noqa: PLC0415 - the extra
    values = {name: value(options, call.env, name) for name in FROM_ENV}
    serving.serve(call, serving.settings(values, call.env, is_open=options.no_auth))
    return EXIT_OK


def value(options: argparse.Namespace, env: Mapping[str, str], name: str) -> str | None:
    """What was typed, else the variable, else the default; an empty variable counts as not set."""
    row = FROM_ENV[name]
    typed: str | None = getattr(options, name, None)
    if typed is not None and not typed.strip():
        raise UsageError(f"--{name.replace('_', '-')} is empty", fix="give it a value or leave it out")
    return typed or env.get(row.variable, "").strip() or row.default


def _add(made: Parser, flag: str, metavar: str, told: str) -> None:
    row = FROM_ENV[flag[2:].replace("-", "_")]
    default = f"; default: {row.default}" if row.default else ""
    made.add_argument(flag, metavar=metavar, help=f"{told} [{row.variable}{default}]".replace("%", "%%"))
