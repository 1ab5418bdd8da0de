"""Takes messages out of the outbox, each by one worker, and writes down what became of them.

In order for each lifecycle and channel; about one a second for each channel. A message in flight is leased: if its
worker dies, another sends it again when the lease ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, insert, select, update
from sqlalchemy.orm import aliased

from versioner_ci.server.cursors import Statement
from versioner_ci.server.db import Database
from versioner_ci.server.moments import micros
from versioner_ci.server.tables_slack import Outbox, SlackChannel, SlackMessage

_OPEN = ("new", "sending")
_SECOND = micros(1)
_LOOK_AT = 20


class Claim(NamedTuple):
    """One message to be sent now."""

    seq: int
    what: str
    chain_id: str
    lifecycle_id: str
    event_id: str | None
    channel: str
    mention: tuple[str, ...]
    is_reply_due: bool
    attempts: int
    created_at: int
    place: str | None
    """Where the lifecycle's message stands in that channel."""


class Again(NamedTuple):
    """A try that failed: when the next one is due, and what stands already."""

    at: int
    error: str
    is_reply_due: bool
    place: str | None


class Lease(NamedTuple):
    """Who takes it, and for how long, in microseconds."""

    owner: str
    length: int


def claim(database: Database, lease: Lease, now: int) -> Claim | None:
    """The next message that is due, or None."""
    with database.read() as connection:
        if connection.execute(due(now).limit(1)).first() is None:
            return None
    with database.touch() as connection:
        query = due(now).order_by(Outbox.seq).limit(_LOOK_AT).with_for_update(skip_locked=True, of=Outbox)
        for row in connection.execute(query).all():
            if _take_turn(connection, row.channel, now):
                taken = update(Outbox).where(Outbox.seq == row.seq)
                connection.execute(
                    taken.values(
                        state="sending", owner=lease.owner, not_before=now + lease.length, attempts=row.attempts + 1
                    )
                )
                return _claim(connection, row)
    return None


def due(now: int) -> Statement:
    """Messages that may go now: none before it in its lifecycle and channel, and its channel's second is over."""
    earlier = aliased(Outbox)
    is_behind = exists().where(
        earlier.chain_id == Outbox.chain_id,
        earlier.channel == Outbox.channel,
        earlier.seq < Outbox.seq,
        earlier.state.in_(_OPEN),
    )
    query = select(Outbox).join(SlackChannel, SlackChannel.channel == Outbox.channel)
    return query.where(Outbox.state.in_(_OPEN), Outbox.not_before <= now, SlackChannel.next_at <= now, ~is_behind)


def sent(database: Database, claimed: Claim, place: str | None, now: int) -> None:
    """It stands in Slack."""
    with database.touch() as connection:
        _stands(connection, claimed, place)
        ts = (place or claimed.place or "").partition("=")[2] or None
        _settle(connection, claimed, state="sent", sent_at=now, ts=ts, last_error=None, owner=None)


def later(database: Database, claimed: Claim, again: Again) -> None:
    """It is tried again."""
    with database.touch() as connection:
        _stands(connection, claimed, again.place)
        values = {"not_before": again.at, "last_error": again.error, "is_reply_due": again.is_reply_due}
        _settle(connection, claimed, state="new", owner=None, **values)


def failed(database: Database, claimed: Claim, error: str) -> None:
    """It is given up, visibly."""
    with database.touch() as connection:
        _settle(connection, claimed, state="failed", last_error=error, owner=None)


def give_up(connection: Connection, before: int) -> int:
    """What has waited since before then, is given up: how many. Each with the last thing that was wrong."""
    old = update(Outbox).where(Outbox.state == "new", Outbox.created_at < before)
    bare = connection.execute(old.where(Outbox.last_error.is_(None)).values(state="failed", last_error="never tried"))
    tried = connection.execute(old.where(Outbox.last_error.is_not(None)).values(state="failed"))
    return int(bare.rowcount) + int(tried.rowcount)


def _take_turn(connection: Connection, channel: str, now: int) -> bool:
    """Whether it is this message's second in the channel."""
    mine = update(SlackChannel).where(SlackChannel.channel == channel, SlackChannel.next_at <= now)
    return connection.execute(mine.values(next_at=now + _SECOND)).rowcount > 0


def _claim(connection: Connection, row: Any) -> Claim:
    standing = select(SlackMessage.place).where(
        SlackMessage.chain_id == row.chain_id, SlackMessage.channel == row.channel
    )
    return Claim(
        seq=row.seq,
        what=row.what,
        chain_id=row.chain_id,
        lifecycle_id=row.lifecycle_id,
        event_id=row.event_id,
        channel=row.channel,
        mention=tuple(row.mention),
        is_reply_due=row.is_reply_due,
        attempts=row.attempts + 1,
        created_at=row.created_at,
        place=connection.execute(standing).scalar_one_or_none(),
    )


def _stands(connection: Connection, claimed: Claim, place: str | None) -> None:
    if place is None or place == claimed.place:
        return
    here = (SlackMessage.chain_id == claimed.chain_id, SlackMessage.channel == claimed.channel)
    if connection.execute(update(SlackMessage).where(*here).values(place=place)).rowcount == 0:
        values = {"chain_id": claimed.chain_id, "channel": claimed.channel, "place": place}
        connection.execute(insert(SlackMessage), [values])


def _settle(connection: Connection, claimed: Claim, **values: object) -> None:
    connection.execute(update(Outbox).where(Outbox.seq == claimed.seq).values(**values))
