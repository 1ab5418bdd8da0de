"""`doctor`: is it set up? Each check is one row that says what is so, and the command or edit that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from versioner_ci import __version__
from versioner_ci.records import dataclass
from versioner_ci.report import inert
from versioner_ci.text import cut

WIDTH = 100
_NAME_WIDTH = 13
_LEAD = 7 + _NAME_WIDTH + 1


class State(Enum):
    """How a check came out; only `bad` has to be mended."""

    OK = "ok"
    WARN = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One row. `fix`: a shell command, or `in FILE …` for an edit; done as printed it mends what is bad."""

    name: str
    state: State = State.OK
    said: str
    fix: str | None = None


def ok(name: str, said: str) -> Check:
    """A row that only tells."""
    return Check(name=name, said=said)


def warn(name: str, said: str, fix: str | None = None) -> Check:
    """A row about what works, but perhaps not as meant."""
    return Check(name=name, state=State.WARN, said=said, fix=fix)


def bad(name: str, said: str, fix: str) -> Check:
    """A row about what has to be mended."""
    return Check(name=name, state=State.BAD, said=said, fix=fix)


def count_bad(checks: Iterable[Check]) -> int:
    """How many have to be mended."""
    return sum(check.state is State.BAD for check in checks)


def screen(checks: list[Check], *, is_sent: bool, hint: str | None = None) -> Iterator[str]:
    """The lines to print; what is said is cut to the screen's width, a fix never."""
    yield f"versioner-ci {__version__}: is it set up?"
    for check in checks:
        yield f"  {check.state.value:<4} {check.name:<{_NAME_WIDTH}} {cut(inert(check.said), WIDTH - _LEAD - 1)}"
        if check.fix is not None:
            yield f"       {'fix:':<{_NAME_WIDTH}} {inert(check.fix)}"
    yield _verdict(count_bad(checks), is_sent=is_sent)
    if hint is not None and count_bad(checks):
        yield hint


def as_json(checks: list[Check]) -> dict[str, Any]:
    """The object that `--json` prints."""
    rows = [{"name": c.name, "state": c.state.name.lower(), "said": c.said, "fix": c.fix} for c in checks]
    return {"ok": count_bad(checks) == 0, "error": None, "checks": rows}


def _verdict(count: int, *, is_sent: bool) -> str:
    if count:
        return f"{count} to mend: do what stands behind `fix:`, then run this again"
    if is_sent:
        return "all fine, and proved"
    return "all fine as far as can be told without sending: `versioner-ci doctor --send-test` proves it"
