"""What a call came to as one JSON object, for wrappers."""

from __future__ import annotations

from typing import Any

from versioner_ci.outcome import Backlog, Outcome, Verdict, worst
from versioner_ci.result import Report


def as_json(report: Report, *, error: str | None = None) -> dict[str, Any]:
    """The object that `--json` prints. `error`: why the call ended without doing what was asked."""
    return {
        "outcome": verdict_of(report).value,
        "ok": error is None and is_ok(report),
        "error": error,
        **_event(report),
        "lifecycle": report.handle.encode() if report.handle is not None else None,
        "ids": ids(report),
        "slack": dict(report.handle.channels) if report.handle is not None else {},
        "sinks": [_sink(outcome) for outcome in report.outcomes],
        "rejection": _rejection(report),
        "backlog": [_backlog(backlog) for backlog in report.backlogs],
        "kept_at": report.kept_at,
        "notice": report.notice,
        "warnings": list(report.warnings),
    }


def verdict_of(report: Report) -> Verdict:
    """The worst sink's; of a call without an event of its own, what became of the kept ones."""
    return worst(map(_verdict, report.backlogs)) if _is_flush(report) else report.verdict


def is_ok(report: Report) -> bool:
    """Whether everything that was to be reported has arrived."""
    return report.signum is None and not report.is_unread and verdict_of(report).is_delivered


def ids(report: Report) -> dict[str, str]:
    """The tracker's ids of this event."""
    return {name: value for outcome in report.outcomes for name, value in outcome.ids.items()}


def _is_flush(report: Report) -> bool:
    return report.event is None and not report.outcomes and bool(report.backlogs)


def _verdict(backlog: Backlog) -> Verdict:
    if backlog.set_aside:
        return Verdict.REFUSED
    if backlog.left:
        return Verdict.LOST if backlog.is_lost else Verdict.KEPT
    return Verdict.ACCEPTED if backlog.delivered else Verdict.NOTHING


def _event(report: Report) -> dict[str, Any]:
    event = report.event
    return {
        "event_type": event.type if event is not None else None,
        "status": event.state.value if event is not None else None,
        "product": event.product if event is not None else None,
        "version": event.version if event is not None else None,
        "environment": event.environment if event is not None else None,
        "occurred_at": event.occurred_at if event is not None else None,
        "group_id": event.group_id if event is not None else None,
        "lifecycle_id": event.lifecycle_id if event is not None else None,
        "idempotency_key": event.key if event is not None else None,
    }


def _sink(outcome: Outcome) -> dict[str, Any]:
    return {"sink": outcome.sink, "outcome": outcome.verdict.value, "detail": outcome.detail, "fix": outcome.fix}


def _rejection(report: Report) -> dict[str, Any] | None:
    found = report.rejection
    return (
        None
        if found is None
        else {
            "rule": found.rule,
            "reason": found.reason,
            "retry_after": found.retry_after,
        }
    )


def _backlog(backlog: Backlog) -> dict[str, Any]:
    return {
        "sink": backlog.sink,
        "delivered": backlog.delivered,
        "left": backlog.left,
        "set_aside": backlog.set_aside,
        "detail": backlog.detail,
    }
