"""Travis CI.

https://docs.travis-ci.com/user/environment-variables/#default-environment-variables
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, branch_of, extras, origin, web


def _read(v: Variables) -> CIContext:
    number = _number(v)
    return CIContext(
        source_system="travis",
        server_url=origin(v("TRAVIS_BUILD_WEB_URL")) or "https://app.travis-ci.com",
        version=v("TRAVIS_TAG"),
        scm_sha=v("TRAVIS_PULL_REQUEST_SHA", "TRAVIS_COMMIT") if number else v("TRAVIS_COMMIT"),
        scm_branch=_branch(v, number),
        scm_repository=v("TRAVIS_REPO_SLUG"),
        build_number=v("TRAVIS_BUILD_NUMBER"),
        run_url=web(v("TRAVIS_BUILD_WEB_URL")) or web(v("TRAVIS_JOB_WEB_URL")),
        invoke_id=v("TRAVIS_BUILD_ID"),
        job=v("TRAVIS_JOB_NUMBER", "TRAVIS_JOB_ID"),
        pull_request=number,
        is_fork=number is not None and v("TRAVIS_PULL_REQUEST_SLUG") != v("TRAVIS_REPO_SLUG"),
        is_ephemeral=True,
        metadata=extras(
            "travis",
            build_id=v("TRAVIS_BUILD_ID"),
            job_id=v("TRAVIS_JOB_ID"),
            job_number=v("TRAVIS_JOB_NUMBER"),
            event_type=v("TRAVIS_EVENT_TYPE"),
        ),
    )


def _number(v: Variables) -> str | None:
    number = v("TRAVIS_PULL_REQUEST")
    return None if number == "false" else number


def _branch(v: Variables, number: str | None) -> str | None:
    """TRAVIS_BRANCH is a pull request's target, and for a tag the tag itself."""
    if number:
        return v("TRAVIS_PULL_REQUEST_BRANCH")
    return None if v("TRAVIS_TAG") else branch_of(v("TRAVIS_BRANCH"))


HOST = Host(
    name="travis",
    docs="https://docs.travis-ci.com/user/environment-variables/#default-environment-variables",
    variables=(
        "TRAVIS",
        "TRAVIS_BRANCH",
        "TRAVIS_BUILD_ID",
        "TRAVIS_BUILD_NUMBER",
        "TRAVIS_BUILD_WEB_URL",
        "TRAVIS_COMMIT",
        "TRAVIS_EVENT_TYPE",
        "TRAVIS_JOB_ID",
        "TRAVIS_JOB_NUMBER",
        "TRAVIS_JOB_WEB_URL",
        "TRAVIS_PULL_REQUEST",
        "TRAVIS_PULL_REQUEST_BRANCH",
        "TRAVIS_PULL_REQUEST_SHA",
        "TRAVIS_PULL_REQUEST_SLUG",
        "TRAVIS_REPO_SLUG",
        "TRAVIS_TAG",
    ),
    is_mine=lambda v: v.is_true("TRAVIS"),
    read=_read,
)
