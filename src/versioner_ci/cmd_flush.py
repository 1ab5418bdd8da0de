"""`versioner-ci flush`: deliver what earlier calls could not."""

from __future__ import annotations

from collections.abc import Iterator

from versioner_ci import posting, report
from versioner_ci.cli import Invocation
from versioner_ci.errors import EXIT_OK, EXIT_UNDELIVERED
from versioner_ci.options import Parser, add_settings, flags_of
from versioner_ci.report import counted
from versioner_ci.report_json import as_json
from versioner_ci.reporter import Reporter
from versioner_ci.session import Call, Session, open_session
from versioner_ci.spool import Entry
from versioner_ci.times import stamp


def parser() -> Parser:
    """The options of `flush`."""
    made = Parser(
        "flush",
        usage="versioner-ci flush [options]",
        description="Deliver, within 60 seconds, what earlier calls had to keep.",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout, whatever happens")
    add_settings(made)
    return made


def main(call: Invocation) -> int:
    """The exit code of `flush`."""
    options = parser().read(call.arguments)
    session = open_session(Call(flags=flags_of(options), env=call.env, cwd=call.cwd, began=call.began))
    call.console.follow(session.config, session.redactor)
    result = Reporter(session).flush()
    call.signals.is_raising = False
    call.console.tell(result)
    entries = session.spool.entries() if session.spool is not None else []
    for line in waiting(session, entries):
        call.console.warn(line)
    if not result.backlogs and not entries and result.notice is None:
        call.console.note(f"nothing is kept{f' in {session.place.root}' if session.place.root else ''}")
    if options.json:
        call.console.json({**as_json(result), "waiting": len(entries)})
    code = report.exit_code(result, fail_on_error=session.config.fail_on_error)
    is_left = session.config.fail_on_error and bool(entries) and result.notice is None
    return EXIT_UNDELIVERED if code == EXIT_OK and is_left else code


def waiting(session: Session, entries: list[Entry]) -> Iterator[str]:
    """A line for each reason why something kept was not even tried."""
    now = session.clock.wall()
    for name in dict.fromkeys(entry.sink for entry in entries):
        own = [entry for entry in entries if entry.sink == name]
        if name not in posting.configured(session):
            yield f"{name}: {counted(len(own), 'event')} kept, but nothing is configured here to send them to"
            continue
        leased = [entry for entry in own if entry.is_leased(now)]
        later = [entry for entry in own if entry.hold == "later" and not entry.is_due(now)]
        if leased:
            yield f"{name}: {counted(len(leased), 'event')} not tried: another call sends them now, or was just killed"
        if later:
            until = stamp(min(entry.until for entry in later)).partition(".")[0]
            yield f"{name}: {counted(len(later), 'event')} not tried: the server asked to wait until {until}Z"
