"""What a sink is: one try at delivering one event, no sleep, no retry, an answer in every case."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol

from versioner_ci.event import Event
from versioner_ci.records import dataclass, field


class Answer(Enum):
    """What one try came to, and so what the delivery does next."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Accepted before: counts as delivered."""
    TEMPORARY = "temporary"
    """Retried within the budget, then kept."""
    UNKNOWN = "unknown"
    """No answer or a broken one: it may have been recorded. Retried with the same key, then kept."""
    KEPT = "kept"
    """A retry now is useless, a later call may deliver it: kept."""
    MISCONFIGURED = "misconfigured"
    """The key or the URL is wrong: kept, and nothing else is tried at this sink in this call."""
    REFUSED = "refused"
    """Final: set aside."""
    REJECTED = "rejected"
    """Final: the tracker's rules do not let this deployment start."""


class Rejection(NamedTuple):
    """Why the tracker does not let a deployment start."""

    rule: str | None
    reason: str
    retry_after: float | None = None
    """Seconds from now."""


class Target(NamedTuple):
    """A Slack channel that one event goes to; `channel` is "" for a webhook."""

    channel: str
    mentions: tuple[str, ...] = ()
    is_reply_due: bool = False
    """The message itself stands already: only the reply in its thread is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event on its way to one sink."""

    event: Event
    targets: tuple[Target, ...] = ()
    """Slack only: the channels still to be served."""
    channels: Mapping[str, str] = field(default_factory=dict)
    """Slack only: channel as configured → `C0123=1700000000.000100`, this lifecycle's message."""
    is_gated: bool = False
    """The tracker's rules may reject it."""
    is_unsure: bool = False
    """An earlier try's outcome is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A sink's answer to one try."""

    answer: Answer
    detail: str = ""
    """One line of outside text at most, already masked by the sink's redactor: `HTTP 503`, `id 8f3…`."""
    fix: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """Backend only: id, event_id, product_id, … as the tracker gave them."""
    retry_after: float | None = None
    """Seconds, where the server named a time."""
    retry_once: bool = False
    """At most one more try within this call, since each may have had an effect."""
    retries: int | None = None
    """At most so many more tries within this call; None: as many as the budget allows."""
    rejection: Rejection | None = None
    targets: tuple[Target, ...] = ()
    """Slack only: what is left to do."""
    channels: Mapping[str, str] = field(default_factory=dict)
    """Slack only: messages that now stand."""
    warnings: tuple[str, ...] = ()
    debug: str = ""
    """For `--verbose` only: how an answer began that was not the tracker's; one line, masked."""


class Sink(Protocol):
    """A destination. `send` never raises for what the network or the server does."""

    name: str

    def send(self, item: Item, *, timeout: float) -> Receipt:
        """One try of at most about `timeout` seconds."""
        ...

    def preview(self, item: Item) -> list[dict[str, Any]]:
        """The requests that send() would make: method, url, headers and body, not yet masked."""
        ...
