"""What became of an event at one sink."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from versioner_ci.records import dataclass, field
from versioner_ci.sinks._sink import Rejection


class Verdict(str, Enum):
    """The outcome words of `report --json`, from best to worst."""

    NOTHING = "nothing"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    KEPT = "kept"
    LOST = "lost"
    REFUSED = "refused"
    REJECTED = "rejected"

    @property
    def is_delivered(self) -> bool:
        return self in {Verdict.NOTHING, Verdict.ACCEPTED, Verdict.DUPLICATE}


_ORDER = list(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; `nothing` where there is none."""
    return max(verdicts, key=_ORDER.index, default=Verdict.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One sink's word on one event."""

    sink: str
    verdict: Verdict
    detail: str = ""
    fix: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    rejection: Rejection | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    debug: str = ""
    """The beginning of an answer that could not be read: for --verbose only."""


class Backlog(NamedTuple):
    """What became of the events that earlier calls had kept, at one sink."""

    sink: str
    delivered: int = 0
    left: int = 0
    set_aside: int = 0
    is_lost: bool = False
    """What is left dies with the job."""
    detail: str = ""
    """Why something is left, or was set aside."""


def united(backlogs: Iterable[Backlog]) -> tuple[Backlog, ...]:
    """One for each sink: what was delivered in several goes, and what the last of them left."""
    by_sink: dict[str, Backlog] = {}
    for backlog in backlogs:
        before = by_sink.get(backlog.sink, Backlog(sink=backlog.sink))
        by_sink[backlog.sink] = backlog._replace(
            delivered=before.delivered + backlog.delivered,
            set_aside=before.set_aside + backlog.set_aside,
            detail=backlog.detail or before.detail,
        )
    return tuple(by_sink.values())
