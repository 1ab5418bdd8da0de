"""Who an event belongs to: group, lifecycle, idempotency key, and the handle that carries them on."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from versioner_ci.status import Kind, State

NAMESPACE = uuid.UUID("5b0f7a52-3d0c-4a5c-9a77-6b1f0e6c2d41")
_LONGEST_HANDLE = 16_384


def uid(*parts: object) -> str:
    """UUIDv5 of the compact JSON array of the parts."""
    name = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return str(uuid.uuid5(NAMESPACE, name.encode("utf-8", "replace").decode()))


def fresh_id() -> str:
    """A run id for where no CI host gives one."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
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
        uuids = [str(uuid.UUID(values[name])) for name in ("id", "group")]
        texts = {name: values.get(name) for name in ("product", "version", "environment", "started_at")}
        channels = values.get("channels", {})
        if not all(value is None or isinstance(value, str) for value in (*texts.values(), *channels.values())):
            raise TypeError("not text")
        if not texts["product"] or not texts["version"]:
            raise ValueError("incomplete")
        return Handle(id=uuids[0], group=uuids[1], kind=Kind(values["kind"]), channels=channels, **texts)
    except (binascii.Error, UnicodeDecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a lifecycle handle") from error


def read_handle(text: str) -> Handle:
    """A handle as given, or `@FILE` that holds one. Raises ValueError for anything else."""
    if not text.startswith("@"):
        return decode(text)
    try:
        with open(text[1:], encoding="ascii") as file:
            return decode(file.read(_LONGEST_HANDLE + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("no handle in that file") from error
