"""Fills the spool with kept events of 500 lifecycles: `fill.py 1000` prints how many it wrote."""

from __future__ import annotations

import sys

from versioner_ci.details import Details
from versioner_ci.posting import write
from versioner_ci.reporter import Reporter
from versioner_ci.status import Kind, State

wanted = int(sys.argv[1])
written = 0
for number in range(wanted // 2):
    reporter = Reporter.from_env(key=f"leg-{number}")
    for state in (State.STARTED, State.COMPLETED):
        letter = write(reporter.session, reporter.wanted(Kind.BUILD, state, Details()), Details(), seconds=1)
        for posted in letter.letters.values():
            if posted.entry is not None and reporter.session.spool is not None:
                reporter.session.spool.keep(posted.entry)
                written += 1

sys.stdout.write(f"{written}\n")
