"""What a kept event's file holds: the item and the job that wrote it; no destination's URL, no secret."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from versioner_ci.event import from_record, to_record
from versioner_ci.sinks._sink import Item, Target

FORMAT = 1


class Stored(NamedTuple):
    """One event on its way to one sink, and the state file (its name) of the job that it came from."""

    item: Item
    job: str | None


def encode(sink: str, stored: Stored) -> bytes:
    """JSON. Raises ValueError, TypeError or RecursionError for metadata that is none."""
    item = stored.item
    record = {
        "format": FORMAT,
        "sink": sink,
        "job": stored.job,
        "event": to_record(item.event),
        "targets": [target._asdict() for target in item.targets],
        "channels": dict(item.channels),
        "is_gated": item.is_gated,
        "is_unsure": item.is_unsure,
    }
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")


def decode(sink: str, content: bytes) -> Stored:
    """The inverse of encode. Raises ValueError for content that is torn, foreign or of a later format."""
    try:
        record = json.loads(content.decode("utf-8", "surrogatepass"))
        if record["format"] != FORMAT or record["sink"] != sink:
            raise ValueError("of another format or sink")
        return Stored(item=_item(record), job=_text_or_none(record["job"]))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a kept event") from error


def _item(record: dict[str, Any]) -> Item:
    return Item(
        event=from_record(record["event"]),
        targets=tuple(
            Target(
                channel=_text(row["channel"]),
                mentions=tuple(map(_text, row["mentions"])),
                is_reply_due=bool(row["is_reply_due"]),
            )
            for row in record["targets"]
        ),
        channels={_text(name): _text(message) for name, message in record["channels"].items()},
        is_gated=bool(record["is_gated"]),
        is_unsure=bool(record["is_unsure"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
