"""How states, times and durations are shown."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from versioner_ci.server.moments import stamp
from versioner_ci.server.records import CLOSED, NO_ENDING, SUPERSEDED
from versioner_ci.status import LOOKS, Kind, State

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Look(NamedTuple):
    """`name` is the style's, `wording` stands alone, `short` behind a version."""

    name: str
    wording: str
    short: str


class Stamp(NamedTuple):
    """A time for programs, for a glance and in full."""

    machine: str
    short: str
    full: str


def _of_state(kind: Kind, state: State) -> Look:
    wording = LOOKS[kind, state].wording.partition(" ")[2]
    return Look(state.value, wording[:1].upper() + wording[1:], wording)


_TOLD = {(kind.value, state.value): _of_state(kind, state) for kind, state in LOOKS}
_KNOWN_HERE = {
    NO_ENDING: Look("stale", "No ending heard", "no ending heard"),
    SUPERSEDED: Look("superseded", "Superseded", "superseded"),
    CLOSED: Look("aborted", "Closed", "closed without an ending"),
}


def look_of(kind: str, state: str) -> Look:
    """The look of a state as it is shown (records.shown_state)."""
    return _KNOWN_HERE.get(state) or _TOLD[kind, state]


def moment(micros: int, now: float) -> Stamp:
    """Microseconds since the epoch; `now` in seconds. A client's clock may be anywhere in the calendar."""
    time = EPOCH + timedelta(microseconds=micros)
    today = datetime.fromtimestamp(now, timezone.utc)
    if time.date() == today.date():
        short = f"{time:%H:%M} UTC"
    else:
        short = f"{time.day} {time:%b %H:%M}" if time.year == today.year else f"{time.day} {time:%b %Y}"
    return Stamp(stamp(micros), short, f"{time:%Y-%m-%d %H:%M:%S} UTC")
