"""The end of a command's stderr as the error of its failure."""

from __future__ import annotations

import re

from versioner_ci.redact import Redactor
from versioner_ci.text import clean

LINES = 20
BYTES = 4_096
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_OURS = ("versioner-ci: ", "::warning title=versioner-ci", "::error title=versioner-ci")
"""What a `versioner-ci` inside CMD says is no error of CMD's."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def error_text(raw: bytes, redactor: Redactor) -> str | None:
    """The last 20 lines, at most 4 KiB, without terminal escapes, masked; None if nothing was written."""
    text = _ESCAPES.sub("", clean(raw.decode("utf-8", "replace")))
    rows = [_CONTROL.sub("", row.rstrip("\r").rpartition("\r")[2]).rstrip() for row in text.split("\n")]
    rows = [row for row in rows if not row.startswith(_OURS)]
    while rows and not rows[-1]:
        rows.pop()
    masked = redactor("\n".join(rows[-LINES:]))
    return masked.encode("utf-8", "replace")[-BYTES:].decode("utf-8", "ignore") or None
