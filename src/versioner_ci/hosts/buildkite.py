"""Buildkite.

https://buildkite.com/docs/pipelines/configure/environment-variables
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, branch_of, commit, extras, leg_of, origin, web
from versioner_ci.hosts._remote import parse_remote


def _read(v: Variables) -> CIContext:
    remote = parse_remote(v("BUILDKITE_REPO"))
    has_creator = v("BUILDKITE_BUILD_CREATOR") is not None
    return CIContext(
        source_system="buildkite",
        server_url=origin(v("BUILDKITE_BUILD_URL")) or "https://buildkite.com",
        version=v("BUILDKITE_TAG"),
        scm_sha=commit(v("BUILDKITE_COMMIT")),
        scm_branch=_branch(v),
        scm_repository=remote.repository if remote else None,
        scm_url=remote.web_url if remote else None,
        build_number=v("BUILDKITE_BUILD_NUMBER"),
        run_url=web(v("BUILDKITE_BUILD_URL")),
        invoke_id=v("BUILDKITE_BUILD_ID"),
        attempt=v("BUILDKITE_RETRY_COUNT"),
        job=v("BUILDKITE_JOB_ID"),
        leg=leg_of(v("BUILDKITE_PARALLEL_JOB"), v("BUILDKITE_PARALLEL_JOB_COUNT")),
        actor=v("BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_AUTHOR"),
        actor_email=v("BUILDKITE_BUILD_CREATOR_EMAIL" if has_creator else "BUILDKITE_BUILD_AUTHOR_EMAIL"),
        actor_name=v("BUILDKITE_BUILD_CREATOR", "BUILDKITE_BUILD_AUTHOR"),
        environment=v("BUILDKITE_GITHUB_DEPLOYMENT_ENVIRONMENT"),
        pull_request=_number(v),
        is_fork=_is_fork(v),
        is_ephemeral=v("BUILDKITE_COMPUTE_TYPE") == "hosted",
        metadata=extras(
            "bk",
            build_id=v("BUILDKITE_BUILD_ID"),
            job_id=v("BUILDKITE_JOB_ID"),
            label=v("BUILDKITE_LABEL"),
            organization_slug=v("BUILDKITE_ORGANIZATION_SLUG"),
            pipeline_slug=v("BUILDKITE_PIPELINE_SLUG"),
            source=v("BUILDKITE_SOURCE"),
            step_key=v("BUILDKITE_STEP_KEY"),
        ),
    )


def _branch(v: Variables) -> str | None:
    """A fork's branch may have its owner in front (`octocat:patch-1`); no branch name has a colon."""
    return None if v("BUILDKITE_TAG") else branch_of((v("BUILDKITE_BRANCH") or "").rpartition(":")[2] or None)


def _number(v: Variables) -> str | None:
    number = v("BUILDKITE_PULL_REQUEST")
    return None if number == "false" else number


def _is_fork(v: Variables) -> bool:
    """A pull request whose repository is another one, or is not known."""
    head, base = parse_remote(v("BUILDKITE_PULL_REQUEST_REPO")), parse_remote(v("BUILDKITE_REPO"))
    is_same = head is not None and base is not None and head.repository.lower() == base.repository.lower()
    return _number(v) is not None and not is_same


HOST = Host(
    name="buildkite",
    docs="https://buildkite.com/docs/pipelines/configure/environment-variables",
    variables=(
        "BUILDKITE",
        "BUILDKITE_BRANCH",
        "BUILDKITE_BUILD_AUTHOR",
        "BUILDKITE_BUILD_AUTHOR_EMAIL",
        "BUILDKITE_BUILD_CREATOR",
        "BUILDKITE_BUILD_CREATOR_EMAIL",
        "BUILDKITE_BUILD_ID",
        "BUILDKITE_BUILD_NUMBER",
        "BUILDKITE_BUILD_URL",
        "BUILDKITE_COMMIT",
        "BUILDKITE_COMPUTE_TYPE",
        "BUILDKITE_GITHUB_DEPLOYMENT_ENVIRONMENT",
        "BUILDKITE_JOB_ID",
        "BUILDKITE_LABEL",
        "BUILDKITE_ORGANIZATION_SLUG",
        "BUILDKITE_PARALLEL_JOB",
        "BUILDKITE_PARALLEL_JOB_COUNT",
        "BUILDKITE_PIPELINE_SLUG",
        "BUILDKITE_PULL_REQUEST",
        "BUILDKITE_PULL_REQUEST_REPO",
        "BUILDKITE_REPO",
        "BUILDKITE_RETRY_COUNT",
        "BUILDKITE_SOURCE",
        "BUILDKITE_STEP_KEY",
        "BUILDKITE_TAG",
    ),
    is_mine=lambda v: v.is_true("BUILDKITE"),
    read=_read,
)
