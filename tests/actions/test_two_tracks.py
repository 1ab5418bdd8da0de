"""Two tracks of one job: the second ends the first, unless they report to different places."""

from __future__ import annotations

from tests.actions.act import KEY
from tests.actions.steps import Step, annotations
from tests.support.fake_slack import FakeSlack
from tests.support.recorder import Recorder

BUILD = {"event": "build"}
DEPLOYMENT = {"event": "deployment", "environment": "production"}


def two(step: Step, first: dict[str, str], second: dict[str, str], job_status: str = "failure") -> None:
    """A job with a build and then a deployment, each with variables of its own; posts run in reverse order."""
    common, states = step.env, []
    for inputs, env in ((BUILD, first), (DEPLOYMENT, second)):
        step.inputs, step.env = inputs, {**common, **env}
        assert step.main().code == 0
        states.append({f"STATE_{name}": value for name, value in step.file("GITHUB_STATE").items()})
    for inputs, env, state in ((DEPLOYMENT, second, states[1]), (BUILD, first, states[0])):
        step.inputs, step.env = inputs, {**common, **env}
        ended = step.post(job_status, **state)
        assert (ended.code, annotations(ended, "warning")) == (0, [])


def test_two_trackers_each_get_their_own_ending(step: Step, tracker: Recorder) -> None:
    with Recorder(key=KEY) as other:
        two(step, {}, {"VERSIONER_API_URL": other.url})
        assert other.types() == ["deployment.started", "deployment.failed"]
    assert tracker.types() == ["build.started", "build.completed"]


def test_a_tracker_gets_the_ending_although_the_next_has_slack_alone(
    step: Step, tracker: Recorder, slack: FakeSlack
) -> None:
    slack.add_channel("#all")
    env = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#all"}
    two(step, env, {**env, "VERSIONER_API_URL": "", "VERSIONER_API_KEY": ""})
    assert tracker.types() == ["build.started", "build.completed"]
    texts = [message.text for message in slack.messages("#all")]
    assert ["Build succeeded" in text or "Deployment failed" in text for text in texts] == [True, True]


def test_a_failed_deployment_that_is_reported_nowhere_leaves_the_build_well(step: Step, tracker: Recorder) -> None:
    step.env["VERSIONER_QUIET"] = "1"
    two(step, {}, {"VERSIONER_API_URL": "", "VERSIONER_API_KEY": ""})
    assert tracker.types() == ["build.started", "build.completed"]


def test_a_channel_by_its_other_name_stays_the_build_s(step: Step, slack: FakeSlack) -> None:
    slack.add_channel("#builds", "C0BUILDS01")
    slack.add_channel("#deploys", "C0DEPLOYS1")
    step.env |= {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token}
    two(step, {"SLACK_CHANNEL_ID": "C0BUILDS01"}, {"SLACK_CHANNEL_ID": "C0DEPLOYS1"})
    [build] = slack.messages("#builds")
    [deployment] = slack.messages("#deploys")
    assert "Build succeeded" in build.text
    assert "Deployment failed" in deployment.text
