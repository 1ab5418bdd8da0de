"""`--dry-run`: the exact requests, secrets masked; nothing is sent, nothing is written."""

from __future__ import annotations

from typing import Any

from versioner_ci import compose, posting, sinks
from versioner_ci.details import Details
from versioner_ci.event import Event
from versioner_ci.lifecycle import Wanted, choose
from versioner_ci.reporter import Reporter
from versioner_ci.session import Session
from versioner_ci.state import Record
from versioner_ci.status import Kind, State


def preview(
    reporter: Reporter, kind: Kind, state: State, details: Details | None = None, *, is_group: bool = False
) -> dict[str, Any]:
    """JSON: the requests by sink, not masked yet, or why there are none. Raises UsageError as the real call would."""
    why = reporter.why_nothing()
    if why is not None:
        return {
            "event_type": f"{kind.value}.{state.value}",
            "requests": {},
            "notice": why,
            "warnings": reporter.session.warnings,
        }
    session, details = reporter.session, details or Details()
    wanted = reporter.wanted(kind, state, details)
    record, event, warnings = (_group if is_group else _lifecycle)(session, wanted, details)
    requests = _requests(session, record, event) if event is not None else {}
    notice = None if event is not None else "reported already, by an earlier call of this job: nothing would be sent"
    return {
        "event_type": f"{kind.value}.{state.value}",
        "requests": requests,
        "notice": notice,
        "warnings": [*session.warnings, *warnings],
    }


def _lifecycle(
    session: Session, wanted: Wanted, details: Details
) -> tuple[Record | None, Event | None, tuple[str, ...]]:
    choice = choose(session.state.read(), wanted, session.context, session.clock.wall())
    if choice.is_doubled:
        return choice.record, None, choice.warnings
    event, notes = compose.event_of(session.facts, choice.record, wanted.state, details)
    return choice.record, event, (*choice.warnings, *notes)


def _group(session: Session, wanted: Wanted, details: Details) -> tuple[Record | None, Event | None, tuple[str, ...]]:
    return None, *compose.group_event(session.facts, wanted, details)


def _requests(session: Session, record: Record | None, event: Event) -> dict[str, list[dict[str, Any]]]:
    built = {sink.name: sink for sink in sinks.build(session.config, session.env, session.redactor)}
    requests = {}
    for name in posting.configured(session):
        item = posting.item_for(session, record, event, name)
        requests[name] = built[name].preview(item) if item is not None and name in built else []
    return requests
