"""GitLab CI, gitlab.com and self-managed.

https://docs.gitlab.com/ci/variables/predefined_variables/
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, branch_of, extras, leg_of, origin, server, web

_ENDED = ("success", "failed", "canceled", "timedout")


def _read(v: Variables) -> CIContext:
    return CIContext(
        source_system="gitlab",
        server_url=server(v("CI_SERVER_URL")) or origin(v("CI_PROJECT_URL")),
        version=v("CI_COMMIT_TAG"),
        scm_sha=v("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
        scm_branch=_branch(v),
        scm_repository=v("CI_PROJECT_PATH"),
        scm_url=web(v("CI_PROJECT_URL")),
        build_number=v("CI_PIPELINE_IID", "CI_PIPELINE_ID"),
        run_url=web(v("CI_PIPELINE_URL")) or web(v("CI_JOB_URL")),
        invoke_id=v("CI_PIPELINE_ID"),
        attempt=v("CI_JOB_ID"),
        job=v("CI_JOB_NAME"),
        leg=leg_of(v("CI_NODE_INDEX"), v("CI_NODE_TOTAL")),
        actor=v("GITLAB_USER_LOGIN"),
        actor_email=v("GITLAB_USER_EMAIL"),
        actor_name=v("GITLAB_USER_NAME"),
        environment=_environment(v),
        pull_request=v("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID"),
        is_fork=_is_fork(v),
        is_ephemeral=v.is_true("CI_DISPOSABLE_ENVIRONMENT"),
        is_last_hook=v("CI_JOB_STATUS") in _ENDED,
        metadata=extras(
            "gl",
            pipeline_id=v("CI_PIPELINE_ID"),
            pipeline_url=web(v("CI_PIPELINE_URL")),
            job_id=v("CI_JOB_ID"),
            job_name=v("CI_JOB_NAME"),
            job_url=web(v("CI_JOB_URL")),
            pipeline_source=v("CI_PIPELINE_SOURCE"),
        ),
    )


def _branch(v: Variables) -> str | None:
    """A merged-results pipeline's CI_COMMIT_REF_NAME is the merge request's ref, not a branch."""
    head = v("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH")
    return head or (None if v("CI_COMMIT_TAG") else branch_of(v("CI_COMMIT_REF_NAME")))


def _environment(v: Variables) -> str | None:
    """Only the action `start`, the default, deploys: `stop`, `prepare`, `verify` and `access` do not."""
    return v("CI_ENVIRONMENT_NAME") if v("CI_ENVIRONMENT_ACTION") in {None, "start"} else None


def _is_fork(v: Variables) -> bool:
    """A merge request from another project that runs in this one; a source that is gone is one, too."""
    if v("CI_MERGE_REQUEST_IID"):
        return v("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH") != v("CI_PROJECT_PATH")
    source = v("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY")
    return bool(v("CI_EXTERNAL_PULL_REQUEST_IID")) and source != v("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY")


HOST = Host(
    name="gitlab",
    docs="https://docs.gitlab.com/ci/variables/predefined_variables/",
    variables=(
        "CI_COMMIT_BRANCH",
        "CI_COMMIT_REF_NAME",
        "CI_COMMIT_SHA",
        "CI_COMMIT_TAG",
        "CI_DISPOSABLE_ENVIRONMENT",
        "CI_ENVIRONMENT_ACTION",
        "CI_ENVIRONMENT_NAME",
        "CI_EXTERNAL_PULL_REQUEST_IID",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA",
        "CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY",
        "CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY",
        "CI_JOB_ID",
        "CI_JOB_NAME",
        "CI_JOB_STATUS",
        "CI_JOB_URL",
        "CI_MERGE_REQUEST_IID",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
        "CI_NODE_INDEX",
        "CI_NODE_TOTAL",
        "CI_PIPELINE_ID",
        "CI_PIPELINE_IID",
        "CI_PIPELINE_SOURCE",
        "CI_PIPELINE_URL",
        "CI_PROJECT_PATH",
        "CI_PROJECT_URL",
        "CI_SERVER_URL",
        "GITLAB_CI",
        "GITLAB_USER_EMAIL",
        "GITLAB_USER_LOGIN",
        "GITLAB_USER_NAME",
    ),
    is_mine=lambda v: v.is_true("GITLAB_CI"),
    read=_read,
)
