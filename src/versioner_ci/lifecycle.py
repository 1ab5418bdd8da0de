"""Which lifecycle an event belongs to: a pure choice among the job's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.identity import Group, Handle, Leg, fresh_id, lifecycle_id
from versioner_ci.records import replace
from versioner_ci.state import Record
from versioner_ci.status import Kind, State

STALE_SECONDS = 24 * 3600.0


class Wanted(NamedTuple):
    """An event that looks for its lifecycle.

    `given` names what was given by flag or environment; of the handle, by flag.
    """

    kind: Kind
    state: State
    product: str
    version: str
    """"" where it is not known."""
    environment: str | None
    key: str | None
    given: frozenset[str]
    handle: Handle | None = None
    is_exact: bool = False
    """The handle is this process's own: no other lifecycle will do."""
    run: str | None = None
    """The token of the `run` that asks; it opens a lifecycle of its own, or takes over a pending one."""
    around: tuple[str, ...] = ()
    """The tokens of the `run`s around this process, the outermost first."""


class Choice(NamedTuple):
    """The lifecycle of an event."""

    record: Record
    is_new: bool = False
    is_doubled: bool = False
    """The same hook ran twice: nothing is to be sent."""
    is_joined: bool = False
    """A `run` inside an opened lifecycle: its start and its ending are somebody else's."""
    warnings: tuple[str, ...] = ()


def choose(records: Sequence[Record], wanted: Wanted, context: CIContext, now: float) -> Choice:
    """The rules of docs/identity.md, in order.

    Raises UsageError where a new one is needed and its product, version or environment is not known.
    """
    handle, notes = _usable(wanted)
    if handle is not None:
        named = next((record for record in reversed(records) if record.id == handle.id), None)
        if named is None:
            return _take(_of_handle(handle, wanted, context, now), wanted, notes)
        if named.is_open:
            return _take(named, wanted, notes)
        if wanted.state.is_ending and (wanted.is_exact or not _open_ones(records, wanted, context, now)):
            return Choice(record=named, is_doubled=True, warnings=notes)
    fitting = [record for record in records if _fits(record, wanted)]
    open_ones = _open_ones(fitting, wanted, context, now)
    if open_ones:
        same = [record for record in open_ones if "version" in wanted.given and record.version == wanted.version]
        return _take((same or open_ones)[-1], wanted, notes)
    if fitting and _is_repeat(fitting[-1], wanted, context):
        return Choice(record=fitting[-1], is_doubled=True, warnings=notes)
    return Choice(record=_new(records, wanted, context, now), is_new=True, warnings=notes)


def _open_ones(records: Sequence[Record], wanted: Wanted, context: CIContext, now: float) -> list[Record]:
    return [
        record
        for record in records
        if _fits(record, wanted) and record.is_open and not _is_other(record, wanted, context, now)
    ]


def _usable(wanted: Wanted) -> tuple[Handle | None, tuple[str, ...]]:
    handle = wanted.handle
    if handle is None:
        return None, ()
    pairs = [("kind", handle.kind.value, wanted.kind.value)]
    pairs += [
        (name, getattr(handle, name), getattr(wanted, name))
        for name in ("product", "environment")
        if name in wanted.given
    ]
    other = [f"{name} '{theirs}', not '{ours}'" for name, theirs, ours in pairs if theirs != ours]
    if not other:
        return handle, ()
    if wanted.around and "lifecycle" not in wanted.given:  # from the `run` around us, which hands it to all below it
        return None, ()
    return None, (f"the lifecycle handle is for {other[0]}: ignored",)


def _fits(record: Record, wanted: Wanted) -> bool:
    return record.kind == wanted.kind.value and all(
        getattr(record, name) == getattr(wanted, name)
        for name in ("product", "environment", "key")
        if name in wanted.given
    )


def _is_other(record: Record, wanted: Wanted, context: CIContext, now: float) -> bool:
    """An open record that this event must not continue."""
    if wanted.state.is_ending:
        return False
    if wanted.run is not None and record.state == State.STARTED.value and not _joins(record, wanted, context):
        return True
    if context.is_ci:
        return False
    is_other_version = "version" in wanted.given and record.version != wanted.version
    return is_other_version or now - record.opened > STALE_SECONDS


def _joins(record: Record, wanted: Wanted, context: CIContext) -> bool:
    if record.state != State.STARTED.value:
        return False
    if record.run is not None:
        return record.run in wanted.around
    return context.is_ci and record.is_own


def _is_repeat(last: Record, wanted: Wanted, context: CIContext) -> bool:
    if not (context.is_ci and wanted.state.is_ending):
        return False
    is_same_version = "version" not in wanted.given or last.version == wanted.version
    return is_same_version and (last.is_rejected or last.state == wanted.state.value)


def _take(record: Record, wanted: Wanted, notes: tuple[str, ...]) -> Choice:
    differing = [
        name
        for name in ("product", "version", "environment")
        if getattr(wanted, name) and getattr(record, name) != getattr(wanted, name)
    ]
    notes += tuple(
        f"{name} '{getattr(wanted, name)}' differs from '{getattr(record, name)}', with which this "
        f"{wanted.kind.value} began; '{getattr(record, name)}' stays"
        for name in differing
    )
    return Choice(record=record, warnings=notes)


def taken(choice: Choice, wanted: Wanted) -> Record:
    """The record of an event that is really sent: a start makes the lifecycle this job's, or this `run`'s, own."""
    if wanted.state is not State.STARTED:
        return choice.record
    around = choice.record.run if choice.record.run in wanted.around else None
    return replace(choice.record, is_own=True, run=wanted.run or around)


def joins(choice: Choice, wanted: Wanted, context: CIContext) -> bool:
    """Whether a `run` leaves start and ending of the chosen lifecycle to whoever opened it."""
    return wanted.run is not None and not choice.is_new and _joins(choice.record, wanted, context)


def _of_handle(handle: Handle, wanted: Wanted, context: CIContext, now: float) -> Record:
    is_around = bool(wanted.around) and "lifecycle" not in wanted.given
    return Record(
        id=handle.id,
        group=handle.group,
        kind=handle.kind.value,
        product=handle.product,
        version=handle.version,
        environment=handle.environment,
        started_at=handle.started_at,
        channels=dict(handle.channels),
        invoke_id=context.invoke_id,
        opened=now,
        is_own=False,
        run=wanted.around[-1] if is_around else None,
        state=State.STARTED.value if is_around else None,
    )


def _new(records: Sequence[Record], wanted: Wanted, context: CIContext, now: float) -> Record:
    group = group_of(wanted, context, context.invoke_id or fresh_id())
    count = 1 + max((record.count for record in records if record.group == group.id), default=-1)
    leg = Leg(version=wanted.version, attempt=context.attempt, job=context.job, leg=context.leg, count=count)
    return Record(
        id=lifecycle_id(group, leg),
        group=group.id,
        kind=wanted.kind.value,
        product=wanted.product,
        version=wanted.version,
        environment=wanted.environment,
        key=wanted.key,
        invoke_id=group.invoke_id,
        count=count,
        opened=now,
        run=wanted.run,
    )


def group_of(wanted: Wanted, context: CIContext, invoke_id: str | None) -> Group:
    """The group of an event. Raises UsageError where a required field is unknown."""
    required = {"product": wanted.product, "version": wanted.version}
    if wanted.kind is Kind.DEPLOYMENT:
        required["environment"] = wanted.environment or ""
    for name, value in required.items():
        if not value:
            raise UsageError(
                f"the {wanted.kind.value}'s {name} is not known", fix=f"give --{name} or VERSIONER_{name.upper()}"
            )
    return Group(
        source_system=context.source_system,
        server_url=context.server_url,
        invoke_id=invoke_id,
        pipeline=context.pipeline,
        kind=wanted.kind,
        product=wanted.product,
        environment=wanted.environment,
        key=wanted.key,
    )


def moved(record: Record, state: State, **changes: object) -> Record:
    """The record after an event: a state never moves back."""
    current = State(record.state) if record.state else None
    newest = state if current is None or state.rank >= current.rank else current
    return replace(record, state=newest.value, **changes)  # type: ignore[arg-type]
