from __future__ import annotations

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "c4f71a535de986600303936780f815721ebbe0c5"
PIPELINE = "{55555555-6666-7777-8888-999999999999}"
STEP = "{44444444-5555-6666-7777-888888888888}"
RUN = "https://bitbucket.org/acme/shop/pipelines/results/77"


def test_a_deployment_step_says_everything() -> None:
    assert hosts.detect(load("bitbucket_deployment")) == CIContext(
        source_system="bitbucket",
        server_url="https://bitbucket.org",
        product="shop",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="release/2026",
        scm_repository="acme/shop",
        scm_url="https://bitbucket.org/acme/shop",
        build_number="77",
        run_url=f"{RUN}/steps/%7B44444444-5555-6666-7777-888888888888%7D",
        invoke_id=PIPELINE,
        attempt="2",
        job=STEP,
        leg="0/5",
        actor="{88888888-9999-0000-1111-222222222222}",
        environment="Production",
        is_ephemeral=True,
        metadata={
            "vi_bb_pipeline_uuid": PIPELINE,
            "vi_bb_step_uuid": STEP,
            "vi_bb_workspace": "acme",
            "vi_bb_repo_slug": "shop",
        },
    )


def test_a_pull_request_is_its_source_branch() -> None:
    context = hosts.detect(load("bitbucket_deployment", BITBUCKET_PR_ID="9", BITBUCKET_BRANCH="fix/totals"))
    assert (context.pull_request, context.scm_branch, context.is_fork) == ("9", "fix/totals", False)


def test_a_tags_pipeline_has_the_tag_as_version_and_no_branch() -> None:
    context = hosts.detect(load("bitbucket_deployment", BITBUCKET_TAG="v1.4.2", BITBUCKET_BRANCH=""))
    assert (context.version, context.scm_branch) == ("v1.4.2", None)


def test_outside_a_parallel_group_there_is_no_leg() -> None:
    env = load("bitbucket_deployment", BITBUCKET_PARALLEL_STEP="", BITBUCKET_PARALLEL_STEP_COUNT="")
    assert hosts.detect(env).leg is None


def test_the_run_is_linked_without_its_step_and_the_repository_without_its_full_name() -> None:
    context = hosts.detect(load("bitbucket_deployment", BITBUCKET_STEP_UUID="", BITBUCKET_REPO_FULL_NAME=""))
    assert (context.run_url, context.scm_repository) == (RUN, "acme/shop")
