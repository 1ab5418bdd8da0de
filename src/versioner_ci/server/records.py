"""What is read from the database: frozen rows. Times are microseconds since the epoch, unknown is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

NO_ENDING, CLOSED, SUPERSEDED = "no_ending_heard", "closed", "superseded"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows in a stable order; `next` is the cursor of the following page, None on the last one."""

    items: tuple[Row, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which builds, deployments or events are wanted: names, states and times (from `since` on, before `until`)."""

    product: str | None = None
    environment: str | None = None
    version: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None
    lifecycle_id: str | None = None
    """Events only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRow:
    """One build or deployment."""

    id: str
    kind: str
    state: str
    """As last told."""
    is_open: bool
    is_stale: bool
    superseded_by: str | None
    adopted_by: str | None
    closed_by: str | None
    closed_name: str | None
    product_id: str
    product: str
    version_id: str
    version: str
    environment_id: str | None
    environment: str | None
    group_key: str | None
    opened_at: int
    pending_at: int | None
    started_at: int | None
    ended_at: int | None
    last_event_at: int
    source_system: str | None
    invoke_id: str | None
    build_number: str | None
    actor: str | None
    branch: str | None
    sha: str | None
    repository: str | None
    url: str | None
    error: str | None
    error_code: str | None
    reason: str | None
    duration: float | None

    @property
    def shown(self) -> str:
        """The state as people see it: no_ending_heard, closed and superseded are known here only, never told."""
        return shown_state(self)

    @property
    def changed_at(self) -> int:
        """When its state began."""
        return self.ended_at or self.started_at or self.pending_at or self.opened_at


def shown_state(row: Any) -> str:
    """The shown state of a row that has the lifecycle's columns."""
    if row.closed_name:
        return CLOSED
    if row.is_stale and row.is_open:
        return NO_ENDING
    return SUPERSEDED if row.superseded_by and row.state == "pending" else str(row.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One accepted event."""

    seq: int
    id: str
    kind: str
    state: str
    lifecycle_id: str
    product_id: str
    product: str
    version_id: str
    version: str
    environment_id: str | None
    environment: str | None
    occurred_at: int
    received_at: int
    is_late: bool
    is_repeat: bool
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRow:
    """A product or an environment (`position`: its place in the matrix)."""

    id: str
    name: str
    created_at: int
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A product's version."""

    id: str
    product_id: str
    product: str
    name: str
    scm_sha: str | None
    scm_repository: str | None
    first_seen_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A product in an environment: what runs there, and the newest deployment, whatever became of it."""

    product_id: str
    environment_id: str
    version: str | None
    version_id: str | None
    first_seen_at: int | None
    """When the version was first heard of: versions are ordered by time, not by their names."""
    completed_at: int | None
    lifecycle_id: str | None
    actor: str | None
    sha: str | None
    url: str | None
    last_id: str
    last_version: str
    last_state: str
    """As shown."""
    last_at: int
    last_actor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Products by name × environments by position; where nothing was ever deployed there is no cell."""

    products: tuple[NameRow, ...]
    environments: tuple[NameRow, ...]
    cells: Mapping[tuple[str, str], Cell]
    """(product_id, environment_id) → cell"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceRow:
    """Which events go to which Slack channel."""

    id: str
    event_type: str
    channel_id: str
    product_name: str | None
    environment_name: str | None
    mention: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRow:
    """One step of a Slack message: on its way (new, sending), sent or failed."""

    seq: int
    id: str
    what: str
    lifecycle_id: str
    event_id: str | None
    channel: str
    state: str
    attempts: int
    not_before: int
    ts: str | None
    last_error: str | None
    created_at: int
    sent_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """An API key without its secret."""

    id: str
    key_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
