"""When to try again: pure functions over numbers and headers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone

LONGEST_HOLD = 3600.0
"""Seconds: however long a server asks to wait, an event is not held back longer."""
_FIRST, _LONGEST = 0.3, 10.0
_FOREVER = 100 * 365.25 * 86400
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# The three forms of RFC 9110, 5.6.7, compiled on use. (`email.utils` and strptime would be imports in a thread.)
_DAY_FIRST = r"[a-z]+, (\d\d?)[ -]([a-z]{3})[ -](\d{4}|\d\d) (\d\d):(\d\d):(\d\d) (?:gmt|utc)"
_ASCTIME = r"[a-z]{3} ([a-z]{3}) {1,2}(\d\d?) (\d\d):(\d\d):(\d\d) (\d{4})"
_UNITS = ((365.25 * 86400, "y"), (86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def delays(random: Callable[[], float]) -> Iterator[float]:
    """Seconds before each further try, without end: 0.3, 0.6, 1.2 … 10, each a quarter more or less.

    `random` gives numbers from 0 to 1.
    """
    delay = _FIRST
    while True:
        yield delay * (0.75 + 0.5 * random())
        delay = min(delay * 2, _LONGEST)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a reply's Retry-After asks to wait; None: it names no time that can be understood.

    A date counts from the reply's own Date, which a wrong clock here does not move, else from `now`
    (seconds since the epoch). A date that is over is 0. The result is finite; it may be years.
    """
    value = header(headers, "retry-after")
    seconds = seconds_of(value)
    if seconds is not None or not value:
        return seconds
    moment = http_date(value)
    if moment is None:
        return None
    sent = http_date(header(headers, "date"))
    return min(max(0.0, moment - (now if sent is None else sent)), _FOREVER)


def header(headers: Mapping[str, str], name: str) -> str:
    """A header's value, whatever the case of its name (`name`: in lower case); "" if there is none."""
    return next((value.strip() for key, value in headers.items() if key.lower() == name), "")


def seconds_of(value: object) -> float | None:
    """A wait in seconds, as a number or as text; None for what is none: negative, NaN, true, words."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value[:40] if isinstance(value, str) else value)
    except ValueError:
        return None
    except OverflowError:
        return _FOREVER
    return None if math.isnan(seconds) or seconds < 0 else min(seconds, _FOREVER)


def http_date(value: str) -> float | None:
    """An HTTP date as seconds since the epoch; None if it is none."""
    value = value[:60].lower()
    if found := re.fullmatch(_DAY_FIRST, value, re.ASCII):
        day, month, year, *clock = found.groups()
    elif found := re.fullmatch(_ASCTIME, value, re.ASCII):
        month, day, *clock, year = found.groups()
    else:
        return None
    if month not in _MONTHS:
        return None
    hours, minutes, seconds = map(int, clock)
    try:
        midnight = datetime(_year(int(year)), _MONTHS.index(month) + 1, int(day), tzinfo=timezone.utc)
    except ValueError:
        return None
    return midnight.timestamp() + hours * 3600 + minutes * 60 + seconds


def _year(year: int) -> int:
    # RFC 850's two digits.
    return year if year >= 100 else year + (1900 if year >= 70 else 2000)


def in_words(seconds: float) -> str:
    """A wait as people say it: `40 s`, `3 min`, `2 h`, `31 y`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds / size)} {unit}"
    return f"{math.ceil(seconds)} s"
