"""`--gate-wait`: what is known to be shut opens only by the tracker's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo, RunCli
from tests.support.recorder import Received, Recorder

REJECTED = {"code": "FREEZE", "message": "frozen", "retry_after": 1, "details": {"rule_name": "friday"}}
RUN = ("run", "deployment", "--environment", "production", "--timeout", "2")


def is_start(request: Received) -> bool:
    return request.state == "started"


def test_a_failed_poll_does_not_open_a_gate_that_is_shut(
    cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path
) -> None:
    tracker.answer_next(423, REJECTED, when=is_start)
    tracker.answer_next(503, when=is_start, times=50)
    result = cli(*RUN, "--gate-wait", "0.08", "--", "touch", str(tmp_path / "ran"), cwd=repo.path)
    assert result.code == 5
    assert "friday" in result.err
    assert not (tmp_path / "ran").exists()


def test_after_a_failed_poll_the_tracker_s_acceptance_opens_it(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    tracker.answer_next(423, REJECTED, when=is_start)
    tracker.answer_next(503, when=is_start, times=2)
    result = cli(*RUN, "--gate-wait", "1", "--", "echo", "ran", cwd=repo.path)
    assert (result.code, result.out) == (0, "ran\n")
    assert tracker.states() == ["started", "completed"]


def test_a_run_inside_one_that_had_to_wait_still_joins_it(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    tracker.answer_next(423, REJECTED, when=is_start)
    inner = ("versioner-ci", *RUN[:4], "--", "false")
    result = cli(*RUN, "--gate-wait", "1", "--", *inner, cwd=repo.path)
    assert result.code == 1
    assert tracker.states() == ["started", "failed"]
    assert tracker.duplicates == []
    assert tracker.events[1].body["extra_metadata"]["error"] == "exit code 1"


@pytest.mark.parametrize("option", [("--tmeout", "3"), ("--timeout", "abc"), ("--metadata-json", "{")])
def test_a_file_that_requires_the_gate_is_heeded_though_a_typed_option_is_wrong(
    cli: RunCli, repo: Repo, option: tuple[str, str], tmp_path: Path
) -> None:
    (repo.path / ".versioner.yml").write_text("gate: required\n")
    result = cli(*RUN[:4], *option, "--", "touch", str(tmp_path / "ran"), cwd=repo.path)
    assert result.code == 5
    assert not (tmp_path / "ran").exists()


def test_required_asks_for_the_tracker_s_word_and_not_for_slack_s(
    cli: RunCli, repo: Repo, tracker: Recorder, slack_env: dict[str, str]
) -> None:
    down = {**slack_env, "SLACK_API_URL": "http://127.0.0.1:9/api/"}
    command = ("report", "deployment", "started", "--environment", "production", "--gate", "required")
    assert cli(*command, cwd=repo.path, env=down).code == 0
    assert tracker.states() == ["started"]


def test_an_unreadable_gate_in_the_environment_is_said_to_count_as_required(cli: RunCli, repo: Repo) -> None:
    result = cli("context", cwd=repo.path, env={"VERSIONER_GATE": "maybe"})
    assert "it counts as required" in result.err


def test_a_whole_run_s_ending_is_posted_to_slack_once(
    cli: RunCli, repo: Repo, slack: FakeSlack, slack_env: dict[str, str], github: dict[str, str]
) -> None:
    needs = '{"deploy": {"result": "failure"}}'
    for _ in range(2):
        result = cli("report", "build", "--needs", needs, cwd=repo.path, env={**slack_env, **github})
        assert result.code == 0
    assert len(slack.channel("#deploys").messages) == 1


def test_outside_ci_each_whole_run_is_a_run_of_its_own(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    for version in ("1", "2"):
        cli("report", "build", "--needs", '{"a": {"result": "success"}}', "--version", version, cwd=repo.path)
    assert [event.body["version"] for event in tracker.events] == ["1", "2"]
