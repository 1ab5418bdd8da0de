"""Bitbucket Pipelines (Cloud).

https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, below, branch_of, extras, leg_of

_CLOUD = "https://bitbucket.org"


def _read(v: Variables) -> CIContext:
    repository = (
        v("BITBUCKET_REPO_FULL_NAME")
        or "/".join(filter(None, (v("BITBUCKET_WORKSPACE"), v("BITBUCKET_REPO_SLUG"))))
        or None
    )
    page = below(_CLOUD, repository)
    run = below(page, "pipelines/results", v("BITBUCKET_BUILD_NUMBER"))
    return CIContext(
        source_system="bitbucket",
        server_url=_CLOUD,
        version=v("BITBUCKET_TAG"),
        scm_sha=v("BITBUCKET_COMMIT"),
        scm_branch=None if v("BITBUCKET_TAG") else branch_of(v("BITBUCKET_BRANCH")),
        scm_repository=repository,
        scm_url=page,
        build_number=v("BITBUCKET_BUILD_NUMBER"),
        run_url=below(run, "steps", v("BITBUCKET_STEP_UUID")) or run,
        invoke_id=v("BITBUCKET_PIPELINE_UUID"),
        attempt=v("BITBUCKET_STEP_RUN_NUMBER"),
        job=v("BITBUCKET_STEP_UUID"),
        leg=leg_of(v("BITBUCKET_PARALLEL_STEP"), v("BITBUCKET_PARALLEL_STEP_COUNT")),
        actor=v("BITBUCKET_STEP_TRIGGERER_UUID"),
        environment=v("BITBUCKET_DEPLOYMENT_ENVIRONMENT"),
        pull_request=v("BITBUCKET_PR_ID"),
        is_ephemeral=True,
        metadata=extras(
            "bb",
            pipeline_uuid=v("BITBUCKET_PIPELINE_UUID"),
            step_uuid=v("BITBUCKET_STEP_UUID"),
            workspace=v("BITBUCKET_WORKSPACE"),
            repo_slug=v("BITBUCKET_REPO_SLUG"),
        ),
    )


HOST = Host(
    name="bitbucket",
    docs="https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/",
    variables=(
        "BITBUCKET_BRANCH",
        "BITBUCKET_BUILD_NUMBER",
        "BITBUCKET_COMMIT",
        "BITBUCKET_DEPLOYMENT_ENVIRONMENT",
        "BITBUCKET_PARALLEL_STEP",
        "BITBUCKET_PARALLEL_STEP_COUNT",
        "BITBUCKET_PIPELINE_UUID",
        "BITBUCKET_PR_ID",
        "BITBUCKET_REPO_FULL_NAME",
        "BITBUCKET_REPO_SLUG",
        "BITBUCKET_STEP_RUN_NUMBER",
        "BITBUCKET_STEP_TRIGGERER_UUID",
        "BITBUCKET_STEP_UUID",
        "BITBUCKET_TAG",
        "BITBUCKET_WORKSPACE",
    ),
    is_mine=lambda v: v("BITBUCKET_PIPELINE_UUID", "BITBUCKET_BUILD_NUMBER") is not None,
    read=_read,
)
