"""A kept event's file name, which says everything that choosing and ordering need without opening it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

Hold = Literal["free", "leased", "later"]

LONGEST_HOLD = 3_660.0
"""Seconds. No hold is longer (a not-before is capped at an hour): one that seems so was made under another clock."""

_LETTERS: dict[Hold, str] = {"free": "f", "leased": "l", "later": "n"}
_HOLDS: dict[str, Hold] = {letter: hold for hold, letter in _LETTERS.items()}
_NAME = re.compile(
    r"v1-(?P<seq>[0-9]{17})-(?P<order_id>[0-9a-f]{32})-(?P<rank>[0-2])-(?P<sink>[a-z][a-z0-9_]{0,31})"
    r"-(?P<key>[0-9a-f]{32})-(?:(?P<free>f)|(?P<hold>[ln])(?P<ms>[0-9]{1,16}))\.json",
)


class Entry(NamedTuple):
    """One file of the spool: one event for one sink, as its name tells it."""

    path: Path
    seq: int
    """When it was written, µs since the epoch; grows within a lifecycle even where the clock does not."""
    order_id: str
    """The lifecycle's id (the group's, for an event of the whole run), 32 hex digits."""
    rank: int
    """0 pending, 1 started, 2 an ending."""
    sink: str
    key: str
    """The event's idempotency key, 32 hex digits."""
    hold: Hold = "free"
    until: float = 0.0
    """Seconds since the epoch: leased until then, or not to be tried before then."""

    def is_leased(self, now: float) -> bool:
        """Somebody is sending it now."""
        return self.hold == "leased" and now < self.until <= now + LONGEST_HOLD

    def is_due(self, now: float) -> bool:
        """Anybody may claim it and send it now."""
        return self.hold == "free" or not now < self.until <= now + LONGEST_HOLD


def parse(path: Path) -> Entry | None:
    """The entry that a file name stands for; None for a name that is not one of this format."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    return Entry(
        path=path,
        seq=int(match["seq"]),
        order_id=match["order_id"],
        rank=int(match["rank"]),
        sink=match["sink"],
        key=match["key"],
        hold=_HOLDS[match["free"] or match["hold"]],
        until=int(match["ms"] or 0) / 1000,
    )


def held(entry: Entry, hold: Hold, until: float = 0.0) -> Entry:
    """The same entry under another hold, and so under another name. `until` is kept to the millisecond."""
    ms = max(0, round(until * 1000))
    name = f"v1-{entry.seq:017d}-{entry.order_id}-{entry.rank}-{entry.sink}-{entry.key}-{_LETTERS[hold]}"
    return Entry(
        path=entry.path.with_name(f"{name}{'' if hold == 'free' else ms}.json"),
        seq=entry.seq,
        order_id=entry.order_id,
        rank=entry.rank,
        sink=entry.sink,
        key=entry.key,
        hold=hold,
        until=0.0 if hold == "free" else ms / 1000,
    )


def in_order(entries: list[Entry]) -> list[Entry]:
    """The oldest lifecycle first; inside a lifecycle pending, started, ending, and then by age."""
    oldest: dict[str, int] = {}
    for entry in entries:
        oldest[entry.order_id] = min(entry.seq, oldest.get(entry.order_id, entry.seq))
    return sorted(entries, key=lambda e: (oldest[e.order_id], e.order_id, e.rank, e.seq))
