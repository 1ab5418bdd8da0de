from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "1ecfd275763eff1d6b4844ea3168962458c9f27a"
HEAD = "a1e2f3d4c5b6a7980a1b2c3d4e5f60718293a4b5"
SERVER = "https://gitlab.example.com:8443"


def test_a_deployment_on_a_self_managed_server_says_everything() -> None:
    assert hosts.detect(load("gitlab_deployment")) == CIContext(
        source_system="gitlab",
        server_url=SERVER,
        product="api",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="release/2026",
        scm_repository="acme/shops/api",
        scm_url=f"{SERVER}/acme/shops/api",
        build_number="117",
        run_url=f"{SERVER}/acme/shops/api/-/pipelines/9001",
        invoke_id="9001",
        attempt="50123",
        job="deploy: [eu, blue]",
        leg="2/4",
        actor="jdoe",
        actor_email="jane@example.com",
        actor_name="Jane Doe",
        environment="production",
        is_ephemeral=True,
        metadata={
            "vi_gl_pipeline_id": "9001",
            "vi_gl_pipeline_url": f"{SERVER}/acme/shops/api/-/pipelines/9001",
            "vi_gl_job_id": "50123",
            "vi_gl_job_name": "deploy: [eu, blue]",
            "vi_gl_job_url": f"{SERVER}/acme/shops/api/-/jobs/50123",
            "vi_gl_pipeline_source": "push",
        },
    )


def test_a_merged_results_pipeline_is_the_source_branchs_head() -> None:
    context = hosts.detect(load("gitlab_merge_request"))
    assert (context.scm_sha, context.version, context.scm_branch) == (HEAD, HEAD[:12], "fix/totals")
    assert (context.pull_request, context.leg, context.environment) == ("5", None, None)
    assert not context.is_ephemeral
    assert context.is_last_hook


def test_a_detached_merge_request_pipeline_is_its_commit() -> None:
    env = load("gitlab_merge_request", CI_MERGE_REQUEST_SOURCE_BRANCH_SHA="", CI_COMMIT_SHA=SHA)
    assert hosts.detect(env).scm_sha == SHA


@pytest.mark.parametrize(
    ("source", "project", "is_fork"),
    [
        ("mallory/api", "acme/shops/api", True),
        ("", "acme/shops/api", True),
        ("acme/shops/api", "acme/shops/api", False),
        ("mallory/api", "mallory/api", False),
    ],
    ids=["fork in the parent", "source gone", "own branch", "fork in itself"],
)
def test_a_merge_request_from_another_project_is_untrusted(source: str, project: str, is_fork: bool) -> None:
    env = load("gitlab_merge_request", CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=source, CI_PROJECT_PATH=project)
    assert hosts.detect(env).is_fork is is_fork


@pytest.mark.parametrize(("source", "is_fork"), [("acme/shop", False), ("mallory/shop", True), ("", True)])
def test_an_external_pull_request_is_its_head(source: str, is_fork: bool) -> None:
    external = {
        "CI_COMMIT_BRANCH": "",
        "CI_EXTERNAL_PULL_REQUEST_IID": "8",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY": source,
        "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY": "acme/shop",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME": "fix/totals",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    }
    context = hosts.detect(load("gitlab_deployment", **external))
    assert (context.pull_request, context.scm_branch, context.scm_sha) == ("8", "fix/totals", HEAD)
    assert context.is_fork is is_fork


def test_a_tags_pipeline_has_the_tag_as_version_and_no_branch() -> None:
    env = load("gitlab_deployment", CI_COMMIT_TAG="v2.0", CI_COMMIT_BRANCH="", CI_COMMIT_REF_NAME="v2.0")
    context = hosts.detect(env)
    assert (context.version, context.scm_branch) == ("v2.0", None)


@pytest.mark.parametrize(("ref", "branch"), [("main", "main"), ("refs/merge-requests/5/head", None)])
def test_a_child_pipeline_of_a_merge_request_has_no_merge_request_ref_as_branch(ref: str, branch: str | None) -> None:
    env = load("gitlab_deployment", CI_COMMIT_BRANCH="", CI_COMMIT_REF_NAME=ref, CI_PIPELINE_SOURCE="parent_pipeline")
    assert hosts.detect(env).scm_branch == branch


@pytest.mark.parametrize("action", ["stop", "prepare", "verify", "access"])
def test_only_the_action_start_is_a_deployment(action: str) -> None:
    assert hosts.detect(load("gitlab_deployment", CI_ENVIRONMENT_ACTION=action)).environment is None
    assert hosts.detect(load("gitlab_deployment", CI_ENVIRONMENT_ACTION="")).environment == "production"


@pytest.mark.parametrize(
    ("status", "is_last"),
    [("running", False), ("", False), ("success", True), ("failed", True), ("canceled", True), ("timedout", True)],
)
def test_an_ended_job_is_in_its_after_script(status: str, is_last: bool) -> None:
    assert hosts.detect(load("gitlab_deployment", CI_JOB_STATUS=status)).is_last_hook is is_last


def test_a_retried_job_is_another_attempt() -> None:
    again = hosts.detect(load("gitlab_deployment", CI_JOB_ID="50999"))
    assert (again.attempt, again.invoke_id) == ("50999", "9001")
