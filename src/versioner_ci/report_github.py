"""What a call came to for GitHub: annotations, a step's outputs and its summary."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from versioner_ci.outcome import Outcome, Verdict
from versioner_ci.redact import Redactor
from versioner_ci.report import Tone, inert, outcome_line
from versioner_ci.report_json import ids, is_ok, verdict_of
from versioner_ci.result import Report
from versioner_ci.status import LOOKS
from versioner_ci.text import cut, one_line, visible

_LONGEST_NAME = 200
_LONGEST_OUTCOME = 500


def is_github(env: Mapping[str, str]) -> bool:
    """Whether a GitHub runner reads what is printed."""
    return env.get("GITHUB_ACTIONS") == "true"


def annotation(text: str, tone: Tone) -> str:
    """A workflow command; outside text cannot end it."""
    return f"::{tone.name.lower()} title=versioner-ci::{inert(text).replace('%', '%25')}"


def write(report: Report, env: Mapping[str, str], redactor: Redactor, *, has_outputs: bool = True) -> None:
    """Outputs and a few lines of summary, where the runner names files for them; what cannot be written is left."""
    if not is_github(env):
        return
    if has_outputs:
        _append(env.get("GITHUB_OUTPUT"), "".join(_output(name, value) for name, value in outputs(report).items()))
    _append(env.get("GITHUB_STEP_SUMMARY"), redactor("".join(f"{line}\n\n" for line in summary(report))))


def outputs(report: Report) -> dict[str, str]:
    """A step's outputs; those that are not known are left out."""
    known = ids(report)
    named = {
        "event-id": known.get("event_id") or known.get("id"),
        "build-id": known.get("build_id"),
        "deployment-id": known.get("deployment_id"),
        "version-id": known.get("version_id"),
        "product-id": known.get("product_id"),
        "status": report.event.state.value if report.event is not None else None,
        "ok": "true" if is_ok(report) else "false",
        "outcome": verdict_of(report).value,
        "lifecycle": report.handle.encode() if report.handle is not None else None,
        "slack-ts": " ".join(report.handle.channels.values()) if report.handle is not None else None,
    }
    return {name: value for name, value in named.items() if value}


def summary(report: Report) -> Iterator[str]:
    """Markdown for a step summary; outside text in code spans only."""
    if report.event is None:
        return
    event = report.event
    look = LOOKS[event.kind, event.state]
    where = f" → {code(event.environment)}" if event.environment else ""
    yield f"{look.icon} **{look.wording}**: {code(event.product)} {code(event.version)}{where}"
    for outcome in report.outcomes:
        said = outcome_line(outcome).partition(": ")[2]
        yield f"{_mark(outcome)} {outcome.sink}: {code(said, _LONGEST_OUTCOME)}"


def code(text: str, limit: int = _LONGEST_NAME) -> str:
    """Outside text as a code span that it cannot leave: the fence is longer than any run of backticks in it."""
    plain = cut(one_line(visible(text)), limit)
    fence = "`" * (1 + max(map(len, re.findall("`+", plain)), default=0))
    pad = " " if "`" in plain or not plain.strip() else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def _mark(outcome: Outcome) -> str:
    if outcome.verdict is Verdict.REJECTED:
        return "🛑"
    return "✓" if outcome.verdict.is_delivered else "⚠️"


def _output(name: str, value: str) -> str:
    mark = f"versioner_{os.urandom(16).hex()}"
    return f"{name}<<{mark}\n{value}\n{mark}\n"


def _append(path: str | None, text: str) -> None:
    if not path or not text:
        return
    try:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except (OSError, ValueError):
        return
