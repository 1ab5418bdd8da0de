"""GitHub's `toJSON(steps)`: which step of a job has failed."""

from __future__ import annotations

import json

from versioner_ci.text import one_line, visible

_LARGEST = 8 << 20
_LONGEST_NAME = 100
_UNNAMED = "__"
"""GitHub's own names for steps without an id begin so."""


def failed_step(argument: str) -> str | None:
    """The id of the first step that failed the job; None where none did, or none that has an id.

    `argument` is `@FILE` (or the JSON itself): `{"id": {"conclusion": "failure", …}, …}`. A step that may fail
    (`continue-on-error`) concludes with success. Raises ValueError for anything else.
    """
    try:
        steps = json.loads(_text(argument) or "{}")
        failed = [str(name) for name, step in steps.items() if step.get("conclusion") == "failure"]
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError("not the JSON of `toJSON(steps)`") from None
    named = [name for name in failed if not name.startswith(_UNNAMED)]
    return one_line(visible(named[0]))[:_LONGEST_NAME] if named else None


def _text(argument: str) -> str:
    if not argument.startswith("@"):
        return argument.strip()
    with open(argument[1:], "rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace").strip()
