"""Rundeck; it says nothing about a repository: git in the working directory may.

https://docs.rundeck.com/docs/manual/jobs/job-variables.html
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, below, extras, server, web


def _read(v: Variables) -> CIContext:
    url = server(v("RD_JOB_SERVERURL"))
    return CIContext(
        source_system="rundeck",
        server_url=url,
        build_number=v("RD_JOB_EXECID"),
        run_url=_run_url(url, v),
        invoke_id=v("RD_JOB_EXECID"),
        attempt=v("RD_JOB_RETRYATTEMPT"),
        job=v("RD_JOB_ID", "RD_JOB_NAME"),
        leg=v("RD_NODE_NAME"),
        actor=v("RD_JOB_USERNAME", "RD_JOB_USER_NAME"),
        actor_email=v("RD_JOB_USER_EMAIL"),
        metadata=extras(
            "rd",
            job_id=v("RD_JOB_ID"),
            job_execid=v("RD_JOB_EXECID"),
            job_serverurl=web(v("RD_JOB_SERVERURL")),
            job_project=v("RD_JOB_PROJECT"),
            job_name=v("RD_JOB_NAME"),
            job_group=v("RD_JOB_GROUP"),
            job_url=web(v("RD_JOB_URL")),
        ),
    )


def _run_url(url: str | None, v: Variables) -> str | None:
    """The execution's page; RD_JOB_URL is the job's or the execution's, by version."""
    page = web(v("RD_JOB_URL"))
    if page and "/execution/" in page:
        return page
    return below(url, "project", v("RD_JOB_PROJECT"), "execution/show", v("RD_JOB_EXECID")) or page


HOST = Host(
    name="rundeck",
    docs="https://docs.rundeck.com/docs/manual/jobs/job-variables.html",
    variables=(
        "RD_JOB_EXECID",
        "RD_JOB_GROUP",
        "RD_JOB_ID",
        "RD_JOB_NAME",
        "RD_JOB_PROJECT",
        "RD_JOB_RETRYATTEMPT",
        "RD_JOB_SERVERURL",
        "RD_JOB_URL",
        "RD_JOB_USERNAME",
        "RD_JOB_USER_EMAIL",
        "RD_JOB_USER_NAME",
        "RD_NODE_NAME",
    ),
    is_mine=lambda v: v("RD_JOB_EXECID") is not None,
    read=_read,
)
