from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

HEAD = "a1e2f3d4c5b6a7980a1b2c3d4e5f60718293a4b5"
SHA = "9" * 40
PUSH = {
    "TRAVIS_EVENT_TYPE": "push",
    "TRAVIS_PULL_REQUEST": "false",
    "TRAVIS_PULL_REQUEST_BRANCH": "",
    "TRAVIS_PULL_REQUEST_SHA": "",
    "TRAVIS_PULL_REQUEST_SLUG": "",
}


def job(**changes: str) -> CIContext:
    return hosts.detect(load("travis_pull_request", **changes))


def test_a_forks_pull_request_says_everything_and_is_untrusted() -> None:
    assert job() == CIContext(
        source_system="travis",
        server_url="https://app.travis-ci.com",
        product="shop",
        version=HEAD[:12],
        scm_sha=HEAD,
        scm_branch="fix/totals",
        scm_repository="acme/shop",
        build_number="4",
        run_url="https://app.travis-ci.com/github/acme/shop/builds/248927821",
        invoke_id="248927821",
        job="4.1",
        pull_request="31",
        is_fork=True,
        is_ephemeral=True,
        metadata={
            "vi_travis_build_id": "248927821",
            "vi_travis_job_id": "565938412",
            "vi_travis_job_number": "4.1",
            "vi_travis_event_type": "pull_request",
        },
    )


@pytest.mark.parametrize(("slug", "is_fork"), [("acme/shop", False), ("mallory/shop", True), ("", True)])
def test_a_pull_request_from_another_repository_is_untrusted(slug: str, is_fork: bool) -> None:
    assert job(TRAVIS_PULL_REQUEST_SLUG=slug).is_fork is is_fork


def test_a_push_is_its_branch_and_no_pull_request() -> None:
    context = job(**PUSH)
    assert (context.scm_branch, context.scm_sha, context.pull_request) == ("main", SHA, None)
    assert not context.is_fork


def test_a_tags_build_has_the_tag_as_version_and_no_branch() -> None:
    context = job(**PUSH, TRAVIS_TAG="v1.4.2", TRAVIS_BRANCH="v1.4.2")
    assert (context.version, context.scm_branch) == ("v1.4.2", None)
