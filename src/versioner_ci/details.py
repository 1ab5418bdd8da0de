"""What one call says about its event beyond the settings, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci.identity import Handle
from versioner_ci.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """`occurred_at` in seconds since the epoch, `duration` in seconds."""

    occurred_at: float | None = None
    error: str | None = None
    error_code: str | None = None
    failed_step: str | None = None
    """The step of the job that failed, named in the error."""
    stack_trace: str | None = None
    reason: str | None = None
    duration: float | None = None
    host_word: str | None = None
    is_unstable: bool = False
    handle: Handle | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def as_metadata(self) -> dict[str, Any]:
        """The keys of extra_metadata that the contract names; what is unknown is left out."""
        own = {
            "error": self.error,
            "error_code": self.error_code,
            "stack_trace": self.stack_trace,
            "reason": self.reason,
            "duration_seconds": None if self.duration is None else round(self.duration, 3),
            "vi_host_status": self.host_word,
            "unstable": self.is_unstable or None,
        }
        return {**self.metadata, **{name: value for name, value in own.items() if value is not None}}
