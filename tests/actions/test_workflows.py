"""Workflows from start to end: what the tracker and Slack received, and how the jobs fared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.actions.act import KEY, Workshop, toolbox
from tests.support.fake_slack import FakeSlack
from tests.support.raw_server import RawServer, hang
from tests.support.recorder import Received, Recorder

HOSTILE = "x\";$(touch${IFS}pwned);'<!channel>%0A&y"


def lifecycles(tracker: Recorder) -> list[str]:
    return [str(event.metadata["vi_lifecycle_id"]) for event in tracker.events]


def fork(folder: Path) -> list[str]:
    """The event of a fork's pull request."""
    head: dict[str, Any] = {"ref": "topic", "sha": "b" * 40, "repo": {"full_name": "mallory/shop", "fork": True}}
    body = {"pull_request": {"number": 3, "head": head, "base": {"ref": "main", "repo": {"full_name": "octo/shop"}}}}
    (folder / "event.json").write_text(json.dumps(body))
    return ["pull_request", "--eventpath", str(folder / "event.json")]


def test_one_step_reports_a_job_from_start_to_end(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("deploy")
    assert ran.code == 0, ran.log
    assert tracker.types() == ["deployment.started", "deployment.completed"]
    assert len(set(lifecycles(tracker))) == 1
    started, completed = tracker.events
    assert started.body["environment_name"] == "production"
    assert (started.body["product_name"], started.body["invoke_id"]) == ("shop", "1")
    assert completed.metadata["vi_host_status"] == "success"
    assert completed.metadata["duration_seconds"] > 0
    assert ran.annotations("warning") == []
    assert KEY not in ran.log


def test_a_step_has_the_documented_outputs_and_a_summary(
    workshop: Workshop, tracker: Recorder, slack: FakeSlack
) -> None:
    slack.add_channel("#deploys", "C0DEPLOYS1")
    env = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#deploys"}
    ran = workshop.run("deploy", env=env)
    printed = ran.log[ran.log.index("outputs={") :]
    outputs = {
        name for name in ("event-id", "deployment-id", "version-id", "product-id", "lifecycle") if name in printed
    }
    assert len(outputs) == 5
    assert '"status": "started"' in printed
    assert f'"slack-ts": "C0DEPLOYS1={slack.messages("#deploys")[0].ts}"' in printed
    assert '"ok": "true"' in printed
    assert "Summary - 🚀 **Deployment in progress**: `shop`" in ran.log
    assert "Summary - ✅ **Deployment succeeded**: `shop`" in ran.log


def test_a_failing_step_is_reported_and_named(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("deploy", env={"SHIP_CODE": "3"})
    assert ran.code == 1
    assert tracker.types() == ["deployment.started", "deployment.failed"]
    assert tracker.events[1].metadata["error"] == "step 'ship' failed"


def test_a_cancelled_job_is_reported_as_aborted(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("cancel", interrupt_at="| deploying")
    assert tracker.types() == ["deployment.started", "deployment.aborted"], ran.log
    assert tracker.events[1].metadata["vi_host_status"] == "cancelled"
    assert ran.commands() == []
    assert "Summary - 🛑 **Deployment aborted**: `shop`" in ran.log
    assert ran.seconds < 25


def test_the_legs_of_a_matrix_are_told_apart(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("matrix")
    assert ran.code == 1
    assert sorted(tracker.types()) == ["deployment.completed", "deployment.failed", *["deployment.started"] * 2]
    ends = {event.metadata["vi_lifecycle_id"]: event.state for event in tracker.events if event.state != "started"}
    assert sorted(ends.values()) == ["completed", "failed"]
    assert len(set(lifecycles(tracker))) == 2


def test_a_rejected_deployment_does_not_run(workshop: Workshop, tracker: Recorder) -> None:
    tracker.reject(environment="production", rule_name="freeze", message="Friday ##[error]afternoon")
    ran = workshop.run("deploy")
    assert ran.code == 1
    assert "outputs=" not in ran.log
    assert [request.state for request in tracker.requests] == ["started"]
    [error] = ran.annotations("error")
    assert "rejected by rule 'freeze': Friday # #[error]afternoon" in error


def test_a_tracker_that_is_down_stops_nothing(workshop: Workshop, tracker: Recorder) -> None:
    tracker.down()
    ran = workshop.run("deploy", env={"VERSIONER_TIMEOUT": "2"})
    assert ran.code == 0, ran.log
    assert '"ok": "false"' in ran.log
    warnings = ran.annotations("warning")
    assert 2 <= len(warnings) <= 3, warnings  # the kept start may be tried once more, beside the ending
    assert all("refused by 127.0.0.1" in text for text in warnings), warnings
    assert len(ran.commands()) == len(warnings), ran.commands()
    assert "backend: `not delivered; lost when this job ends" in ran.log
    assert ran.seconds < 2 + 6 + 6


def test_a_tracker_that_never_answers_costs_the_budget_and_no_more(workshop: Workshop) -> None:
    with RawServer(hang()) as server:
        ran = workshop.run("deploy", env={"VERSIONER_API_URL": server.url, "VERSIONER_TIMEOUT": "2"})
    assert ran.code == 0, ran.log
    assert ran.seconds_of("Main") < 2 + 2
    assert ran.seconds_of("Post") < 6 + 2


def test_a_second_track_ends_the_first_while_the_job_is_fine(
    workshop: Workshop, tracker: Recorder, slack: FakeSlack
) -> None:
    slack.add_channel("#builds")
    slack.add_channel("#deploys")
    ran = workshop.run("two", env={"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token})
    assert ran.code == 1
    assert sorted(tracker.types()) == ["build.completed", "build.started", "deployment.failed", "deployment.started"]
    [build] = slack.messages("#builds")
    [deployment] = slack.messages("#deploys")
    assert "Build succeeded" in build.text
    assert "Deployment failed" in deployment.text
    assert not build.replies


def test_a_run_inside_leaves_its_error_for_the_ending(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("inside", tools=toolbox(workshop.home / "with-core", core=True))
    assert ran.code == 1
    assert tracker.types() == ["deployment.started", "deployment.failed"], ran.log
    assert tracker.events[1].metadata["error"] == "migration 42 broke"
    assert tracker.events[1].metadata["error_code"] == "7"


def test_pending_the_runs_ending_and_a_handle_from_other_jobs(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("needs")
    assert tracker.types() == ["deployment.pending", "deployment.started", "deployment.failed"], ran.log
    pending, started, failed = tracker.events
    assert pending.metadata["vi_lifecycle_id"] == started.metadata["vi_lifecycle_id"]
    assert "vi_lifecycle_id" not in failed.metadata
    assert {event.metadata["vi_group_id"] for event in tracker.events} == {pending.metadata["vi_group_id"]}


def test_no_python_is_one_warning(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("deploy", tools=toolbox(workshop.home / "bare", python=None))
    assert ran.code == 0, ran.log
    assert ran.annotations("warning") == ["no Python 3.10 or newer is here: nothing is reported"]
    assert '"ok": "false"' in ran.log
    assert tracker.requests == []


def test_no_python_shuts_a_required_gate(workshop: Workshop, tracker: Recorder) -> None:
    tools = toolbox(workshop.home / "bare", python=None)
    ran = workshop.run("deploy", tools=tools, env={"VERSIONER_GATE": "required"})
    assert ran.code == 1
    assert "outputs=" not in ran.log
    assert [text.partition(":")[0] for text in ran.annotations("error")] == ["gate 'required'"]


def test_a_forks_pull_request_without_secrets_is_one_notice(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("deploy", *fork(workshop.home), secrets={})
    assert ran.code == 0, ran.log
    assert len(ran.annotations("notice")) == 1
    assert (ran.annotations("warning"), tracker.requests) == ([], [])


def test_dependabot_s_run_without_secrets_is_one_notice(workshop: Workshop, tracker: Recorder) -> None:
    ran = workshop.run("deploy", "push", "--actor", "dependabot[bot]", secrets={})
    assert ran.code == 0, ran.log
    assert len(ran.annotations("notice")) == 1
    assert tracker.requests == []


def test_a_hostile_branch_is_only_text(workshop: Workshop, tracker: Recorder, slack: FakeSlack) -> None:
    slack.add_channel("#deploys")
    workshop.repo.git("checkout", "--quiet", "-b", HOSTILE)
    env = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#deploys"}
    ran = workshop.run("deploy", env=env)
    assert ran.code == 0, ran.log
    assert [event.body["scm_branch"] for event in tracker.events] == [HOSTILE] * 2
    [message] = slack.messages("#deploys")
    assert message.pings == []
    assert not list(workshop.home.rglob("pwned")) + list(workshop.repo.path.rglob("pwned"))
    assert ran.commands() == []


@pytest.mark.parametrize("attempt", ["1", "2"])
def test_a_rerun_is_new(attempt: str, workshop: Workshop, tracker: Recorder) -> None:
    before: list[Received] = []
    for number in ("1", attempt):
        assert workshop.run("deploy", env={"GITHUB_RUN_ATTEMPT": number}).code == 0
        before = before or list(tracker.events)
    assert len(tracker.events) == (4 if attempt == "2" else 2)
