"""Jobs that only report: the pending job, and the pair that reports for an image without Python."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.gitlab.conftest import MakeRunner
from tests.gitlab.template import filled, pipeline
from tests.support.raw_server import refused
from tests.support.recorder import Recorder


def pending(environments: str) -> dict[str, Any]:
    found: dict[str, Any] = pipeline(filled("versioner.yml", pending=environments))["versioner-pending"]
    return found


def pair(**inputs: str) -> dict[str, dict[str, Any]]:
    whole = pipeline(filled("versioner.yml"), filled("report-for.yml", job="deploy: eu", **inputs))
    return {name: job for name, job in whole.items() if name.startswith("deploy: eu: ")}


def test_each_environment_is_reported_as_queued(shell: str, runner: MakeRunner, tracker: Recorder) -> None:
    ran = runner(shell).run(pending("production, staging,review/a b,, "))
    assert ran.code == 0
    assert tracker.states() == ["pending"] * 3
    assert [event.body["environment_name"] for event in tracker.events] == ["production", "staging", "review/a b"]


def test_what_is_pending_has_the_group_of_the_deployment_that_follows(runner: MakeRunner, tracker: Recorder) -> None:
    from tests.gitlab.jobs import job  # noqa: PLC0415

    runner(CI_JOB_ID="1", CI_JOB_NAME="versioner-pending").run(pending("production"))
    runner(CI_JOB_ID="2").run(job(environment="production"))
    assert tracker.states() == ["pending", "started", "completed"]
    assert len({event.metadata["vi_group_id"] for event in tracker.events}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("environments", ["*", "$(touch pwned)", "a'b;touch pwned", "`touch pwned`"])
def test_a_name_is_never_shell(environments: str, runner: MakeRunner, tracker: Recorder) -> None:
    of_runner = runner()
    assert of_runner.run(pending(environments)).code == 0
    assert tracker.events[0].body["environment_name"] == environments
    assert not list(of_runner.cwd.iterdir())


def test_a_pending_job_never_fails_and_has_no_gate(runner: MakeRunner) -> None:
    with refused() as url:
        assert runner(VERSIONER_API_URL=url, VERSIONER_TIMEOUT="0.5").run(pending("production")).code == 0
    ran = runner(core=False, python=False, VERSIONER_GATE="required").run(pending("production"))
    assert ran.code == 0
    assert pending("production")["allow_failure"] is True


def test_a_pending_job_goes_on_when_the_tracker_rejects(runner: MakeRunner, tracker: Recorder) -> None:
    tracker.answer_next(423, {"detail": {"code": "FROZEN", "message": "no"}})
    assert runner(VERSIONER_GATE="required").run(pending("production,staging")).code == 0
    assert [event.body["environment_name"] for event in tracker.events] == ["staging"]


def test_without_environments_there_is_no_pending_job() -> None:
    first = pending("")["rules"][0]
    assert first["when"] == "never"
    assert first["if"] == '$VERSIONER_INPUT_PENDING == null || $VERSIONER_INPUT_PENDING == ""'


@pytest.mark.parametrize(("kind", "environment"), [("deployment", "production"), ("build", "")])
def test_a_pair_of_jobs_reports_for_another_one(
    kind: str, environment: str, runner: MakeRunner, tracker: Recorder
) -> None:
    jobs = pair(kind=kind, environment=environment)
    assert {name.partition(" as ")[2]: job["rules"][0]["when"] for name, job in jobs.items()} == {
        "completed": "on_success",
        "failed": "on_failure",
    }
    for number, (name, job) in enumerate(jobs.items()):
        assert job["needs"] == [{"job": "deploy: eu", "artifacts": False}]
        assert runner(CI_JOB_ID=str(number), CI_JOB_NAME=name).run(job).code == 0
    assert tracker.types() == [f"{kind}.completed", f"{kind}.failed"]
    assert {event.body.get("environment_name", "") for event in tracker.events} == {environment}


def test_no_rule_asks_for_what_only_a_running_job_knows() -> None:
    """GitLab knows these variables when a runner takes the job: a rule finds them empty."""
    job_only = r"CI_(PIPELINE_(ID|URL|CREATED_AT)|JOB_(?!NAME|STAGE)\w+|BUILDS_DIR|PROJECT_DIR|RUNNER_\w+)\b"
    rules = [*pending("production")["rules"], *(rule for job in pair().values() for rule in job["rules"])]
    assert len(rules) == 4
    assert not [rule for rule in rules if re.search(job_only, rule["if"])]


def test_the_hidden_pair_is_there_to_be_extended(runner: MakeRunner, tracker: Recorder) -> None:
    own = {"needs": ["deploy"], "variables": {"VERSIONER_ENVIRONMENT": "production"}}
    whole = pipeline(filled("versioner.yml"), {"ok": {"extends": ".versioner-succeeded", **own},
                                               "not ok": {"extends": ".versioner-failed", **own}})  # fmt: skip
    assert [whole[name]["when"] for name in ("ok", "not ok")] == ["on_success", "on_failure"]
    for number, name in enumerate(("ok", "not ok")):
        runner(CI_JOB_ID=str(number), CI_JOB_NAME=name).run(whole[name])
    assert tracker.states() == ["completed", "failed"]


@pytest.mark.parametrize("name", ["versioner-pending", ".versioner-succeeded", ".versioner-failed"])
def test_a_job_that_only_reports_brings_its_own_image_and_holds_up_nothing(name: str) -> None:
    job = pipeline(filled("versioner.yml", image="registry.example.com/python:3"))[name]
    assert job["image"] == "registry.example.com/python:3"
    assert job["inherit"] == {"default": ["tags"]}
    assert job["allow_failure"] is True
    assert job["dependencies"] == []
    assert "environment" not in job
