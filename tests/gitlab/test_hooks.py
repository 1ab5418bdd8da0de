"""What the hooks report: kinds, actions, the gate, the state between them, identity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab.conftest import MakeRunner
from tests.gitlab.jobs import job
from tests.gitlab.template import body_of, filled, pipeline
from tests.support.fake_slack import FakeSlack
from tests.support.raw_server import refused
from tests.support.recorder import Recorder


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel("#deploys")
        yield fake


def test_the_ending_knows_when_it_began_and_moves_the_same_slack_message(
    runner: MakeRunner, tracker: Recorder, slack: FakeSlack
) -> None:
    settings = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#deploys"}
    runner(**settings).run(job(environment="production"))
    started, completed = tracker.events
    assert completed.body["started_at"] == started.body["started_at"]
    assert completed.metadata["duration_seconds"] > 0
    assert completed.metadata["vi_host_status"] == "success"
    [message] = slack.messages("#deploys")
    assert "Deployment succeeded" in message.text
    assert [call.method for call in slack.calls if call.method.startswith("chat.")] == [
        "chat.postMessage",
        "chat.update",
    ]


def test_the_environment_and_the_run_are_the_jobs_own(runner: MakeRunner, tracker: Recorder) -> None:
    runner().run(job(inputs={"product": "shop-api", "version": "1.4.2"}, environment="review/a b"))
    body = tracker.events[0].body
    assert (body["product_name"], body["version"], body["environment_name"]) == ("shop-api", "1.4.2", "review/a b")
    assert (body["source_system"], body["invoke_id"]) == ("gitlab", "9001")
    assert body["deploy_url"].endswith("/-/pipelines/9001")


@pytest.mark.parametrize("base", [".versioner", ".versioner-deployment"])
@pytest.mark.parametrize("action", ["stop", "prepare", "verify", "access", "something-new"])
def test_only_the_action_start_deploys(base: str, action: str, runner: MakeRunner, tracker: Recorder) -> None:
    ran = runner(CI_ENVIRONMENT_ACTION=action).run(job(base, environment="production"))
    assert (ran.code, ran.err, tracker.requests) == (0, "", [])


def test_a_build_is_reported_as_one_whatever_its_environment(runner: MakeRunner, tracker: Recorder) -> None:
    ran = runner(CI_ENVIRONMENT_ACTION="prepare").run(job(".versioner-build", environment="production"), "failed")
    assert (ran.code, tracker.types()) == (0, ["build.started", "build.failed"])
    assert "environment_name" not in tracker.events[0].body


def test_a_job_without_an_environment_is_left_alone(runner: MakeRunner, tracker: Recorder) -> None:
    ran = runner().run(job(".versioner"))
    assert (ran.code, ran.err, tracker.requests) == (0, "", [])


def test_a_deployment_without_an_environment_is_one_warning(runner: MakeRunner, tracker: Recorder) -> None:
    ran = runner().run(job())
    assert (ran.code, tracker.requests) == (0, [])
    assert "the deployment's environment is not known" in ran.main.err


def test_the_environment_may_be_a_variable(runner: MakeRunner, tracker: Recorder) -> None:
    runner().run(job(variables={"VERSIONER_ENVIRONMENT": "staging"}))
    assert {event.body["environment_name"] for event in tracker.events} == {"staging"}


def test_default_reports_jobs_with_an_environment_only(runner: MakeRunner, tracker: Recorder) -> None:
    whole = pipeline(filled("versioner.yml", product="shop-api"), body_of("default.yml"))
    base = {**whole["default"], "variables": whole["variables"], "script": ["true"]}
    runner().run({**base, "environment": "production"})
    assert runner().run(base).err == ""
    assert [event.body["product_name"] for event in tracker.events] == ["shop-api", "shop-api"]


def test_a_job_with_hooks_of_its_own_refers_to_them(runner: MakeRunner, tracker: Recorder) -> None:
    own = job(environment="production")
    mixed = {**own, "before_script": ["echo one", *own["before_script"], "echo two"],
             "after_script": [*own["after_script"], "echo three"]}  # fmt: skip
    ran = runner().run(mixed)
    assert (ran.main.out, ran.after.out) == ("one\ntwo\n", "three\n")
    assert tracker.states() == ["started", "completed"]


def test_a_retried_job_is_a_new_deployment_of_the_same_group(runner: MakeRunner, tracker: Recorder) -> None:
    for number in ("50123", "50124"):
        runner(CI_JOB_ID=number).run(job(environment="production"))
    assert len({event.lifecycle for event in tracker.events}) == 2
    assert len({event.metadata["vi_group_id"] for event in tracker.events}) == 1


def test_the_jobs_of_a_matrix_are_told_apart(runner: MakeRunner, tracker: Recorder) -> None:
    for number, name in enumerate(("deploy: [eu]", "deploy: [us]"), start=1):
        leg = {"CI_NODE_INDEX": str(number), "CI_NODE_TOTAL": "2", "CI_JOB_NAME": name}
        runner(**leg).run(job(environment="production"))
    assert tracker.states() == ["started", "completed"] * 2
    assert len({event.lifecycle for event in tracker.events}) == 2


def test_a_child_pipeline_s_job_is_a_deployment_of_its_own(runner: MakeRunner, tracker: Recorder) -> None:
    child = {"CI_PIPELINE_SOURCE": "parent_pipeline", "CI_PIPELINE_ID": "9002", "CI_JOB_ID": "50200"}
    codes = [runner(**changes).run(job(environment="production")).code for changes in ({}, child)]
    assert codes == [0, 0]
    assert tracker.states() == ["started", "completed"] * 2
    assert [event.body["invoke_id"] for event in tracker.events] == ["9001", "9001", "9002", "9002"]
    assert len({event.lifecycle for event in tracker.events}) == 2
    assert len({event.metadata["vi_group_id"] for event in tracker.events}) == 2


def test_an_ending_that_finds_no_state_still_ends_what_began(
    runner: MakeRunner, tracker: Recorder, tmp_path: Path
) -> None:
    """A runner whose after_script has another temporary folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    definition = job(environment="production")
    runner().begin(definition)
    runner(TMPDIR=str(elsewhere)).end(definition, "success")
    assert tracker.states() == ["started", "completed"]
    assert len({event.lifecycle for event in tracker.events}) == 1


def test_an_ending_that_is_reported_twice_counts_once(runner: MakeRunner, tracker: Recorder) -> None:
    definition = job(environment="production")
    runner().run(definition)
    runner().end(definition, "success")
    assert tracker.states() == ["started", "completed"]


def test_an_event_that_was_kept_goes_out_before_the_ending(runner: MakeRunner, tracker: Recorder) -> None:
    definition = job(environment="production")
    tracker.answer_next(503, times=20, when=lambda request: request.state == "started")
    assert runner(VERSIONER_TIMEOUT="0.5").begin(definition).code == 0
    tracker._script.clear()
    runner().end(definition, "success")
    assert tracker.states() == ["started", "completed"]


def test_nothing_but_the_gate_heeds_strictness(runner: MakeRunner) -> None:
    with refused() as url:
        ran = runner(VERSIONER_API_URL=url, VERSIONER_TIMEOUT="0.5", VERSIONER_FAIL_ON_ERROR="1").run(
            job(environment="production")
        )
    assert (ran.code, ran.after.code) == (0, 0)


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "Yes", "on", "y", "T"])
def test_the_off_switch_needs_neither_core_nor_python(word: str, runner: MakeRunner) -> None:
    ran = runner(core=False, python=False, VERSIONER_DISABLED=word, VERSIONER_GATE="required").run(
        job(environment="production")
    )
    assert (ran.code, ran.after.code) == (0, 0)
    assert ran.err == "versioner-ci: switched off by VERSIONER_DISABLED: nothing is sent\n" * 2


def test_a_rejection_stops_the_job_and_nothing_ends_what_never_began(runner: MakeRunner, tracker: Recorder) -> None:
    tracker.reject()
    ran = runner().run(job(script=["echo deploying"], environment="production"), "failed")
    assert (ran.code, ran.main.out, ran.after.code) == (5, "", 0)
    assert tracker.events == []


def test_a_rejected_build_is_no_such_thing(runner: MakeRunner, tracker: Recorder) -> None:
    tracker.answer_next(423, {"detail": {"code": "FROZEN", "message": "no"}})
    assert runner().run(job(".versioner-build")).code == 0
    assert [request.state for request in tracker.requests] == ["started", "completed"]


def test_a_gate_that_is_off_lets_everything_through(runner: MakeRunner, tracker: Recorder) -> None:
    tracker.answer_next(423, {"detail": {"code": "FROZEN", "message": "no"}})
    assert runner().run(job(inputs={"gate": "off"}, environment="production")).code == 0
    assert [request.state for request in tracker.requests] == ["started", "completed"]


@pytest.mark.parametrize(
    ("core", "python", "gate", "code"),
    [
        (False, True, "required", 5),
        (False, False, "required", 5),
        (False, False, "Required", 5),
        (False, False, "sometimes", 5),
        (False, False, "on", 0),
        (False, False, "Off", 0),
        (False, False, "", 0),
        (True, True, "required", 0),
    ],
)
def test_a_required_gate_opens_for_an_acceptance_only(
    core: bool, python: bool, gate: str, code: int, runner: MakeRunner, tracker: Recorder
) -> None:
    ran = runner(core=core, python=python, VERSIONER_GATE=gate).run(job(environment="production"))
    assert (ran.code, ran.after.code) == (code, 0)
    assert ("gate 'required'" in ran.main.err) == (code == 5)
    assert tracker.states() == (["started", "completed"] if core else [])


def test_a_required_gate_stays_shut_when_the_tracker_or_the_core_is_down(runner: MakeRunner) -> None:
    definition = job(inputs={"gate": "required"}, environment="production")
    with refused() as url:
        assert runner(VERSIONER_API_URL=url, VERSIONER_TIMEOUT="0.5").run(definition).code == 5
    of_runner = runner()
    (of_runner.tools / "versioner-ci").write_text("#!/bin/sh\nexit 1\n")
    assert of_runner.run(definition).code == 5
    (of_runner.tools / "versioner-ci").write_text("#!/bin/sh\nkill -KILL $$\n")
    assert of_runner.run(definition).code == 5


def test_a_required_gate_is_no_build_s(runner: MakeRunner) -> None:
    ran = runner(core=False, python=False).run(job(".versioner-build", inputs={"gate": "required"}))
    assert ran.code == 0


def test_a_command_that_is_wrapped_in_the_script_joins_and_tells_its_error(
    runner: MakeRunner, tracker: Recorder
) -> None:
    script = "versioner-ci run deployment -- /bin/sh -c 'echo migration 42 failed >&2; exit 3'"
    ran = runner().run(job(script=[script], environment="production"), "failed")
    assert ran.code == 3
    assert tracker.states() == ["started", "failed"]
    assert tracker.events[1].metadata["error"] == "migration 42 failed"
    assert tracker.events[1].metadata["error_code"] == "3"
