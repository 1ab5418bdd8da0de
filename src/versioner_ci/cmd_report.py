"""`versioner-ci report`: one event."""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO

from versioner_ci import gate, report
from versioner_ci.before import Before, begin
from versioner_ci.cli import Invocation
from versioner_ci.cmd_error_file import read_error
from versioner_ci.console import Console
from versioner_ci.details import Details
from versioner_ci.errors import EXIT_REJECTED, UsageError
from versioner_ci.needs import worst_of
from versioner_ci.options import Parser, add_settings, flags_of, kind_of
from versioner_ci.records import replace
from versioner_ci.report_json import as_json
from versioner_ci.reporter import Reporter
from versioner_ci.result import Report
from versioner_ci.session import Call, Session, open_session
from versioner_ci.settings_parse import shown
from versioner_ci.settings_values import nearest
from versioner_ci.status import UNSTABLE, WORDS, Kind, State, canonical, near, normalise, reason_of
from versioner_ci.steps import failed_step
from versioner_ci.times import parse

REASONS = ("user", "timeout", "superseded", "signal", "skipped", "exit_code", "rejected")
SHUT = "gate 'required': only the tracker's acceptance lets this deployment start, and there is none (exit 5)"


def parser() -> Parser:
    """The options of `report`."""
    made = Parser(
        "report",
        usage="versioner-ci report KIND (STATUS | --host-status WORD | --needs @FILE) [options]",
        description="Report one event of a build or a deployment to the tracker and Slack.",
    )
    made.add_argument("kind", metavar="KIND", help="build or deployment")
    made.add_argument("status", metavar="STATUS", nargs="?", help="a word of `versioner-ci statuses`, like started")
    made.add_argument("--host-status", metavar="WORD", help="the CI host's own word; an unknown one is only a warning")
    made.add_argument(
        "--needs",
        metavar="@FILE",
        help="GitHub's toJSON(needs): the whole run's ending, failure before cancelled before success",
    )
    made.add_argument("--steps", metavar="@FILE", help="GitHub's toJSON(steps): names the failed step in the error")
    made.add_argument(
        "--after",
        metavar="@FILE",
        help="what the track action has reported before in this job: ended as completed, if --job-status is fine",
    )
    made.add_argument("--job-status", metavar="WORD", default="", help="how GitHub's job stands so far, for --after")
    made.add_argument("--error", metavar="TEXT", help="what went wrong")
    made.add_argument("--error-code", metavar="CODE", help="its code")
    made.add_argument("--error-file", metavar="PATH", help="a file whose last 20 lines tell what went wrong")
    made.add_argument("--occurred-at", metavar="TIME", help="when it happened, like 2026-01-31T12:00:00Z [now]")
    made.add_argument("--reason", metavar="WORD", help=f"why it ended: {', '.join(REASONS)}")
    made.add_argument("--dry-run", action="store_true", help="print the exact requests, secrets masked; send nothing")
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout, whatever happens")
    made.late = "status"
    add_settings(made)
    return made


def main(call: Invocation) -> int:
    """The exit code of `report`."""
    options = parser().read(call.arguments)
    kind = kind_of(options.kind)
    details = _details(options, call.console)
    path = options.error_file
    asked = Call(flags=flags_of(options), env=call.env, cwd=call.cwd, began=call.began, is_dry=options.dry_run)
    session = open_session(asked, stdin=_stdin(options))
    call.console.follow(session.config, session.redactor)
    _explain(session, call.console)
    if path is not None and details.error is None:
        details = replace(details, error=read_error(path, session.redactor))
    details = _with_step(options.steps, details, session)
    before = None if options.after is None or options.dry_run else _ending(options, session)
    reporter = Reporter(session)
    state, details, notice = _state(options, kind, details, session)
    if state is None:
        result = Report(notice=notice, warnings=tuple(session.warnings), is_unread=notice is None)
    elif options.dry_run:
        from versioner_ci.preview import preview  # noqa: PLC0415 - seldom

        requests = preview(reporter, kind, state, details, is_group=options.needs is not None)
        call.console.json(requests, indent=2)
        call.console.note("dry run: nothing was sent, and nothing was written")
        return 0
    elif options.needs is not None:
        result = reporter.report_group(kind, state, details)
    else:
        result = reporter.report(kind, state, details, say=call.console.note)
    if before is not None:
        earlier = before.finish(result.signum)
        call.console.tell(earlier, has_outputs=False)
        result = result.after(earlier)
    call.signals.is_raising = False
    is_required = state is State.STARTED and kind is Kind.DEPLOYMENT and gate.is_required(session)
    return _said(call.console, options, result, session, is_required=is_required)


def _said(console: Console, options: argparse.Namespace, result: Report, session: Session, *, is_required: bool) -> int:
    console.tell(result)
    code = report.exit_code(result, fail_on_error=session.config.fail_on_error, is_required=is_required)
    if code == EXIT_REJECTED and result.rejection is None:
        console.error(SHUT)
    if result.event is not None:
        console.detail(f"lifecycle {result.event.lifecycle_id}, idempotency key {result.event.key}")
    if options.json:
        console.json(as_json(result))
    return code


def _explain(session: Session, console: Console) -> None:
    config, context = session.config, session.context
    named = ", ".join(
        f"{name} {shown(getattr(config, name))} ({config.origins[name]})"
        for name in ("product", "version", "environment")
        if getattr(config, name)
    )
    run = f", run {shown(context.invoke_id)}" if context.invoke_id else ""
    console.detail(f"CI host {context.source_system}{run}; {named}")
    console.detail(f"what cannot be delivered is kept in {session.place.root}")


def _state(
    options: argparse.Namespace, kind: Kind, details: Details, session: Session
) -> tuple[State | None, Details, str | None]:
    """The state to report; None: nothing is to be reported, and why."""
    given = [name for name in ("status", "host_status", "needs") if getattr(options, name) is not None]
    if not given:
        raise UsageError("STATUS is missing", fix="a word like started, or --host-status WORD, or --needs @FILE")
    if len(given) > 1:
        raise UsageError("give only one of STATUS, --host-status and --needs")
    if options.needs is not None:
        state = worst_of(options.needs)
        return state, details, None if state else "no needed job has run: nothing is reported"
    word = options.status if options.status is not None else options.host_status
    is_unstable = canonical(word) == UNSTABLE
    details = replace(details, is_unstable=is_unstable, host_word=options.host_status)
    try:
        state = normalise(kind, word)
    except UsageError as error:
        if options.host_status is None:
            raise
        is_strange = not near(kind, word) and all(row.word != canonical(word) for row in WORDS)
        said = f"unknown status {shown(word)} (`versioner-ci statuses` lists all words)" if is_strange else error
        session.warnings.append(f"--host-status: {said}: nothing is reported")
        return None, details, None
    if is_unstable and session.config.unstable == State.FAILED.value:
        state = State.FAILED
    reason = details.reason or (reason_of(word) if state.is_ending else None)
    return state, replace(details, reason=reason), None


def _details(options: argparse.Namespace, console: Console) -> Details:
    """What was typed about the event; empty text is what a pipeline's unset variable leaves, and counts as none."""
    for name in ("reason", "error_file", "occurred_at"):
        if getattr(options, name) is not None and not getattr(options, name).strip():
            console.warn(f"--{name.replace('_', '-')} is empty and counts as not given")
            setattr(options, name, None)
    if options.reason is not None and options.reason not in REASONS:
        meant = nearest(options.reason, REASONS)
        fix = f"did you mean {meant}?" if meant else f"one of {', '.join(REASONS)}"
        raise UsageError(f"--reason: unknown word {shown(options.reason)}", fix=fix)
    return Details(
        occurred_at=_time(options.occurred_at) if options.occurred_at is not None else None,
        error=options.error or None,
        error_code=options.error_code or None,
        reason=options.reason,
    )


def _with_step(argument: str | None, details: Details, session: Session) -> Details:
    """With the failed step's name, where it can be told: an ending is worth more than that."""
    if argument is None:
        return details
    try:
        return replace(details, failed_step=failed_step(argument))
    except ValueError as error:
        session.warnings.append(f"--steps: {error}: the failed step is not named")
        return details


def _ending(options: argparse.Namespace, session: Session) -> Before | None:
    """What this job has reported before, being ended; whatever is wrong with it keeps nothing else from being sent."""
    try:
        return begin(session, options.after, options.job_status)
    except (UsageError, ValueError) as error:
        session.warnings.append(f"--after: {error}: it is not ended")
        return None


def _time(text: str) -> float:
    try:
        return parse(text)
    except UsageError as error:
        fix = "it counts in seconds, like 1769860800" if text.strip().isdigit() else error.fix
        raise UsageError(f"--occurred-at: not a time: {shown(text)}", fix=fix) from None


def _stdin(options: argparse.Namespace) -> BinaryIO | None:
    return sys.stdin.buffer if options.metadata_json == "-" and sys.stdin is not None else None
