from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "ce9a3c1404e8c91be604088670e93434c4253f03"
BUILD = "https://ci.example.com/jenkins/job/shop/job/main/153/"


def test_a_multibranch_build_says_everything_but_the_remotes_password() -> None:
    assert hosts.detect(load("jenkins_multibranch")) == CIContext(
        source_system="jenkins",
        server_url="https://ci.example.com/jenkins",
        product="shop",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="main",
        scm_repository="acme/shop",
        scm_url="https://git.example.com:3000/acme/shop",
        build_number="153",
        run_url=BUILD,
        invoke_id="153",
        pipeline="shop/main",
        actor="jdoe",
        actor_email="jane@example.com",
        actor_name="Jane Doe",
        scratch="/home/jenkins/workspace/shop_main@tmp",
        metadata={
            "vi_jenkins_job_name": "shop/main",
            "vi_jenkins_build_url": BUILD,
            "vi_jenkins_node_name": "agent-4",
            "vi_jenkins_stage_name": "Deploy",
            "vi_jenkins_executor_number": "1",
        },
    )


def test_a_stage_is_told_for_readers_and_is_no_part_of_the_identity() -> None:
    """One stage's name stands for all cells of a matrix, and `post` has another."""
    plain, named = (hosts.detect(load("jenkins_multibranch", STAGE_NAME=name)) for name in ("", "Deploy (eu)"))
    assert named == replace(plain, metadata={**plain.metadata, "vi_jenkins_stage_name": "Deploy (eu)"})


def test_a_forks_change_is_its_head_branch_and_untrusted() -> None:
    context = hosts.detect(load("jenkins_pull_request"))
    assert (context.scm_branch, context.pull_request, context.is_fork) == ("fix/totals", "24", True)
    assert (context.actor, context.actor_name, context.actor_email) == (
        "mallory",
        "Mallory Smith",
        "mallory@example.net",
    )
    assert context.pipeline == "shop/PR-24"


def test_a_change_of_the_same_repository_is_trusted() -> None:
    assert not hosts.detect(load("jenkins_pull_request", CHANGE_FORK="")).is_fork


def test_a_changes_own_name_is_no_branch() -> None:
    assert hosts.detect(load("jenkins_pull_request", CHANGE_BRANCH="")).scm_branch is None


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("origin/feature/x", "feature/x"),
        ("origin/main", "main"),
        ("main", "main"),
        ("refs/remotes/origin/main", "main"),
        ("remotes/origin/main", "main"),
        ("refs/heads/main", "main"),
        ("detached", None),
        ("HEAD", None),
        ("refs/tags/v1", None),
    ],
)
def test_a_freestyle_jobs_branch_is_without_the_remote(ref: str, branch: str | None) -> None:
    env = load("jenkins_multibranch", BRANCH_NAME="", GIT_LOCAL_BRANCH="", GIT_BRANCH=ref)
    assert hosts.detect(env).scm_branch == branch


def test_a_tags_build_has_the_tag_as_version_and_no_branch() -> None:
    context = hosts.detect(load("jenkins_multibranch", TAG_NAME="v1.4.2", BRANCH_NAME="v1.4.2", GIT_BRANCH="v1.4.2"))
    assert (context.version, context.scm_branch, context.scm_sha) == ("v1.4.2", None, SHA)


def test_several_remotes_are_numbered() -> None:
    env = load("jenkins_multibranch", GIT_URL="", GIT_URL_1="git@git.example.com:acme/web.git")
    assert hosts.detect(env).scm_repository == "acme/web"


def test_a_controller_without_an_address_is_known_by_the_build_tag() -> None:
    env = load("jenkins_multibranch", JENKINS_URL="", JENKINS_HOME="", BUILD_URL="")
    context = hosts.detect(env)
    assert (context.source_system, context.server_url, context.run_url) == ("jenkins", None, None)


def test_a_shell_with_the_controllers_address_is_no_build() -> None:
    assert hosts.detect({"JENKINS_URL": "https://ci.example.com/", "USER": "jdoe"}).source_system == "local"


def test_a_job_that_exports_other_hosts_facts_stays_jenkins() -> None:
    env = load("jenkins_multibranch", GITHUB_REPOSITORY="acme/shop", GITHUB_SHA="1" * 40, CI_COMMIT_SHA="2" * 40)
    context = hosts.detect(env)
    assert (context.source_system, context.scm_sha) == ("jenkins", SHA)


def test_the_librarys_leg_tells_parallel_branches_apart_within_one_run() -> None:
    one, other = (hosts.detect(load("jenkins_multibranch", VERSIONER_LEG=leg)) for leg in ("a1", "b2"))
    assert (one.leg, other.leg, one.invoke_id) == ("a1", "b2", other.invoke_id)
