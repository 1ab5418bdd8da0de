"""Notification preferences: checked as in a settings file, made, changed and deleted."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, update

from versioner_ci import settings_parse
from versioner_ci.config_routes import EVENT_TYPES
from versioner_ci.identity import fresh_id
from versioner_ci.server import payload
from versioner_ci.server.problems import Fault, invalid
from versioner_ci.server.tables_slack import Preference
from versioner_ci.settings_values import mention, nearest, unique


class Wish(NamedTuple):
    """A preference as it is wanted, checked."""

    event_type: str
    channel_id: str
    product_name: str | None = None
    environment_name: str | None = None
    mention: tuple[str, ...] = ()


def checked(wish: Wish) -> Wish:
    """In the form in which it is kept. Raises Problem 422 that names everything that is wrong."""
    faults: list[Fault] = []
    if wish.event_type not in EVENT_TYPES:
        near = nearest(wish.event_type, EVENT_TYPES)
        hint = f"did you mean {near}? " if near else ""
        faults.append(_fault("event_type", f"{hint}for example deployment.failed, deployment.*, *.failed or *"))
    channel = _channel(wish.channel_id, faults)
    for name in ("product_name", "environment_name"):
        value = getattr(wish, name)
        if value is not None and not payload.is_name(value):
            faults.append(_fault(name, "must not be blank, hold control characters or have more than 200 characters"))
    meant = [mention(word) for word in wish.mention]
    if not all(meant):
        faults.append(_fault("mention", "each must be a user's id like @U0456 or a group's like <!subteam^S012>"))
    if faults:
        raise invalid(*faults)
    return wish._replace(channel_id=channel, mention=unique(word for word in meant if word))


def create(connection: Connection, wish: Wish, now: int) -> str:
    """The id of the new preference."""
    identity = fresh_id()
    connection.execute(insert(Preference), [{"id": identity, "created_at": now, **_values(wish)}])
    return identity


def change(connection: Connection, identity: str, wish: Wish) -> bool:
    """Whether there is such a preference."""
    done = connection.execute(update(Preference).where(Preference.id == identity).values(**_values(wish)))
    return done.rowcount > 0


def remove(connection: Connection, identity: str) -> bool:
    """Whether there was such a preference."""
    return connection.execute(delete(Preference).where(Preference.id == identity)).rowcount > 0


def _values(wish: Wish) -> dict[str, object]:
    return {**wish._asdict(), "mention": list(wish.mention)}


def _channel(text: str, faults: list[Fault]) -> str:
    try:
        name, _ = settings_parse.channel(text)
    except settings_parse.ParseError as error:
        faults.append(_fault("channel_id", str(error)))
        return text
    if len(name) > 100:
        faults.append(_fault("channel_id", "may have 100 characters"))
    return str(name)


def _fault(name: str, message: str) -> Fault:
    return Fault(at=("body", name), message=message, type="value_error")
