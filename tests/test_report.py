from __future__ import annotations

import pytest

from versioner_ci.event import Event
from versioner_ci.outcome import Backlog, Outcome, Verdict
from versioner_ci.report import Tone, backlog_line, exit_code, inert, lines, outcome_line, printed
from versioner_ci.result import Report
from versioner_ci.sinks._sink import Rejection
from versioner_ci.status import Kind, State

KEPT_AT = "/spool"
EVENT = Event(
    kind=Kind.DEPLOYMENT,
    state=State.STARTED,
    product="shop",
    version="1.4.2",
    environment="production",
    occurred_at="2026-11-23T12:00:00.000000Z",
    key="k",
    lifecycle_id="l",
    group_id="g",
)
REJECTION = Rejection(rule="freeze", reason="Friday afternoon", retry_after=240.0)


def outcome(verdict: Verdict, detail: str = "", **more: object) -> Outcome:
    return Outcome(sink="backend", verdict=verdict, detail=detail, **more)  # type: ignore[arg-type]


GOLDEN = {
    "accepted": (outcome(Verdict.ACCEPTED, "id 8f"), "backend: accepted (id 8f)"),
    "accepted, nothing more known": (outcome(Verdict.ACCEPTED), "backend: accepted"),
    "duplicate": (outcome(Verdict.DUPLICATE, "id 8f"), "backend: accepted before, a duplicate (id 8f)"),
    "kept": (
        outcome(Verdict.KEPT, "HTTP 503"),
        "backend: kept for later, HTTP 503; the next call or `versioner-ci flush` sends it (kept in /spool)",
    ),
    "kept, with a fix": (
        outcome(Verdict.KEPT, "refused by h:1", fix="check api_url, from VERSIONER_API_URL"),
        (
            "backend: kept for later, refused by h:1; check api_url, from VERSIONER_API_URL; "
            "the next call or `versioner-ci flush` sends it (kept in /spool)"
        ),
    ),
    "lost": (
        outcome(Verdict.LOST, "HTTP 503"),
        (
            "backend: not delivered; lost when this job ends, HTTP 503; "
            "a VERSIONER_SPOOL_DIR that outlives the job would keep it"
        ),
    ),
    "refused": (
        outcome(Verdict.REFUSED, "HTTP 422: body.version: field required"),
        "backend: refused, set aside in /spool/bad, HTTP 422: body.version: field required; it is not sent again",
    ),
    "refused, with a fix": (
        Outcome(sink="slack", verdict=Verdict.REFUSED, detail="C1: not_in_channel", fix="invite @bot to C1"),
        "slack: refused, set aside in /spool/bad, C1: not_in_channel; invite @bot to C1; it is not sent again",
    ),
    "rejected": (
        outcome(Verdict.REJECTED, "HTTP 423", rejection=REJECTION),
        (
            "backend: rejected by rule 'freeze': Friday afternoon (try again in 4 min); "
            "nothing is kept: start again once it is lifted, or wait for that with --gate-wait MINUTES"
        ),
    ),
}


@pytest.mark.parametrize(("given", "said"), GOLDEN.values(), ids=GOLDEN)
def test_each_verdict_says_the_cause_what_became_of_it_and_what_to_do(given: Outcome, said: str) -> None:
    assert outcome_line(given, KEPT_AT) == said


@pytest.mark.parametrize("verdict", [Verdict.KEPT, Verdict.REFUSED])
def test_no_folder_is_named_where_there_is_none(verdict: Verdict) -> None:
    assert "None" not in outcome_line(outcome(verdict, "HTTP 503"))
    assert " in " not in outcome_line(outcome(verdict, "HTTP 503"))


BACKLOGS = {
    "one delivered": (Backlog(sink="slack", delivered=1), "slack: delivered 1 event that earlier calls kept"),
    "many delivered": (
        Backlog(sink="slack", delivered=1200),
        "slack: delivered 1,200 events that earlier calls kept",
    ),
    "some left": (
        Backlog(sink="backend", delivered=2, left=3, detail="HTTP 503"),
        "backend: of 5 events that earlier calls kept 2 delivered, 3 still kept (in /spool); HTTP 503",
    ),
    "all left": (
        Backlog(sink="backend", left=1, detail="HTTP 503"),
        "backend: of 1 event that earlier calls kept none delivered, 1 still kept (in /spool); HTTP 503",
    ),
    "refused": (
        Backlog(sink="backend", delivered=1, set_aside=1, detail="HTTP 422"),
        "backend: of 2 events that earlier calls kept 1 delivered, 1 refused and set aside in /spool/bad; HTTP 422",
    ),
}


@pytest.mark.parametrize(("given", "said"), BACKLOGS.values(), ids=BACKLOGS)
def test_a_backlog_is_counted_to_its_last_event(given: Backlog, said: str) -> None:
    assert backlog_line(given, KEPT_AT) == said


def test_a_reports_lines_come_with_the_event_and_their_tone() -> None:
    report = Report(
        event=EVENT,
        kept_at=KEPT_AT,
        warnings=("a warning",),
        notice="a notice",
        outcomes=(outcome(Verdict.ACCEPTED), outcome(Verdict.KEPT), outcome(Verdict.REJECTED, rejection=REJECTION)),
        backlogs=(Backlog(sink="slack", delivered=1), Backlog(sink="slack", left=1)),
    )
    tones = [tone for _, tone in lines(report)]
    assert tones == [
        Tone.WARNING,
        Tone.NOTE,
        Tone.NOTE,
        Tone.WARNING,
        Tone.ERROR,
        Tone.NOTE,
        Tone.WARNING,
    ]
    assert [text for text, _ in lines(report)][2] == "deployment started: backend: accepted"


def test_a_doubled_hook_is_told_without_a_warning() -> None:
    said = [("reported already, by an earlier call of this job: nothing is sent again", Tone.NOTE)]
    assert list(lines(Report(is_doubled=True))) == said


@pytest.mark.parametrize(
    ("outcomes", "kept_at", "said"),
    [
        ((outcome(Verdict.KEPT),), "/spool", "what was not sent is kept at /spool: the next call"),
        ((outcome(Verdict.LOST),), "/spool", "lost when this job ends"),
        ((), None, "interrupted; what was not sent is kept"),
    ],
    ids=["kept", "lost", "no folder"],
)
def test_an_interrupted_call_says_what_became_of_the_rest(
    outcomes: tuple[Outcome, ...], kept_at: str | None, said: str
) -> None:
    assert said in list(lines(Report(event=EVENT, outcomes=outcomes, kept_at=kept_at, signum=15)))[-1][0]


CODES = {
    "delivered": (Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED),)), 0, 0, 0),
    "duplicate": (Report(event=EVENT, outcomes=(outcome(Verdict.DUPLICATE),)), 0, 0, 0),
    "doubled": (Report(is_doubled=True), 0, 0, 0),
    "nothing configured": (Report(notice="nothing"), 0, 0, 5),
    "kept": (Report(event=EVENT, outcomes=(outcome(Verdict.KEPT),)), 0, 4, 5),
    "lost": (Report(event=EVENT, outcomes=(outcome(Verdict.LOST),)), 0, 4, 5),
    "refused": (Report(event=EVENT, outcomes=(outcome(Verdict.REFUSED),)), 0, 4, 5),
    "rejected": (Report(event=EVENT, outcomes=(outcome(Verdict.REJECTED),)), 5, 5, 5),
    "Slack's kept": (Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED), outcome(Verdict.KEPT))), 0, 4, 0),
    "an old one still kept": (
        Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED),), backlogs=(Backlog(sink="slack", left=1),)),
        0,
        0,
        0,
    ),
    "flushed in part": (Report(backlogs=(Backlog(sink="slack", left=1),)), 0, 4, 5),
    "interrupted": (Report(event=EVENT, outcomes=(outcome(Verdict.KEPT),), signum=15), 143, 143, 143),
}


@pytest.mark.parametrize(("report", "soft", "strict", "required"), CODES.values(), ids=CODES)
def test_the_exit_code_is_the_documented_one(report: Report, soft: int, strict: int, required: int) -> None:
    assert exit_code(report, fail_on_error=False) == soft
    assert exit_code(report, fail_on_error=True) == strict
    assert exit_code(report, fail_on_error=False, is_required=True) == required


HOSTILE = {
    "a second line": ("a\n::error::b", r"a\n::error::b"),
    "a carriage return": ("a\rb", r"a\rb"),
    "a terminal's escape": ("\x1b[31mred", r"\x1b[31mred"),
    "a runner's old command": ("a ##[error]b", "a # #[error]b"),
    "Azure's command": ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
    "three hashes": ("###[error]b", "## #[error]b"),
    "text turned around": ("a\u202eb\u200bc", "abc"),
    "bytes that are no text": ("a\udcffb", "a\ufffdb"),
    "a heading of Markdown": ("## title", "## title"),
}


@pytest.mark.parametrize(("given", "said"), HOSTILE.values(), ids=HOSTILE)
def test_outside_text_is_one_harmless_line(given: str, said: str) -> None:
    assert inert(given) == said


def test_a_line_is_cut_before_it_fills_the_screen() -> None:
    assert len(printed("x" * 100_000, Tone.WARNING)) < 1_100
    assert printed("x", Tone.ERROR) == "versioner-ci: error: x"
    assert printed("x", Tone.NOTE) == "versioner-ci: x"
