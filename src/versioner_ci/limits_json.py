"""Any value as JSON types within bounds; a cut leaves a mark in its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from math import isfinite
from typing import Any, TypeVar

from versioner_ci.text import MARK, clean, cut, cut_bytes, one_line

_Leaf = TypeVar("_Leaf", bound="str | float | None")
MAX_DEPTH = 8
MAX_VALUE = 8 * 1024
_MAX_KEY = 255
_LARGEST_INT = 2**63
_TOO_LONG = "longer than 8 KiB"
_MARK_SIZE = len(MARK.encode()) + 2
_CLOSING = 16 * _MARK_SIZE
"""Kept free in a container's 8 KiB for the marks of all its levels."""


def escaped_size(value: object) -> int:
    """Bytes as the longest of the usual ways to write JSON: blanks after separators, text escaped to ASCII."""
    return len(json.dumps(value))


def compact_size(leaf: str | float | None) -> int:
    """Bytes of a text, a number, a truth value or null as the shortest of the usual ways to write JSON."""
    if not isinstance(leaf, str):
        return len(repr(leaf))
    return len(json.dumps(leaf, ensure_ascii=False).encode())


def shortened(text: str, room: int, size: Callable[[str], int]) -> str:
    """As much of a text's beginning as takes `room` at most."""
    limit = room
    while size(text) > room and text:
        text = cut_bytes(text, max(0, limit), "")
        limit = min(limit - 1, limit * room // max(1, size(text)))
    return text


def key_text(key: object) -> str:
    """A key as JSON has it: text, valid Unicode, at most 255 characters."""
    if isinstance(key, str):
        return cut(clean(key), _MAX_KEY, MARK)
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return cut(_text(key), _MAX_KEY, MARK)


class Cutter:
    """Cuts one value after another; nested keys draw on one common number of keys."""

    def __init__(self, *, keys: int) -> None:
        self.cut: dict[str, str] = {}
        """Key of a value that was cut, and why."""
        self._keys = keys
        self._room = 0
        self._why = ""

    def notes(self) -> list[str]:
        """One line that can be printed for each value that was cut."""
        return [f"metadata '{cut(one_line(key), 60)}': cut, {why}" for key, why in self.cut.items()]

    def value(self, value: object, key: str) -> Any:
        """At most 8 KiB: a text by its own bytes, anything else by its compact JSON."""
        self._room, self._why = MAX_VALUE - _CLOSING, ""
        if isinstance(value, Enum):
            value = value.value
        if isinstance(value, (str, bytes, bytearray)):
            whole = _text(value)
            done: Any = cut_bytes(whole, MAX_VALUE)
            self._why = _TOO_LONG if done != whole else ""
        else:
            done = self._any(value, 2)
        if self._why:
            self.cut[key] = self._why
        return done

    def _any(self, value: object, depth: int) -> Any:
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool):
            return self._paid(value)
        if isinstance(value, int) and -_LARGEST_INT <= value < _LARGEST_INT:
            return self._paid(int(value))
        if isinstance(value, float) and isfinite(value):
            return self._paid(float(value))
        if isinstance(value, (Mapping, Sequence, AbstractSet)) and not isinstance(value, (str, bytes, bytearray)):
            return self._container(value, depth)
        return self._string(_text(value))

    def _container(self, value: Mapping[Any, Any] | Sequence[Any] | AbstractSet[Any], depth: int) -> Any:
        if depth > MAX_DEPTH:
            return self._mark(f"nested deeper than {MAX_DEPTH} levels")
        self._room -= 2
        return self._map(value, depth) if isinstance(value, Mapping) else self._list(value, depth)

    def _map(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        done: dict[str, Any] = {}
        for key, inner in value.items():
            text = key_text(key)
            cost = compact_size(text) + 2
            if self._keys < 1 or not self._has(cost):
                self._why = self._why or ("more than 100 keys in all" if self._keys < 1 else _TOO_LONG)
                break
            self._keys -= 1
            self._room -= cost
            done[text] = self._any(inner, depth + 1)
        return done

    def _list(self, value: Sequence[Any] | AbstractSet[Any], depth: int) -> list[Any]:
        done: list[Any] = []
        for inner in sorted(value, key=repr) if isinstance(value, AbstractSet) else value:
            self._room -= 1
            if not self._has(0):
                done.append(MARK if inner == MARK else self._mark(_TOO_LONG))
                break
            done.append(self._any(inner, depth + 1))
        return done

    def _string(self, text: str) -> str:
        if compact_size(text) <= self._room:
            return self._paid(text)
        self._why = self._why or _TOO_LONG
        return self._paid(shortened(text, self._room - _MARK_SIZE, compact_size) + MARK)

    def _mark(self, why: str) -> str:
        self._why = self._why or why
        return self._paid(MARK)

    def _has(self, cost: int) -> bool:
        """Room for this, for any number and for a mark after it."""
        return self._room - cost > 4 * _MARK_SIZE

    def _paid(self, value: _Leaf) -> _Leaf:
        self._room -= compact_size(value)
        return value


def _text(value: object) -> str:
    if isinstance(value, (bytes, bytearray)):
        return clean(bytes(value).decode("utf-8", "replace"))
    try:
        written = getattr(value, "isoformat", None)
        return clean(str(written() if callable(written) else value))
    except Exception:  # noqa: BLE001 - any object may come from Python code, with any __str__
        return f"<{type(value).__name__}>"
