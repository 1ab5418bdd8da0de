"""What an ending that speaks for a whole group does to those of the group. Pure; times in microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from versioner_ci.identity import fresh_id
from versioner_ci.server.life import Life
from versioner_ci.server.lifecycles import adopt, endable, give_way
from versioner_ci.server.payload import Incoming
from versioner_ci.status import State

_ENDING = ("state", "ended_at", "error", "error_code", "reason", "closed_by")


def meant(state: State, at: int, fitting: Sequence[Life]) -> list[Life]:
    """Those that the group's ending ends, the newest first.

    An abort ends all. What never started has not completed or failed where something else of the group ran; where
    nothing did, what still waits is meant, else the newest that had given way.
    """
    able = endable(state, at, fitting)
    if state is State.ABORTED:
        return able
    ran = [life for life in able if _has_run(life)]
    if ran or any(_has_run(life) and life.began_at <= at for life in fitting):
        return ran
    return [life for life in able if life.is_open] or able[:1]


def overtaken(life: Life, event: Incoming, at: int, group: Iterable[Life]) -> Life | None:
    """The ending of the whole group that came before this event of a lifecycle of it, which it ends too.

    Until then it stood for itself; with the first of its version that it ends it becomes one. Of two endings the
    first that came counts: what ended otherwise is another.
    """
    members = [one for one in group if one.place == life.place and one.id != life.id]
    found = [
        (one.ended_at, one.adopted_by is not None, one.key != event.whole, one.id, one)
        for one in members
        if one.closed_by and one.ended_at and at <= one.ended_at
    ]
    if not found:
        return None
    ending = min(found)[-1]
    if life.is_pending and _is_left_out(life, ending, members):
        return None
    is_fitting = life.state == ending.state
    if not life.has_ended:
        is_fitting = True
        for name in _ENDING:
            setattr(life, name, getattr(ending, name))
        life.is_open, life.superseded_by = False, None
    if is_fitting and ending.adopted_by is None and ending.key == event.whole:
        ending.adopted_by, ending.is_changed, life.chain_id = life.id, True, ending.chain_id
    life.is_changed = True
    return ending


def give_back(life: Life, group: Sequence[Life]) -> None:
    """Queued ones that the group's ending had ended only because this one was not known yet wait again, or give way."""
    if life.closed_by is None or life.state == State.ABORTED.value:
        return
    for one in group:
        is_ended_too = one.closed_by == life.closed_by and one.place == life.place and one.adopted_by is None
        if is_ended_too and one.id != life.id and _is_after(life, one):
            _wait_again(one, life, group)


def part(pending: Life, adopter: Life, group: Iterable[Life]) -> None:
    """A pending that goes on by itself was not the adopter's, which may have another."""
    pending.adopted_by, pending.is_open = None, True
    adopter.pending_at = None
    if adopter.chain_id == pending.chain_id:
        pending.chain_id = fresh_id()
    pending.is_changed = adopter.is_changed = True
    adopt(adopter, [one for one in group if one.id != pending.id])


def part_for_own(life: Life, group: Iterable[Life]) -> None:
    """What was queued itself has adopted nothing."""
    for one in group:
        if one.adopted_by == life.id and one.pending_at is not None:
            part(one, life, ())


def _stands_for_group(life: Life) -> bool:
    """It is nothing but its group's ending."""
    is_opened_so = life.closed_by is not None and life.opened_at == life.ended_at != life.started_at
    return is_opened_so and life.pending_at is None


def _has_run(life: Life) -> bool:
    """It started, or told its own ending."""
    ended = life.state in {State.COMPLETED.value, State.FAILED.value}
    return life.started_at is not None or (ended and life.closed_by is None)


def _is_after(life: Life, queued: Life) -> bool:
    """Whether an ending is meant for the one rather than for the other, which only waited."""
    if queued.pending_at is None or _has_run(queued):
        return False
    return _has_run(life) or (life.pending_at is not None and life.opened_at > queued.opened_at)


def _is_left_out(pending: Life, ending: Life, members: Iterable[Life]) -> bool:
    """Whether something else of the group ran by then, or waited after it."""
    if ending.state == State.ABORTED.value:
        return False
    until = ending.ended_at or 0
    return any(
        _is_after(one, pending) and one.began_at <= until
        for one in members
        if one.adopted_by is None and not _stands_for_group(one)
    )


def _wait_again(queued: Life, life: Life, group: Sequence[Life]) -> None:
    for name in _ENDING:
        setattr(queued, name, None)
    queued.state, queued.duration, queued.is_open, queued.is_changed = State.PENDING.value, None, True, True
    if queued.chain_id == life.chain_id:
        queued.chain_id = fresh_id()
    for one in group:
        if one.adopted_by == queued.id and _stands_for_group(one):
            one.adopted_by, one.is_changed, life.chain_id = life.id, True, one.chain_id
    give_way(queued, group)
