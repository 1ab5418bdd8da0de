"""One entry of `notifications`, checked."""

from __future__ import annotations

import re
from typing import Any

from versioner_ci import settings_parse as parse
from versioner_ci.config_yaml import Found
from versioner_ci.errors import UsageError
from versioner_ci.settings_values import Route, nearest, unique
from versioner_ci.status import Kind, State, normalise

KEYS = ("event_type", "channel_id", "environments", "products", "mention")
EVENT_TYPES = (
    "*",
    *(f"{kind.value}.*" for kind in Kind),
    *(f"*.{state.value}" for state in State),
    *(f"{kind.value}.{state.value}" for kind in Kind for state in State),
)
MENTION = r"<!subteam\^S[A-Z0-9]+>|<@[UW][A-Z0-9]+>|@[UWS][A-Z0-9]+"
_MENTION = re.compile(MENTION)


class WrongError(Exception):
    """A value of the wrong type or form, and its line."""

    def __init__(self, line: int, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.fix = fix


def called(value: object) -> str:
    """A value's type in words; the value itself is not shown."""
    names: dict[type, str] = {dict: "keys and values", list: "a list", str: "text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def text(found: Found) -> str:
    """Text only: 1.10 without quotes would arrive as 1.1."""
    if isinstance(found.value, str):
        return found.value
    fix = "put it in quotes" if isinstance(found.value, (bool, int, float)) else None
    raise WrongError(found.line, f"must be text, not {called(found.value)}", fix=fix)


def route(entry: Found) -> Route:
    """Raises WrongError or ParseError for what would send to the wrong place or let through too much."""
    given: dict[str, Found] = entry.value
    if "event_type" not in given:
        raise WrongError(entry.line, "event_type is missing", fix="for example deployment.failed, or * for all")
    channel = given.get("channel_id")
    return Route(
        event_type=_event_type(given["event_type"]),
        channel_id=_channel(channel) if channel is not None and channel.value is not None else None,
        environments=_texts(given.get("environments")),
        products=_texts(given.get("products")),
        mention=unique(_mention(one, given["mention"].line) for one in _texts(given.get("mention"))),
    )


def _channel(found: Found) -> str:
    try:
        name: str = parse.channel(text(found))[0]
    except parse.ParseError as error:
        raise WrongError(found.line, f"channel_id {error}", fix=error.fix) from None
    return name


def _event_type(found: Found) -> str:
    given = text(found).strip()
    if given in EVENT_TYPES:
        return given
    near = _meant(given) or nearest(given, EVENT_TYPES)
    fix = f"did you mean '{near}'?" if near else "for example deployment.failed, deployment.*, *.failed or *"
    raise WrongError(found.line, f"{parse.shown(given)} is no event type", fix=fix)


def _meant(given: str) -> str | None:
    """`deployment.success` means deployment.completed."""
    kind, _, word = given.lower().partition(".")
    try:
        return f"{kind}.{normalise(Kind(kind), word).value}"
    except (ValueError, UsageError):
        return None


def _texts(found: Found | None) -> tuple[str, ...]:
    if found is None or found.value is None:
        return ()
    items: list[Any] = found.value if isinstance(found.value, list) else [found]
    return unique(_name(item) for item in items)


def _name(found: Found) -> str:
    try:
        name, note = parse.name(text(found))
    except parse.ParseError as error:
        raise WrongError(found.line, f"a filter or a mention {error}") from None
    if note:
        raise WrongError(found.line, f"{parse.shown(name)} {note.partition(';')[0]}, which no name is")
    return str(name)


def _mention(given: str, line: int) -> str:
    """As Slack writes it; only ids, so that a file cannot ping a whole workspace."""
    if not _MENTION.fullmatch(given):
        fix = "a user's id like @U0456, a group's like <!subteam^S012>"
        raise WrongError(line, f"{parse.shown(given)} is no mention", fix=fix)
    if given.startswith("@"):
        return f"<!subteam^{given[1:]}>" if given[1] == "S" else f"<@{given[1:]}>"
    return given
