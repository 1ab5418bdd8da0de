"""The job's state file as the deliveries use it: each lifecycle's Slack messages, and who has accepted what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from versioner_ci.records import replace
from versioner_ci.sinks._sink import Item
from versioner_ci.state import JobState
from versioner_ci.status import State


class StateBook:
    """Reads and writes this job's state, and other jobs' whose kept events this call delivers."""

    def __init__(self, own: JobState, own_job: str) -> None:
        self._own = own
        self._own_job = own_job

    def channels(self, job: str | None, lifecycle: str) -> Mapping[str, str]:
        """Slack channel as configured → `C0123=ts`."""
        state = self._state(job)
        records = state.read() if state is not None else []
        return next((record.channels for record in records if record.id == lifecycle), {})

    def note(self, job: str | None, sink: str, item: Item, *, is_delivered: bool) -> None:
        """Write down the messages that now stand, and that a sink has accepted an event."""
        state, lifecycle = self._state(job), item.event.lifecycle_id or item.event.key
        if state is None or not (item.targets or item.event.state is State.PENDING):
            return
        word = f"{sink}:{item.event.state.value}"
        with state.changing() as records:
            for index, record in enumerate(records):
                if record.id == lifecycle:
                    is_pending = is_delivered and sink == "backend" and item.event.state is State.PENDING
                    records[index] = replace(
                        record,
                        channels={**record.channels, **item.channels},
                        told=(*record.told, word) if is_delivered and word not in record.told else record.told,
                        is_pending_accepted=record.is_pending_accepted or is_pending,
                    )

    def _state(self, job: str | None) -> JobState | None:
        if job is None or job == self._own_job:
            return self._own
        path = self._own.path.with_name(f"{Path(job).name}.json") if self._own.path is not None else None
        return JobState(path) if path is not None and path.exists() else None
