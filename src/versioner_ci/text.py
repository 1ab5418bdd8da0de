"""Outside text made safe to store, to cut and to print on one line."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONE = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates but those that stand for a byte which was not UTF-8."""
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
MARK = "…[cut]"


def clean(value: str) -> str:
    """Valid Unicode: bytes that were not UTF-8, lone surrogates and NUL become U+FFFD."""
    if not value.isascii():
        value = _LONE.sub("\ufffd", value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value.replace("\0", "\ufffd")


def one_line(value: str) -> str:
    """Control characters written out, so that text can neither start a line nor move a cursor."""
    return _CONTROL.sub(lambda m: _NAMED.get(m[0], f"\\x{ord(m[0]):02x}"), clean(value))


def visible(value: str) -> str:
    """Without bidirectional and zero-width controls, which can make text look like other text."""
    return _INVISIBLE.sub("", clean(value))


def cut(value: str, limit: int, mark: str = "…") -> str:
    """At most `limit` code points, the mark included."""
    return value if len(value) <= limit else value[: max(0, limit - len(mark))] + mark


def cut_bytes(value: str, limit: int, mark: str = MARK) -> str:
    """At most `limit` bytes of UTF-8, never in the middle of a code point, the mark included."""
    raw = value.encode("utf-8", "replace")
    if len(raw) <= limit:
        return value
    return raw[: max(0, limit - len(mark.encode()))].decode("utf-8", "ignore") + mark
