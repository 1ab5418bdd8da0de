"""What a tracker says in an error's body, whatever shape that body has: words, code, rule and wait."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from versioner_ci import backoff, times
from versioner_ci.errors import VersionerError
from versioner_ci.reply import Reply

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_FIELDS = 8
_MOST_TEXT = 2000


class Unreadable(ValueError):  # noqa: N818 - not a fault: a fact about a reply
    """The body is no JSON; `is_torn`: it may be the beginning of some."""

    def __init__(self, *, is_torn: bool) -> None:
        super().__init__("no JSON")
        self.is_torn = is_torn


class Complaint(NamedTuple):
    """An error's body; every text is outside text, neither masked nor escaped."""

    text: str = ""
    code: str | None = None
    """`code`, else `error`."""
    rule: str | None = None
    retry_after: float | None = None
    """Seconds."""


def document(reply: Reply) -> Any:
    """The body as JSON types; None for an empty one. Raises Unreadable."""
    if reply.is_oversize or backoff.header(reply.headers, "content-encoding").lower() not in {"", "identity"}:
        raise Unreadable(is_torn=False)
    try:
        text = reply.body.removeprefix(_BYTE_ORDER_MARK).decode()
        # Not strict: control characters are escaped where text is shown.
        return json.loads(text, strict=False) if text.strip() else None
    except json.JSONDecodeError:
        raise Unreadable(is_torn=b"\0" not in reply.body) from None
    except (ValueError, RecursionError):  # no UTF-8, numbers of 5,000 digits, 100,000 brackets
        raise Unreadable(is_torn=False) from None


def read(reply: Reply, now: float) -> Complaint:
    """The complaint in a reply, empty where nothing can be understood. `now`: seconds since the epoch."""
    asked = backoff.retry_after(reply.headers, now)
    try:
        body = document(reply)
    except Unreadable:
        return Complaint(text=_plain(reply), retry_after=asked)
    detail = body.get("detail") if isinstance(body, dict) else body
    error = detail if isinstance(detail, dict) else body if isinstance(body, dict) else {}
    more = error.get("details")
    more = more if isinstance(more, dict) else {}
    wanted = [_wait(value, now) for value in (error.get("retry_after"), more.get("retry_after"))]
    return Complaint(
        text=_words(detail) or _words(error),
        code=text_of(error.get("code")) or text_of(error.get("error")) or None,
        rule=text_of(more.get("rule_name")) or text_of(error.get("rule_name")) or None,
        retry_after=next((seconds for seconds in (asked, *wanted) if seconds is not None), None),
    )


def is_page(reply: Reply) -> bool:
    """The body looks like a page for people: it is never shown."""
    return "html" in content_type(reply) or reply.body[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def content_type(reply: Reply) -> str:
    """`application/json`, without parameters, in lower case; "" if not said."""
    return backoff.header(reply.headers, "content-type").partition(";")[0].strip().lower()


def _plain(reply: Reply) -> str:
    is_text = content_type(reply) == "text/plain" and not is_page(reply)
    is_coded = backoff.header(reply.headers, "content-encoding").lower() not in {"", "identity"}
    return reply.body[:_MOST_TEXT].decode("utf-8", "replace") if is_text and not is_coded else ""


def _words(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_fields(value))
    if isinstance(value, Mapping):
        message, label = text_of(value.get("message")), text_of(value.get("error")) or text_of(value.get("code"))
        return message or text_of(value.get("title")) or label
    return text_of(value)


def _fields(errors: list[Any]) -> Iterator[str]:
    """FastAPI's list, `body.version: Field required`; `input` and `ctx`, the rejected values, are left out."""
    for error in errors[:_MOST_FIELDS]:
        if isinstance(error, Mapping):
            path, message = _path(error.get("loc")), text_of(error.get("msg")) or text_of(error.get("message"))
            yield f"{path}: {message}" if path and message else path or message or "invalid"
        elif isinstance(error, str):
            yield error[:_MOST_TEXT]
    if len(errors) > _MOST_FIELDS:
        yield f"and {len(errors) - _MOST_FIELDS} more"


def _path(loc: object) -> str:
    parts = loc[:10] if isinstance(loc, list) else [loc]
    return ".".join(filter(None, (text_of(part)[:60] for part in parts)))


def text_of(value: object) -> str:
    """A string or a number as text of bounded length; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    try:
        return str(value)[:_MOST_TEXT].strip()
    except ValueError:  # a number of more digits than Python writes
        return ""


def _wait(value: object, now: float) -> float | None:
    """`retry_after` in a body: seconds, or a time as RFC 3339 or as HTTP writes it."""
    seconds = backoff.seconds_of(value)
    if seconds is not None or not isinstance(value, str):
        return seconds
    moment = backoff.http_date(value)
    try:
        return max(0.0, (times.parse(value[:40]) if moment is None else moment) - now)
    except VersionerError:
        return None
