from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "7ac1a4c1404e8c91be604088670e93434c425331"
HEAD = "a1e2f3d4c5b6a7980a1b2c3d4e5f60718293a4b5"


def deployment(**changes: str) -> CIContext:
    return hosts.detect(load("azure-devops_deployment", **changes))


def test_a_deployment_job_says_everything() -> None:
    assert deployment() == CIContext(
        source_system="azure-devops",
        server_url="https://dev.azure.com/acme",
        product="shop",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="feature/tools",
        scm_repository="Web Team/shop",
        scm_url="https://dev.azure.com/acme/Web%20Team/_git/shop",
        build_number="20261120.3",
        run_url="https://dev.azure.com/acme/Web%20Team/_build/results?buildId=1430",
        invoke_id="1430",
        attempt="2",
        job="Deploy.web",
        leg="py313",
        actor="Jane Doe",
        actor_email="jane@example.com",
        actor_name="Jane Doe",
        environment="smarthotel-prod",
        is_ephemeral=True,
        scratch="/agent/_work/_temp",
        metadata={
            "vi_azure_build_id": "1430",
            "vi_azure_definition_name": "Shop CD",
            "vi_azure_agent_name": "Azure Pipelines 2",
            "vi_azure_team_project": "Web Team",
        },
    )


def test_a_forks_pull_request_is_its_head_and_untrusted() -> None:
    context = hosts.detect(load("azure-devops_pull_request"))
    assert (context.scm_sha, context.scm_branch, context.pull_request) == (HEAD, "fix/totals", "17")
    assert (context.is_fork, context.is_ephemeral) == (True, False)
    assert (context.scm_repository, context.scm_url) == ("acme/shop", "https://github.com/acme/shop")
    assert (context.job, context.leg, context.environment) == ("__default.test", None, None)


def test_an_azure_repos_pull_request_has_an_id_and_a_full_ref() -> None:
    env = load(
        "azure-devops_pull_request",
        SYSTEM_PULLREQUEST_PULLREQUESTNUMBER="",
        SYSTEM_PULLREQUEST_SOURCEBRANCH="refs/heads/users/raisa/new-feature",
        SYSTEM_PULLREQUEST_ISFORK="False",
    )
    context = hosts.detect(env)
    assert (context.pull_request, context.scm_branch) == ("583231017", "users/raisa/new-feature")
    assert not context.is_fork


def test_the_merge_ref_is_no_branch() -> None:
    env = load("azure-devops_pull_request", SYSTEM_PULLREQUEST_SOURCEBRANCH="")
    assert hosts.detect(env).scm_branch is None


def test_a_classic_release_is_a_deployment_of_its_stage() -> None:
    context = hosts.detect(load("azure-devops_release"))
    assert (context.environment, context.invoke_id, context.attempt) == ("Dev", "release-118", "3.1")
    assert context.run_url == "https://dev.azure.com/acme/f3325c6c/_release?releaseId=118&_a=release-summary"
    assert context.server_url == "https://dev.azure.com/acme"
    assert (context.actor, context.actor_email) == ("Mateo Escobedo", None)


def test_who_started_the_release_and_deploys_it_has_an_address() -> None:
    env = load("azure-devops_release", RELEASE_DEPLOYMENT_REQUESTEDFOR="Jane Doe")
    assert hosts.detect(env).actor_email == "jane@example.com"


@pytest.mark.parametrize(
    ("job", "stage", "attempt"),
    [
        ("1", "1", "1"),
        ("2", "1", "2"),
        ("2", "2", "2"),
        ("1", "2", "2.1"),
        ("", "2", "2"),
        ("1", "", "1"),
        ("", "", None),
    ],
)
def test_a_stage_that_is_run_again_is_another_attempt(job: str, stage: str, attempt: str | None) -> None:
    assert deployment(SYSTEM_JOBATTEMPT=job, SYSTEM_STAGEATTEMPT=stage).attempt == attempt


@pytest.mark.parametrize(
    ("changes", "leg"),
    [
        ({"SYSTEM_JOBNAME": "__default", "SYSTEM_TOTALJOBSINPHASE": "1"}, None),
        ({"SYSTEM_JOBNAME": "__default", "SYSTEM_TOTALJOBSINPHASE": "5", "SYSTEM_JOBPOSITIONINPHASE": "3"}, "3/5"),
        ({"SYSTEM_JOBNAME": "web", "SYSTEM_TOTALJOBSINPHASE": "1"}, None),
        ({"SYSTEM_PHASENAME": "", "SYSTEM_TOTALJOBSINPHASE": ""}, None),
    ],
    ids=["single", "slice", "same name", "no phase"],
)
def test_slices_and_matrix_jobs_are_legs(changes: dict[str, str], leg: str | None) -> None:
    assert deployment(**changes).leg == leg


def test_a_tags_run_has_the_tag_as_version_and_no_branch() -> None:
    context = deployment(BUILD_SOURCEBRANCH="refs/tags/v1.4.2", BUILD_SOURCEBRANCHNAME="v1.4.2")
    assert (context.version, context.scm_branch) == ("v1.4.2", None)


@pytest.mark.parametrize(
    ("self_hosted", "agent", "is_ephemeral"),
    [
        ("0", "x", True),
        ("1", "Azure Pipelines 3", False),
        ("", "Azure Pipelines 3", True),
        ("", "Hosted Agent", True),
        ("", "box", False),
    ],
)
def test_a_microsoft_hosted_agent_dies_with_the_job(self_hosted: str, agent: str, is_ephemeral: bool) -> None:
    assert deployment(AGENT_ISSELFHOSTED=self_hosted, AGENT_NAME=agent).is_ephemeral is is_ephemeral


def test_the_address_of_a_server_on_premises() -> None:
    context = deployment(
        SYSTEM_COLLECTIONURI="https://tfs.example.com/tfs/Default/",
        BUILD_REPOSITORY_URI="https://tfs.example.com/tfs/Default/Web%20Team/_git/shop",
    )
    assert context.run_url == "https://tfs.example.com/tfs/Default/Web%20Team/_build/results?buildId=1430"
    assert (context.server_url, context.scm_repository) == ("https://tfs.example.com/tfs/Default", "Web Team/shop")


@pytest.mark.parametrize("missing", ["SYSTEM_TEAMPROJECT", "BUILD_BUILDID"])
def test_without_its_parts_there_is_no_address(missing: str) -> None:
    assert deployment(**{missing: ""}).run_url is None
