"""Choose the event's lifecycle, freeze what is frozen and write the event down: one step under the state's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from versioner_ci import compose, destinations, routing
from versioner_ci.deliver import Posted
from versioner_ci.details import Details
from versioner_ci.event import Event
from versioner_ci.identity import Handle
from versioner_ci.lifecycle import Choice, Wanted, choose, joins, moved, taken
from versioner_ci.records import replace
from versioner_ci.session import Session
from versioner_ci.settings import Gate
from versioner_ci.sinks._sink import Item, Target
from versioner_ci.spool import SpoolError
from versioner_ci.state import Record
from versioner_ci.status import Kind, State
from versioner_ci.times import parse

BACKEND, SLACK = "backend", "slack"
_LEASE_MARGIN = 0.5
_SCM = ("scm_sha", "scm_branch", "scm_repository", "scm_url")


class Written(NamedTuple):
    """An event that is on disk; `letters` has one for each sink that is to get it."""

    choice: Choice | None
    event: Event | None = None
    letters: Mapping[str, Posted] = MappingProxyType({})
    warnings: tuple[str, ...] = ()

    @property
    def record(self) -> Record | None:
        return self.choice.record if self.choice is not None else None

    @property
    def is_joined(self) -> bool:
        return self.choice is not None and self.choice.is_joined

    @property
    def is_doubled(self) -> bool:
        return self.choice is not None and self.choice.is_doubled


def gate_of(session: Session, kind: Kind) -> Gate:
    """Builds have no gate; a deployment's is on unless it was switched off."""
    if kind is Kind.BUILD:
        return Gate.OFF
    return session.config.gate or Gate.ON


def configured(session: Session) -> tuple[str, ...]:
    """The sinks that events go to, without importing what they need."""
    config = session.config
    has_slack = config.has_slack_bot or config.has_slack_webhook
    return (*((BACKEND,) if config.has_backend else ()), *((SLACK,) if has_slack else ()))


def mark(session: Session) -> str:
    """Of where events go, to compare."""
    return destinations.mark(session.config, configured(session))


def as_left(record: Record, wanted: Wanted, details: Details) -> tuple[Wanted, Details]:
    """The ending that was left to this call (see before.py) instead of its own: what failed later is not this one's."""
    if record.completed_at is None or not wanted.state.is_ending:
        return wanted, details
    left = Details(occurred_at=parse(record.completed_at), host_word="success", handle=details.handle)
    return wanted._replace(state=State.COMPLETED), left


def write(session: Session, wanted: Wanted, details: Details, *, seconds: float, hold_slack: bool = False) -> Written:
    """Write the event down for every sink, leased to us for `seconds`.

    `hold_slack`: Slack is told later, by `write_for`, if the tracker does not reject it.
    """
    with session.state.changing() as records:
        choice = choose(records, wanted, session.context, session.clock.wall())
        if choice.is_doubled:
            return Written(choice=choice, warnings=choice.warnings)
        if joins(choice, wanted, session.context):
            return Written(choice=choice._replace(is_joined=True), warnings=choice.warnings)
        record = taken(choice, wanted)
        wanted, details = as_left(record, wanted, details)
        event, notes = _composed(session, record, wanted.state, details)
        marks = compose.started_marks(session.facts, event) if record.started_at is None else {}
        marks |= {} if wanted.state.is_ending else {"destinations": mark(session)}
        record = moved(record, wanted.state, scm=record.scm or _scm(event), **marks)
        sinks = [name for name in configured(session) if not (hold_slack and name == SLACK)]
        letters, problems = write_for(session, record, event, sinks, seconds)
        _put(records, record)
    return Written(
        choice=choice._replace(record=record),
        event=event,
        letters=letters,
        warnings=(*choice.warnings, *notes, *problems),
    )


def _composed(session: Session, record: Record, state: State, details: Details) -> tuple[Event, tuple[str, ...]]:
    """The event with what the lifecycle's first one froze: a doubled start has its time, all have its commit."""
    if state is State.STARTED and record.started_at is not None:
        details = replace(details, occurred_at=parse(record.started_at))
    event, notes = compose.event_of(session.facts, record, state, details)
    return _of_commit(event, record.scm) if record.scm else event, notes


def _scm(event: Event) -> dict[str, str]:
    known = {name: getattr(event, name) for name in _SCM}
    return {name: value for name, value in known.items() if value} if event.scm_sha else {}


def _of_commit(event: Event, scm: Mapping[str, str]) -> Event:
    """A checkout in mid-job changes nothing: a tracker refuses a build of a known version with another commit."""
    sha, branch, repository, url = (scm.get(name) for name in _SCM)
    return replace(event, scm_sha=sha, scm_branch=branch, scm_repository=repository, scm_url=url)


def write_group(session: Session, wanted: Wanted, details: Details, *, seconds: float) -> Written:
    """The same for a whole run's ending, which belongs to no lifecycle."""
    event, notes = compose.group_event(session.facts, wanted, details)
    with session.state.changing() as records:
        record = next((known for known in records if known.id == event.key), None) or _of_group(session, event)
        letters, problems = write_for(session, record, event, configured(session), seconds)
        _put(records, record)
    return Written(choice=None, event=event, letters=letters, warnings=(*notes, *problems))


def _of_group(session: Session, event: Event) -> Record:
    """Remembers who was told of a whole run's ending; no lifecycle's event ever fits it."""
    return Record(
        id=event.key,
        group=event.group_id or "",
        kind=f"{event.kind.value} run",
        product=event.product,
        version=event.version,
        environment=event.environment,
        invoke_id=event.invoke_id,
        state=event.state.value,
        opened=session.clock.wall(),
    )


def write_for(
    session: Session, record: Record | None, event: Event, sinks: Sequence[str], seconds: float
) -> tuple[dict[str, Posted], tuple[str, ...]]:
    """One letter for each of the sinks that this event concerns, and what went wrong on disk."""
    letters: dict[str, Posted] = {}
    problems: dict[str, None] = {}
    until = session.clock.wall() + seconds + _LEASE_MARGIN
    for name in sinks:
        item = item_for(session, record, event, name)
        if item is None or (item.targets and _is_on_its_way(session, name, event)):
            continue
        entry = None
        try:
            entry = session.spool.add(name, item, job=session.job, lease_until=until) if session.spool else None
        except SpoolError as error:
            problems[f"{error}; sending without a safety copy"] = None
        order_id = (event.lifecycle_id or event.group_id or event.key).replace("-", "")
        letters[name] = Posted(item=item, job=session.job, entry=entry, order_id=order_id, rank=event.state.rank)
    return letters, tuple(problems)


def tell_later(session: Session, written: Written, sink: str, seconds: float) -> dict[str, Posted]:
    """The letter that `hold_slack` held back, unless another call has told it meanwhile."""
    record, event = written.record, written.event
    if record is None or event is None or written.is_joined or sink not in configured(session):
        return {}
    with session.state.changing() as records:
        current = next((known for known in records if known.id == record.id), record)
        return write_for(session, current, event, (sink,), seconds)[0]


def _is_on_its_way(session: Session, sink: str, event: Event) -> bool:
    """A hook that runs twice at once is sending it: Slack, unlike the tracker, would show it twice."""
    key, now = event.key.replace("-", ""), session.clock.wall()
    entries = session.spool.entries(sink) if session.spool is not None else []
    return any(entry.key == key and entry.is_leased(now) for entry in entries)


def handle_of(record: Record) -> Handle:
    """What other hooks and jobs need to go on with this lifecycle."""
    return Handle(
        id=record.id,
        group=record.group,
        kind=Kind(record.kind),
        product=record.product,
        version=record.version,
        environment=record.environment,
        started_at=record.started_at,
        channels=record.channels,
    )


def item_for(session: Session, record: Record | None, event: Event, sink: str) -> Item | None:
    """What a sink gets of the event; None: nothing."""
    if sink == BACKEND:
        is_gated = event.state is State.STARTED and gate_of(session, event.kind) is not Gate.OFF
        return Item(event=event, is_gated=is_gated)
    if record is not None and f"{sink}:{event.state.value}" in record.told:
        return None
    targets = _targets(session, event)
    channels = record.channels if record is not None else {}
    return Item(event=event, targets=targets, channels=channels) if targets else None


def _targets(session: Session, event: Event) -> tuple[Target, ...]:
    config = session.config
    if config.has_slack_bot:
        return routing.targets(event, config.routes, config.slack_channels)
    return routing.webhook_targets(event, config.routes)


def _put(records: list[Record], record: Record) -> None:
    for index, other in enumerate(records):
        if other.id == record.id:
            records[index] = record
            return
    records.append(record)
