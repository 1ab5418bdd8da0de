"""YAML text to plain values with their lines, in bounded time; scalars as their author wrote them.

Only the composer of PyYAML's SafeLoader is used: no tag ever constructs anything.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import yaml

from versioner_ci.settings_parse import shown
from versioner_ci.text import cut, one_line

_MAX_VALUES = 5_000
_MAX_DEPTH = 40
_PREFIX = "tag:yaml.org,2002:"
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")


class Found(NamedTuple):
    """A value and the line it starts on; its containers hold further ones."""

    line: int
    value: Any


class Fault(NamedTuple):
    """What is wrong, and on which line."""

    line: int | None
    message: str


class BadFileError(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Stops where a hostile file would start to cost seconds."""

    _composed = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._composed += 1
        if self._composed > 2 * _MAX_VALUES:
            raise _too_many(None)
        return super().compose_node(parent, index)

    def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 - PyYAML's own name
        if self.flow_level > _MAX_DEPTH:
            raise _too_deep(self.line + 1)
        super().fetch_flow_collection_start(TokenClass)


def _too_many(line: int | None) -> BadFileError:
    return BadFileError(line, f"holds more than {_MAX_VALUES:,} values, repeated ones counted each time")


def _too_deep(line: int | None) -> BadFileError:
    return BadFileError(line, f"is nested deeper than {_MAX_DEPTH} levels")


def decoded(raw: bytes) -> str:
    """UTF-8, or UTF-16 with a byte order mark. Raises BadFileError."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadFileError(raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 text") from None


def parse(text: str) -> tuple[Found | None, list[Fault]]:
    """The one document (None: it is empty) and what had to be left out of it. Raises BadFileError."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadFileError(mark.line + 1 if mark else None, _said(error.problem or error.context or "")) from None
    except yaml.YAMLError:
        raise BadFileError(None, "is not YAML: it holds a character that YAML does not allow") from None
    except RecursionError:
        raise _too_deep(None) from None
    except (ValueError, IndexError, AttributeError, TypeError):
        raise BadFileError(None, "is not YAML that can be read") from None
    walk = _Walk()
    return (None if node is None else walk.found(node, 0)), walk.faults


def _said(problem: str) -> str:
    if "'\\t'" in problem:
        return "is not YAML: a tab; indent with blanks"
    return f"is not YAML: {cut(one_line(problem), 120)}"


class _Walk:
    """Turns nodes into values; aliases are counted each time, so that a bomb of them stops early."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._count = 0

    def found(self, node: yaml.Node, depth: int) -> Found:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _too_many(line)
        if depth > _MAX_DEPTH:
            raise _too_deep(line)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_PREFIX}map":
            return Found(line, self._mapping(node, depth))
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_PREFIX}seq":
            return Found(line, [self.found(item, depth + 1) for item in node.value])
        if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_PREFIX) in _SCALARS:
            return Found(line, _scalar(node))
        self.faults.append(Fault(line, f"the tag {shown(node.tag)} is not allowed here; ignored"))
        return Found(line, None)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Found]:
        done: dict[str, Found] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                self.faults.append(Fault(line, "a key must be text; ignored"))
            elif key.tag == f"{_PREFIX}merge":
                self.faults.append(Fault(line, "'<<' (a merge key) is not read; write its keys out"))
            else:
                if key.value in done:
                    self.faults.append(Fault(line, f"the key {shown(key.value)} is given twice; the last one counts"))
                inner = self.found(value, depth + 1)
                done[key.value] = Found(line, inner.value)
        return done


_SCALARS = frozenset({"str", "null", "bool", "int", "float", "timestamp", "value"})


def _scalar(node: yaml.ScalarNode) -> Any:
    """YAML 1.2's meaning: `no`, 1:30, 0123 and dates stay the text that was written."""
    raw: str = node.value
    kind = node.tag.removeprefix(_PREFIX)
    if kind == "null":
        return None
    if kind == "bool" and raw.lower() in {"true", "false"}:
        return raw.lower() == "true"
    if kind == "int" and _INT.fullmatch(raw):
        return int(raw)
    if kind == "float" and ":" not in raw and "_" not in raw:
        return _float(raw)
    return raw


def _float(raw: str) -> float | str:
    try:
        value = float(raw)
    except ValueError:
        return raw
    return value if math.isfinite(value) else raw
