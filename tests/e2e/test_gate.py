"""The gate: what the tracker's rules keep from starting, and what they do not."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Start, wait_until
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo, Result, RunCli
from tests.support.recorder import Received, Recorder

DEPLOY = ("--environment", "production")
REQUIRED = ("--gate", "required")


def started(request: Received) -> bool:
    return request.state == "started"


class Gated:
    """`run deployment` of a CMD that leaves a trace."""

    def __init__(self, cli: RunCli, repo: Repo, trace: Path) -> None:
        self.cli = cli
        self.repo = repo
        self.trace = trace
        self.command = ("--", "touch", str(trace))

    def run(self, *args: str, env: Mapping[str, str | None] | None = None, command: tuple[str, ...] = ()) -> Result:
        options = args if "--environment" in args else (*DEPLOY, *args)
        return self.cli("run", "deployment", *options, *(command or self.command), cwd=self.repo.path, env=env)

    @property
    def has_run(self) -> bool:
        return self.trace.exists()


@pytest.fixture
def gated(cli: RunCli, repo: Repo, tmp_path: Path) -> Gated:
    return Gated(cli, repo, tmp_path / "trace")


# -- accepted and rejected ---------------------------------------------------------------------


def test_an_accepted_start_comes_before_cmd(gated: Gated, tracker: Recorder) -> None:
    tracker.delay = 0.5
    seen = ("--", "sh", "-c", "date +%s.%N")
    result = gated.run(command=seen)
    assert result.code == 0
    assert tracker.states() == ["started", "completed"]
    assert float(result.out) > tracker.events[0].at + 0.4


@pytest.mark.parametrize("status", [409, 423, 428])
def test_a_rejection_keeps_cmd_from_starting_and_says_why_once(
    gated: Gated, tracker: Recorder, slack: FakeSlack, slack_env: dict[str, str], status: int
) -> None:
    tracker.reject(status=status, rule_name="no-friday", message="It is Friday", retry_after=7200)
    result = gated.run(env=slack_env)
    assert (result.code, gated.has_run) == (5, False)
    [line] = [line for line in result.err.splitlines() if "no-friday" in line]
    assert "It is Friday" in line
    assert "2.0 h" in line
    assert result.err.count("\n") == 1, result.err
    assert len(tracker.requests) == 1
    assert slack.calls == []


def test_a_rejection_without_a_rules_name_or_code_is_told_too(gated: Gated, tracker: Recorder) -> None:
    tracker.reject(status=423, rule_name=None, code=None, message="locked")
    result = gated.run()
    assert (result.code, gated.has_run) == (5, False)
    assert "rejected by rule 'Deployment rejected': locked" in result.err


def test_after_a_rejection_no_further_event_is_sent(
    cli: RunCli, gated: Gated, tracker: Recorder, github: dict[str, str]
) -> None:
    rule = tracker.reject()
    gated.run(env=github)
    for state in ("failed", "aborted"):
        assert cli("report", "deployment", state, *DEPLOY, cwd=gated.repo.path, env=github).code == 0
    assert len(tracker.requests) == 1
    tracker.lift(rule)
    assert gated.run(env=github).code == 0
    assert tracker.states() == ["started", "completed"]


@pytest.mark.parametrize("command", ["run", "report"])
def test_a_rejection_closes_a_pending_that_was_accepted(
    cli: RunCli,
    gated: Gated,
    tracker: Recorder,
    slack: FakeSlack,
    slack_env: dict[str, str],
    github: dict[str, str],
    command: str,
) -> None:
    env = {**github, **slack_env}
    cli("report", "deployment", "pending", *DEPLOY, cwd=gated.repo.path, env=env)
    tracker.reject(rule_name="frozen")
    if command == "run":
        result = gated.run(env=env)
    else:
        result = cli("report", "deployment", "started", *DEPLOY, "--json", cwd=gated.repo.path, env=env)
        assert json.loads(result.out)["outcome"] == "rejected"
    assert result.code == 5
    assert tracker.states() == ["pending", "aborted"]
    pending, closing = tracker.events
    assert closing.lifecycle == pending.lifecycle
    assert closing.metadata["reason"] == "rejected"
    assert "started_at" not in closing.body
    assert "duration_seconds" not in closing.metadata
    [message] = slack.messages("#deploys")
    assert "Deployment aborted" in message.shown


def test_a_bare_409_is_no_rejection(gated: Gated, tracker: Recorder) -> None:
    tracker.answer_next(409, {"detail": "version exists with another commit"}, when=started)
    result = gated.run()
    assert (result.code, gated.has_run) == (0, True)
    assert "refused" in result.err
    assert tracker.states() == ["completed"]


def test_a_report_that_is_rejected_exits_5_and_names_the_rule(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    tracker.reject(rule_name="frozen", retry_after=60)
    result = cli("report", "deployment", "started", *DEPLOY, "--json", cwd=repo.path)
    body = json.loads(result.out)
    assert (result.code, body["outcome"]) == (5, "rejected")
    assert body["rejection"]["rule"] == "frozen"
    assert "rejected by rule 'frozen'" in result.err


def test_a_pending_has_no_gate(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    tracker.answer_next(423, {"detail": {"code": "FROZEN", "message": "no"}})
    result = cli("report", "deployment", "pending", *DEPLOY, *REQUIRED, cwd=repo.path)
    assert result.code == 0
    assert "refused" in result.err


def test_skip_preflight_is_sent(gated: Gated, tracker: Recorder) -> None:
    tracker.reject()
    assert gated.run("--skip-preflight").code == 0
    assert tracker.events[0].body["skip_preflight_checks"] is True


def test_a_build_has_no_gate(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    tracker.answer_next(423, {"detail": {"code": "FROZEN", "message": "no"}})
    assert cli("run", "build", *REQUIRED, "--", "true", cwd=repo.path).code == 0


def test_a_gate_that_is_off_is_not_asked(gated: Gated, tracker: Recorder) -> None:
    tracker.reject()
    tracker.delay = 1.0
    result = gated.run("--gate", "off", command=("--", "sh", "-c", "date +%s.%N"))
    assert result.code == 0
    assert float(result.out) < tracker.requests[0].at + 0.9
    assert "refused" in result.err


def test_a_repositorys_file_cannot_weaken_the_gate(gated: Gated, tracker: Recorder) -> None:
    tracker.reject()
    (gated.repo.path / ".versioner.yml").write_text("gate: off\n")
    assert gated.run("--gate", "on").code == 5
    assert gated.run().code == 5
    assert not gated.has_run


def test_a_repositorys_file_can_strengthen_the_gate(gated: Gated, tracker: Recorder) -> None:
    tracker.down()
    (gated.repo.path / ".versioner.yml").write_text("gate: required\ntimeout: 0.5\n")
    assert gated.run().code == 5
    assert not gated.has_run


# -- a tracker in trouble ----------------------------------------------------------------------


def test_a_tracker_that_is_down_blocks_nothing_and_hears_of_it_later(
    gated: Gated, tracker: Recorder, cli: RunCli
) -> None:
    tracker.down()
    result = gated.run("--timeout", "0.5")
    assert (result.code, gated.has_run) == (0, True)
    assert "kept for later" in result.err
    tracker.up()
    assert cli("flush", cwd=gated.repo.path).code == 0
    assert tracker.states() == ["started", "completed"]


def test_a_slow_tracker_blocks_no_longer_than_the_budget(gated: Gated, tracker: Recorder) -> None:
    tracker.delay = 30
    began = time.time()
    result = gated.run("--timeout", "1", command=("--", "sh", "-c", "date +%s.%N"))
    assert result.code == 0
    assert 0.9 < float(result.out) - began < 2.5
    assert result.seconds < 4.5


def test_a_rejection_that_comes_late_is_a_warning_and_the_ending_is_sent(gated: Gated, tracker: Recorder) -> None:
    tracker.answer_next(503, times=9, when=started)
    tracker.reject(rule_name="frozen")
    result = gated.run("--timeout", "1", command=("--", "sh", "-c", "sleep 0.1; exit 0"))
    while not any(request.answered == 409 for request in tracker.requests):
        result = gated.cli("report", "deployment", "completed", *DEPLOY, cwd=gated.repo.path)
        assert result.seconds < 20
    assert result.code == 0
    assert "completed" in tracker.states()
    assert "started" not in tracker.states()


def test_the_late_rejection_of_a_start_is_told_with_its_rule(gated: Gated, tracker: Recorder) -> None:
    tracker.down()
    tracker.reject(rule_name="frozen", message="no")
    result = gated.run("--timeout", "0.4", command=("--", "sleep", "1.5"))
    assert result.code == 0
    tracker.up()
    flushed = gated.cli("flush", cwd=gated.repo.path)
    assert tracker.states() == ["completed"]
    assert "frozen" in flushed.err


# -- required ----------------------------------------------------------------------------------


def _down(tracker: Recorder, _: Path) -> dict[str, str]:
    tracker.down()
    return {"VERSIONER_TIMEOUT": "0.5"}


def _wrong_key(_: Recorder, __: Path) -> dict[str, str]:
    return {"VERSIONER_API_KEY": "sk_2_wrong"}


def _no_tracker(_: Recorder, __: Path) -> dict[str, Any]:
    return {"VERSIONER_API_URL": None, "VERSIONER_API_KEY": None}


def _unusable_url(_: Recorder, __: Path) -> dict[str, str]:
    return {"VERSIONER_API_URL": "http://tracker.example.com"}


def _bare_409(tracker: Recorder, _: Path) -> dict[str, str]:
    tracker.answer_next(409, {"detail": "conflict"}, when=started)
    return {}


def _no_environment(_: Recorder, __: Path) -> dict[str, str]:
    return {"NO_ENVIRONMENT": "1"}


def _fault(_: Recorder, folder: Path) -> dict[str, str]:
    (folder / "requests.py").write_text("raise RuntimeError('broken')\n")
    return {"BROKEN": "1"}


@pytest.mark.parametrize("trouble", [_down, _wrong_key, _no_tracker, _unusable_url, _bare_409, _no_environment, _fault])
@pytest.mark.parametrize("command", ["run", "report"])
def test_only_an_acceptance_opens_a_required_gate(
    gated: Gated, tracker: Recorder, cli_env: dict[str, str], tmp_path: Path, command: str, trouble: Any
) -> None:
    (tmp_path / "broken").mkdir()
    env = trouble(tracker, tmp_path / "broken")
    if env.pop("BROKEN", None):
        env["PYTHONPATH"] = f"{tmp_path / 'broken'}:{cli_env['PYTHONPATH']}"
    where = () if env.pop("NO_ENVIRONMENT", None) else DEPLOY
    given = ["--", "touch", str(gated.trace)] if command == "run" else []
    first = ["run", "deployment"] if command == "run" else ["report", "deployment", "started"]
    result = gated.cli(*first, *REQUIRED, *where, *given, cwd=gated.repo.path, env=env)
    assert result.code == 5 or (command == "report" and result.code in {1, 2})
    assert not gated.has_run
    assert result.err


@pytest.mark.parametrize(
    "arguments", [("--gate", "requird"), ("--gate=requird",), ("--gate", "required", "--no-such-option")]
)
def test_an_unreadable_gate_or_option_keeps_a_required_gate_shut(gated: Gated, arguments: tuple[str, ...]) -> None:
    assert gated.run(*arguments).code == 5
    assert not gated.has_run


@pytest.mark.parametrize("kind", ["deploymnt", "", "deployment"])
def test_a_gate_that_the_environment_garbles_is_shut_unless_the_tracker_accepts(
    gated: Gated, tracker: Recorder, kind: str
) -> None:
    env = {"VERSIONER_GATE": "requird"}
    result = gated.cli("run", kind, *DEPLOY, *gated.command, cwd=gated.repo.path, env=env)
    assert (result.code, gated.has_run) == ((0, True) if kind == "deployment" else (5, False))


def test_a_broken_file_with_an_unreadable_gate_is_shut_unless_the_tracker_accepts(
    gated: Gated, tracker: Recorder
) -> None:
    (gated.repo.path / ".versioner.yml").write_text("gate: requird\ntimeout: 2\n")
    assert gated.run().code == 0
    tracker.down()
    assert gated.run().code == 5


def test_a_required_gate_opens_on_an_acceptance(gated: Gated, tracker: Recorder) -> None:
    assert gated.run(*REQUIRED).code == 0
    assert gated.has_run
    tracker.reject()
    assert gated.run(*REQUIRED).code == 5


def test_what_a_shut_gate_left_kept_gets_an_ending_too(gated: Gated, tracker: Recorder) -> None:
    tracker.down()
    assert gated.run(*REQUIRED, "--timeout", "0.5").code == 5
    tracker.up()
    assert gated.cli("flush", cwd=gated.repo.path).code == 0
    assert tracker.states() == ["started", "aborted"]


@pytest.mark.parametrize("command", ["run", "report"])
def test_after_a_shut_gate_a_hook_adds_no_second_ending(
    gated: Gated, tracker: Recorder, github: dict[str, str], command: str
) -> None:
    tracker.down()
    env = {**github, "VERSIONER_TIMEOUT": "0.5"}
    first = ("run", "deployment") if command == "run" else ("report", "deployment", "started")
    cmd = gated.command if command == "run" else ()
    assert gated.cli(*first, *DEPLOY, *REQUIRED, *cmd, cwd=gated.repo.path, env=env).code == 5
    tracker.up()
    assert gated.cli("report", "deployment", "failed", cwd=gated.repo.path, env=github).code == 0
    assert tracker.states() == ["started", "aborted"]


def test_slack_alone_opens_no_required_gate_and_hears_of_nothing(
    gated: Gated, slack: FakeSlack, slack_env: dict[str, str]
) -> None:
    env = {**slack_env, "VERSIONER_API_URL": None, "VERSIONER_API_KEY": None}
    assert gated.run(*REQUIRED, env=env).code == 5
    report = gated.cli("report", "deployment", "started", *DEPLOY, *REQUIRED, cwd=gated.repo.path, env=env)
    assert report.code == 5
    assert slack.calls == []


# -- waiting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("has_pending", [False, True])
@pytest.mark.parametrize("command", ["run", "report"])
def test_a_gate_is_waited_for_until_the_rule_lifts_in_one_lifecycle(
    start: Start,
    gated: Gated,
    tracker: Recorder,
    github: dict[str, str],
    slack: FakeSlack,
    slack_env: dict[str, str],
    has_pending: bool,
    command: str,
) -> None:
    env = {**github, **slack_env}
    if has_pending:
        gated.cli("report", "deployment", "pending", *DEPLOY, cwd=gated.repo.path, env=env)
    rule, waiting = tracker.reject(retry_after=0.2), ("--gate-wait", "1")
    words = ("deployment", *DEPLOY, *waiting, *gated.command)
    if command == "report":
        words = ("deployment", "started", *DEPLOY, *waiting)
    running = start(command, *words, cwd=gated.repo.path, env=env)
    wait_until(lambda: sum(request.answered == 409 for request in tracker.requests) >= 2)
    assert not gated.has_run
    lifted = time.time()
    tracker.lift(rule)
    assert running.wait() == 0
    begun = ["pending"] if has_pending else []
    assert tracker.states() == [*begun, "started", *(["completed"] if command == "run" else [])]
    tries = [request for request in tracker.requests if started(request)]
    assert len({request.lifecycle for request in [*tries, *tracker.events]}) == 1
    assert len({request.key for request in tries}) == 1
    assert len(slack.messages("#deploys")) == 1
    accepted = tries[-1].body["started_at"]
    assert accepted > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(lifted - 1))
    assert gated.has_run is (command == "run")
    assert "waiting" in running.err


def test_a_gate_that_is_never_lifted_is_waited_for_no_longer_than_asked(gated: Gated, tracker: Recorder) -> None:
    tracker.reject(retry_after=0.1)
    result = gated.run("--gate-wait", "0.05")
    assert (result.code, gated.has_run) == (5, False)
    assert 3 < result.seconds < 9
    assert len({request.lifecycle for request in tracker.requests}) == 1
    assert tracker.events == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("has_pending", [False, True])
@pytest.mark.parametrize("command", ["run", "report"])
def test_waiting_can_be_interrupted(
    start: Start, gated: Gated, tracker: Recorder, github: dict[str, str], signum: int, has_pending: bool, command: str
) -> None:
    if has_pending:
        gated.cli("report", "deployment", "pending", *DEPLOY, cwd=gated.repo.path, env=github)
    tracker.reject(retry_after=30)
    waiting = ("--gate-wait", "5")
    words = ("deployment", *DEPLOY, *waiting, *gated.command)
    if command == "report":
        words = ("deployment", "started", *DEPLOY, *waiting)
    running = start(command, *words, cwd=gated.repo.path, env=github)
    running.until("waiting")
    sent = running.send(signum)
    assert running.wait() == 128 + signum
    assert time.monotonic() - sent < 2.5
    assert not gated.has_run
    assert tracker.states() == (["pending", "aborted"] if has_pending else [])


def test_an_acceptance_that_is_interrupted_before_cmd_is_ended(
    start: Start, gated: Gated, tracker: Recorder, slack: FakeSlack, slack_env: dict[str, str]
) -> None:
    tracker.lose_replies(9, when=started)
    tracker.delay = 0.2
    running = start("run", "deployment", *DEPLOY, *gated.command, cwd=gated.repo.path, env=slack_env)
    wait_until(lambda: tracker.events)
    running.send(signal.SIGTERM)
    assert running.wait() == 143
    assert not gated.has_run
    gated.cli("flush", cwd=gated.repo.path, env=slack_env)
    wait_until(
        lambda: gated.cli("flush", cwd=gated.repo.path, env=slack_env).code == 0 and len(tracker.events) == 2, 15
    )
    assert tracker.states() == ["started", "aborted"]
