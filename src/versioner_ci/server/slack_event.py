"""A stored event as the core's own record, so that its Slack message looks the same from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci.event import Event
from versioner_ci.server import moments
from versioner_ci.server.records import EventRow, LifecycleRow
from versioner_ci.status import Kind, State


def told(row: EventRow, about: LifecycleRow) -> Event:
    """The event in its own words; what it does not say, its lifecycle knows."""
    kind = Kind(row.kind)
    by, url = ("built_by", "build_url") if kind is Kind.BUILD else ("deployed_by", "deploy_url")
    said = {name: value for name, value in row.payload.items() if isinstance(value, str) and value}
    metadata = row.payload.get("extra_metadata")
    return Event(
        kind=kind,
        state=State(row.state),
        product=about.product,
        version=about.version,
        environment=about.environment,
        occurred_at=moments.stamp(row.occurred_at),
        source_system=said.get("source_system") or about.source_system,
        build_number=said.get("build_number") or about.build_number,
        scm_sha=said.get("scm_sha") or about.sha,
        scm_branch=said.get("scm_branch") or about.branch,
        scm_repository=said.get("scm_repository") or about.repository,
        run_url=said.get(url) or about.url,
        actor=said.get(by) or about.actor,
        actor_name=said.get(f"{by}_name"),
        metadata=_metadata(metadata if isinstance(metadata, dict) else {}, row, about),
        key=row.id,
    )


def _metadata(given: Mapping[str, Any], row: EventRow, about: LifecycleRow) -> dict[str, Any]:
    """With a duration also for clients that measure none."""
    found = dict(given)
    if "duration_seconds" not in found and about.started_at is not None and State(row.state).is_ending:
        found["duration_seconds"] = max(0, row.occurred_at - about.started_at) / 1_000_000
    return found
