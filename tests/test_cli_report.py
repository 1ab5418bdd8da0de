from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.process import Repo, Result, RunCli
from tests.support.recorder import Recorder

KEY = "sk_1_canaryCanaryCanaryCanary"
STARTED = ("report", "deployment", "started", "--environment", "production")
PENDING = ("report", "deployment", "pending", "--environment", "production")
SHORT = ("--timeout", "3")
FROZEN = {
    "detail": {"error": "Locked", "message": "Friday", "code": "DEPLOYMENT_FROZEN", "details": {"rule_name": "freeze"}}
}

Report = Callable[..., Result]


@pytest.fixture
def tracker() -> object:
    with Recorder(key=KEY) as made:
        yield made


@pytest.fixture
def call(cli: RunCli, repo: Repo, tracker: Recorder) -> Report:
    def made(*arguments: str, **env: str) -> Result:
        full = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY, **env}
        return cli(*arguments, env=full, cwd=repo.path)

    return made


def the_object(done: Result) -> dict[str, object]:
    """Exactly one JSON object on stdout."""
    body = json.loads(done.out)
    assert isinstance(body, dict)
    assert done.out.count("\n") == 1
    return body


CASES: dict[str, tuple[dict[str, object] | None, tuple[str, ...], dict[str, str], str, int, int]] = {
    "accepted": (None, PENDING, {}, "accepted", 0, 0),
    "kept": ({"status": 503}, PENDING, {}, "kept", 0, 4),
    "a wrong key": (None, PENDING, {"VERSIONER_API_KEY": "sk_2_wrongWrong"}, "kept", 0, 4),
    "refused": ({"status": 422, "body": {"detail": "no"}}, PENDING, {}, "refused", 0, 4),
    "rejected": ({"status": 423, "body": FROZEN}, STARTED, {}, "rejected", 5, 5),
    "a rejected pending is refused": ({"status": 423, "body": FROZEN}, PENDING, {}, "refused", 0, 4),
    "nothing configured": (None, PENDING, {"VERSIONER_API_URL": "", "VERSIONER_API_KEY": ""}, "nothing", 0, 0),
    "switched off": (None, STARTED, {"VERSIONER_DISABLED": "1"}, "nothing", 0, 0),
    "lost": ({"status": 503}, PENDING, {"CI_JOB_ID": "1", "GITLAB_CI": "true"}, "lost", 0, 4),
}


@pytest.mark.parametrize("is_strict", [False, True], ids=["soft", "strict"])
@pytest.mark.parametrize(("answer", "line", "env", "outcome", "soft", "strict"), CASES.values(), ids=CASES)
def test_the_outcome_and_the_exit_code(
    answer: dict[str, object] | None,
    line: tuple[str, ...],
    env: dict[str, str],
    outcome: str,
    soft: int,
    strict: int,
    *,
    is_strict: bool,
    call: Report,
    tracker: Recorder,
) -> None:
    if answer is not None:
        tracker.answer_next(**answer, times=99)  # type: ignore[arg-type]
    done = call(*line, *SHORT, "--json", *(["--fail-on-error"] if is_strict else []), **env)
    assert done.code == (strict if is_strict else soft), done.err
    body = the_object(done)
    assert body["outcome"] == outcome
    assert body["ok"] is (outcome in {"accepted", "nothing"})
    assert "canary" not in (done.out + done.err).lower()


def test_a_doubled_hook_is_a_duplicate(call: Report, tracker: Recorder, tmp_path: Path) -> None:
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_JOB": "j", "RUNNER_TEMP": str(tmp_path)}
    for status in ("started", "success"):
        call("report", "build", status, **ci)
    done = call("report", "build", "success", "--json", **ci)
    assert (done.code, the_object(done)["outcome"], len(tracker.requests)) == (0, "duplicate", 2)


WRONG = {
    "no kind": ("report",), "no status": ("report", "build"), "a wrong word": ("report", "build", "strated"),
    "a wrong option": ("report", "build", "started", "--bogus"), "no environment": ("report", "deployment", "started"),
    "flush": ("flush", "--bogus"), "doctor": ("doctor", "--bogus"), "context": ("context", "--bogus"),
    "an unknown command": ("repot",),
}  # fmt: skip


@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_a_usage_error_is_one_json_object_too(line: tuple[str, ...], call: Report) -> None:
    done = call(*line, "--json")
    body = the_object(done)
    assert (done.code, body["outcome"], body["ok"]) == (2, "nothing", False)
    assert f"versioner-ci: error: {body['error']}\n" == done.err


@pytest.mark.parametrize("env", [{"VERSIONER_API_URL": "", "VERSIONER_API_KEY": ""}, {}], ids=["no tracker", "down"])
def test_a_required_gate_stays_shut_without_an_acceptance(env: dict[str, str], call: Report, tracker: Recorder) -> None:
    tracker.answer_next(503, times=99)
    done = call(*STARTED, *SHORT, "--gate", "required", "--json", **env)
    assert done.code == 5
    assert "versioner-ci: error: gate 'required': only the tracker's acceptance lets this deployment start" in done.err


def test_a_required_gate_opens_to_an_acceptance(call: Report) -> None:
    assert call(*STARTED, "--gate", "required").code == 0
    assert call(*PENDING, "--gate", "required", VERSIONER_API_URL="http://127.0.0.1:1", VERSIONER_TIMEOUT="1").code == 0


def test_a_rejection_is_one_error_line_with_rule_reason_and_way_out(call: Report, tracker: Recorder) -> None:
    tracker.answer_next(423, FROZEN)
    done = call(*STARTED)
    assert done.code == 5
    assert done.err == (
        "versioner-ci: error: deployment started: backend: rejected by rule 'freeze': Friday; nothing is kept: "
        "start again once it is lifted, or wait for that with --gate-wait MINUTES\n"
    )


def test_a_kept_event_says_where_and_flush_sends_it(call: Report, tracker: Recorder, tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    tracker.down()
    kept = call(*PENDING, *SHORT, VERSIONER_SPOOL_DIR=spool)
    assert f"127.0.0.1:{tracker.port}" in kept.err
    assert f"the next call or `versioner-ci flush` sends it (kept in {spool}/" in kept.err
    left = call("flush", "--timeout", "1", "--fail-on-error", VERSIONER_SPOOL_DIR=spool)
    assert (left.code, "of 1 event that earlier calls kept none delivered, 1 still kept" in left.err) == (4, True)
    tracker.up()
    done = call("flush", "--json", VERSIONER_SPOOL_DIR=spool)
    assert (done.code, done.err) == (0, "versioner-ci: backend: delivered 1 event that earlier calls kept\n")
    assert (the_object(done)["outcome"], the_object(done)["waiting"]) == ("accepted", 0)
    again = call("flush", VERSIONER_SPOOL_DIR=spool)
    assert again.err.startswith(f"versioner-ci: nothing is kept in {spool}/")


def test_flush_says_what_it_did_not_even_try(call: Report, tracker: Recorder, tmp_path: Path) -> None:
    spool = str(tmp_path / "spool")
    tracker.answer_next(503, headers={"Retry-After": "900"})
    call(*PENDING, *SHORT, VERSIONER_SPOOL_DIR=spool)
    waits = call("flush", "--fail-on-error", VERSIONER_SPOOL_DIR=spool)
    assert waits.code == 4
    assert "versioner-ci: warning: backend: 1 event not tried: the server asked to wait until 20" in waits.err
    other = call(
        "flush",
        VERSIONER_SPOOL_DIR=spool,
        VERSIONER_API_URL="",
        VERSIONER_API_KEY="",
        SLACK_WEBHOOK_URL="http://127.0.0.1:1/x",
    )
    assert "backend: 1 event kept, but nothing is configured here to send them to" in other.err
    assert (other.code, len(tracker.requests)) == (0, 1)


def test_quiet_says_only_what_went_wrong(call: Report, tracker: Recorder) -> None:
    assert call(*PENDING, "--quiet").err == ""
    tracker.answer_next(503, times=99)
    assert "kept for later" in call(*PENDING, *SHORT, "--quiet").err


def test_verbose_tells_what_was_found_and_sent(call: Report) -> None:
    done = call(*PENDING, "--verbose")
    assert "versioner-ci: CI host local; product 'shop' (git), version '" in done.err
    assert "versioner-ci: what cannot be delivered is kept in /" in done.err
    assert "versioner-ci: lifecycle " in done.err


def test_a_page_in_place_of_an_answer_is_shown_to_whoever_asks_for_it(call: Report, tracker: Recorder) -> None:
    tracker.answer_next(502, b"<html><h1>Bad\nGateway</h1></html>", headers={"Content-Type": "text/html"}, times=99)
    assert "<html>" not in call(*PENDING, *SHORT).err
    shown = "versioner-ci: backend: the answer begins: <html><h1>Bad Gateway</h1></html>\n"
    assert shown in call(*PENDING, *SHORT, "--verbose").err


def test_a_named_pipe_that_nobody_writes_to_is_no_hang(call: Report, tracker: Recorder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = call("report", "build", "failed", "--error-file", str(tmp_path / "pipe"))
    assert (done.code, done.seconds < 5) == (0, True)


def test_the_error_file_s_end_is_the_error(call: Report, tracker: Recorder, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"row {number}\n" for number in range(100)) + f"key {KEY}\n")
    call("report", "build", "failed", "--error-file", str(path))
    error = tracker.wait_for(1)[0].body["extra_metadata"]["error"]
    assert error.splitlines()[0] == "row 81"
    assert error.endswith("key ***")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_call_in_time_and_keeps_the_event(
    signum: int, code: int, cli_env: dict[str, str], repo: Repo, tracker: Recorder
) -> None:
    tracker.delay = 20.0
    env = {**cli_env, "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY}
    process = subprocess.Popen(
        [str(COMMAND), *PENDING, "--json"],
        env=env,
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    give_up = time.monotonic() + 10
    while not tracker.requests and time.monotonic() < give_up:
        time.sleep(0.02)
    began = time.monotonic()
    process.send_signal(signum)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 2
    assert process.returncode == code
    assert "interrupted; what was not sent is kept at /" in err
    body = json.loads(out)
    assert (body["outcome"], body["ok"]) == ("kept", False)


def test_a_secret_as_a_flag_works_and_prints_one_warning(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    done = cli(*PENDING, "--api-url", tracker.url, "--api-key", KEY, cwd=repo.path)
    assert (done.code, len(tracker.wait_for(1))) == (0, 1)
    assert done.err.count("warning") == 1
    assert "give --api-key by environment (VERSIONER_API_KEY)" in done.err
    assert KEY not in done.err
