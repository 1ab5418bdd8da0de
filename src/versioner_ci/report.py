"""What is said of a call to people: one line for each thing, and the exit code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from versioner_ci import errors
from versioner_ci.gate import words
from versioner_ci.outcome import Backlog, Outcome, Verdict
from versioner_ci.result import Report
from versioner_ci.text import cut, one_line, visible

PREFIX = "versioner-ci: "
_LONGEST_LINE = 1_000
_LOGGING_COMMAND = re.compile(r"##(?=\w*\[)")
"""`##[…]` and `##vso[…]` are commands to GitHub's and Azure's runners wherever they stand in a line."""
_AGAIN = "the next call or `versioner-ci flush` sends it"
_LASTING = "a VERSIONER_SPOOL_DIR that outlives the job would keep it"
_LIFT = "nothing is kept: start again once it is lifted, or wait for that with --gate-wait MINUTES"


class Tone(Enum):
    """How a line is meant; on GitHub all but notes are annotations."""

    NOTE = ""
    NOTICE = " "
    """A note that GitHub shows beside the run."""
    WARNING = "warning: "
    ERROR = "error: "


def lines(report: Report) -> Iterator[tuple[str, Tone]]:
    """Each line to print, without prefix, and its tone."""
    for warning in report.warnings:
        yield warning, Tone.WARNING
    if report.notice is not None:
        yield report.notice, Tone.NOTICE if report.is_notable else Tone.NOTE
    if report.is_doubled:
        yield "reported already, by an earlier call of this job: nothing is sent again", Tone.NOTE
    for outcome in report.outcomes:
        yield f"{_event_word(report)}{outcome_line(outcome, report.kept_at)}", _tone(outcome.verdict)
    for backlog in report.backlogs:
        is_over = not (backlog.left or backlog.set_aside)
        yield backlog_line(backlog, report.kept_at), Tone.NOTE if is_over else Tone.WARNING
    if report.signum is not None:
        yield _interrupted(report), Tone.WARNING


def outcome_line(outcome: Outcome, kept_at: str | None = None) -> str:
    """`backend: accepted (id 8f…)`, `slack: kept for later, HTTP 503; …`: the cause, what became of it, what to do."""
    return f"{outcome.sink}: {'; '.join(filter(None, _clauses(outcome, kept_at)))}"


def _clauses(outcome: Outcome, kept_at: str | None) -> tuple[str | None, ...]:
    cause, fix = outcome.detail, outcome.fix
    because = f", {cause}" if cause else ""
    if outcome.rejection is not None:
        return words(outcome.rejection), _LIFT
    if outcome.verdict is Verdict.KEPT:
        return f"kept for later{because}", fix, f"{_AGAIN}{f' (kept in {kept_at})' if kept_at else ''}"
    if outcome.verdict is Verdict.LOST:
        return f"not delivered; lost when this job ends{because}", fix, _LASTING
    if outcome.verdict is Verdict.REFUSED:
        where = f" in {kept_at}/bad" if kept_at else ""
        return f"refused, set aside{where}{because}", fix, "it is not sent again"
    said = "accepted before, a duplicate" if outcome.verdict is Verdict.DUPLICATE else outcome.verdict.value
    return (f"{said} ({cause})" if cause else said,)


def backlog_line(backlog: Backlog, kept_at: str | None = None) -> str:
    """`backend: of 3 events that earlier calls kept 1 delivered, 2 still kept (in …); HTTP 503`."""
    total = backlog.delivered + backlog.left + backlog.set_aside
    if total == backlog.delivered:
        return f"{backlog.sink}: delivered {counted(total, 'event')} that earlier calls kept"
    aside = f" in {kept_at}/bad" if kept_at else ""
    counts = [
        f"{backlog.delivered or 'none'} delivered",
        f"{backlog.set_aside} refused and set aside{aside}" if backlog.set_aside else None,
        _left(backlog, kept_at) if backlog.left else None,
    ]
    why = f"; {backlog.detail}" if backlog.detail else ""
    said = ", ".join(filter(None, counts))
    return f"{backlog.sink}: of {counted(total, 'event')} that earlier calls kept {said}{why}"


def _left(backlog: Backlog, kept_at: str | None) -> str:
    if backlog.is_lost:
        return f"{backlog.left} not delivered; lost when this job ends"
    return f"{backlog.left} still kept{_kept_in(kept_at)}"


def counted(count: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def inert(text: str) -> str:
    """One line that can be neither a second line, nor a command to a CI host's runner, nor look like other text."""
    return cut(_LOGGING_COMMAND.sub("# #", one_line(visible(text))), _LONGEST_LINE)


def printed(text: str, tone: Tone) -> str:
    """A line as it is printed."""
    return f"{PREFIX}{tone.value.lstrip()}{inert(text)}"


def exit_code(report: Report, *, fail_on_error: bool, is_required: bool = False) -> int:
    """As docs/reference/exit-codes.md says."""
    if report.signum is not None:
        return 128 + report.signum
    if report.verdict is Verdict.REJECTED:
        return errors.EXIT_REJECTED
    if is_required and not _is_admitted(report):
        return errors.EXIT_REJECTED
    is_undelivered = not report.verdict.is_delivered
    is_left = any(backlog.left or backlog.set_aside for backlog in report.backlogs) and report.event is None
    return errors.EXIT_UNDELIVERED if fail_on_error and (is_undelivered or is_left) else errors.EXIT_OK


def _is_admitted(report: Report) -> bool:
    """Only the tracker's word counts, whatever became of Slack's message."""
    admitting = {Verdict.ACCEPTED, Verdict.DUPLICATE}
    return report.is_doubled or any(o.sink == "backend" and o.verdict in admitting for o in report.outcomes)


def _tone(verdict: Verdict) -> Tone:
    if verdict is Verdict.REJECTED:
        return Tone.ERROR
    return Tone.NOTE if verdict.is_delivered else Tone.WARNING


def _interrupted(report: Report) -> str:
    if any(outcome.verdict is Verdict.LOST for outcome in report.outcomes):
        return "interrupted; what was not sent is lost when this job ends"
    where = f" at {report.kept_at}: {_AGAIN}" if report.kept_at else ""
    return f"interrupted; what was not sent is kept{where}"


def _kept_in(kept_at: str | None) -> str:
    return f" (in {kept_at})" if kept_at else ""


def _event_word(report: Report) -> str:
    return "" if report.event is None else f"{report.event.kind.value} {report.event.state.value}: "
