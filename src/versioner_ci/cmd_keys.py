"""`versioner-ci keys`: create, list and revoke the tracker's keys, in its database or through its API."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from versioner_ci import extra
from versioner_ci.cli import Invocation
from versioner_ci.cmd_serve import add_database
from versioner_ci.errors import EXIT_OK, UsageError
from versioner_ci.options import Parser
from versioner_ci.settings_parse import shown
from versioner_ci.settings_values import nearest
from versioner_ci.text import one_line, visible
from versioner_ci.tracker_keys import NewKey, Store

ACTIONS = ("create", "list", "revoke")
SCOPES = ("write", "read", "admin")
_COLUMNS = ("key_id", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")


def parser() -> Parser:
    """The options of `keys`."""
    made = Parser(
        "keys",
        usage="versioner-ci keys create|list|revoke [NAME|ID] [options]",
        description="Keys of the embedded tracker: write for pipelines, read for the page, admin for everything. "
        "Without --url it works on the database itself.",
    )
    made.add_argument("action", metavar="ACTION", choices=None, help="create NAME, list, or revoke ID")
    made.add_argument("what", metavar="NAME|ID", nargs="?", help="the new key's name, or the id of the key to revoke")
    made.add_argument("--scope", action="append", metavar="|".join(SCOPES), help="may be repeated [default: write]")
    made.add_argument("--expires", metavar="DAYS", help="the new key counts for so many days [default: for ever]")
    add_place(made)
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    made.late = "what"
    return made


def add_place(made: argparse.ArgumentParser) -> None:
    """Where the tracker's data is."""
    add_database(made)
    made.add_argument("--url", metavar="URL", help="a running tracker; its admin key is read from VERSIONER_API_KEY")


def main(call: Invocation) -> int:
    """The exit code of `keys`."""
    options = parser().read(call.arguments)
    if options.action not in ACTIONS:
        near = nearest(options.action, ACTIONS)
        raise UsageError(
            f"{shown(options.action)} is nothing to do with keys",
            fix=f"did you mean {near}?" if near else "create, list or revoke",
        )
    _check(options)
    wanted = NewKey(options.what or "", tuple(options.scope or ["write"]), _days(options))
    store = _store(call, options)
    if options.action == "create":
        _create(call, options, store.create(wanted))
    elif options.action == "list":
        _list(call, store.rows(), is_json=options.json)
    else:
        if not store.revoke(options.what):
            raise UsageError(f"there is no key {shown(options.what)}", fix="`versioner-ci keys list` shows them")
        call.console.json({"revoked": options.what}) if options.json else call.console.data(f"revoked {options.what}")
    return EXIT_OK


def _check(options: argparse.Namespace) -> None:
    if options.action == "list" and options.what:
        raise UsageError(f"one argument too many: {shown(options.what)}")
    if options.action != "list" and not (options.what or "").strip():
        needed = "the new key's name" if options.action == "create" else "the key's id"
        raise UsageError(
            f"{needed} is missing",
            fix=f"versioner-ci keys {options.action} {'NAME' if options.action == 'create' else 'ID'}",
        )
    for scope in options.scope or ():
        if scope not in SCOPES:
            raise UsageError(f"{shown(scope)} is no scope", fix="write, read or admin")


def _days(options: argparse.Namespace) -> float | None:
    if options.expires is None:
        return None
    try:
        days = float(options.expires)
    except ValueError:
        days = 0.0
    if not 0 < days <= 36_500:
        raise UsageError(f"--expires takes a number of days, not {shown(options.expires)}")
    return days


def _store(call: Invocation, options: argparse.Namespace) -> Store:
    if options.url:
        from versioner_ci.keys_remote import RemoteKeys  # noqa: PLC0415 - requests

        return RemoteKeys(options.url, call.env)
    with extra.needed():
        from versioner_ci.server.keys_local import LocalKeys  # noqa: PLC0415 - the extra
        from versioner_ci.server.serving import default_database  # noqa: PLC0415 - the extra
    typed = options.database_url or call.env.get("VERSIONER_DATABASE_URL", "").strip()
    return LocalKeys(typed or default_database(call.env))


def _create(call: Invocation, options: argparse.Namespace, made: Mapping[str, Any]) -> None:
    if options.json:
        call.console.unmasked(_json(made))
        return
    call.console.note(f"key {made['key_id']} ({', '.join(made['scopes'])}) made; it is shown this once:")
    call.console.unmasked(str(made["key"]))


def _json(body: Mapping[str, Any]) -> str:
    from versioner_ci.console import as_text  # noqa: PLC0415 - for one line

    return as_text(body)


def _list(call: Invocation, rows: Sequence[Mapping[str, Any]], *, is_json: bool) -> None:
    if is_json:
        call.console.json({"keys": list(rows)})
        return
    table = [[column.removesuffix("_at").replace("_", " ") for column in _COLUMNS]]
    table += [[_cell(row.get(column)) for column in _COLUMNS] for row in rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    for row in table:
        call.console.data("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    text = visible(one_line(str(value or "–")))
    return text.partition(".")[0].replace("T", " ") if text.endswith("Z") and "T" in text else text[:40]
