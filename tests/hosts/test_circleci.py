from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "d9b2a1c1404e8c91be604088670e93434c425332"
WORKFLOW = "7b7f8a1c-9f5b-4a53-9d19-3a4e1c4f1a10"
JOB = "5f0b1f27-6a2f-4a6c-b0b4-2b8d1f9d7a11"


def job(**changes: str) -> CIContext:
    return hosts.detect(load("circleci_parallel", **changes))


def test_a_parallel_job_says_everything() -> None:
    assert job() == CIContext(
        source_system="circleci",
        server_url="https://circleci.com",
        product="shop",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="feature/checkout",
        scm_repository="acme/shop",
        scm_url="https://github.com/acme/shop",
        build_number="73",
        run_url="https://circleci.com/gh/acme/shop/73",
        invoke_id=WORKFLOW,
        attempt=JOB,
        job="deploy",
        leg="1/3",
        actor="jdoe",
        pull_request="12",
        is_ephemeral=True,
        metadata={
            "vi_circle_workflow_id": WORKFLOW,
            "vi_circle_workflow_job_id": JOB,
            "vi_circle_job_name": "deploy",
            "vi_circle_node_index": "1",
        },
    )


@pytest.mark.parametrize(
    "changes",
    [
        {
            "CIRCLE_BRANCH": "pull/14",
            "CIRCLE_PR_NUMBER": "14",
            "CIRCLE_PR_USERNAME": "mallory",
            "CIRCLE_PR_REPONAME": "shop",
        },
        {"CIRCLE_BRANCH": "pull/14", "CIRCLE_PULL_REQUEST": "https://github.com/acme/shop/pull/14"},
    ],
    ids=["named", "by the branch alone"],
)
def test_a_forks_pull_request_is_untrusted_and_its_ref_is_no_branch(changes: dict[str, str]) -> None:
    context = job(**changes)
    assert (context.is_fork, context.scm_branch, context.pull_request) == (True, None, "14")


def test_one_of_several_pull_requests_is_named() -> None:
    assert job(CIRCLE_PULL_REQUEST="").pull_request == "12"
    assert job(CIRCLE_PULL_REQUEST="", CIRCLE_PULL_REQUESTS="").pull_request is None


def test_a_tags_workflow_has_the_tag_as_version_and_no_branch() -> None:
    context = job(CIRCLE_TAG="v1.4.2", CIRCLE_BRANCH="", CIRCLE_PULL_REQUEST="", CIRCLE_PULL_REQUESTS="")
    assert (context.version, context.scm_branch, context.pull_request) == ("v1.4.2", None, None)


def test_a_single_node_is_no_leg() -> None:
    assert job(CIRCLE_NODE_INDEX="0", CIRCLE_NODE_TOTAL="1").leg is None


def test_a_project_without_a_repository_address_goes_by_its_name() -> None:
    context = job(CIRCLE_REPOSITORY_URL="")
    assert (context.scm_repository, context.scm_url, context.product) == ("acme/shop", None, "shop")


def test_a_server_of_ones_own_has_its_own_address() -> None:
    url = "https://circleci.example.com:8443/gh/acme/shop/73"
    context = job(CIRCLE_BUILD_URL=url)
    assert (context.server_url, context.run_url) == ("https://circleci.example.com:8443", url)
