"""Which build or deployment an event belongs to, and what it does to it. Pure; times in microseconds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from versioner_ci.server.life import Life
from versioner_ci.server.moments import MINUTE
from versioner_ci.server.payload import Incoming
from versioner_ci.status import Kind, State
from versioner_ci.text import cut

_NEAR = 10 * MINUTE
"""The same ending again, without an id, is a repeat so long; and so far clocks may differ."""
_LONGEST_ERROR = 4_000


class Effect(NamedTuple):
    """What an event did: it moved its lifecycle on, or it was late, or a repeat; all are recorded."""

    is_late: bool = False
    is_repeat: bool = False

    @property
    def is_moved(self) -> bool:
        return not (self.is_late or self.is_repeat)


MOVED, LATE, REPEAT = Effect(), Effect(is_late=True), Effect(is_repeat=True)


def chosen(event: Incoming, at: int, known: Sequence[Life]) -> Life | None:
    """Of those with the event's key, the one that it belongs to; None: it opens a new one."""
    if event.lifecycle is not None:
        return known[0] if known else None
    own = [life for life in known if life.adopted_by is None]
    return _ended_by(event.state, at, own) if event.state.is_ending else _moved_by(at, own)


def endable(state: State, at: int, known: Iterable[Life]) -> list[Life]:
    """The open ones that an ending can be meant for, the newest first.

    One that began after it is not, if the ending repeats an earlier one's; else clocks may differ a little.
    """
    known = list(known)
    able = sorted((life for life in known if life.can_end), key=lambda life: life.opened_at, reverse=True)
    begun = [life for life in able if life.began_at <= at]
    if begun or repeated(state, at, known) is not None:
        return begun
    return [life for life in able if life.began_at - at <= _NEAR]


def repeated(state: State, at: int, known: Iterable[Life]) -> Life | None:
    """The one that ended so before: in the same way, just before or just after."""
    before: Life | None = None
    behind: Life | None = None
    for life in known:
        if life.ended_at is None:
            continue
        if life.ended_at <= at:
            before = life if before is None or life.ended_at >= (before.ended_at or 0) else before
        else:
            behind = life if behind is None or life.ended_at < (behind.ended_at or 0) else behind
    for one in (before, behind):
        if one is not None and one.state == state.value and abs(at - (one.ended_at or 0)) <= _NEAR:
            return one
    return None


def _ended_by(state: State, at: int, known: Sequence[Life]) -> Life | None:
    able = endable(state, at, known)
    if able:
        return able[0]
    last = max((life for life in known if not life.can_end), key=lambda life: life.opened_at, default=None)
    is_closed = last is not None and last.closed_name is not None and last.ended_at is None
    return last if is_closed else repeated(state, at, known)


def _moved_by(at: int, known: Sequence[Life]) -> Life | None:
    """The open one; what happened before that began belongs to the first that had not ended by then."""
    newest = max((life for life in known if life.can_end), key=lambda life: life.opened_at, default=None)
    if newest is not None and newest.began_at <= at:
        return newest
    ended = [(life.ended_at, life.id, life) for life in known if life.ended_at is not None and life.ended_at >= at]
    return min(ended)[2] if ended else newest


def moved(life: Life, event: Incoming, at: int) -> Effect:
    """Apply the event: forwards only, and an ending stays."""
    state = event.state
    life.is_changed = True
    if state.is_ending:
        return _ended(life, event, at)
    if state is State.STARTED:
        if life.has_ended:
            life.started_at = min(at, life.ended_at or at) if life.started_at is None else life.started_at
            return LATE
        if life.state == state.value:
            return REPEAT
        life.started_at = at
    elif life.is_pending and life.pending_at is not None:
        return REPEAT
    else:
        life.pending_at = at if life.pending_at is None else life.pending_at
        if not life.is_pending:
            return LATE
    life.state = state.value
    life.is_open, life.superseded_by, life.closed_name = True, None, None
    return MOVED


def _ended(life: Life, event: Incoming, at: int) -> Effect:
    if life.has_ended:
        return REPEAT if life.state == event.state.value else LATE
    life.state, life.ended_at = event.state.value, at
    if life.started_at is None and event.started_at is not None:
        life.started_at = min(event.started_at, at)
    life.is_open, life.is_stale, life.superseded_by, life.closed_name = False, False, None, None
    said = event.metadata
    life.error = _text(said.get("error"), _LONGEST_ERROR)
    life.error_code = _text(said.get("error_code"), 200)
    life.reason = _text(said.get("reason"), 200)
    life.duration = _seconds(said.get("duration_seconds"))
    return MOVED


def describe(life: Life, event: Incoming, *, is_moved: bool) -> None:
    """Who, from where and which run: a later state's word counts, a late one only fills gaps."""
    by, url = ("built_by", "build_url") if event.kind is Kind.BUILD else ("deployed_by", "deploy_url")
    texts = event.texts
    given = {
        "source_system": texts.get("source_system"),
        "invoke_id": texts.get("invoke_id"),
        "build_number": texts.get("build_number"),
        "actor": texts.get(by) or texts.get(f"{by}_name"),
        "branch": texts.get("scm_branch"),
        "sha": texts.get("scm_sha"),
        "repository": texts.get("scm_repository"),
        "url": texts.get(url),
    }
    for name, value in given.items():
        if value and (is_moved or getattr(life, name) is None):
            setattr(life, name, value)


def of_place(lives: Iterable[Life], life: Life) -> list[Life]:
    """Those of the same kind, product and environment, without itself and what was adopted."""
    return [one for one in lives if one.place == life.place and one.id != life.id and one.adopted_by is None]


def adopt(life: Life, group: Iterable[Life]) -> Life | None:
    """What has started takes over its group's oldest pending that was queued before; each is taken once."""
    if life.pending_at is not None or life.started_at is None:
        return None
    began = life.started_at
    waiting = [one for one in of_place(group, life) if one.is_pending and one.can_end and one.opened_at <= began]
    oldest = min(waiting, key=lambda one: (one.opened_at, one.id), default=None)
    if oldest is not None:
        _join(oldest, life)
    return oldest


def join_late(pending: Life, group: Iterable[Life]) -> Life | None:
    """A pending that arrives after the start that it precedes belongs to it."""
    at = pending.opened_at
    later = [
        one
        for one in of_place(group, pending)
        if one.pending_at is None and one.started_at is not None and one.started_at >= at
    ]
    first = min(later, key=lambda one: (one.started_at or 0, one.id), default=None)
    if first is not None:
        _join(pending, first)
    return first


def _join(pending: Life, life: Life) -> None:
    pending.adopted_by, pending.is_open, pending.superseded_by = life.id, False, None
    life.pending_at = pending.pending_at = pending.opened_at if pending.pending_at is None else pending.pending_at
    pending.is_changed = life.is_changed = True


def supersede(life: Life, at: int, waiting: Iterable[Life]) -> None:
    """Queued ones of the same place give way to what comes after them; builds only to those of their branch."""
    for one in of_place(waiting, life):
        if one.is_pending and one.is_open and one.opened_at < at and _is_same_line(one, life):
            _give_way(one, life)


def give_way(pending: Life, others: Iterable[Life]) -> None:
    """A queued one that arrives late may have been overtaken already."""
    for one in of_place(others, pending):
        steps = (one.pending_at, one.started_at)
        if _is_same_line(one, pending) and any(at is not None and at > pending.opened_at for at in steps):
            _give_way(pending, one)
            return


def _is_same_line(one: Life, other: Life) -> bool:
    return one.kind == Kind.DEPLOYMENT.value or one.branch == other.branch


def _give_way(pending: Life, life: Life) -> None:
    pending.superseded_by, pending.is_open, pending.is_changed = life.adopted_by or life.id, False, True


def _text(value: object, longest: int) -> str | None:
    return None if value in (None, "") or isinstance(value, (dict, list)) else cut(str(value), longest)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        return None
    return float(value) if math.isfinite(value) else None
