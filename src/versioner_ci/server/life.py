"""A build or deployment while events are applied to it: one row of the table `lifecycle`, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from versioner_ci.status import State


@dataclass(slots=True, kw_only=True)
class Life:
    """The columns of the table; `is_new` and `is_changed` tell what is to be written."""

    id: str
    kind: str
    key: str
    slot: str
    group_key: str | None
    product_id: str
    version_id: str
    environment_id: str | None
    state: str
    is_open: bool = True
    is_stale: bool = False
    superseded_by: str | None = None
    adopted_by: str | None = None
    chain_id: str
    closed_by: str | None = None
    closed_name: str | None = None
    opened_at: int
    pending_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    last_event_at: int
    source_system: str | None = None
    invoke_id: str | None = None
    build_number: str | None = None
    actor: str | None = None
    branch: str | None = None
    sha: str | None = None
    repository: str | None = None
    url: str | None = None
    error: str | None = None
    error_code: str | None = None
    reason: str | None = None
    duration: float | None = None
    is_new: bool = False
    is_changed: bool = False

    @property
    def has_ended(self) -> bool:
        return State(self.state).is_ending

    @property
    def can_end(self) -> bool:
        """An ending may be meant for it: a superseded pending may still go on."""
        return self.is_open or (self.is_pending and self.superseded_by is not None and self.adopted_by is None)

    @property
    def is_pending(self) -> bool:
        return self.state == State.PENDING.value

    @property
    def has_completed(self) -> bool:
        """It completed, and is not part of another."""
        return self.state == State.COMPLETED.value and self.adopted_by is None

    @property
    def began_at(self) -> int:
        """When it started, else when it was queued, else when its ending happened."""
        return next(at for at in (self.started_at, self.pending_at, self.opened_at) if at is not None)

    @property
    def place(self) -> tuple[str, str, str | None]:
        """Kind, product and environment."""
        return (self.kind, self.product_id, self.environment_id)


COLUMNS = tuple(name for name in Life.__dataclass_fields__ if name not in {"is_new", "is_changed"})
CHANGING = tuple(
    name
    for name in COLUMNS
    if name not in {"id", "kind", "key", "slot", "group_key", "product_id", "version_id", "environment_id", "opened_at"}
)
