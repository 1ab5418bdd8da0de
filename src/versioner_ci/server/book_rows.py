"""Rows of a batch of events in memory, and the ids of names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Known(NamedTuple):
    """What was accepted under an Idempotency-Key."""

    kind: str
    state: str
    product_id: str
    version_id: str
    environment_id: str | None
    answer: str


@dataclass(slots=True)
class Names:
    """Ids by name of what was committed: rows of these tables never go away."""

    products: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class VersionRow:
    """A version in memory."""

    id: str
    product_id: str
    name: str
    scm_sha: str | None
    scm_repository: str | None
    is_built: bool
    first_seen_at: int
    is_new: bool = False
    is_changed: bool = False


@dataclass(slots=True, kw_only=True)
class CellRow:
    """A row of `current` in memory."""

    product_id: str
    environment_id: str
    lifecycle_id: str | None
    version_id: str | None
    completed_at: int | None
    last_lifecycle_id: str
    last_at: int
    is_new: bool = False
    is_changed: bool = False
