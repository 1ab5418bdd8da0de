"""Jenkins: freestyle, pipeline and multibranch jobs, with the git and the build-user-vars plugin.

https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
(each controller lists its own at /env-vars.html)
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, branch_of, extras, server, tag_of, web
from versioner_ci.hosts._remote import parse_remote


def _read(v: Variables) -> CIContext:
    remote = parse_remote(v("GIT_URL", "GIT_URL_1"))
    has_user = v("BUILD_USER_ID") is not None
    return CIContext(
        source_system="jenkins",
        server_url=server(v("JENKINS_URL")),
        version=_tag(v),
        scm_sha=v("GIT_COMMIT"),
        scm_branch=_branch(v),
        scm_repository=remote.repository if remote else None,
        scm_url=remote.web_url if remote else None,
        build_number=v("BUILD_NUMBER"),
        run_url=web(v("BUILD_URL")),
        invoke_id=v("BUILD_ID", "BUILD_NUMBER"),
        pipeline=v("JOB_NAME"),
        leg=v("VERSIONER_LEG"),
        actor=v("BUILD_USER_ID", "CHANGE_AUTHOR"),
        actor_email=v("BUILD_USER_EMAIL" if has_user else "CHANGE_AUTHOR_EMAIL"),
        actor_name=v("BUILD_USER" if has_user else "CHANGE_AUTHOR_DISPLAY_NAME"),
        pull_request=v("CHANGE_ID"),
        is_fork=v("CHANGE_FORK") is not None,
        scratch=v("WORKSPACE_TMP"),
        metadata=extras(
            "jenkins",
            job_name=v("JOB_NAME"),
            build_url=web(v("BUILD_URL")),
            node_name=v("NODE_NAME"),
            stage_name=v("STAGE_NAME"),
            executor_number=v("EXECUTOR_NUMBER"),
        ),
    )


def _tag(v: Variables) -> str | None:
    return v("TAG_NAME") or tag_of(v("GIT_BRANCH"))


def _branch(v: Variables) -> str | None:
    """GIT_BRANCH has the remote's name in front; a pull request's BRANCH_NAME is `PR-12`."""
    if v("CHANGE_ID") or _tag(v):
        return v("CHANGE_BRANCH")
    name = v("BRANCH_NAME", "GIT_LOCAL_BRANCH")
    return branch_of(name) if name else branch_of(_local(v("GIT_BRANCH")))


def _local(ref: str | None) -> str | None:
    for prefix in ("refs/remotes/", "remotes/"):
        ref = ref.removeprefix(prefix) if ref else None
    return ref.removeprefix("origin/") if ref else None


def _is_mine(v: Variables) -> bool:
    """Any shell may have JENKINS_URL for the command line client: only a build has a build's variables."""
    is_build = v("BUILD_ID", "BUILD_NUMBER", "BUILD_URL") is not None
    has_tag = (v("BUILD_TAG") or "").startswith("jenkins-")
    return is_build and (has_tag or v("JENKINS_URL", "JENKINS_HOME") is not None)


HOST = Host(
    name="jenkins",
    docs="https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables",
    variables=(
        "BRANCH_NAME",
        "BUILD_ID",
        "BUILD_NUMBER",
        "BUILD_TAG",
        "BUILD_URL",
        "BUILD_USER",
        "BUILD_USER_EMAIL",
        "BUILD_USER_ID",
        "CHANGE_AUTHOR",
        "CHANGE_AUTHOR_DISPLAY_NAME",
        "CHANGE_AUTHOR_EMAIL",
        "CHANGE_BRANCH",
        "CHANGE_FORK",
        "CHANGE_ID",
        "EXECUTOR_NUMBER",
        "GIT_BRANCH",
        "GIT_COMMIT",
        "GIT_LOCAL_BRANCH",
        "GIT_URL",
        "GIT_URL_1",
        "JENKINS_HOME",
        "JENKINS_URL",
        "JOB_NAME",
        "NODE_NAME",
        "STAGE_NAME",
        "TAG_NAME",
        "VERSIONER_LEG",  # set by our shared library: Jenkins itself tells parallel branches apart by nothing
        "WORKSPACE_TMP",
    ),
    is_mine=_is_mine,
    read=_read,
)
