"""Writes what is to go to Slack, in the transaction of the event that it tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from versioner_ci import routing
from versioner_ci.event import Event
from versioner_ci.identity import fresh_id
from versioner_ci.server.bulk import Find
from versioner_ci.server.life import Life
from versioner_ci.server.tables import Event as Recorded
from versioner_ci.server.tables_slack import Outbox, Preference, SlackChannel
from versioner_ci.settings_values import Route
from versioner_ci.sinks._sink import Target
from versioner_ci.status import Kind, State

EVENT, QUIET, STALE = "event", "quiet", "stale"
_PREFERENCES = select(*Preference.__table__.c).order_by(Preference.created_at, Preference.id)
_SENT = Find(Outbox, ("chain_id", "channel", "seq"), ("chain_id",), "AND state <> 'failed'")


class Told(NamedTuple):
    """A lifecycle that an event moved on. `state`: to what; by the end of its batch it may be in a later one."""

    life: Life
    state: State
    event_id: str | None
    product: str
    version: str
    environment: str | None

    def event(self, state: State) -> Event:
        """Just what the routes look at."""
        return Event(
            kind=Kind(self.life.kind),
            state=state,
            product=self.product,
            version=self.version,
            environment=self.environment,
            occurred_at="",
            key="",
        )


def routes(connection: Connection) -> tuple[Route, ...]:
    """The preferences as the routes of a settings file."""
    rows = connection.execute(_PREFERENCES)
    return tuple(
        Route(
            event_type=row.event_type,
            channel_id=row.channel_id,
            products=(row.product_name,) if row.product_name else (),
            environments=(row.environment_name,) if row.environment_name else (),
            mention=tuple(row.mention),
        )
        for row in rows
    )


def enqueue(connection: Connection, told: Sequence[Told], now: int) -> int:
    """A row for each channel that wants the event, and for each where the lifecycle's message stands: how many."""
    known = routes(connection) if told else ()
    following = _following(connection, told)
    if not known and not following:
        return 0
    rows: list[dict[str, Any]] = []
    for each in told:
        chain = each.life.chain_id
        wanted = routing.targets(each.event(each.state), known, ())
        rows += [_row(each, target, EVENT, now) for target in wanted]
        names = {target.channel for target in wanted}
        quiet = [name for name in following.setdefault(chain, {}) if name not in names]
        rows += [_row(each, Target(channel=name), QUIET, now) for name in quiet]
        following[chain] |= dict.fromkeys(names)
    return add(connection, rows, now)


def enqueue_stale(connection: Connection, told: Sequence[Told], now: int) -> int:
    """No ending was heard: for whoever wants to know of failures or aborts, and where its message stands."""
    known = routes(connection) if told else ()
    following = _following(connection, told)
    rows = []
    for each in told:
        wanted: dict[str, Target] = {name: Target(channel=name) for name in following.get(each.life.chain_id, {})}
        for state in (State.FAILED, State.ABORTED):
            found = routing.targets(each.event(state), known, ())
            wanted |= {target.channel: target for target in found}
        rows += [_row(each, target, STALE, now) for target in wanted.values()]
    return add(connection, rows, now)


def enqueue_left(connection: Connection, left: Iterable[tuple[str, Life]], now: int) -> int:
    """Quietly, where a message stands on "queued": what took that over ended before it was known to have started."""
    rows = []
    for chain, life in left:
        ended = select(Recorded.id).where(
            Recorded.lifecycle_id == life.id, Recorded.state == life.state, ~Recorded.is_late, ~Recorded.is_repeat
        )
        event_id = life.closed_by or connection.execute(ended.limit(1)).scalar_one_or_none()
        channels = {row[1]: None for row in sorted(_SENT.rows(connection, [(chain,)]), key=lambda row: row[2])}
        about = (chain, life.id, event_id)
        rows += [_about(about, Target(channel=name), QUIET, now) for name in channels]
    return add(connection, rows, now)


def add(connection: Connection, rows: list[dict[str, Any]], now: int) -> int:
    """Write the rows, and make their channels known."""
    if rows:
        connection.execute(insert(Outbox), rows)
        names = {row["channel"] for row in rows}
        query = select(SlackChannel.channel).where(SlackChannel.channel.in_(names))
        missing = names - set(connection.execute(query).scalars())
        if missing:
            connection.execute(insert(SlackChannel), [{"channel": name, "next_at": now} for name in sorted(missing)])
    return len(rows)


def _following(connection: Connection, told: Iterable[Told]) -> dict[str, dict[str, None]]:
    """Chain → the channels that it was told in before."""
    chains = {each.life.chain_id for each in told if not (each.life.is_new and each.life.chain_id == each.life.id)}
    found: dict[str, dict[str, None]] = {}
    if chains:
        rows = _SENT.rows(connection, [(chain,) for chain in chains])
        for chain, channel, _ in sorted(rows, key=lambda row: row[2]):
            found.setdefault(chain, {})[channel] = None
    return found


def _row(told: Told, target: Target, what: str, now: int) -> dict[str, Any]:
    return _about((told.life.chain_id, told.life.id, told.event_id), target, what, now)


def _about(ids: tuple[str, str, str | None], target: Target, what: str, now: int) -> dict[str, Any]:
    """`ids`: of the chain, the lifecycle and the event."""
    chain_id, lifecycle_id, event_id = ids
    return {
        "id": fresh_id(),
        "what": what,
        "chain_id": chain_id,
        "lifecycle_id": lifecycle_id,
        "event_id": event_id,
        "channel": target.channel,
        "mention": list(target.mentions),
        "state": "new",
        "is_reply_due": False,
        "owner": None,
        "not_before": now,
        "attempts": 0,
        "ts": None,
        "last_error": None,
        "created_at": now,
        "sent_at": None,
    }
