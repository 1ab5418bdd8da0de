"""One event, frozen: what is sent to a tracker and shown in Slack, and kept in the spool meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci.records import asdict, dataclass, field, names
from versioner_ci.status import Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A build's or a deployment's change of state. Times are RFC 3339; unknown is None."""

    kind: Kind
    state: State
    product: str
    version: str
    environment: str | None = None
    occurred_at: str
    started_at: str | None = None
    completed_at: str | None = None
    source_system: str | None = None
    build_number: str | None = None
    scm_sha: str | None = None
    scm_branch: str | None = None
    scm_repository: str | None = None
    scm_url: str | None = None
    run_url: str | None = None
    invoke_id: str | None = None
    actor: str | None = None
    actor_email: str | None = None
    actor_name: str | None = None
    skip_preflight: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None
    lifecycle_id: str | None = None
    key: str
    """Idempotency-Key: the same for a retry, a replay and a doubled hook."""

    @property
    def type(self) -> str:
        """The event type: `deployment.failed`."""
        return f"{self.kind.value}.{self.state.value}"


def payload(event: Event) -> dict[str, Any]:
    """The request body of the tracker's API; unset fields are left out."""
    by, url = ("built_by", "build_url") if event.kind is Kind.BUILD else ("deployed_by", "deploy_url")
    body: dict[str, Any] = {
        "product_name": event.product,
        "version": event.version,
        "environment_name": event.environment if event.kind is Kind.DEPLOYMENT else None,
        "status": event.state.value,
        "source_system": event.source_system,
        "build_number": event.build_number,
        "scm_sha": event.scm_sha,
        "scm_branch": event.scm_branch,
        "scm_repository": event.scm_repository,
        url: event.run_url,
        "invoke_id": event.invoke_id,
        by: event.actor,
        f"{by}_email": event.actor_email,
        f"{by}_name": event.actor_name,
        "started_at": event.started_at,
        "completed_at": event.completed_at,
        "skip_preflight_checks": event.skip_preflight or None,
        "extra_metadata": extra_metadata(event),
    }
    return {name: value for name, value in body.items() if value not in (None, "", {})}


def extra_metadata(event: Event) -> dict[str, Any]:
    """The event's metadata with the identity and the time of occurrence."""
    own = {
        "vi_group_id": event.group_id,
        "vi_lifecycle_id": event.lifecycle_id,
        "vi_occurred_at": event.occurred_at,
    }
    return {**event.metadata, **{name: value for name, value in own.items() if value}}


def to_record(event: Event) -> dict[str, Any]:
    """The event as JSON types, for the spool."""
    return {name: value for name, value in asdict(event).items() if value is not None}


def from_record(record: Mapping[str, Any]) -> Event:
    """The inverse of to_record. Raises ValueError, KeyError or TypeError for a record that is none."""
    known = names(Event)
    values = {name: value for name, value in record.items() if name in known}
    return Event(**{**values, "kind": Kind(values["kind"]), "state": State(values["state"])})
