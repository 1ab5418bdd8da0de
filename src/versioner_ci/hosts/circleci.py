"""CircleCI, cloud and server.

https://circleci.com/docs/reference/variables/#built-in-environment-variables
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, branch_of, extras, leg_of, origin, web
from versioner_ci.hosts._remote import parse_remote


def _read(v: Variables) -> CIContext:
    remote = parse_remote(v("CIRCLE_REPOSITORY_URL"))
    return CIContext(
        source_system="circleci",
        server_url=origin(v("CIRCLE_BUILD_URL")) or "https://circleci.com",
        version=v("CIRCLE_TAG"),
        scm_sha=v("CIRCLE_SHA1"),
        scm_branch=_branch(v),
        scm_repository=remote.repository if remote else _named(v),
        scm_url=remote.web_url if remote else None,
        build_number=v("CIRCLE_BUILD_NUM"),
        run_url=web(v("CIRCLE_BUILD_URL")),
        invoke_id=v("CIRCLE_WORKFLOW_ID"),
        attempt=v("CIRCLE_WORKFLOW_JOB_ID"),
        job=v("CIRCLE_JOB"),
        leg=leg_of(v("CIRCLE_NODE_INDEX"), v("CIRCLE_NODE_TOTAL") or "1"),
        actor=v("CIRCLE_USERNAME"),
        pull_request=_number(v),
        is_fork=_is_fork(v),
        is_ephemeral=True,
        metadata=extras(
            "circle",
            workflow_id=v("CIRCLE_WORKFLOW_ID"),
            workflow_job_id=v("CIRCLE_WORKFLOW_JOB_ID"),
            job_name=v("CIRCLE_JOB"),
            node_index=v("CIRCLE_NODE_INDEX"),
        ),
    )


def _named(v: Variables) -> str | None:
    owner, name = v("CIRCLE_PROJECT_USERNAME"), v("CIRCLE_PROJECT_REPONAME")
    return f"{owner}/{name}" if owner and name else name


def _branch(v: Variables) -> str | None:
    """For a fork's pull request CIRCLE_BRANCH is `pull/12`, and nothing says its head branch."""
    name = v("CIRCLE_BRANCH")
    return None if v("CIRCLE_TAG") or (name or "").startswith("pull/") else branch_of(name)


def _number(v: Variables) -> str | None:
    url = v("CIRCLE_PULL_REQUEST") or (v("CIRCLE_PULL_REQUESTS") or "").split(",")[0]
    last = url.rstrip("/").rpartition("/")[2]
    return v("CIRCLE_PR_NUMBER") or (last if last.isdigit() else None)


def _is_fork(v: Variables) -> bool:
    """The CIRCLE_PR_* variables are set on forked pull requests only."""
    is_named = v("CIRCLE_PR_NUMBER", "CIRCLE_PR_USERNAME", "CIRCLE_PR_REPONAME") is not None
    return is_named or (v("CIRCLE_BRANCH") or "").startswith("pull/")


HOST = Host(
    name="circleci",
    docs="https://circleci.com/docs/reference/variables/#built-in-environment-variables",
    variables=(
        "CIRCLECI",
        "CIRCLE_BRANCH",
        "CIRCLE_BUILD_NUM",
        "CIRCLE_BUILD_URL",
        "CIRCLE_JOB",
        "CIRCLE_NODE_INDEX",
        "CIRCLE_NODE_TOTAL",
        "CIRCLE_PROJECT_REPONAME",
        "CIRCLE_PROJECT_USERNAME",
        "CIRCLE_PR_NUMBER",
        "CIRCLE_PR_REPONAME",
        "CIRCLE_PR_USERNAME",
        "CIRCLE_PULL_REQUEST",
        "CIRCLE_PULL_REQUESTS",
        "CIRCLE_REPOSITORY_URL",
        "CIRCLE_SHA1",
        "CIRCLE_TAG",
        "CIRCLE_USERNAME",
        "CIRCLE_WORKFLOW_ID",
        "CIRCLE_WORKFLOW_JOB_ID",
    ),
    is_mine=lambda v: v.is_true("CIRCLECI"),
    read=_read,
)
