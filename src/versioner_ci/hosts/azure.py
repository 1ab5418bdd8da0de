"""Azure Pipelines, dev.azure.com and Azure DevOps Server; YAML pipelines and classic releases.

https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
https://learn.microsoft.com/en-us/azure/devops/pipelines/release/variables
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, below, branch_of, extras, leg_of, quoted, server, tag_of, web
from versioner_ci.hosts._remote import parse_remote


def _read(v: Variables) -> CIContext:
    url = server(v("SYSTEM_COLLECTIONURI")) or server(v("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"))
    remote = parse_remote(v("BUILD_REPOSITORY_URI"))
    ref, head, release = v("BUILD_SOURCEBRANCH"), v("SYSTEM_PULLREQUEST_SOURCEBRANCH"), v("RELEASE_RELEASEID")
    actor = v("RELEASE_DEPLOYMENT_REQUESTEDFOR", "RELEASE_REQUESTEDFOR", "BUILD_REQUESTEDFOR")
    return CIContext(
        source_system="azure-devops",
        server_url=url,
        version=tag_of(ref),
        scm_sha=v("SYSTEM_PULLREQUEST_SOURCECOMMITID", "BUILD_SOURCEVERSION"),
        scm_branch=branch_of(head or ref),
        scm_repository=remote.repository if remote else v("BUILD_REPOSITORY_NAME"),
        scm_url=remote.web_url if remote else None,
        build_number=v("BUILD_BUILDNUMBER"),
        run_url=web(v("RELEASE_RELEASEWEBURL")) or _build_url(url, v),
        invoke_id=f"release-{release}" if release else v("BUILD_BUILDID"),
        attempt=_attempt(v),
        job=_job(v),
        leg=_leg(v),
        actor=actor,
        actor_email=_email(v, actor),
        actor_name=actor,
        environment=v("ENVIRONMENT_NAME", "RELEASE_ENVIRONMENTNAME"),
        pull_request=v("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "SYSTEM_PULLREQUEST_PULLREQUESTID"),
        is_fork=v.is_true("SYSTEM_PULLREQUEST_ISFORK"),
        is_ephemeral=_is_hosted(v),
        scratch=v("AGENT_TEMPDIRECTORY"),
        metadata=extras(
            "azure",
            build_id=v("BUILD_BUILDID"),
            definition_name=v("BUILD_DEFINITIONNAME"),
            agent_name=v("AGENT_NAME"),
            team_project=v("SYSTEM_TEAMPROJECT"),
        ),
    )


def _build_url(url: str | None, v: Variables) -> str | None:
    """BUILD_BUILDURI is no web address (vstfs:///Build/Build/1430)."""
    page, build = below(url, v("SYSTEM_TEAMPROJECT"), "_build/results"), v("BUILD_BUILDID")
    return f"{page}?buildId={quoted(build)}" if page and build else None


def _email(v: Variables, actor: str | None) -> str | None:
    """A release is started, and each of its stages deployed, by somebody: only the address of this one will do."""
    by_build = {v("BUILD_REQUESTEDFOR"): v("BUILD_REQUESTEDFOREMAIL")}
    return {**by_build, v("RELEASE_REQUESTEDFOR"): v("RELEASE_REQUESTEDFOREMAIL")}.get(actor)


def _attempt(v: Variables) -> str | None:
    """The job's attempt; with the stage's in front where only the stage was run again."""
    job, stage = v("SYSTEM_JOBATTEMPT"), v("SYSTEM_STAGEATTEMPT", "RELEASE_ATTEMPTNUMBER")
    return f"{stage}.{job}" if job and stage not in {None, "1", job} else job or stage


def _job(v: Variables) -> str | None:
    """The design-time job is called phase; a matrix or a slicing makes several jobs of it."""
    return ".".join(filter(None, (v("SYSTEM_STAGENAME"), v("SYSTEM_PHASENAME", "SYSTEM_JOBNAME")))) or None


def _leg(v: Variables) -> str | None:
    name = v("SYSTEM_JOBNAME")
    if v("SYSTEM_PHASENAME") and name not in {None, "__default", v("SYSTEM_PHASENAME")}:
        return name
    return leg_of(v("SYSTEM_JOBPOSITIONINPHASE"), v("SYSTEM_TOTALJOBSINPHASE") or "1")


def _is_hosted(v: Variables) -> bool:
    """A Microsoft-hosted agent runs one job; its pools' agents are `Azure Pipelines N` and `Hosted Agent`."""
    known = v("AGENT_ISSELFHOSTED")
    return known == "0" if known else (v("AGENT_NAME") or "").startswith(("Azure Pipelines", "Hosted"))


HOST = Host(
    name="azure-devops",
    docs="https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables",
    variables=(
        "AGENT_ISSELFHOSTED",
        "AGENT_NAME",
        "AGENT_TEMPDIRECTORY",
        "BUILD_BUILDID",
        "BUILD_BUILDNUMBER",
        "BUILD_DEFINITIONNAME",
        "BUILD_REPOSITORY_NAME",
        "BUILD_REPOSITORY_URI",
        "BUILD_REQUESTEDFOR",
        "BUILD_REQUESTEDFOREMAIL",
        "BUILD_SOURCEBRANCH",
        "BUILD_SOURCEVERSION",
        "ENVIRONMENT_NAME",
        "RELEASE_ATTEMPTNUMBER",
        "RELEASE_DEPLOYMENT_REQUESTEDFOR",
        "RELEASE_ENVIRONMENTNAME",
        "RELEASE_RELEASEID",
        "RELEASE_RELEASEWEBURL",
        "RELEASE_REQUESTEDFOR",
        "RELEASE_REQUESTEDFOREMAIL",
        "SYSTEM_COLLECTIONURI",
        "SYSTEM_JOBATTEMPT",
        "SYSTEM_JOBNAME",
        "SYSTEM_JOBPOSITIONINPHASE",
        "SYSTEM_PHASENAME",
        "SYSTEM_PULLREQUEST_ISFORK",
        "SYSTEM_PULLREQUEST_PULLREQUESTID",
        "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER",
        "SYSTEM_PULLREQUEST_SOURCEBRANCH",
        "SYSTEM_PULLREQUEST_SOURCECOMMITID",
        "SYSTEM_STAGEATTEMPT",
        "SYSTEM_STAGENAME",
        "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",
        "SYSTEM_TEAMPROJECT",
        "SYSTEM_TOTALJOBSINPHASE",
        "TF_BUILD",
    ),
    is_mine=lambda v: v.is_true("TF_BUILD"),
    read=_read,
)
