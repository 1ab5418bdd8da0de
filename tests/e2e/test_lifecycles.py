"""Which calls make one lifecycle: the installed command against a tracker that records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Start, wait_until
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo, Result, RunCli
from tests.support.recorder import Received, Recorder

DEPLOY = ("--environment", "production")


def lifecycles(tracker: Recorder) -> list[list[str]]:
    """The accepted types of each lifecycle, in the order in which they began."""
    found: dict[str | None, list[str]] = {}
    for event in tracker.events:
        found.setdefault(event.lifecycle, []).append(event.type)
    return list(found.values())


def told(result: Result) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(result.out)
    return body


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def started(event: Received) -> bool:
    return event.state == "started"


# -- report ------------------------------------------------------------------------------------


def test_three_reports_outside_ci_are_one_lifecycle(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    for state in ("pending", "started", "completed"):
        assert cli("report", "deployment", state, *DEPLOY, cwd=repo.path).code == 0
    assert lifecycles(tracker) == [["deployment.pending", "deployment.started", "deployment.completed"]]
    begun, ended = tracker.events[1].body, tracker.events[2].body
    assert ended["started_at"] == begun["started_at"]
    assert ended["completed_at"] == ended["extra_metadata"]["vi_occurred_at"]
    assert 0 < ended["extra_metadata"]["duration_seconds"] < 30
    assert len({event.body["invoke_id"] for event in tracker.events}) == 1


def test_outside_ci_each_deployment_is_a_new_one(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    for state in ("started", "completed", "completed", "started"):
        cli("report", "deployment", state, *DEPLOY, cwd=repo.path)
    assert [len(states) for states in lifecycles(tracker)] == [2, 1, 1]


def test_outside_ci_another_typed_version_is_a_new_one(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    for version in ("1.0", "2.0"):
        cli("report", "build", "started", "--version", version, cwd=repo.path)
    assert [event.body["version"] for event in tracker.events] == ["1.0", "2.0"]
    assert len(lifecycles(tracker)) == 2


def test_doubled_hooks_in_ci_count_once(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], slack: FakeSlack, slack_env: dict[str, str]
) -> None:
    env = {**github, **slack_env}
    for state in ("started", "started", "failed", "failed", "failed"):
        last = cli("report", "deployment", state, *DEPLOY, "--json", cwd=repo.path, env=env)
    assert lifecycles(tracker) == [["deployment.started", "deployment.failed"]]
    assert [event.state for event in tracker.duplicates] == ["started"]
    assert tracker.duplicates[0].body["started_at"] == tracker.events[0].body["started_at"]
    assert told(last)["outcome"] == "duplicate"
    [message] = slack.messages("#deploys")
    assert len(message.replies) == 1


def test_a_doubled_start_does_not_move_the_time_of_the_first(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    cli("report", "build", "started", cwd=repo.path, env=github)
    time.sleep(1)
    for state in ("started", "completed"):
        cli("report", "build", state, cwd=repo.path, env=github)
    begun, ended = tracker.events
    assert ended.body["started_at"] == begun.body["started_at"]
    spans = (moment(ended.body["completed_at"]), moment(begun.body["started_at"]))
    assert abs(spans[0] - spans[1] - ended.metadata["duration_seconds"]) < 0.3


def test_a_doubled_hook_still_sends_what_was_kept(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    env = {**github, "VERSIONER_TIMEOUT": "0.5"}
    tracker.down()
    cli("report", "build", "completed", cwd=repo.path, env=env)
    tracker.up()
    again = cli("report", "build", "completed", cwd=repo.path, env=github)
    assert "reported already" in again.err
    assert tracker.types() == ["build.completed"]


def test_a_changed_mind_is_a_new_ending(cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]) -> None:
    for state in ("started", "failed", "completed"):
        cli("report", "build", state, cwd=repo.path, env=github)
    assert [len(states) for states in lifecycles(tracker)] == [2, 1]


def test_eight_hooks_at_once_end_it_once(cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]) -> None:
    cli("report", "build", "started", cwd=repo.path, env=github)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: cli("report", "build", "failed", cwd=repo.path, env=github), range(8)))
    assert [result.code for result in results] == [0] * 8
    assert lifecycles(tracker) == [["build.started", "build.failed"]]
    assert tracker.duplicates == []
    assert sum("reported already" in result.err for result in results) == 7


@pytest.mark.parametrize("kind", ["build", "deployment"])
def test_hooks_that_start_it_at_once_begin_one_slack_message(
    cli: RunCli,
    repo: Repo,
    tracker: Recorder,
    github: dict[str, str],
    slack: FakeSlack,
    slack_env: dict[str, str],
    kind: str,
) -> None:
    slack.delay(0.5)
    env = {**github, **slack_env}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: cli("report", kind, "started", *DEPLOY, cwd=repo.path, env=env), range(4)))
    assert lifecycles(tracker) == [[f"{kind}.started"]]
    assert len(slack.messages("#deploys")) == 1
    cli("report", kind, "completed", *DEPLOY, cwd=repo.path, env=env)
    [message] = slack.messages("#deploys")
    assert "succeeded" in message.shown


def test_a_rerun_is_another_lifecycle_of_the_same_group(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    for attempt in ("1", "2"):
        cli("report", "build", "completed", cwd=repo.path, env={**github, "GITHUB_RUN_ATTEMPT": attempt})
    assert len(lifecycles(tracker)) == 2
    assert len({event.metadata["vi_group_id"] for event in tracker.events}) == 1


def test_two_jobs_of_a_run_are_two_lifecycles(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    for job in ("one", "two"):
        cli("report", "build", "completed", cwd=repo.path, env={**github, "GITHUB_JOB": job})
    assert len(lifecycles(tracker)) == 2


def test_legs_are_told_apart_by_their_key(cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]) -> None:
    for state in ("started", "completed"):
        for leg in ("eu", "us"):
            cli("report", "deployment", state, *DEPLOY, "--key", leg, cwd=repo.path, env=github)
    assert lifecycles(tracker) == [["deployment.started", "deployment.completed"]] * 2


def test_the_same_leg_variables_make_matrix_legs_apart(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    gitlab = {
        "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.com", "CI_PIPELINE_ID": "9",
        "CI_JOB_ID": "1",
        "CI_PROJECT_PATH": "octo/shop", "CI_COMMIT_SHA": repo.sha, "CI_JOB_NAME": "x: [a]", "CI_NODE_TOTAL": "2",
    }  # fmt: skip
    for index in ("1", "2"):
        cli("report", "build", "completed", cwd=repo.path, env={**gitlab, "CI_NODE_INDEX": index})
    assert len(lifecycles(tracker)) == 2


def test_a_needs_event_speaks_for_the_run(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], tmp_path: Path
) -> None:
    needs = tmp_path / "needs.json"
    needs.write_text('{"a": {"result": "success"}, "b": {"result": "failure"}}')
    cli("report", "deployment", "started", *DEPLOY, cwd=repo.path, env=github)
    for _ in range(2):
        cli(
            "report", "deployment", "--needs", f"@{needs}", *DEPLOY, cwd=repo.path, env={**github, "GITHUB_JOB": "last"}
        )
    assert tracker.types() == ["deployment.started", "deployment.failed"]
    begun, ended = tracker.events
    assert ended.lifecycle is None
    assert ended.metadata["vi_group_id"] == begun.metadata["vi_group_id"]
    assert len(tracker.duplicates) == 1
    needs.write_text('{"a": {"result": "skipped"}}')
    skipped = cli("report", "deployment", "--needs", f"@{needs}", *DEPLOY, "--json", cwd=repo.path, env=github)
    assert (skipped.code, told(skipped)["outcome"], len(tracker.requests)) == (0, "nothing", 3)


# -- frozen ------------------------------------------------------------------------------------


def test_a_checkout_in_mid_job_changes_nothing(cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path) -> None:
    jenkins = {
        "JENKINS_URL": "https://ci.example.com/", "BUILD_ID": "12", "BUILD_NUMBER": "12", "JOB_NAME": "shop/main",
        "BUILD_TAG": "jenkins-shop-12", "WORKSPACE_TMP": str(tmp_path),
    }  # fmt: skip
    cli("report", "build", "started", cwd=repo.path, env=jenkins)
    (repo.path / ".versioner.yml").write_text("product: other\nversion: '9'\n")
    repo.git("remote", "set-url", "origin", "https://gitlab.com/other/place.git")
    repo.git("checkout", "--quiet", "-b", "elsewhere")
    repo.git("add", ".")
    repo.git("commit", "--quiet", "--message", "second")
    ended = cli("report", "build", "completed", cwd=repo.path, env=jenkins)
    assert lifecycles(tracker) == [["build.started", "build.completed"]]
    frozen = ("product_name", "version", "scm_sha", "scm_branch", "scm_repository", "started_at", "invoke_id")
    before, after = (event.body for event in tracker.events)
    assert {name: after[name] for name in frozen} == {name: before[name] for name in frozen}
    assert "product 'other' differs from 'shop'" in ended.err
    assert "version '9' differs from" in ended.err


def test_a_shared_spool_folder_is_found_again_after_a_checkout(
    cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    env = {
        "JENKINS_URL": "https://ci.example.com/", "BUILD_ID": "12", "BUILD_NUMBER": "12", "JOB_NAME": "shop",
        "BUILD_TAG": "jenkins-shop-12", "VERSIONER_SPOOL_DIR": str(tmp_path / "spool"), "VERSIONER_PRODUCT": "shop",
    }  # fmt: skip
    cli("report", "build", "started", "--version", "1", cwd=empty, env=env)
    cli("report", "build", "completed", cwd=repo.path, env=env)
    assert lifecycles(tracker) == [["build.started", "build.completed"]]


def test_slacks_message_stays_where_it_began(
    cli: RunCli, repo: Repo, github: dict[str, str], slack: FakeSlack, slack_env: dict[str, str]
) -> None:
    env = {**github, **slack_env}
    for state in ("pending", "started", "completed"):
        cli("report", "deployment", state, *DEPLOY, cwd=repo.path, env=env)
    [message] = slack.messages("#deploys")
    assert message.edits == 2
    assert "succeeded" in message.shown


# -- handles -----------------------------------------------------------------------------------


def handle_of_another_job(cli: RunCli, repo: Repo, github: dict[str, str], **more: str) -> str:
    env = {**github, "GITHUB_JOB": "queue", **more}
    said = told(cli("report", "deployment", "pending", *DEPLOY, "--json", cwd=repo.path, env=env))
    handle: str = said["lifecycle"]
    return handle


@pytest.mark.parametrize("is_typed", [True, False], ids=["flag", "variable"])
def test_a_handle_from_another_job_goes_on_with_its_lifecycle(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], is_typed: bool
) -> None:
    handle = handle_of_another_job(cli, repo, github)
    arguments, env = (["--lifecycle", handle], github) if is_typed else ([], {**github, "VERSIONER_LIFECYCLE": handle})
    assert cli("run", "deployment", *DEPLOY, *arguments, "--", "true", cwd=repo.path, env=env).code == 0
    assert lifecycles(tracker) == [["deployment.pending", "deployment.started", "deployment.completed"]]


def test_a_handle_carries_the_slack_message(
    cli: RunCli, repo: Repo, github: dict[str, str], slack: FakeSlack, slack_env: dict[str, str]
) -> None:
    handle = handle_of_another_job(cli, repo, github, **slack_env)
    env = {**github, **slack_env, "RUNNER_TEMP": None, "VERSIONER_LIFECYCLE": handle}
    cli("report", "deployment", "started", *DEPLOY, cwd=repo.path, env=env)
    [message] = slack.messages("#deploys")
    assert message.edits == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "started"), "the lifecycle handle is for kind 'deployment', not 'build': ignored"),
        (("deployment", "started", "--environment", "staging"), "for environment 'production', not 'staging': ignored"),
        (("deployment", "started", *DEPLOY, "--product", "api"), "for product 'shop', not 'api': ignored"),
    ],
    ids=["kind", "environment", "product"],
)
def test_a_wrong_handle_is_ignored_with_a_warning(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    handle = handle_of_another_job(cli, repo, github)
    result = cli("report", *arguments, cwd=repo.path, env={**github, "VERSIONER_LIFECYCLE": handle})
    assert said in result.err
    assert len(lifecycles(tracker)) == 2


def test_garbage_for_a_handle_is_a_warning_from_a_variable_and_an_error_when_typed(
    cli: RunCli, repo: Repo, tracker: Recorder
) -> None:
    result = cli("report", "build", "started", cwd=repo.path, env={"VERSIONER_LIFECYCLE": "garbage"})
    assert (result.code, tracker.types()) == (0, ["build.started"])
    assert "VERSIONER_LIFECYCLE: not a lifecycle handle: ignored" in result.err
    assert cli("report", "build", "started", "--lifecycle", "garbage", cwd=repo.path).code == 2


def test_a_hosts_environment_keeps_a_handle_of_another_one_away(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    gitlab = {
        "CI": "true", "GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.com", "CI_PIPELINE_ID": "9",
        "CI_JOB_ID": "1",
        "CI_PROJECT_PATH": "octo/shop", "CI_COMMIT_SHA": repo.sha, "CI_JOB_NAME": "deploy",
    }  # fmt: skip
    said = told(
        cli(
            "report", "deployment", "started", "--json", cwd=repo.path, env={**gitlab, "CI_ENVIRONMENT_NAME": "staging"}
        )
    )
    env = {**gitlab, "CI_JOB_ID": "2", "CI_ENVIRONMENT_NAME": "production", "VERSIONER_LIFECYCLE": said["lifecycle"]}
    result = cli("report", "deployment", "started", cwd=repo.path, env=env)
    assert "for environment 'staging', not 'production': ignored" in result.err
    assert [event.body["environment_name"] for event in tracker.events] == ["staging", "production"]


# -- run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_ci", [True, False], ids=["ci", "local"])
def test_two_runs_of_one_job_are_two_lifecycles(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], is_ci: bool
) -> None:
    for _ in range(2):
        assert cli("run", "build", "--", "true", cwd=repo.path, env=github if is_ci else {}).code == 0
    assert lifecycles(tracker) == [["build.started", "build.completed"]] * 2


def test_runs_side_by_side_are_lifecycles_of_their_own(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(
            lambda code: cli("run", "build", "--", "sh", "-c", f"sleep 1; exit {code}", cwd=repo.path, env=github).code,
            range(4),
        ))  # fmt: skip
    assert codes == [0, 1, 2, 3]
    assert sorted(lifecycles(tracker)) == [
        ["build.started", "build.completed"],
        *[["build.started", "build.failed"]] * 3,
    ]


def test_a_run_joins_what_this_job_has_opened_and_leaves_its_error(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    cli("report", "deployment", "started", *DEPLOY, cwd=repo.path, env=github)
    inside = cli(
        "run", "deployment", *DEPLOY, "--", "sh", "-c", "echo the cause >&2; exit 3", cwd=repo.path, env=github
    )
    assert inside.code == 3
    assert tracker.types() == ["deployment.started"]
    assert "left to whoever opened it" in inside.err
    cli("report", "deployment", "failed", cwd=repo.path, env=github)
    assert lifecycles(tracker) == [["deployment.started", "deployment.failed"]]
    assert (tracker.events[1].metadata["error"], tracker.events[1].metadata["error_code"]) == ("the cause", "3")


def test_a_run_takes_over_a_pending_one(cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]) -> None:
    cli("report", "deployment", "pending", *DEPLOY, cwd=repo.path, env=github)
    inner = "versioner-ci run deployment --environment production -- true"
    for _ in range(2):
        cli("run", "deployment", *DEPLOY, "--", "sh", "-c", inner, cwd=repo.path, env=github)
    whole = ["deployment.started", "deployment.completed"]
    assert lifecycles(tracker) == [["deployment.pending", *whole], whole]


def test_a_run_that_took_over_a_pending_one_outside_ci_is_joined_inside(
    cli: RunCli, repo: Repo, tracker: Recorder
) -> None:
    cli("report", "build", "pending", cwd=repo.path)
    cli("run", "build", "--", "sh", "-c", "versioner-ci run build -- true", cwd=repo.path)
    assert lifecycles(tracker) == [["build.pending", "build.started", "build.completed"]]


@pytest.mark.parametrize("kind", ["build", "deployment"])
@pytest.mark.parametrize("is_ci", [True, False], ids=["ci", "local"])
def test_a_run_inside_a_run_joins_it_two_levels_deep(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str], kind: str, is_ci: bool
) -> None:
    run = ["versioner-ci", "run", kind, *DEPLOY, "--"]
    result = cli(*run[1:], *run, *run, "sh", "-c", "exit 9", cwd=repo.path, env=github if is_ci else {})
    assert result.code == 9
    assert lifecycles(tracker) == [[f"{kind}.started", f"{kind}.failed"]]


def test_a_build_inside_a_deployment_is_its_own_and_a_build_inside_that_joins(
    cli: RunCli, repo: Repo, tracker: Recorder
) -> None:
    inner = ("versioner-ci", "run", "build", "--", "versioner-ci", "run", "build", "--", "true")
    result = cli("run", "deployment", *DEPLOY, "--", *inner, cwd=repo.path)
    assert lifecycles(tracker) == [["deployment.started", "deployment.completed"], ["build.started", "build.completed"]]
    assert "warning" not in result.err


def test_a_run_inside_that_changes_to_another_repository_joins(
    cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path
) -> None:
    other = tmp_path / "lib"
    subprocess.run(["git", "clone", "--quiet", str(repo.path), str(other)], check=True, timeout=20)
    inner = f"cd {other} && versioner-ci run build -- true"
    for kind in ("build", "deployment"):
        cli("run", kind, *DEPLOY, "--", "sh", "-c", inner.replace("build", kind) + " --", cwd=repo.path)
    assert [len(states) for states in lifecycles(tracker)] == [2, 2]


def test_a_report_inside_a_run_is_of_its_lifecycle_and_the_ending_comes_once(
    cli: RunCli, repo: Repo, tracker: Recorder
) -> None:
    inside = "versioner-ci report build failed --error 'known cause'; exit 1"
    cli("run", "build", "--", "sh", "-c", inside, cwd=repo.path)
    assert lifecycles(tracker) == [["build.started", "build.failed"]]
    assert tracker.events[1].metadata["error"] == "known cause"


@pytest.mark.parametrize("is_ci", [True, False], ids=["ci", "local"])
def test_a_run_after_a_killed_one_is_a_new_lifecycle(
    cli: RunCli, start: Start, repo: Repo, tracker: Recorder, github: dict[str, str], is_ci: bool
) -> None:
    env = github if is_ci else {}
    cli("report", "build", "pending", cwd=repo.path, env=env)
    running = start("run", "build", "--", "sleep", "30", cwd=repo.path, env=env)
    tracker.wait_for(1, when=started)
    running.send(signal.SIGKILL)
    running.wait()
    assert cli("run", "build", "--", "true", cwd=repo.path, env=env).code == 0
    assert lifecycles(tracker) == [["build.pending", "build.started"], ["build.started", "build.completed"]]


def test_the_hook_after_a_killed_run_ends_its_lifecycle(
    cli: RunCli, start: Start, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    running = start("run", "build", "--", "sleep", "30", cwd=repo.path, env=github)
    tracker.wait_for(1, when=started)
    wait_until(lambda: not list(Path(github["RUNNER_TEMP"]).glob("versioner-ci/*.json")))
    running.send(signal.SIGKILL)
    running.wait()
    cli("report", "build", "--host-status", "cancelled", cwd=repo.path, env=github)
    assert lifecycles(tracker) == [["build.started", "build.aborted"]]


def test_more_runs_than_are_remembered_stay_apart(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    cli("report", "build", "completed", cwd=repo.path, env=github)
    [path] = Path(github["RUNNER_TEMP"]).glob("*/state/*.json")
    body = json.loads(path.read_text())
    [row] = body["records"]
    body["records"] = [{**row, "id": f"{number:036d}", "count": number} for number in range(900, 1_100)]
    path.write_text(json.dumps(body))
    for _ in range(2):
        cli("run", "build", "--", "true", cwd=repo.path, env=github)
    assert len(lifecycles(tracker)) == 3
    assert tracker.duplicates == []


def test_an_unwritable_state_is_said_once_and_costs_no_event(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    root = Path(github["RUNNER_TEMP"]) / "versioner-ci"
    root.mkdir(mode=0o700)
    (root / "state").write_text("a file where a folder should be")
    result = cli("run", "build", "--", "true", cwd=repo.path, env=github)
    assert result.code == 0
    assert result.err.count("cannot keep this job's state") == 1
    assert lifecycles(tracker) == [["build.started", "build.completed"]]


def test_the_handle_file_of_an_early_build_is_private_and_gone_afterwards(
    cli: RunCli, start: Start, repo: Repo, cli_env: dict[str, str], tracker: Recorder
) -> None:
    running = start("run", "build", "--", "sleep", "1", cwd=repo.path)
    folder = Path(cli_env["TMPDIR"])

    def handles() -> list[Path]:
        return [path for path in folder.glob("versioner-ci-run-*") if path.suffix != ".part"]

    wait_until(handles)
    assert handles()[0].stat().st_mode & 0o777 == 0o600
    assert running.wait() == 0
    assert list(folder.glob("versioner-ci-run-*")) == []
    assert os.listdir(repo.path) == [".git", "README.md"] or set(os.listdir(repo.path)) == {".git", "README.md"}
