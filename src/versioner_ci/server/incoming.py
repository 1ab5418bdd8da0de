"""A request's body as JSON, read strictly: what is doubtful is refused with a code of its own, and costs little."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.types import Receive

from versioner_ci.server.problems import Problem

MOST_BYTES = 256 * 1024
DEEPEST = 64
"""Lists and objects in each other."""
LONGEST_NUMBER = 400
"""Digits."""
_LARGEST = sys.float_info.max
"""A float beyond it is refused as well: no reader of what is stored can calculate with it."""


async def body_of(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The whole body of a request. Raises Problem: 413, 415."""
    check_type(headers)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:12]) > MOST_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "body_incomplete", "the body ended too early")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def check_type(headers: Mapping[str, str]) -> None:
    """Raises Problem 415 for anything but plain JSON in UTF-8."""
    if "content-encoding" in headers:
        raise Problem(415, "content_encoding", "send the body without Content-Encoding")
    kind, _, rest = headers.get("content-type", "").partition(";")
    charset = rest.strip().lower().replace('"', "").replace(" ", "")
    if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8", "charset=utf8"}:
        raise Problem(415, "not_json", "send JSON with Content-Type: application/json")


def parse(raw: bytes) -> dict[str, Any]:
    """A JSON object. Raises Problem 400."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "json_not_utf8", "the body is not UTF-8") from None
    try:
        value = _DECODER.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Problem(400, "json_invalid", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem(400, "json_no_object", "the body must be a JSON object")
    if text.count("[") + text.count("{") > DEEPEST or "\\u" in text:
        _walk(value)
    return value


def _walk(value: object) -> None:
    """Depth, NUL and lone surrogates; without recursion."""
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        below: list[object] = []
        for each in level:
            if isinstance(each, str):
                _check_text(each)
            elif isinstance(each, dict):
                below += each
                below += each.values()
            elif isinstance(each, list):
                below += each
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Problem(400, "json_nul", "the body holds a NUL character (\\u0000)")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise Problem(400, "json_surrogate", "the body holds half of a surrogate pair (\\ud800 to \\udfff)")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(400, "json_duplicate_key", "an object of the body names a key twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise _no_number("has too many digits")
    number = int(digits)
    if not -_LARGEST <= number <= _LARGEST:
        raise _no_number("is too large")
    return number


def _float(digits: str) -> float:
    number = float(digits) if len(digits) <= LONGEST_NUMBER else float("inf")
    if number in {float("inf"), float("-inf")}:
        raise _no_number("is too large")
    return number


def _constant(word: str) -> NoReturn:
    raise _no_number(f"is {word}, which JSON does not have")


def _no_number(what: str) -> Problem:
    return Problem(400, "json_number", f"a number of the body {what}")


def _too_deep() -> Problem:
    return Problem(400, "json_too_deep", f"the body has more than {DEEPEST} lists and objects in each other")


def _too_large() -> Problem:
    # The rest is not read: the connection is of no more use.
    return Problem(413, "body_too_large", f"the body may have {MOST_BYTES} bytes", headers={"Connection": "close"})


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)
