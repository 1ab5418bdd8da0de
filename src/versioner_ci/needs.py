"""GitHub's `toJSON(needs)`: the results of a whole run's jobs as one ending."""

from __future__ import annotations

import json

from versioner_ci.errors import UsageError
from versioner_ci.status import State
from versioner_ci.text import one_line

_WORST_FIRST = (("failure", State.FAILED), ("cancelled", State.ABORTED), ("success", State.COMPLETED))
_LARGEST = 8 << 20


def worst_of(argument: str) -> State | None:
    """Failure before cancelled before success; None where all were skipped.

    `argument` is `@FILE` (or the JSON itself): `{"job": {"result": "success", …}, …}`.
    Raises UsageError for anything else.
    """
    results = _results(_text(argument))
    unknown = results - {word for word, _ in _WORST_FIRST} - {"skipped"}
    if unknown:
        raise UsageError(f"--needs: unknown result '{one_line(min(unknown))[:60]}'")
    return next((state for word, state in _WORST_FIRST if word in results), None)


def _text(argument: str) -> str:
    if not argument.startswith("@"):
        return argument
    try:
        with open(argument[1:], "rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise UsageError(f"--needs: cannot read '{argument[1:60]}': {why}") from None


def _results(text: str) -> set[str]:
    try:
        return {str(job["result"]) for job in json.loads(text).values()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UsageError("--needs: not the JSON of `toJSON(needs)`") from None
