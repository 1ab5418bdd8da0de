"""What a job has reported before, and what has gone well so far: ended by the call that starts the next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from versioner_ci import posting
from versioner_ci.attempt import Deadline
from versioner_ci.courier import Ticket
from versioner_ci.details import Details
from versioner_ci.options import kind_of
from versioner_ci.posting import Written
from versioner_ci.reporter import Reporter
from versioner_ci.result import Report
from versioner_ci.session import Session, open_session
from versioner_ci.settings_parse import shown
from versioner_ci.settings_table import SETTINGS
from versioner_ci.status import Kind, State, normalise
from versioner_ci.times import stamp

_LARGEST = 1 << 20
_STEP_S_OWN = frozenset({"api_url", "slack_api_url", "allow_http", "disabled"})
IDENTITY = frozenset(name for row in SETTINGS if not row.is_secret and row.name not in _STEP_S_OWN for name in row.env)
"""The variables that such a file may set: who is reported, never where to or with which key."""


class Before(NamedTuple):
    """Its ending, on its way while the next is reported: both have one budget."""

    reporter: Reporter
    written: Written
    tickets: Sequence[Ticket]
    deadline: Deadline

    def finish(self, signum: int | None) -> Report:
        """What became of it. `signum`: the call was interrupted, nothing more is waited for."""
        if signum is not None:
            return self.reporter.interrupted(self.written, self.tickets, (), signum)
        return self.reporter.finish(self.written, self.tickets, self.deadline)


def begin(session: Session, argument: str, job_status: str) -> Before | None:
    """Write the ending down and start to deliver it; None: the job is not fine any more, or nothing is to be sent.

    `argument` is `@FILE`: `{"kind": "build", "variables": {…}}`, the environment that it was reported with and its
    handle. `session` is the next one's: where that reports elsewhere, the ending is only noted, for the step that
    began it. Raises ValueError for another file, UsageError for an unknown status.
    """
    kind, variables = _read(argument, session)
    if normalise(kind, job_status) is not State.COMPLETED:
        return None
    call = session.call
    reporter = Reporter(open_session(call._replace(env={**call.env, **variables}, flags={})))
    details = Details(host_word=job_status)
    deadline = reporter.session.deadline()
    wanted = reporter.wanted(kind, State.COMPLETED, details)
    if wanted.handle is None or not _is_open_here(reporter, wanted.handle.id):
        return None
    written = posting.write(reporter.session, wanted, details, seconds=deadline.remaining)
    if written.is_doubled:
        return None
    session.courier()  # imports what the next needs, before a thread is at work
    return Before(reporter, written, reporter.post(written, deadline), deadline)


def _is_open_here(reporter: Reporter, lifecycle: str) -> bool:
    """Whether this call may end it. One that began elsewhere has been well until now, which is noted, once."""
    session = reporter.session
    record = next((known for known in session.state.read() if known.id == lifecycle), None)
    if record is None:
        raise ValueError("this job keeps no record of it")
    if not record.is_open:
        return False
    if reporter.why_nothing() is None and record.destinations == posting.mark(session):
        return True
    if record.completed_at is None:
        session.state.update(lifecycle, completed_at=stamp(session.clock.wall()))
    return False


def _read(argument: str, session: Session) -> tuple[Kind, Mapping[str, str]]:
    try:
        with open(argument.removeprefix("@"), "rb") as file:
            found = json.loads(file.read(_LARGEST))
        given = {str(name): str(value) for name, value in found["variables"].items()}
        kind = kind_of(str(found["kind"]))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("not a file of the track action") from None
    foreign = sorted(given.keys() - IDENTITY)
    if foreign:
        session.warnings.append(f"--after: {shown(', '.join(foreign))} may not be set there: left out")
    return kind, {name: value for name, value in given.items() if name in IDENTITY}
