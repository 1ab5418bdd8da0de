"""One entry of `notifications`, checked."""

from __future__ import annotations

from typing import Any

from versioner_ci import settings_parse as parse
from versioner_ci.config_yaml import Found
from versioner_ci.errors import UsageError
from versioner_ci.settings_values import Route, mention, nearest, unique
from versioner_ci.status import Kind, State, normalise

KEYS = ("event_type", "channel_id", "environments", "products", "mention")
EVENT_TYPES = (
    "*",
    *(f"{kind.value}.*" for kind in Kind),
    *(f"*.{state.value}" for state in State),
    *(f"{kind.value}.{state.value}" for kind in Kind for state in State),
)


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


def route(entry: Found) -> tuple[Route, tuple[WrongError, ...]]:
    """The entry, and why mentions of it are left out.

    Raises WrongError or ParseError for what would send to the wrong place or let through too much.
    """
    given: dict[str, Found] = entry.value
    if "event_type" not in given:
        raise WrongError(entry.line, "event_type is missing", fix="for example deployment.failed, or * for all")
    channel = given.get("channel_id")
    mentions, wrong = _mentions(given.get("mention"))
    checked = Route(
        event_type=_event_type(given["event_type"]),
        channel_id=_channel(channel) if channel is not None and channel.value is not None else None,
        environments=_texts(given.get("environments")),
        products=_texts(given.get("products")),
        mention=mentions,
    )
    return checked, wrong


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
    return unique(_name(item) for item in _items(found))


def _items(found: Found) -> list[Any]:
    return found.value if isinstance(found.value, list) else [found]


def _name(found: Found) -> str:
    try:
        name, note = parse.name(text(found))
    except parse.ParseError as error:
        raise WrongError(found.line, f"a filter or a mention {error}") from None
    if note:
        raise WrongError(found.line, f"{parse.shown(name)} {note.partition(';')[0]}, which no name is")
    return str(name)


def _mentions(found: Found | None) -> tuple[tuple[str, ...], tuple[WrongError, ...]]:
    """Those that can be used, and why the others cannot: who is left out must not cost the others the message."""
    good: list[str] = []
    wrong: list[WrongError] = []
    for item in _items(found) if found is not None and found.value is not None else []:
        try:
            good.append(_mention(_name(item), item.line))
        except WrongError as error:
            wrong.append(error)
    return unique(good), tuple(wrong)


def _mention(given: str, line: int) -> str:
    """As Slack writes it; only ids, so that a file cannot ping a whole workspace."""
    meant = mention(given)
    if meant is None:
        fix = "a user's id like @U0456, a group's like <!subteam^S012>"
        raise WrongError(line, f"{parse.shown(given)} is no mention", fix=fix)
    return meant
