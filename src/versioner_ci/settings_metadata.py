"""Metadata as it is typed: KEY=VALUE, JSON, a file of JSON, or standard input."""

from __future__ import annotations

import json
import os
import select
import stat
import time
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from versioner_ci.errors import UsageError
from versioner_ci.limits import MAX_NAME
from versioner_ci.settings_parse import shown
from versioner_ci.text import clean

_PATIENCE = 5.0
"""Seconds."""
_LARGEST = 8 * 1024 * 1024
_SHAPE = """write it like '{"team": "payments"}'"""


class _NotAnObjectError(ValueError):
    """JSON that can be read but not be sent."""


def metadata_from(
    pairs: Iterable[str] | Mapping[str, Any] = (), document: str | None = None, *, stdin: BinaryIO | None = None
) -> dict[str, Any]:
    """`--metadata KEY=VALUE…` (or a map that is one already) over `--metadata-json JSON|@FILE|-`.

    A value of KEY=VALUE is text. Raises UsageError that names the option and what is wrong.
    """
    below = {} if document is None else from_json(_read(document.strip(), stdin))
    if isinstance(pairs, Mapping):
        return {**below, **pairs}
    return {**below, **_pairs(pairs, "--metadata")}


def from_variable(text: str) -> dict[str, Any]:
    """A variable's value: a JSON object, @FILE, or lines of KEY=VALUE. Raises UsageError; it names no variable."""
    trimmed = text.strip()
    if trimmed.startswith(("{", "[", "@")):
        return from_json(_read(trimmed, None))
    return _pairs((line for line in trimmed.splitlines() if line.strip()), "metadata")


def from_json(raw: str | bytes) -> dict[str, Any]:
    """A JSON object without duplicate or ill keys. Raises UsageError naming line and column."""
    try:
        text = raw.decode(json.detect_encoding(raw)) if isinstance(raw, bytes) else clean(raw)
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise UsageError(f"metadata is not UTF-8 text (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"metadata is not JSON: {error.msg} at {where}", fix=_SHAPE) from None
    except _NotAnObjectError as error:
        raise UsageError(f"metadata: {error}") from None
    except RecursionError:
        raise UsageError("metadata is nested too deeply") from None
    except ValueError:
        raise UsageError("metadata holds a number that is too long", fix="send it as text") from None
    if not isinstance(found, dict):
        raise UsageError(f"metadata is {_called(found)}, not a JSON object", fix=_SHAPE)
    for key in found:
        _checked(key)
    return found


def _read(document: str, stdin: BinaryIO | None) -> str | bytes:
    if document == "-":
        if stdin is None:
            raise UsageError("metadata cannot be read from standard input here", fix="use @FILE")
        return _capped(stdin)
    if not document.startswith("@"):
        return document
    try:
        with open(document[1:], "rb") as file:
            return _capped(file)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise UsageError(f"cannot read the metadata file {shown(document[1:])}: {why}") from None


def _capped(file: BinaryIO) -> bytes:
    raw = _read_stream(file) if _is_slow(file) else file.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise UsageError("metadata is larger than 8 MiB", fix="at most 64 KiB of it could be sent")
    return raw


def _is_slow(file: BinaryIO) -> bool:
    """A pipe may stay open for ever; a file ends, and so does what is in memory."""
    try:
        return not stat.S_ISREG(os.fstat(file.fileno()).st_mode) and os.name == "posix"
    except (OSError, ValueError):
        return False


def _read_stream(file: BinaryIO) -> bytes:
    """All of a pipe, unless its writer takes longer than a call may."""
    give_up, raw = time.monotonic() + _PATIENCE, b""
    while (left := give_up - time.monotonic()) > 0 and len(raw) <= _LARGEST:
        if select.select([file], [], [], left)[0]:
            chunk = os.read(file.fileno(), 65_536)
            if not chunk:
                return raw
            raw += chunk
    if len(raw) > _LARGEST:
        return raw
    raise UsageError(f"metadata: the pipe did not end within {_PATIENCE:.0f} s")


def _pairs(pairs: Iterable[str], option: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = clean(str(pair)).partition("=")
        if not sign:
            raise UsageError(f"{option} {shown(pair)} has no '='", fix="write it like team=payments")
        key = _checked(key.strip())
        if key in found:
            raise UsageError(f"{option}: the key {shown(key)} is given twice")
        found[key] = value
    return found


def _checked(key: str) -> str:
    if not key.strip():
        raise UsageError("metadata has an empty key", fix="write it like team=payments")
    if not key.isprintable():
        raise UsageError(f"the metadata key {shown(key)} holds a character that cannot be shown")
    if len(key) > MAX_NAME:
        raise UsageError(f"the metadata key {shown(key)} is longer than {MAX_NAME} characters")
    return key


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _NotAnObjectError(f"the key {shown(key)} is given twice")
        found[key] = value
    return found


def _constant(word: str) -> object:
    raise _NotAnObjectError(f"{word} is not a JSON number")


def _called(value: object) -> str:
    kinds = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
