from __future__ import annotations

import io
import json

import pytest

from tests.test_report import EVENT, REJECTION, outcome
from versioner_ci.console import Console, as_text
from versioner_ci.outcome import Verdict
from versioner_ci.redact import Redactor
from versioner_ci.result import Report

GITHUB = {"GITHUB_ACTIONS": "true"}


class Closed(io.StringIO):
    """Takes nothing, like a pipe whose reader is gone or a full disk."""

    def write(self, _: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def made(env: dict[str, str] | None = None) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, env or {}), out, err


def test_data_goes_to_stdout_and_messages_to_stderr() -> None:
    console, out, err = made()
    console.data("data")
    console.note("note")
    console.warn("warning")
    console.error("error")
    assert out.getvalue() == "data\n"
    assert err.getvalue() == "versioner-ci: note\nversioner-ci: warning: warning\nversioner-ci: error: error\n"


def test_quiet_keeps_what_went_wrong_and_what_was_asked_for() -> None:
    console, out, err = made()
    console.is_quiet = True
    console.note("note")
    console.warn("warning")
    console.data("data")
    assert (out.getvalue(), err.getvalue()) == ("data\n", "versioner-ci: warning: warning\n")


@pytest.mark.parametrize(("word", "is_on"), [("1", True), ("true", True), ("0", False), ("", False), ("what", False)])
def test_details_are_for_verbose_only(word: str, *, is_on: bool) -> None:
    console, _, err = made({"VERSIONER_VERBOSE": word})
    console.detail("detail")
    assert err.getvalue() == ("versioner-ci: detail\n" if is_on else "")


@pytest.mark.parametrize("env", [{}, GITHUB], ids=["anywhere", "GitHub"])
def test_a_warning_is_said_once(env: dict[str, str]) -> None:
    console, _, err = made(env)
    console.warn("the same")
    console.warn("the same")
    assert err.getvalue().count("the same") == 1


def test_on_github_warnings_and_errors_are_annotations() -> None:
    console, _, err = made(GITHUB)
    report = Report(
        event=EVENT,
        outcomes=(outcome(Verdict.KEPT, "HTTP 503"), outcome(Verdict.REJECTED, rejection=REJECTION)),
        warnings=("a warning",),
    )
    console.tell(report)
    rows = err.getvalue().splitlines()
    assert [row.partition(" ")[0] for row in rows] == ["::warning", "::warning", "::error"]
    assert rows[0] == "::warning title=versioner-ci::a warning"


SECRETS = {"VERSIONER_API_KEY": "canary-key", "SLACK_BOT_TOKEN": "canary-token", "SLACK_WEBHOOK_URL": "canary-hook"}


@pytest.mark.parametrize("secret", SECRETS.values())
def test_secrets_are_masked_before_the_settings_are_read(secret: str) -> None:
    console, out, err = made(SECRETS)
    console.data(f"d {secret}")
    console.warn(f"w {secret}")
    console.trace([f"t {secret}"])
    console.json({"j": [secret]})
    assert "canary" not in out.getvalue() + err.getvalue()


def test_a_leg_is_no_secret() -> None:
    console, _, err = made({"VERSIONER_KEY": "eu-west"})
    console.warn("leg eu-west")
    assert "eu-west" in err.getvalue()


OURS = ("::warning title=versioner-ci::name ", "::error title=versioner-ci::name too ")
HOSTILE = [
    "\n::error::x",
    "##[error]x",
    "##vso[task.complete]x",
    "\x1b[2J",
    "\r::set-output name=a::b",
    "%0A::error::x",
]


@pytest.mark.parametrize("env", [{}, GITHUB], ids=["anywhere", "GitHub"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_message_is_a_command_to_a_runner(text: str, env: dict[str, str]) -> None:
    console, out, err = made(env)
    console.note(f"name {text}")
    console.warn(f"name {text}")
    console.error(f"name too {text}")
    console.trace([f"name {text}"])
    console.json({"name": f"name {text}"})
    console.json({"name": f"name {text}"}, indent=2)
    for row in (out.getvalue() + err.getvalue()).splitlines():
        assert not row.lstrip().startswith("::") or row.startswith(OURS)
        assert "##[" not in row
        assert "##vso[" not in row
        assert "\x1b" not in row
    assert len(err.getvalue().splitlines()) == 4


def test_json_says_the_same_however_it_is_written() -> None:
    body = {"text": '##[x] 🚀 \u202e\x85\u2028\x1b " \\ ünï', "list": [1, 2.5, True, None, {"a": "b"}]}
    for text in (as_text(body), as_text(body, 2), as_text(body, 2, is_ascii=False)):
        assert json.loads(text) == body
        assert "##[" not in text
    assert "🚀" in as_text(body, 2, is_ascii=False)
    assert as_text(body).isascii()


def test_one_json_object_a_call() -> None:
    console, out, _ = made()
    console.json({"first": 1})
    console.json({"second": 2})
    assert json.loads(out.getvalue()) == {"first": 1}


@pytest.mark.parametrize("secret", ["true", "null", 'a"b"c', "back\\slash", "outcome"])
def test_a_strange_secret_is_masked_and_leaves_json_whole(secret: str) -> None:
    console, out, _ = made()
    console.redactor = Redactor([secret])
    console.json({"outcome": "kept", "ok": True, "none": None, "said": f"x {secret} y"})
    assert json.loads(out.getvalue()) == {"outcome": "kept", "ok": True, "none": None, "said": "x *** y"}


@pytest.mark.parametrize("stream", [None, Closed()], ids=["none", "broken"])
def test_a_stream_that_is_gone_is_no_error(stream: io.StringIO | None) -> None:
    console = Console(stream, stream, {})
    console.data("data")
    console.warn("warning")
    console.json({"a": 1})
    console.flush()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_whatever_the_terminal_cannot_show_is_written_out(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(stream, stream, {})
    console.note("🚀 ü")
    console.json({"a": "🚀"}, indent=2)
    console.flush()
    note, *rest = raw.getvalue().decode(encoding).splitlines()
    assert note.startswith("versioner-ci: ")
    assert json.loads("".join(rest)) == {"a": "🚀"}
