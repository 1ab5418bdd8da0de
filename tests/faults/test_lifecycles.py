"""Rows 56 to 58: the same names, arrival out of order, and one destination of two."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.faults import Fault, delivered, eventually
from tests.support.recorder import Recorder

STARTED, COMPLETED = ("report", "build", "started"), ("report", "build", "completed")
JOB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_JOB": "build",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_SHA": "3f2a1bc998877665544332211009988776655443",
}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"GITHUB_JOB": "test"}, id="fault-56 another job"),
        pytest.param({"GITHUB_RUN_ATTEMPT": "2"}, id="fault-56 a re-run"),
        pytest.param({"GITHUB_RUN_ID": "78"}, id="fault-56 another run"),
        pytest.param({"VERSIONER_KEY": "linux"}, id="fault-56 a matrix leg"),
        pytest.param({"GITHUB_REPOSITORY": "octo/other"}, id="fault-56 another repository"),
    ],
)
def test_what_has_the_same_names_is_told_apart(fault: Fault, tracker: Recorder, other: dict[str, str]) -> None:
    for env in (JOB, {**JOB, **other}):
        for command in (STARTED, COMPLETED):
            fault(*command, env=env, kept=[])
    assert tracker.states() == ["started", "completed"] * 2
    assert len({event.key for event in tracker.events}) == 4
    assert len({event.lifecycle for event in tracker.events}) == 2


def test_fault_56_a_retried_job_of_gitlab_is_another_lifecycle(fault: Fault, tracker: Recorder) -> None:
    for job in ("501", "502"):
        env = {"GITLAB_CI": "true", "CI_PIPELINE_ID": "9", "CI_JOB_ID": job, "CI_JOB_NAME": "deploy"}
        fault(*STARTED, env=env)
    assert len({event.lifecycle for event in tracker.events}) == 2


def test_fault_56_a_step_that_runs_again_counts_once(fault: Fault, tracker: Recorder) -> None:
    for command in (STARTED, STARTED, COMPLETED, COMPLETED):
        fault(*command, env=JOB, kept=[])
    assert tracker.states() == ["started", "completed"]
    assert len(tracker.duplicates) <= 1


def test_fault_56_legs_at_the_same_time_do_not_mix(fault: Fault, tracker: Recorder) -> None:
    def leg(number: int) -> None:
        for command in (STARTED, COMPLETED):
            fault(*command, "--key", f"leg {number}", env=JOB, budget=8)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(leg, range(4)))
    by_lifecycle: dict[str | None, list[str]] = {}
    for event in tracker.events:
        by_lifecycle.setdefault(event.lifecycle, []).append(event.state)
    assert list(by_lifecycle.values()) == [["started", "completed"]] * 4


def test_fault_57_an_ending_may_arrive_before_its_start(fault: Fault, tracker: Recorder) -> None:
    tracker.down()
    handle = json.loads(fault(*STARTED, "--json", budget=0.6).out)["lifecycle"]
    tracker.up()
    elsewhere = fault.fresh("another machine")
    elsewhere(*COMPLETED, "--lifecycle", handle, kept=[])
    fault("flush", kept=[], said=delivered(1))
    ending, start = tracker.events
    assert (ending.state, start.state) == ("completed", "started")
    assert ending.lifecycle == start.lifecycle
    assert start.body["started_at"] == ending.body["started_at"]
    assert start.metadata["vi_occurred_at"] < ending.metadata["vi_occurred_at"]


def test_fault_57_on_one_machine_an_ending_never_overtakes_a_kept_start(fault: Fault, tracker: Recorder) -> None:
    tracker.answer_next(503, when=lambda request: request.state == "started", times=9)
    fault(*STARTED, budget=0.6, kept=["backend build.started"])
    result = fault(*COMPLETED, budget=1, kept=["backend build.completed", "backend build.started"])
    assert "behind an earlier event: HTTP 503" in result.err
    assert {request.state for request in tracker.requests} == {"started"}


def test_fault_58_only_the_destination_that_failed_is_tried_again(
    fault: Fault, tracker: Recorder, slack: FakeSlack
) -> None:
    slack.answer(503, "", times=2)
    slack.answer(503, "", times=2)
    fault.soft_and_strict(*STARTED, kept=["slack build.started"], said=["backend: accepted", "slack: kept for later"])
    assert len(tracker.requests) == 2
    fault("flush", kept=[], said=delivered(1))
    assert len(tracker.requests) == 2, "the tracker has it"
    assert len(slack.messages("#deploys")) >= 1


def test_fault_58_a_tracker_that_is_down_does_not_keep_slack_from_being_told(
    fault: Fault, tracker: Recorder, slack: FakeSlack
) -> None:
    tracker.down()
    fault("report", "build", "failed", budget=0.8, kept=["backend build.failed"], said="slack: accepted")
    assert len(slack.messages("#deploys")) == 1
    tracker.up()
    fault("flush", kept=[])
    assert tracker.states() == ["failed"]
    assert len(slack.calls) == 1, "Slack has it"


def test_fault_58_a_hanging_slack_does_not_hold_the_tracker_up(
    fault: Fault, tracker: Recorder, slack: FakeSlack
) -> None:
    slack.hang()
    running = fault.start(*STARTED, "--timeout", "4")
    eventually("told to the tracker", lambda: tracker.events, 3.5)
    assert running.wait().code == 0
    assert fault.kept() == ["slack build.started"]
