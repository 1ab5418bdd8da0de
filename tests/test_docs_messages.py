"""Every message that the documents quote is one that the program prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import versioner_ci
from tests.test_docs_pages import ROOT, prose

PACKAGE = Path(versioner_ci.__file__).parent
ACTIONS = ROOT / "actions/lib"
QUOTING = ("README.md", "docs/troubleshooting.md")
_ENOUGH = 12
"""Letters of a message that must be the program's own words, unless they are a good part of it."""


def quoted() -> Iterator[tuple[str, str]]:
    """Page and message: the first column of each table headed `message`."""
    for name in QUOTING:
        for table in re.findall(r"^\| message \|.*\n\|.*\n((?:\|.*\n)+)", prose(ROOT / name), re.MULTILINE):
            for message in re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE):
                yield name, message


@cache
def templates() -> frozenset[tuple[str, int]]:
    """Each text of the program as a pattern, and how many letters of it are fixed."""
    found = set()
    for path in (*PACKAGE.rglob("*.py"), *ACTIONS.glob("*.py"), *(ROOT / "script/zipapp").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else None
                     for part in parts]  # fmt: skip
            fixed = sum(len(text) for text in texts if text)
            if fixed:
                found.add(("".join(".*" if text is None else re.escape(text) for text in texts), fixed))
    return frozenset(found | set(_javascript()))


def _javascript() -> Iterator[tuple[str, int]]:
    """The same of the actions' JavaScript."""
    for path in ACTIONS.glob("*.mjs"):
        for quoted in re.findall(r"`[^`\n]+`|'[^'\n]+'|\"[^\"\n]+\"", path.read_text(encoding="utf-8")):
            texts = re.split(r"\$\{[^}]*\}", quoted[1:-1])
            yield ".*".join(map(re.escape, texts)), sum(map(len, texts))


def is_printed(message: str) -> bool:
    """Whether a text of the program can be this message; one that ends in … may go on."""
    text, more = (message[:-1], ".*") if message.endswith("…") else (message, "")
    if more:
        return any(re.match(re.escape(text), _plain(pattern)) for pattern, _ in templates())
    enough = min(_ENOUGH, max(3, len(text) // 3))
    whole = any(fixed >= enough and re.fullmatch(pattern, text, re.DOTALL) for pattern, fixed in templates())
    return whole or any(fixed > len(text) / 2 and re.search(pattern, text) for pattern, fixed in templates())


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


@pytest.mark.parametrize(("page", "message"), list(quoted()))
def test_a_quoted_message_is_one_that_the_program_prints(page: str, message: str) -> None:
    last = message.rpartition(": ")[2]  # a channel or a host stands before an error's own code
    assert is_printed(message) or is_printed(last), page


def test_a_message_that_nobody_prints_is_noticed() -> None:
    assert not is_printed("the moon is not configured to report to")
    assert not is_printed("HOST: server does not speak Klingon")
    assert is_printed("refused by tracker.example.com:443")
    assert is_printed("nothing is configured to report to: …")


def test_many_messages_are_quoted() -> None:
    assert len(list(quoted())) > 50
