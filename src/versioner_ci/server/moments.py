"""Times in the tracker: microseconds since the epoch inside, RFC 3339 outside. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:([Zz])|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = datetime(1, 1, 1, tzinfo=timezone.utc)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc)
MINUTE = 60_000_000
AHEAD = 5 * MINUTE
"""So far clocks may be ahead of ours. What is told to have happened later than that is put in its place there."""


def micros(seconds: float) -> int:
    """Seconds since the epoch, or a span in seconds, in microseconds."""
    return round(seconds * 1_000_000)


def believed(told: int, now: int) -> int:
    """When something happened, as far as it counts for the order of things."""
    return min(told, now + AHEAD)


def stamp(moment: int) -> str:
    """RFC 3339: `2026-01-31T12:00:00.000000Z`."""
    return (_EPOCH + timedelta(microseconds=moment)).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def parse(text: str) -> int:
    """RFC 3339 as microseconds; a time without a zone is UTC. Raises ValueError for anything else.

    A leap second counts as the second before it. What a zone moves out of the calendar counts as its end.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("not a time")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    fraction = int((found[7] or "0").ljust(6, "0")[:6])
    local = datetime(
        year, month, day, hour, minute, min(second, 59) if second == 60 else second, fraction, timezone.utc
    )
    if not found[9]:
        return (local - _EPOCH) // timedelta(microseconds=1)
    hours, minutes = int(found[10]), int(found[11])
    if hours > 23 or minutes > 59:
        raise ValueError("not a time zone")
    offset = timedelta(hours=hours, minutes=minutes)
    try:
        moment = local - offset if found[9] == "+" else local + offset
    except OverflowError:
        moment = _FIRST if found[9] == "+" else _LAST
    return (moment - _EPOCH) // timedelta(microseconds=1)
