"""Markdown of the reference pages: pages of parts, tables of rows, values as code."""

from __future__ import annotations

from collections.abc import Iterable

NOTE = "<!-- Made by script/reference; do not edit. -->"


def page(*parts: str) -> str:
    """A generated file's text: headings, paragraphs and tables with an empty line between them."""
    return "\n\n".join([NOTE, *(part for part in parts if part)]) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; cells are Markdown."""
    names = list(head)
    return "\n".join([_row(names), _row("---" for _ in names), *map(_row, rows)])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(value: object) -> str:
    """A value as code; a dash for none."""
    return f"`{value}`" if value not in {None, ""} else "–"


def codes(values: Iterable[object]) -> str:
    """Values as code, with commas between them."""
    return ", ".join(map(code, values)) or "–"


def sentence(text: str) -> str:
    """With a capital letter in front and one full stop at its end."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}."
