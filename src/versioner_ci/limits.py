"""The bounds of what is sent: cut with a mark and a note, never in silence. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci.event import Event
from versioner_ci.limits_json import MAX_DEPTH, MAX_VALUE, Cutter, escaped_size, key_text, shortened
from versioner_ci.records import replace
from versioner_ci.text import MARK, clean, cut, cut_bytes

MAX_REQUEST = 256 * 1024
MAX_METADATA = 64 * 1024
MAX_KEYS = 100
MAX_NAME = 255
MAX_URL = 2048
MARK_KEY = "vi_cut"
"""Metadata that was cut says so under this key."""

__all__ = [
    "MARK_KEY",
    "MAX_DEPTH",
    "MAX_KEYS",
    "MAX_METADATA",
    "MAX_NAME",
    "MAX_REQUEST",
    "MAX_URL",
    "MAX_VALUE",
    "cut_event",
    "cut_metadata",
    "cut_request",
]

_OWN_KEYS = 4
"""vi_group_id, vi_lifecycle_id, vi_occurred_at (event.extra_metadata adds them) and MARK_KEY."""
_OWN_BYTES = 512
_MARK_BYTES = 255
_WORTH_KEEPING = 64
_FIRST = ("vi_", "error", "error_code", "reason", "duration_seconds", "unstable")
_NAMES = (
    "product",
    "version",
    "environment",
    "source_system",
    "build_number",
    "scm_sha",
    "scm_branch",
    "scm_repository",
    "invoke_id",
    "actor",
    "actor_email",
    "actor_name",
)
_URLS = ("scm_url", "run_url")


def cut_metadata(
    metadata: Mapping[Any, Any], *, max_bytes: int = MAX_METADATA
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """JSON-safe metadata within the bounds, and a note for each thing that was cut.

    64 KiB (as JSON whose text is escaped to ASCII), 100 keys in all, 8 levels with the object itself as the first,
    8 KiB a value; what the reporter itself adds later is allowed for. The host's and the reporter's own keys are kept
    before others.
    """
    named = {key_text(key): value for key, value in metadata.items()}
    earlier = named.pop(MARK_KEY, None)
    kept = sorted(named, key=_rank)[: MAX_KEYS - _OWN_KEYS]
    cutter = Cutter(keys=MAX_KEYS - _OWN_KEYS - len(kept))
    room = max_bytes - _OWN_BYTES
    done: dict[str, Any] = {}
    for key in kept:
        value, cost = _fitted(key, cutter.value(named[key], key), room, cutter)
        if cost <= room:
            done[key] = value
            room -= cost
    left_out = len(named) - len(done)
    ordered = {key: done[key] for key in named if key in done}
    mark = _mark(cutter, left_out) or (earlier if isinstance(earlier, str) else "")
    if mark:
        ordered[MARK_KEY] = shortened(clean(mark), _MARK_BYTES, escaped_size)
    return ordered, (*cutter.notes(), *_left_out(left_out, len(named)))


def cut_event(event: Event) -> tuple[Event, tuple[str, ...]]:
    """The event with names of at most 255 characters and metadata within its bounds; a longer address is left out."""
    changes: dict[str, Any] = {}
    notes: list[str] = []
    for field in _NAMES:
        value = getattr(event, field)
        if value is not None and len(value) > MAX_NAME:
            notes.append(f"{field}: cut from {len(value):,} to {MAX_NAME} characters")
        if value is not None:
            changes[field] = cut(clean(value), MAX_NAME)
    for field in _URLS:
        value = getattr(event, field)
        if value is not None and len(value) > MAX_URL:
            notes.append(f"{field}: left out, {len(value):,} characters are too many for a link")
            changes[field] = None
    metadata, more = cut_metadata(event.metadata)
    return replace(event, **changes, metadata=metadata), (*notes, *more)


def cut_request(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A request's body of at most 256 KiB however it is written as JSON: metadata is cut first, then long texts."""
    done = dict(body)
    notes: tuple[str, ...] = ()
    room = MAX_METADATA
    while escaped_size(done) > MAX_REQUEST and room > _OWN_BYTES and isinstance(done.get("extra_metadata"), Mapping):
        room //= 2
        done["extra_metadata"], more = cut_metadata(done["extra_metadata"], max_bytes=room)
        notes = (*notes, *more)
    limit = MAX_VALUE
    while escaped_size(done) > MAX_REQUEST and limit > _WORTH_KEEPING:
        limit //= 2
        long = [key for key, value in done.items() if isinstance(value, str) and len(value) > limit]
        notes = (*notes, *(f"{key}: cut to {limit} bytes, the request was too large" for key in long))
        done.update({key: cut_bytes(clean(done[key]), limit) for key in long})
    return done, tuple(dict.fromkeys(notes))


def _rank(key: str) -> int:
    return 0 if key.startswith("vi_") or key in _FIRST else 1


def _fitted(key: str, value: Any, room: int, cutter: Cutter) -> tuple[Any, int]:
    """The value, if need be a shorter text, and what it takes with its key."""
    cost = escaped_size({key: value})
    if cost <= room or not isinstance(value, str) or room - escaped_size(key) < _WORTH_KEEPING:
        return value, cost
    shorter = shortened(value.removesuffix(MARK), room - escaped_size({key: MARK}), escaped_size) + MARK
    cutter.cut[key] = f"all metadata together may have {MAX_METADATA // 1024} KiB"
    return shorter, escaped_size({key: shorter})


def _left_out(count: int, total: int) -> tuple[str, ...]:
    bounds = f"at most {MAX_KEYS} keys, {MAX_METADATA // 1024} KiB"
    return (f"metadata: {count} of {total} keys left out ({bounds})",) if count else ()


def _mark(cutter: Cutter, left_out: int) -> str:
    cuts = [f"cut: {', '.join(cutter.cut)}"] if cutter.cut else []
    parts = cuts + [f"{left_out} left out"] * bool(left_out)
    return "; ".join(parts)
