"""Takes messages out of the outbox, each by one worker, and writes down what became of them.

Each channel is a queue: one message at a time, in the order of their events, about one a second. A message in flight
is leased, and its channel with it: if its worker dies, another sends it again when the lease ends. What a worker has
to say of a message whose lease somebody else has taken over, no longer counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, insert, literal_column, or_, select, update
from sqlalchemy.orm import aliased

from versioner_ci.server.cursors import Statement
from versioner_ci.server.db import Database
from versioner_ci.server.moments import micros
from versioner_ci.server.tables_slack import Outbox, SlackChannel, SlackMessage

_NEW, _SENDING = "new", "sending"
_UNSENT: tuple[ColumnElement[str], ...] = (literal_column("'new'"), literal_column("'sending'"))
"""In the statement itself: SQLite knows only then that the index of what is unsent will do."""
_SECOND = micros(1)
_LOOK_AT = 20
_NO_WORD = "its sender was not heard of again"


class Claim(NamedTuple):
    """One message to be sent now. Times in microseconds."""

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
    owner: str
    taken_at: int
    lease_end: int


class Again(NamedTuple):
    """A try that failed: when the next one is due, and what stands already."""

    at: int
    error: str
    is_reply_due: bool
    place: str | None
    is_aside: bool = False
    """The channel's other messages do not wait for it."""


class Lease(NamedTuple):
    """Who takes it, and for how long, in microseconds."""

    owner: str
    length: int


def claim(database: Database, lease: Lease, now: Callable[[], int]) -> Claim | None:
    """The next message that is due, or None. The lease begins when the database lets this worker write."""
    with database.read() as connection:
        channels = connection.execute(due(now(), is_sqlite=database.is_sqlite)).scalars().all()
    if not channels:
        return None
    with database.touch() as connection:
        at = now()
        return next(filter(None, (_take(connection, name, lease, at) for name in channels)), None)


def due(now: int, *, is_sqlite: bool) -> Statement:
    """Channels whose time has come and that have a message to send; the one that waits longest first."""
    first = head(SlackChannel.channel, now, is_sqlite=is_sqlite).with_only_columns(Outbox.seq).scalar_subquery()
    query = select(SlackChannel.channel).where(SlackChannel.next_at <= now, first.is_not(None))
    return query.order_by(SlackChannel.next_at, first).limit(_LOOK_AT)


def head(channel: Any, now: int, *, is_sqlite: bool) -> Statement:
    """The first message of a channel that may go now: none before it in its lifecycle and channel."""
    earlier = aliased(Outbox)
    is_behind = exists().where(
        earlier.chain_id == Outbox.chain_id,
        earlier.channel == Outbox.channel,
        earlier.seq < Outbox.seq,
        earlier.state.in_(_UNSENT),
    )
    # With `=` PostgreSQL sees that seq alone is the order, and walks all messages ever sent by the primary key; with
    # `between` SQLite reads all that are unsent.
    is_own = Outbox.channel == channel if is_sqlite else Outbox.channel.between(channel, channel)
    own = select(Outbox).where(is_own, Outbox.state.in_(_UNSENT), Outbox.not_before <= now, ~is_behind)
    return own.order_by(Outbox.channel, Outbox.seq).limit(1)


def sent(database: Database, claimed: Claim, place: str | None, now: int) -> bool:
    """It stands in Slack. False, as below: it was no longer this worker's, and nothing was written down."""
    ts = (place or claimed.place or "").partition("=")[2] or None
    with database.touch() as connection:
        return _settle(
            connection, claimed, _next_second(claimed), place, state="sent", sent_at=now, ts=ts, last_error=None
        )


def later(database: Database, claimed: Claim, again: Again) -> bool:
    """It is tried again; until then its channel waits, unless it is put aside."""
    channel_at = _next_second(claimed) if again.is_aside else again.at
    values = {"not_before": again.at, "last_error": again.error, "is_reply_due": again.is_reply_due}
    with database.touch() as connection:
        return _settle(connection, claimed, channel_at, again.place, state=_NEW, **values)


def failed(database: Database, claimed: Claim, error: str) -> bool:
    """It is given up, visibly."""
    with database.touch() as connection:
        return _settle(connection, claimed, _next_second(claimed), None, state="failed", last_error=error)


def give_up(connection: Connection, now: int, after: int) -> int:
    """What has waited for longer than `after` is given up: how many. Each with the last thing that was wrong."""
    if not any(_is_old(connection, state, now - after) for state in (_NEW, _SENDING)):
        return 0
    over = or_(Outbox.state == _NEW, (Outbox.state == _SENDING) & (Outbox.not_before <= now))
    old = update(Outbox).where(Outbox.state.in_(_UNSENT), over, Outbox.created_at < now - after)
    bare = old.where(Outbox.last_error.is_(None))
    done = [
        connection.execute(bare.where(Outbox.attempts == 0).values(state="failed", last_error="never tried")),
        connection.execute(bare.where(Outbox.attempts > 0).values(state="failed", last_error=_NO_WORD, owner=None)),
        connection.execute(old.where(Outbox.last_error.is_not(None)).values(state="failed", owner=None)),
    ]
    return sum(int(each.rowcount) for each in done)


def _is_old(connection: Connection, state: str, before: int) -> bool:
    """Whether the first of them was written before then: one row is looked at."""
    query = select(Outbox.created_at).where(Outbox.state == state).order_by(Outbox.seq).limit(1)
    oldest = connection.execute(query).scalar_one_or_none()
    return oldest is not None and oldest < before


def _take(connection: Connection, channel: str, lease: Lease, now: int) -> Claim | None:
    """The channel's next message, if nobody else has the channel; both are then this worker's."""
    turn = select(SlackChannel.channel).where(SlackChannel.channel == channel, SlackChannel.next_at <= now)
    if connection.execute(turn.with_for_update(skip_locked=True)).first() is None:
        return None
    is_sqlite = connection.dialect.name == "sqlite"
    row = connection.execute(head(channel, now, is_sqlite=is_sqlite)).one_or_none()
    if row is None:
        return None
    claimed = _claim(connection, row, lease, now)
    mine = update(Outbox).where(Outbox.seq == row.seq, Outbox.state == row.state, Outbox.attempts == row.attempts)
    values = {"state": _SENDING, "owner": claimed.owner, "not_before": claimed.lease_end, "attempts": claimed.attempts}
    if connection.execute(mine.values(**values)).rowcount == 0:  # given up in this moment
        return None
    connection.execute(update(SlackChannel).where(SlackChannel.channel == channel).values(next_at=claimed.lease_end))
    return claimed


def _claim(connection: Connection, row: Any, lease: Lease, now: int) -> Claim:
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
        owner=lease.owner,
        taken_at=now,
        lease_end=now + lease.length,
    )


def _next_second(claimed: Claim) -> int:
    return claimed.taken_at + _SECOND


def _settle(connection: Connection, claimed: Claim, channel_at: int, place: str | None, **values: object) -> bool:
    """The channel's row first, as in a claim: two that wait for each other would be a deadlock."""
    here = SlackChannel.channel == claimed.channel
    connection.execute(select(SlackChannel.channel).where(here).with_for_update())
    mine = update(Outbox).where(
        Outbox.seq == claimed.seq,
        Outbox.state == _SENDING,
        Outbox.owner == claimed.owner,
        Outbox.attempts == claimed.attempts,
    )
    if connection.execute(mine.values(owner=None, **values)).rowcount == 0:
        return False
    _stands(connection, claimed, place)
    is_mine_or_earlier = or_(SlackChannel.next_at == claimed.lease_end, SlackChannel.next_at < channel_at)
    connection.execute(update(SlackChannel).where(here, is_mine_or_earlier).values(next_at=channel_at))
    return True


def _stands(connection: Connection, claimed: Claim, place: str | None) -> None:
    if place is None or place == claimed.place:
        return
    here = (SlackMessage.chain_id == claimed.chain_id, SlackMessage.channel == claimed.channel)
    if connection.execute(update(SlackMessage).where(*here).values(place=place)).rowcount == 0:
        values = {"chain_id": claimed.chain_id, "channel": claimed.channel, "place": place}
        connection.execute(insert(SlackMessage), [values])
