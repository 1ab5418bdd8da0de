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

_REPEATED_WITHIN = 10 * MINUTE
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
    for life in known:
        if life.can_end:
            return life
    last = max(known, key=lambda life: life.opened_at, default=None)
    if last is None or last.ended_at is None:
        return last if last is not None and last.closed_name and event.state.is_ending else None
    if event.state.is_ending:
        is_near = abs(at - last.ended_at) <= _REPEATED_WITHIN
        return last if is_near and last.state == event.state.value else None
    return None if at > last.ended_at else last


def moved(life: Life, event: Incoming, at: int) -> Effect:
    """Apply the event: forwards only, and an ending stays."""
    state = event.state
    life.is_changed = True
    if state.is_ending:
        return _ended(life, event, at)
    if state is State.STARTED:
        if life.has_ended:
            life.started_at = at if life.started_at is None else life.started_at
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
    life.started_at = event.started_at if life.started_at is None else life.started_at
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
    """A start takes over its group's oldest open pending; each is taken once."""
    if life.pending_at is not None:
        return None
    waiting = [one for one in of_place(group, life) if one.is_pending and one.can_end]
    oldest = min(waiting, key=lambda one: (one.opened_at, one.id), default=None)
    if oldest is not None:
        _join(oldest, life)
        life.chain_id = oldest.chain_id
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
        is_same_line = life.kind == Kind.DEPLOYMENT.value or one.branch == life.branch
        if one.is_pending and one.is_open and one.opened_at < at and is_same_line:
            one.superseded_by, one.is_open, one.is_changed = life.id, False, True


def _text(value: object, longest: int) -> str | None:
    return None if value in (None, "") or isinstance(value, (dict, list)) else cut(str(value), longest)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        return None
    return float(value) if math.isfinite(value) else None
