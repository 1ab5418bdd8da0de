"""`versioner-ci history`: builds and deployments, the newest first."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from versioner_ci.cli import Invocation
from versioner_ci.cmd_matrix import WORDS
from versioner_ci.errors import EXIT_OK, UsageError
from versioner_ci.options import Parser, kind_of
from versioner_ci.settings_parse import shown
from versioner_ci.status import Kind, State, normalise
from versioner_ci.terminal import cell, span, table
from versioner_ci.times import parse
from versioner_ci.tracker_data import Row, Source, add_place, source

LIMIT = 20
MOST = 1_000
_PAGE = 200
_HEAD = ["when (UTC)", "kind", "product", "version", "environment", "state", "who", "took"]


def parser() -> Parser:
    """The options of `history`."""
    made = Parser(
        "history",
        usage="versioner-ci history [options]",
        description="Builds and deployments as the tracker knows them, the newest first.",
    )
    made.add_argument("--kind", metavar="KIND", help="only build, or only deployment")
    for name in ("product", "environment", "version"):
        made.add_argument(f"--{name}", dest=f"of_{name}", metavar="NAME", help=f"only of this {name}")
    made.add_argument("--state", dest="of_state", metavar="STATUS", help="only in this state; any status word")
    made.add_argument("--limit", metavar="N", help=f"at most so many, up to {MOST} [default: {LIMIT}]")
    add_place(made)
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return made


def main(call: Invocation) -> int:
    """The exit code of `history`."""
    options = parser().read(call.arguments)
    limit = _limit(options.limit)
    kinds = [kind_of(options.kind)] if options.kind is not None else list(Kind)
    query, states = _query(options), _states(options.of_state, kinds)
    where = source(options, call.env)
    found = [row for kind, state in states.items() for row in _rows(where, kind, {**query, **state}, limit)]
    found.sort(key=lambda row: (str(row["opened_at"]), str(row["id"])), reverse=True)
    if options.json:
        call.console.json({"items": found[:limit]})
    elif found:
        call.console.data("\n".join(table([_HEAD, *map(_line, found[:limit])])))
    else:
        call.console.note("nothing fits" if query or options.of_state else "nothing was reported yet")
    return EXIT_OK


def _query(options: argparse.Namespace) -> dict[str, str]:
    query = {name: getattr(options, f"of_{name}") for name in ("product", "environment", "version")}
    return {name: value for name, value in query.items() if value is not None}


def _states(word: str | None, kinds: Sequence[Kind]) -> dict[Kind, dict[str, str]]:
    """What each kind is asked for; a word of one kind only asks for that kind. Raises UsageError for nobody's."""
    if word is None:
        return {kind: {} for kind in kinds}
    found: dict[Kind, dict[str, str]] = {}
    for kind in kinds:
        try:
            found[kind] = {"state": State(normalise(kind, word)).value}
        except UsageError:
            if kind is kinds[-1] and not found:
                raise
    return found


def _rows(where: Source, kind: Kind, query: dict[str, str], limit: int) -> list[Row]:
    """As many pages as it takes."""
    found: list[Row] = []
    cursor: str | None = None
    while len(found) < limit:
        asked = {**query, "limit": str(min(_PAGE, limit - len(found))), **({"cursor": cursor} if cursor else {})}
        page = where.lifecycles(kind.value, asked)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return found


def _line(row: Row) -> list[str]:
    at = row["ended_at"] or row["started_at"] or row["pending_at"] or row["opened_at"]
    state = WORDS.get(str(row["shown"]), str(row["shown"]))
    names = [cell(row[name]) for name in ("kind", "product", "version", "environment")]
    return [str(at)[:19].replace("T", " "), *names, state, cell(row["actor"]), _took(row)]


def _took(row: Row) -> str:
    if row["duration"] is not None:
        return span(float(row["duration"]))
    if row["ended_at"] is None or row["started_at"] is None:
        return "–"
    return span(parse(row["ended_at"]) - parse(row["started_at"]))


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise UsageError(f"--limit takes a number from 1 to {MOST}, not {shown(text)}")
    return int(text)
