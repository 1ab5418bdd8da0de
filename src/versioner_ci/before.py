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
from versioner_ci.status import Kind, State, normalise

_LARGEST = 1 << 20


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
    handle. `session` is the next one's. Raises ValueError for another file, UsageError for an unknown status.
    """
    kind, variables = _read(argument)
    if normalise(kind, job_status) is not State.COMPLETED:
        return None
    call = session.call
    reporter = Reporter(open_session(call._replace(env={**call.env, **variables}, flags={})))
    if reporter.why_nothing() is not None:
        return None
    details = Details(host_word=job_status)
    deadline = reporter.session.deadline()
    wanted = reporter.wanted(kind, State.COMPLETED, details)
    written = posting.write(reporter.session, wanted, details, seconds=deadline.remaining)
    if written.is_doubled:
        return None
    session.courier()  # imports what the next needs, before a thread is at work
    return Before(reporter, written, reporter.post(written, deadline), deadline)


def _read(argument: str) -> tuple[Kind, Mapping[str, str]]:
    try:
        with open(argument.removeprefix("@"), "rb") as file:
            found = json.loads(file.read(_LARGEST))
        variables = {str(name): str(value) for name, value in found["variables"].items()}
        return kind_of(str(found["kind"])), variables
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise ValueError("not a file of the track action") from None
