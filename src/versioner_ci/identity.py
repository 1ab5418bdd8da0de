"""Who an event belongs to: group, lifecycle, idempotency key, and the handle that carries them on."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from versioner_ci.errors import UsageError
from versioner_ci.records import asdict, dataclass, field
from versioner_ci.status import Kind, State
from versioner_ci.text import clean
from versioner_ci.times import parse, stamp

NAMESPACE = bytes.fromhex("5b0f7a523d0c4a5c9a776b1f0e6c2d41")
_LONGEST_HANDLE = 16_384
_PAUSE = 0.02
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uid(*parts: object) -> str:
    """UUIDv5 of the compact JSON array of the parts."""
    name = _ENCODER.encode(parts)
    return _uuid(hashlib.sha1(NAMESPACE + name.encode("utf-8", "replace")).digest(), 5)  # noqa: S324 - RFC 9562 says so


def fresh_id() -> str:
    """A run id for where no CI host gives one."""
    return _uuid(os.urandom(16), 4)


def _uuid(raw: bytes, version: int) -> str:
    """RFC 9562's text form; the module `uuid` costs 4 ms at start-up for the same."""
    number = int.from_bytes(raw[:16], "big") & ~(0xF << 76) & ~(0x3 << 62) | version << 76 | 0x2 << 62
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Group(NamedTuple):
    """What the events of one product and environment in one run have in common; nothing from git."""

    source_system: str
    server_url: str | None
    invoke_id: str | None
    pipeline: str | None
    kind: Kind
    product: str
    environment: str | None
    key: str | None

    def parts(self) -> tuple[object, ...]:
        run = (self.source_system, self.server_url, self.invoke_id, self.pipeline)
        return (*run, self.kind.value, self.product, self.environment, self.key)

    @property
    def id(self) -> str:
        return uid(*self.parts())


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """What tells the lifecycles of one group apart."""

    version: str
    attempt: str | None
    job: str | None
    leg: str | None
    count: int
    """How many of this group came before it in this job."""


def lifecycle_id(group: Group, leg: Leg) -> str:
    """One build or deployment with one ending."""
    return uid(*group.parts(), leg.version, leg.attempt, leg.job, leg.leg, leg.count)


def event_key(lifecycle: str, state: State) -> str:
    """The Idempotency-Key of a lifecycle's event."""
    return uid(lifecycle, state.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """A lifecycle as it is handed on to another process, hook or job."""

    id: str
    group: str
    kind: Kind
    product: str
    version: str
    environment: str | None = None
    started_at: str | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    """Slack channel as configured → `C0123=1700000000.000100`."""

    def encode(self) -> str:
        """base64url of compact JSON, without padding."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, {})}
        raw = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> Handle:
    """The inverse of Handle.encode. Raises ValueError for anything else."""
    if len(text) > _LONGEST_HANDLE:
        raise ValueError("too long for a handle")
    try:
        values = json.loads(base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4)))
        uuids = [_known_uuid(values[name]) for name in ("id", "group")]
        return Handle(
            id=uuids[0],
            group=uuids[1],
            kind=Kind(values["kind"]),
            product=_name(values["product"]),
            version=_name(values["version"]),
            environment=_text(values.get("environment")),
            started_at=_time(values.get("started_at")),
            channels={name: _text(value) or "" for name, value in values.get("channels", {}).items()},
        )
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as error:
        raise ValueError("not a lifecycle handle") from error


def _known_uuid(value: str) -> str:
    if not _UUID.fullmatch(value.lower()):
        raise ValueError("not a UUID")
    return value.lower()


def _name(value: object) -> str:
    text = _text(value)
    if not text:
        raise TypeError("incomplete")
    return text


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else clean(value)
    raise TypeError("not text")


def _time(value: object) -> str | None:
    """In our own form: it goes into later events, and durations are counted from it."""
    try:
        return None if value is None else stamp(parse(str(value)))
    except UsageError as error:
        raise ValueError(str(error)) from None


def read_handle(text: str, *, patience: float = 0.0, sleep: Callable[[float], None] = time.sleep) -> Handle | None:
    """A handle as given, or `@FILE` that holds one; None: the file is empty. Raises ValueError for anything else.

    `patience`: seconds to wait for the file, which the `run` around us writes while its CMD runs already.
    """
    if not text.startswith("@"):
        return decode(text)
    while patience > 0 and not os.path.exists(text[1:]):  # noqa: PTH110 - a string is all there is
        sleep(_PAUSE)
        patience -= _PAUSE
    try:
        with open(text[1:], encoding="ascii") as file:
            content = file.read(_LONGEST_HANDLE + 1)
    except (OSError, ValueError) as error:
        raise ValueError("no handle in that file") from error
    return decode(content) if content.strip() else None
