"""What an old Python reads of the zipapp is written in old Python, also where no old Python is installed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.built import ROOT

FILES = [ROOT / "script" / "zipapp" / name for name in ("__main__.py", "versioner_ci_stand_in.py")]
NEW = {
    ast.JoinedStr: "an f-string",
    ast.AnnAssign: "an annotation",
    ast.NamedExpr: "a walrus",
    ast.Nonlocal: "nonlocal",
    ast.YieldFrom: "yield from",
    ast.Starred: "a star in an expression",
    ast.AsyncFunctionDef: "async",
    ast.MatMult: "@ between matrices",
    ast.Match: "match",
}


def newer(text: str) -> Iterator[str]:
    """What Python 2.7 cannot read."""
    for node in ast.walk(ast.parse(text)):
        if type(node) in NEW:
            yield NEW[type(node)]
        elif isinstance(node, ast.arguments) and (node.kwonlyargs or node.posonlyargs):
            yield "an argument by name only"
        elif (isinstance(node, ast.arg) and node.annotation) or (isinstance(node, ast.FunctionDef) and node.returns):
            yield "an annotation"
        elif isinstance(node, ast.Raise) and node.cause:
            yield "raise from"
        elif isinstance(node, ast.Dict) and None in node.keys:
            yield "** in a dict"
        elif isinstance(node, ast.ClassDef) and node.keywords:
            yield "a metaclass"
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and {name.name for name in node.names} & {"annotations"}:
            yield "from __future__ import annotations"


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_it_is_old_python(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.isascii()  # without a coding line Python 2.7 reads nothing else
    assert list(newer(text)) == []


@pytest.mark.parametrize(
    "line",
    [
        *('f"{1}"', "a: int = 1", "(a := 1)", "def f(*, a): 0", "def f(a: int): 0", "def f() -> int: 0"),
        *("raise A from None", "[*a]", "{**a}", "async def f(): 0", "class A(metaclass=B): 0", "print(*a)"),
        *("from __future__ import annotations", "a @ b"),
    ],
)
def test_newer_words_are_found(line: str) -> None:
    assert list(newer(line))
