"""From a flag's or a variable's text to a setting's value: one pure function for each kind of value.

Each returns the value and, where the text was mended, a note. ParseError says what is wrong; it never shows a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from versioner_ci.limits import MAX_NAME
from versioner_ci.settings_values import Gate, Identity, nearest, unique
from versioner_ci.text import clean, cut, one_line

Parsed = tuple[Any, "str | None"]
Parser = Callable[[object], Parsed]

_URL = re.compile(r"(?P<scheme>\w+)://(?P<authority>[^/?#]*)[^?#]*(?P<rest>(?s:.*))")
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:@\[\]/\\%<>\"'`{}|^,;]+)(?::(?P<port>[0-9]{1,5}))?")
_IPV4 = r"127(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}"
_ILL = re.compile(r"[^\x21-\x7e]")
_LAST_BLANK = re.compile(r"(?:\r?\n|[ \t\r])\Z")
_CHANNEL = re.compile(r"#?[\w.-]{1,80}")
_CHANNEL_ID = re.compile(r"#[CDG][A-Z0-9]{6,}")
_ARCHIVE = r"/archives/([CDG][A-Z0-9]{6,})"
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f"})


class ParseError(ValueError):
    """One clause on what is wrong; `rest` is what can still be used of a list."""

    def __init__(self, message: str, *, fix: str | None = None, rest: object = None) -> None:
        super().__init__(message)
        self.fix = fix
        self.rest = rest


def shown(value: object) -> str:
    """Outside text as it may stand in a message."""
    return f"'{cut(one_line(str(value)), 60)}'"


def name(value: object) -> Parsed:
    """A product, version or environment: at most 255 characters."""
    found = clean(str(value)).strip()
    if not found:
        raise ParseError("is empty")
    if len(found) > MAX_NAME:
        return cut(found, MAX_NAME), f"is {len(found):,} characters long; cut to {MAX_NAME}"
    return found, None


def word(value: object) -> Parsed:
    """Any text on one line, whole."""
    found = clean(str(value)).strip()
    if not found:
        raise ParseError("is empty")
    return found, None


def path(value: object) -> Parsed:
    """A path, byte for byte."""
    found = str(value)
    if "\0" in found:
        raise ParseError("holds a NUL, which no path may")
    return found, None


def boolean(value: object) -> Parsed:
    """The usual words for true and false, in any case."""
    found = str(value).strip().lower()
    if found in _TRUE or found in _FALSE:
        return found in _TRUE, None
    raise ParseError(f"{shown(value)} is neither true nor false", fix="write true or false")


def number(low: float, high: float, unit: str) -> Parser:
    """A parser for a number between two bounds, both allowed."""

    def parse(value: object) -> Parsed:
        try:
            found = float(str(value).strip())
        except ValueError:
            raise ParseError(f"{shown(value)} is not a number of {unit}", fix=f"{low:g} to {high:g}") from None
        if not low <= found <= high:
            raise ParseError(f"{shown(value)} {unit} is out of bounds", fix=f"{low:g} to {high:g}")
        return found, None

    return parse


def choice(*words: str, to: Callable[[str], object] = str) -> Parser:
    """A parser for one of some words; case and blanks around do not matter."""

    def parse(value: object) -> Parsed:
        found = str(value.value if isinstance(value, Enum) else value).strip().lower()
        if found in words:
            return to(found), None
        near = nearest(found, words)
        fix = f"did you mean '{near}'?" if near else None
        raise ParseError(f"{shown(value)} is none of {', '.join(words)}", fix=fix)

    return parse


def gate(value: object) -> Parsed:
    """`off`, `on`, `required`; also true, no and their like, since YAML and CI inputs turn on and off into them."""
    found = str(value).strip().lower()
    spelt = "on" if found in _TRUE else "off" if found in _FALSE else value
    return choice(*(each.value for each in Gate), to=Gate)(spelt)


def identity(value: object) -> Parsed:
    """`login`, `full` or `none`."""
    return choice(*(each.value for each in Identity), to=Identity)(value)


def secret(value: object) -> Parsed:
    """A token as it can stand in a header: visible ASCII. One newline or blank at its end is taken off."""
    given = str(value)
    found = _LAST_BLANK.sub("", given)
    ill = _ILL.search(found)
    if ill is not None:
        what = "a blank" if ill[0] in " \t" else "a line break" if ill[0] in "\r\n" else "a character no token has"
        raise ParseError(f"holds {what} (character {ill.start() + 1} of {len(found)})", fix="copy it again, whole")
    return found, None if found == given else "ended in a newline or a blank, which was taken off"


def url(value: object) -> Parsed:
    """A web address without user name, password, query or fragment; no slash at its end. Never shown in a message."""
    given = str(value)
    found = _LAST_BLANK.sub("", given)
    match = _URL.fullmatch(found)
    if match is None:
        raise ParseError("is not a web address", fix="write it like https://api.example.com")
    if _ILL.search(found) or "\\" in found:
        raise ParseError("holds a blank, a backslash or a character no web address has", fix="copy it again, whole")
    if match["scheme"].lower() not in {"http", "https"}:
        raise ParseError("does not start with https://", fix="write it like https://api.example.com")
    if "@" in match["authority"]:
        raise ParseError("holds a user name or a password", fix="take it out of the address")
    host = _HOST.fullmatch(match["authority"])
    if host is None or int(host["port"] or 1) not in range(1, 65_536):
        raise ParseError("has no usable host name or port", fix="write it like https://api.example.com")
    if match["rest"]:
        raise ParseError("holds a '?' or '#' part", fix="end it before that")
    return found.rstrip("/"), None if found == given else "ended in a newline or a blank, which was taken off"


def is_plain_http(address: str) -> bool:
    """Whether a parsed address would send secrets unencrypted over a network (loopback is none)."""
    match = _URL.fullmatch(address)
    host = _HOST.fullmatch(match["authority"]) if match else None
    if match is None or host is None or match["scheme"].lower() != "http":
        return False
    return not (host["host"].lower() in {"localhost", "[::1]"} or re.fullmatch(_IPV4, host["host"]))


def channel(value: object) -> Parsed:
    """A Slack channel: its id, or its name with or without `#`."""
    found = str(value).strip()
    if _CHANNEL.fullmatch(found):
        return found.lstrip("#") if _CHANNEL_ID.fullmatch(found) else found, None
    archive = re.search(_ARCHIVE, found)
    fix = f"use {archive[1]}" if archive else "an id like C0123456789, or a name like #deploys"
    raise ParseError(f"{shown(value)} is not a Slack channel", fix=fix)


def channels(value: object) -> Parsed:
    """Several channels: a sequence of texts, each with commas or blanks between channels."""
    texts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    found: list[str] = []
    wrong: ParseError | None = None
    for each in re.split(r"[\s,]+", " ".join(map(str, texts)).strip(" ,\t\r\n")):
        try:
            found.append(channel(each)[0])
        except ParseError as error:
            wrong = wrong or error
    if wrong is not None:
        raise ParseError(str(wrong), fix=wrong.fix, rest=unique(found) or None)
    return unique(found), None


def mapping(value: object) -> Parsed:
    """A map that is one already (from a file or from Python)."""
    if not isinstance(value, Mapping):
        raise ParseError("is not a map")
    return dict(value), None


def is_blank(value: object) -> bool:
    """An unset variable in a pipeline arrives as empty text."""
    return isinstance(value, str) and not value.strip()
