"""`versioner-ci statuses`: the table of words."""

from __future__ import annotations

from versioner_ci.cli import Invocation
from versioner_ci.options import Parser
from versioner_ci.status import WORDS, State


def parser() -> Parser:
    """The options of `statuses`."""
    made = Parser(
        "statuses",
        usage="versioner-ci statuses [options]",
        description="The status words and the state that each means.",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return made


def main(call: Invocation) -> int:
    """The exit code of `statuses`."""
    options = parser().read(call.arguments)
    if options.json:
        rows = [
            {"word": row.word, "state": row.state.value, "kind": row.kind.value if row.kind else None, "host": row.host}
            for row in WORDS
        ]
        call.console.json({"words": rows})
        return 0
    for state in State:
        said = [row for row in WORDS if row.state is state]
        call.console.data(state.value)
        call.console.data(f"  {', '.join(_shown(row.word, row.kind) for row in said if not row.host)}")
        call.console.data(f"  CI hosts: {', '.join(row.word for row in said if row.host)}")
    return 0


def _shown(word: str, kind: object) -> str:
    return word if kind is None else f"{word} ({getattr(kind, 'value', kind)} only)"
