from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_report import EVENT, REJECTION, outcome
from versioner_ci.identity import Handle
from versioner_ci.outcome import Verdict
from versioner_ci.redact import Redactor
from versioner_ci.report import Tone
from versioner_ci.report_github import annotation, code, outputs, summary, write
from versioner_ci.result import Report
from versioner_ci.status import Kind

HANDLE = Handle(
    id="l",
    group="g",
    kind=Kind.DEPLOYMENT,
    product="shop",
    version="1",
    environment="production",
    channels={"#deploys": "C1=1.2", "#ops": "C2=3.4"},
)
IDS = {"id": "e1", "event_id": "e2", "deployment_id": "d", "version_id": "v", "product_id": "p"}
ACCEPTED = Report(event=EVENT, outcomes=(outcome(Verdict.ACCEPTED, ids=IDS),), handle=HANDLE)


def parsed(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT as the runner reads it."""
    found, rows = {}, iter(text.split("\n"))
    for row in rows:
        if row:
            name, _, mark = row.partition("<<")
            value = []
            while (line := next(rows)) != mark:
                value.append(line)
            found[name] = "\n".join(value)
    return found


def test_a_steps_outputs_are_the_documented_ones() -> None:
    assert outputs(ACCEPTED) == {
        "event-id": "e2",
        "deployment-id": "d",
        "version-id": "v",
        "product-id": "p",
        "status": "started",
        "ok": "true",
        "outcome": "accepted",
        "lifecycle": HANDLE.encode(),
        "slack-ts": "C1=1.2 C2=3.4",
    }


@pytest.mark.parametrize(
    ("report", "ok"),
    [
        (Report(event=EVENT, outcomes=(outcome(Verdict.KEPT),)), "false"),
        (Report(notice="nothing"), "true"),
        (replace(ACCEPTED, signum=15), "false"),
    ],
    ids=["kept", "nothing to do", "interrupted"],
)
def test_ok_is_true_only_for_what_is_delivered(report: Report, ok: str) -> None:
    assert outputs(report)["ok"] == ok


def test_the_files_are_appended_to_with_a_delimiter_that_nobody_guesses(tmp_path: Path) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_STEP_SUMMARY": str(tmp_path / "s")}
    (tmp_path / "o").write_text("")
    (tmp_path / "s").write_text("before\n")
    write(ACCEPTED, env, Redactor())
    write(ACCEPTED, env, Redactor())
    text = (tmp_path / "o").read_text()
    assert parsed(text) == outputs(ACCEPTED)
    marks = re.findall("<<(.+)", text)
    assert len(marks) == len(set(marks)) == 2 * len(outputs(ACCEPTED))
    head = "before\n🚀 **Deployment in progress**: `shop` `1.4.2` → `production`"
    assert (tmp_path / "s").read_text().startswith(head)


@pytest.mark.parametrize("path", ["/nonexistent/file", "", "a\0b", "."], ids=["missing", "empty", "NUL", "folder"])
def test_a_file_that_cannot_be_written_is_left(path: str) -> None:
    write(ACCEPTED, {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": path, "GITHUB_STEP_SUMMARY": path}, Redactor())


def test_nothing_is_written_elsewhere_than_on_github(tmp_path: Path) -> None:
    write(ACCEPTED, {"GITHUB_OUTPUT": str(tmp_path / "o")}, Redactor())
    assert not (tmp_path / "o").exists()


def test_the_summary_tells_each_sinks_outcome() -> None:
    report = Report(
        event=EVENT, outcomes=(outcome(Verdict.REJECTED, rejection=REJECTION), outcome(Verdict.KEPT, "HTTP 503"))
    )
    [_, rejected, kept] = list(summary(report))
    assert rejected.startswith("🛑 backend: `rejected by rule 'freeze': Friday afternoon")
    assert kept.startswith("⚠️ backend: `` kept for later, HTTP 503")
    assert list(summary(Report(notice="nothing"))) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("shop", "`shop`"),
        ("a`b", "`` a`b ``"),
        ("a``b", "``` a``b ```"),
        ("a```b", "```` a```b ````"),
        ("</code><script>", "`</code><script>`"),
        ("a\n# b", r"`a\n# b`"),
        ("[x](javascript:1)", "`[x](javascript:1)`"),
        ("\u202ea", "`a`"),
        (" ", "`   `"),
    ],
)
def test_a_hostile_name_stays_in_its_code_span(name: str, shown: str) -> None:
    assert code(name) == shown


@given(st.text())
def test_no_text_can_leave_its_code_span(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    inner = span[len(fence[0]) : -len(fence[0])]
    assert "\n" not in inner
    assert fence[0] not in re.findall("`+", inner)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a", "::warning title=versioner-ci::a"),
        ("a\n::error::b", r"::warning title=versioner-ci::a\n::error::b"),
        ("a%0A::error::b", "::warning title=versioner-ci::a%250A::error::b"),
        ("100 %", "::warning title=versioner-ci::100 %25"),
        ("##[error]x", "::warning title=versioner-ci::# #[error]x"),
    ],
)
def test_an_annotation_cannot_be_left(text: str, line: str) -> None:
    assert annotation(text, Tone.WARNING) == line


def test_what_ends_a_call_is_an_error_annotation() -> None:
    assert annotation("x", Tone.ERROR) == "::error title=versioner-ci::x"
