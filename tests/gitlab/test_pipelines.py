"""Whole pipelines, run by gitlab-ci-local: includes with inputs, extends, !reference, matrix, stages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gitlab.jobs import COMMAND, KEY, found
from tests.gitlab.template import FOLDER, ROOT
from tests.support.process import Repo, Result
from tests.support.recorder import Recorder

GITLAB_CI_LOCAL = ROOT / ".tools/gitlab/node_modules/.bin/gitlab-ci-local"
RunPipeline = Callable[..., Result]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
INCLUDE = """
include:
  - local: gitlab/versioner.yml
    inputs:
      product: shop's api
"""


@pytest.fixture
def run_pipeline(repo: Repo, cli_env: dict[str, str], tracker: Recorder) -> RunPipeline:
    """Runs a .gitlab-ci.yml in a repository that holds the template."""
    shutil.copytree(FOLDER, repo.path / "gitlab")

    def run(text: str, *jobs: str, **variables: str) -> Result:
        if not GITLAB_CI_LOCAL.is_file():
            pytest.skip("gitlab-ci-local is missing: run script/install_gitlab_tools")
        found("rsync")
        (repo.path / ".gitlab-ci.yml").write_text(text)
        repo.git("add", ".")
        given = {"GITLAB_CI": "true", "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY, **variables}
        options = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
        env = {**cli_env, "PATH": os.pathsep.join([str(COMMAND.parent), cli_env["PATH"]])}
        done = subprocess.run(
            [str(GITLAB_CI_LOCAL), "--force-shell-executor", "--no-color", *options, *jobs], cwd=repo.path, env=env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
        return Result(code=done.returncode, out=done.stdout, err=done.stderr, seconds=0)

    return run


def test_a_deployment_reports_itself(run_pipeline: RunPipeline, tracker: Recorder, repo: Repo) -> None:
    done = run_pipeline(
        INCLUDE
        + """
deploy:
  extends: .versioner-deployment
  environment: production
  script: echo deploying
"""
    )
    assert done.code == 0, done.out + done.err
    started, completed = tracker.events
    assert tracker.types() == ["deployment.started", "deployment.completed"]
    assert (started.body["product_name"], started.body["environment_name"]) == ("shop's api", "production")
    assert started.body["scm_sha"] == repo.sha
    assert (completed.lifecycle, completed.body["started_at"]) == (started.lifecycle, started.body["started_at"])
    assert completed.metadata["vi_host_status"] == "success"


def test_a_failing_build_fails_as_ever_and_says_so(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(INCLUDE + "\nbuild:\n  extends: .versioner-build\n  script: [echo building, exit 3]\n")
    assert done.code != 0
    assert tracker.types() == ["build.started", "build.failed"]


def test_a_rejection_keeps_the_script_from_running(run_pipeline: RunPipeline, tracker: Recorder, repo: Repo) -> None:
    tracker.reject(environment="production")
    done = run_pipeline(
        INCLUDE
        + """
deploy:
  extends: .versioner-deployment
  environment: production
  script: touch deployed
"""
    )
    assert done.code != 0
    assert "rejected by rule 'no-friday-deploys'" in done.out + done.err
    assert not (repo.path / "deployed").exists()
    assert tracker.events == []


def test_the_jobs_of_a_matrix_are_deployments_of_their_own(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(
        INCLUDE
        + """
deploy:
  extends: .versioner-deployment
  environment: $REGION
  parallel:
    matrix:
      - REGION: [eu, us]
  script: echo to $REGION
"""
    )
    assert done.code == 0, done.out + done.err
    assert sorted(tracker.states()) == ["completed", "completed", "started", "started"]
    assert len({event.lifecycle for event in tracker.events}) == 2


def test_hooks_of_a_job_s_own_stand_beside_ours(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(
        INCLUDE
        + """
deploy:
  extends: .versioner-deployment
  environment: production
  before_script:
    - !reference [.versioner-deployment, before_script]
    - echo "mine, before"
  script: echo deploying
  after_script:
    - echo "mine, after"
    - !reference [.versioner-deployment, after_script]
"""
    )
    assert done.code == 0, done.out + done.err
    assert "> mine, before" in done.out
    assert "> mine, after" in done.out
    assert tracker.states() == ["started", "completed"]


def test_what_waits_is_queued_when_the_pipeline_begins(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(
        """
include:
  - local: gitlab/versioner.yml
    inputs:
      pending: production, staging
      pending_if: $CI_COMMIT_BRANCH
build:
  stage: build
  script: echo building
deploy:
  extends: .versioner-deployment
  stage: deploy
  when: manual
  environment: production
  script: echo deploying
"""
    )
    assert done.code == 0, done.out + done.err
    assert tracker.types() == ["deployment.pending"] * 2
    assert {event.body["environment_name"] for event in tracker.events} == {"production", "staging"}


def test_without_pending_environments_no_such_job_is_there(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(INCLUDE + "\nbuild:\n  script: echo building\n")
    assert done.code == 0, done.out + done.err
    assert "versioner-pending" not in done.out
    assert tracker.requests == []


def test_default_covers_every_job_with_an_environment(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    done = run_pipeline(
        INCLUDE
        + """
  - local: gitlab/default.yml
build:
  stage: build
  script: echo building
deploy:
  stage: deploy
  environment: production
  script: echo deploying
"""
    )
    assert done.code == 0, done.out + done.err
    assert tracker.types() == ["deployment.started", "deployment.completed"]
    assert tracker.events[0].body["product_name"] == "shop's api"


@pytest.mark.parametrize(("code", "state"), [(0, "completed"), (3, "failed")])
def test_a_pair_of_jobs_reports_for_an_image_without_python(
    code: int, state: str, run_pipeline: RunPipeline, tracker: Recorder
) -> None:
    done = run_pipeline(
        INCLUDE
        + f"""
  - local: gitlab/report-for.yml
    inputs:
      job: deploy
      environment: production
deploy:
  stage: deploy
  environment: production
  script: exit {code}
"""
    )
    assert (done.code == 0) == (code == 0)
    assert tracker.states() == [state]


@pytest.mark.parametrize("product", ["$(touch pwned)", "a'b\\\"c; touch pwned", "`touch pwned`"])
def test_an_input_is_never_run(product: str, run_pipeline: RunPipeline, tracker: Recorder, repo: Repo) -> None:
    include = INCLUDE.replace("shop's api", f'"{product}"')
    done = run_pipeline(include + "\nbuild:\n  extends: .versioner-build\n  script: echo building\n")
    assert done.code == 0, done.out + done.err
    assert tracker.events[0].body["product_name"] == product.replace("\\", "")
    assert not list(Path(repo.path).rglob("pwned"))


def test_an_input_that_is_no_option_is_refused(run_pipeline: RunPipeline, tracker: Recorder) -> None:
    include = INCLUDE + "      gate: sometimes\n"
    done = run_pipeline(include + "\nbuild:\n  extends: .versioner-build\n  script: echo building\n")
    assert done.code != 0
    assert "not in the list of allowed options" in done.out + done.err
    assert tracker.requests == []
