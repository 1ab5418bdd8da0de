"""Times as they are sent: UTC, RFC 3339, microseconds."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from versioner_ci.errors import UsageError

_FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
_LATEST = 253_402_300_799.0
"""The end of the year 9999, in seconds since the epoch."""


def stamp(seconds: float) -> str:
    """Seconds since the epoch as `2026-01-31T12:00:00.000000Z`; a clock beyond the calendar counts as its end."""
    inside = min(max(seconds, 0.0), _LATEST)
    return datetime.fromtimestamp(inside, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> float:
    """RFC 3339 (or seconds since the epoch) as seconds since the epoch.

    A time without a zone is UTC. Raises UsageError for anything else.
    """
    word = text.strip()
    try:
        seconds = float(word) if word.replace(".", "", 1).isdecimal() else _parse_iso(word)
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= _LATEST:
        raise UsageError(f"not a time: '{text[:60]}'", fix="write it like 2026-01-31T12:00:00Z")
    return seconds


def _parse_iso(word: str) -> float:
    # Python 3.10 takes neither `Z` nor a fraction that has not 3 or 6 digits.
    whole = _FRACTION.sub(lambda found: f".{found[1][:6]:0<6}", word.upper().replace("Z", "+00:00"))
    moment = datetime.fromisoformat(whole)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
