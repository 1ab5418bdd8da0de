from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d"
BUILD = "4735ba57-80d0-46e2-8fa0-b28223a86586"
JOB = "e44f9784-e20e-4b93-a21d-f41fd5869db9"
BRANCH = {"BUILDKITE_PULL_REQUEST": "false", "BUILDKITE_PULL_REQUEST_REPO": "", "BUILDKITE_BRANCH": "main"}


def job(**changes: str) -> CIContext:
    return hosts.detect(load("buildkite_pull_request", **changes))


def test_a_forks_pull_request_says_everything_and_is_untrusted() -> None:
    assert job() == CIContext(
        source_system="buildkite",
        server_url="https://buildkite.com",
        product="my-project",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="fix/totals",
        scm_repository="acme-inc/my-project",
        scm_url="https://github.com/acme-inc/my-project",
        build_number="1514",
        run_url="https://buildkite.com/acme-inc/my-project/builds/1514",
        invoke_id=BUILD,
        attempt="1",
        job=JOB,
        leg="0/5",
        actor="Carol Danvers",
        actor_email="carol@example.com",
        actor_name="Carol Danvers",
        pull_request="123",
        is_fork=True,
        metadata={
            "vi_bk_build_id": BUILD,
            "vi_bk_job_id": JOB,
            "vi_bk_label": ":hammer: Specs",
            "vi_bk_organization_slug": "acme-inc",
            "vi_bk_pipeline_slug": "my-project",
            "vi_bk_source": "webhook",
            "vi_bk_step_key": "tests-06",
        },
    )


def test_a_branch_build_is_no_pull_request() -> None:
    context = job(**BRANCH)
    assert (context.pull_request, context.is_fork, context.scm_branch) == (None, False, "main")


@pytest.mark.parametrize(
    ("repository", "is_fork"),
    [
        ("git://github.com/acme-inc/my-project.git", False),
        ("https://github.com/Acme-Inc/my-project", False),
        ("git://github.com/mallory/my-project.git", True),
        ("", True),
    ],
)
def test_the_same_repository_by_another_address_is_no_fork(repository: str, is_fork: bool) -> None:
    assert job(BUILDKITE_PULL_REQUEST_REPO=repository).is_fork is is_fork


@pytest.mark.parametrize("commit", ["HEAD", "main", "refs/heads/main"])
def test_a_symbolic_commit_is_left_to_git(commit: str) -> None:
    context = job(BUILDKITE_COMMIT=commit)
    assert (context.scm_sha, context.version) == (None, None)


def test_a_tags_build_has_the_tag_as_version_and_no_branch() -> None:
    context = job(**{**BRANCH, "BUILDKITE_BRANCH": "v1.4.2"}, BUILDKITE_TAG="v1.4.2")
    assert (context.version, context.scm_branch) == ("v1.4.2", None)


def test_a_github_deployment_names_its_environment() -> None:
    assert job(BUILDKITE_GITHUB_DEPLOYMENT_ENVIRONMENT="production").environment == "production"


def test_a_hosted_agent_dies_with_the_job() -> None:
    assert job(BUILDKITE_COMPUTE_TYPE="hosted").is_ephemeral


def test_a_build_that_nobody_created_goes_by_its_author() -> None:
    context = job(BUILDKITE_BUILD_CREATOR="", BUILDKITE_BUILD_CREATOR_EMAIL="")
    assert (context.actor, context.actor_email) == ("Mallory Smith", "mallory@example.net")
