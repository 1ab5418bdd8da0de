"""Tables and times for a terminal: columns that line up, whatever script a name is written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from versioner_ci.errors import UsageError
from versioner_ci.text import one_line, visible
from versioner_ci.times import parse

_WIDEST = 48
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def cell(value: object) -> str:
    """Outside text fit for a table; a dash for nothing."""
    text = visible(one_line(str(value))).strip() if value not in {None, ""} else ""
    if not text:
        return "–"
    while width(text) > _WIDEST:
        text = text[: min(len(text) - 2, _WIDEST)].rstrip() + "…"
    return text


def width(text: str) -> int:
    """How many columns a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines; the first row is the head. A cell of several lines makes several lines."""
    split = [[text.split("\n") for text in row] for row in rows]
    widths = [max(width(line) for row in split for line in row[column]) for column in range(len(rows[0]))]
    for number, row in enumerate(split):
        for index in range(max(len(lines) for lines in row)):
            texts = [lines[index] if index < len(lines) else "" for lines in row]
            padded = (text + " " * (most - width(text)) for text, most in zip(texts, widths, strict=True))
            yield "  ".join(padded).rstrip()
        if number == 0:
            yield "  ".join("─" * most for most in widths)


def ago(stamp: str | None, now: float) -> str:
    """`3 min ago`, of a time as the API writes it; "" for none or one that cannot be read."""
    try:
        seconds = now - parse(stamp or "")
    except UsageError:
        return ""
    if seconds < 5:
        return "just now"
    size, name = next((size, name) for size, name in _UNITS if seconds >= size)
    return f"{int(seconds // size)} {name} ago"


def span(seconds: float) -> str:
    """`0.4 s`, `42 s`, `3 min 12 s`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    for index, (size, name) in enumerate(_UNITS[:-1]):
        if whole >= size:
            smaller, small_name = _UNITS[index + 1]
            rest = whole % size // smaller
            return f"{whole // size} {name}{f' {rest} {small_name}' if rest else ''}"
    return f"{whole} s"
