"""`report --after`: what the job reported before is ended by the call that starts the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import Repo, Result, RunCli
from tests.support.raw_server import RawServer, hang
from tests.support.recorder import Recorder
from tests.test_cli_github import github
from tests.test_report_github import parsed


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


def test_a_rejection_of_the_next_leaves_it_completed(job: Job, tracker: Recorder) -> None:
    tracker.reject(environment="production", rule_name="freeze", message="no")
    assert job.deploy().code == 5
    assert tracker.types() == ["build.started", "build.completed"]


def test_both_have_one_budget(job: Job) -> None:
    with RawServer(hang()) as server:
        done = job.deploy(VERSIONER_API_URL=server.url, VERSIONER_TIMEOUT="2")
    assert done.code == 0
    assert done.seconds < 2 + 2
    assert "build completed: backend" in done.err
    assert "deployment started: backend" in done.err
