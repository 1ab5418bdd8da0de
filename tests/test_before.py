"""`report --after`: what the job reported before is ended by the call that starts the next."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import Repo, Result, RunCli
from tests.support.recorder import Recorder
from tests.test_cli_github import github
from tests.test_report_github import parsed
from versioner_ci.times import parse


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


class Job:
    """A build that has started, and what the track action remembers of it."""

    def __init__(self, cli: RunCli, repo: Repo, folder: Path, url: str) -> None:
        self.cli, self.repo, self.folder = cli, repo, folder
        self.env = github(folder, url)
        done = cli("report", "build", "started", "--json", env=self.env, cwd=repo.path)
        variables = {"VERSIONER_LIFECYCLE": json.loads(done.out)["lifecycle"], "VERSIONER_PRODUCT": ""}
        (folder / "track.json").write_text(json.dumps({"kind": "build", "variables": variables}))

    def deploy(self, job_status: str = "success", **env: str) -> Result:
        words = ("report", "deployment", "started", "--environment", "production", "--product", "web")
        after = (f"--after=@{self.folder / 'track.json'}", "--job-status", job_status)
        return self.cli(*words, *after, env={**self.env, **env}, cwd=self.repo.path)

    def end(self, job_status: str) -> Result:
        """The first step's own post."""
        variables = json.loads((self.folder / "track.json").read_text())["variables"]
        words = ("report", "build", f"--host-status={job_status}", "--error=late")
        return self.cli(*words, env={**self.env, **variables}, cwd=self.repo.path)


@pytest.fixture
def job(cli: RunCli, repo: Repo, tmp_path: Path, tracker: Recorder) -> Job:
    return Job(cli, repo, tmp_path, tracker.url)


def test_it_is_ended_as_completed_while_the_job_is_fine(job: Job, tracker: Recorder) -> None:
    assert job.deploy().code == 0
    assert sorted(tracker.types()) == ["build.completed", "build.started", "deployment.started"]
    completed = next(event for event in tracker.events if event.type == "build.completed")
    assert completed.body["product_name"] == "shop"
    assert completed.metadata["vi_lifecycle_id"] == tracker.events[0].metadata["vi_lifecycle_id"]


def test_a_step_s_outputs_are_those_of_the_next(job: Job) -> None:
    job.deploy()
    found = parsed((job.folder / "output").read_text())
    assert found["status"] == "started"
    assert "deployment-id" in found
    assert "Build succeeded" in (job.folder / "summary").read_text()


@pytest.mark.parametrize("status", ["failure", "cancelled"])
def test_a_job_that_is_not_fine_leaves_it_open(status: str, job: Job, tracker: Recorder) -> None:
    assert job.deploy(status).code == 0
    assert tracker.types() == ["build.started", "deployment.started"]


def test_it_is_ended_once(job: Job, tracker: Recorder) -> None:
    job.deploy()
    job.deploy()
    assert tracker.types().count("build.completed") == 1


def test_an_unknown_status_is_a_warning_and_the_next_is_reported(job: Job, tracker: Recorder) -> None:
    done = job.deploy("exploded")
    assert done.code == 0
    assert "--after: unknown status" in done.err
    assert tracker.types() == ["build.started", "deployment.started"]


def test_an_ending_that_did_not_arrive_is_told_by_the_next_one_s_outputs(job: Job, tracker: Recorder) -> None:
    tracker.answer_next(422, {"detail": "no"}, times=1)
    done = job.deploy(VERSIONER_FAIL_ON_ERROR="1")
    found = parsed((job.folder / "output").read_text())
    assert (found["ok"], found["outcome"], found["status"]) == ("false", "refused", "started")
    assert done.code == 4


def test_a_word_that_says_nothing_is_not_ok(job: Job) -> None:
    for word in ("", "exploded"):
        (job.folder / "output").unlink()
        done = job.cli("report", "build", f"--host-status={word}", "--json", env=job.env, cwd=job.repo.path)
        assert (done.code, json.loads(done.out)["ok"]) == (0, False)
        assert parsed((job.folder / "output").read_text())["ok"] == "false"


def test_a_file_may_say_who_is_reported_and_never_where_to(job: Job, tracker: Recorder) -> None:
    path = job.folder / "track.json"
    body = json.loads(path.read_text())
    with Recorder() as thief:
        body["variables"] |= {"VERSIONER_API_URL": thief.url, "HTTPS_PROXY": thief.url, "VERSIONER_API_KEY": "mine"}
        path.write_text(json.dumps(body))
        done = job.deploy()
        assert thief.requests == []
    assert "'HTTPS_PROXY, VERSIONER_API_KEY, VERSIONER_API_URL' may not be set there" in done.err
    assert sorted(tracker.types()) == ["build.completed", "build.started", "deployment.started"]


def test_one_that_began_at_another_tracker_is_left_to_its_own_end(job: Job, tracker: Recorder) -> None:
    with Recorder() as other:
        for _ in range(2):
            assert job.deploy(VERSIONER_API_URL=other.url).code == 0
        assert set(other.types()) == {"deployment.started"}
    assert tracker.types() == ["build.started"]
    assert job.end("failure").code == 0
    assert tracker.types() == ["build.started", "build.completed"]
    completed = tracker.events[1]
    assert completed.metadata["vi_host_status"] == "success"
    assert "error" not in completed.metadata


def test_one_that_began_with_another_key_is_left_too(job: Job, tracker: Recorder) -> None:
    job.deploy(VERSIONER_API_KEY="sk_1_other")
    assert tracker.types() == ["build.started", "deployment.started"]


def test_one_whose_next_has_nowhere_to_report_to_was_well_then(job: Job, tracker: Recorder) -> None:
    job.deploy(VERSIONER_API_URL="")
    then = time.time()
    time.sleep(1.1)
    job.end("failure")
    assert tracker.types() == ["build.started", "build.completed"]
    assert parse(tracker.events[1].body["completed_at"]) <= then


def test_one_that_has_failed_before_stays_failed(job: Job, tracker: Recorder) -> None:
    job.deploy("failure", VERSIONER_API_URL="")
    job.end("failure")
    assert tracker.types() == ["build.started", "build.failed"]


def test_a_rejection_of_the_next_leaves_it_completed(job: Job, tracker: Recorder) -> None:
    tracker.reject(environment="production", rule_name="freeze", message="no")
    assert job.deploy().code == 5
    assert tracker.types() == ["build.started", "build.completed"]


def test_both_have_one_budget(job: Job, tracker: Recorder) -> None:
    tracker.delay = 20
    done = job.deploy(VERSIONER_TIMEOUT="2")
    assert done.code == 0
    assert done.seconds < 2 + 2
    assert "build completed: backend" in done.err
    assert "deployment started: backend" in done.err
