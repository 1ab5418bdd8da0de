"""From settings, host facts and a lifecycle's record to the event that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from versioner_ci import limits
from versioner_ci.clock import Clock, boot_id
from versioner_ci.context import CIContext
from versioner_ci.details import Details
from versioner_ci.event import Event
from versioner_ci.identity import event_key, fresh_id, uid
from versioner_ci.lifecycle import Wanted, group_of
from versioner_ci.records import replace
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config, Identity
from versioner_ci.state import Record
from versioner_ci.status import Kind, State
from versioner_ci.text import MARK, clean
from versioner_ci.times import parse, stamp


class Facts(NamedTuple):
    """What every event of one call has in common."""

    context: CIContext
    config: Config
    redactor: Redactor
    clock: Clock


def event_of(facts: Facts, record: Record, state: State, details: Details) -> tuple[Event, tuple[str, ...]]:
    """A lifecycle's event, and a line for each thing that had to be cut."""
    details = _with_left_error(_timed(facts, record, state, details), record, state)
    occurred = stamp(_occurred(facts, details))
    event = Event(
        kind=Kind(record.kind),
        state=state,
        product=record.product,
        version=record.version,
        environment=record.environment,
        occurred_at=occurred,
        started_at=occurred if state is State.STARTED else record.started_at if state.is_ending else None,
        completed_at=occurred if state.is_ending else None,
        invoke_id=record.invoke_id,
        group_id=record.group,
        lifecycle_id=record.id,
        key=event_key(record.id, state),
    )
    return _finished(facts, event, details)


def group_event(facts: Facts, wanted: Wanted, details: Details) -> tuple[Event, tuple[str, ...]]:
    """A whole run's ending (`--needs`): the group's id, no lifecycle."""
    group = group_of(wanted, facts.context, facts.context.invoke_id or fresh_id())
    occurred = stamp(_occurred(facts, details))
    event = Event(
        kind=wanted.kind,
        state=wanted.state,
        product=wanted.product,
        version=wanted.version,
        environment=wanted.environment,
        occurred_at=occurred,
        completed_at=occurred if wanted.state.is_ending else None,
        invoke_id=group.invoke_id,
        group_id=group.id,
        key=uid(group.id, facts.context.attempt, wanted.state.value),
    )
    return _finished(facts, event, details)


def started_marks(facts: Facts, event: Event) -> dict[str, Any]:
    """What the record keeps of a `started`, so that its ending knows how long it took."""
    if event.state is not State.STARTED:
        return {}
    ago = max(0.0, facts.clock.wall() - parse(event.occurred_at))
    return {"started_at": event.started_at, "started_monotonic": facts.clock.monotonic() - ago, "boot": boot_id()}


def _occurred(facts: Facts, details: Details) -> float:
    return details.occurred_at if details.occurred_at is not None else facts.clock.wall()


def _timed(facts: Facts, record: Record, state: State, details: Details) -> Details:
    """With a duration: monotonic within one boot; else by the wall clock, unless that ran backwards."""
    if details.duration is not None or not state.is_ending or record.started_at is None:
        return details
    if details.occurred_at is None and record.started_monotonic is not None and record.boot == boot_id():
        return replace(details, duration=max(0.0, facts.clock.monotonic() - record.started_monotonic))
    seconds = _occurred(facts, details) - parse(record.started_at)
    return replace(details, duration=seconds) if seconds >= 0 else details


def _with_left_error(details: Details, record: Record, state: State) -> Details:
    """With the error that a `run` inside this lifecycle left for its ending."""
    if state not in {State.FAILED, State.ABORTED}:
        return details
    code = details.error_code or record.error_code
    bare = f"exit code {code}" if state is State.FAILED and details.reason == "exit_code" else None
    error = details.error or record.error or bare
    if details.failed_step is not None and state is State.FAILED:
        error = "\n".join(filter(None, [f"step '{details.failed_step}' failed", error]))
    return replace(details, error=error, error_code=code)


def _finished(facts: Facts, event: Event, details: Details) -> tuple[Event, tuple[str, ...]]:
    context, config = facts.context, facts.config
    wanted = {**config.metadata, **context.metadata, **details.as_metadata()}
    named = _people(config.identity, context)
    event = replace(
        event,
        source_system=context.source_system,
        build_number=context.build_number,
        scm_sha=context.scm_sha,
        scm_branch=context.scm_branch,
        scm_repository=context.scm_repository,
        scm_url=context.scm_url,
        run_url=context.run_url,
        skip_preflight=config.skip_preflight and event.kind is Kind.DEPLOYMENT,
        metadata=_masked(wanted, facts.redactor),
        **named,
    )
    return limits.cut_event(_masked_fields(event, facts.redactor))


def _people(identity: Identity, context: CIContext) -> dict[str, Any]:
    login: dict[str, Any] = {"actor": context.actor}
    if identity is Identity.FULL:
        return {**login, "actor_email": context.actor_email, "actor_name": context.actor_name}
    return login if identity is Identity.LOGIN else {}


def _masked(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    if depth > _DEEPEST:
        return MARK
    if isinstance(value, str):
        return redactor(clean(value))
    if isinstance(value, Mapping):
        return {redactor(clean(str(name))): _masked(inner, redactor, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(inner, redactor, depth + 1) for inner in value]
    return value


_DEEPEST = 20
"""Levels of metadata: deeper than what is sent, shallower than what Python can recurse."""
_OUTSIDE = (
    "invoke_id",
    "build_number",
    "scm_sha",
    "scm_branch",
    "scm_repository",
    "scm_url",
    "run_url",
    "actor",
    "actor_email",
    "actor_name",
)


def _masked_fields(event: Event, redactor: Redactor) -> Event:
    values = {name: getattr(event, name) for name in _OUTSIDE}
    masked: dict[str, Any] = {name: redactor(clean(value)) for name, value in values.items() if value is not None}
    return replace(event, **masked)
