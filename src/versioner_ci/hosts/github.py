"""GitHub Actions, github.com and Enterprise.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import os
import stat
from typing import Any

from versioner_ci import text
from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables, below, branch_of, commit, extras, server, tag_of

_PULL_REQUEST = ("pull_request", "pull_request_review", "pull_request_review_comment")
_TRUSTED = ("pull_request_target", "workflow_run")
_DEPLOYMENT = ("deployment", "deployment_status")
_LARGEST_EVENT = 4 * 1024 * 1024


def _read(v: Variables) -> CIContext:
    url, repository = server(v("GITHUB_SERVER_URL")) or "https://github.com", v("GITHUB_REPOSITORY")
    attempt, event = v("GITHUB_RUN_ATTEMPT"), _event(v)
    run = below(url, repository, "actions/runs", v("GITHUB_RUN_ID"))
    return CIContext(
        source_system="github",
        server_url=url,
        version=_tag(v),
        scm_sha=commit(_dig(event, "pull_request", "head", "sha")) or v("GITHUB_SHA"),
        scm_branch=_branch(v, event),
        scm_repository=repository,
        scm_url=below(url, repository),
        build_number=v("GITHUB_RUN_NUMBER"),
        run_url=below(run, "attempts", attempt) if attempt and attempt != "1" else run,
        invoke_id=v("GITHUB_RUN_ID"),
        attempt=attempt,
        job=v("GITHUB_JOB"),
        actor=v("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        environment=_dig(event, "deployment", "environment"),
        pull_request=_number(v, event),
        is_fork=_is_untrusted(v, event),
        is_ephemeral=v("RUNNER_ENVIRONMENT") == "github-hosted",
        scratch=v("RUNNER_TEMP"),
        metadata=extras(
            "gh",
            workflow=v("GITHUB_WORKFLOW"),
            job=v("GITHUB_JOB"),
            run_attempt=attempt,
            event_name=v("GITHUB_EVENT_NAME"),
            ref=v("GITHUB_REF"),
            head_ref=v("GITHUB_HEAD_REF"),
            base_ref=v("GITHUB_BASE_REF"),
        ),
    )


def _tag(v: Variables) -> str | None:
    return tag_of(v("GITHUB_REF")) or (v("GITHUB_REF_NAME") if v("GITHUB_REF_TYPE") == "tag" else None)


def _branch(v: Variables, event: object) -> str | None:
    head = v("GITHUB_HEAD_REF") or _dig(event, "pull_request", "head", "ref")
    if head or _tag(v):
        return head
    return branch_of(v("GITHUB_REF") or (v("GITHUB_REF_NAME") if v("GITHUB_REF_TYPE") == "branch" else None))


def _number(v: Variables, event: object) -> str | None:
    ref = v("GITHUB_REF") or ""
    number = ref.removeprefix("refs/pull/").partition("/")[0] if ref.startswith("refs/pull/") else None
    return number or _dig(event, "pull_request", "number")


def _is_untrusted(v: Variables, event: object) -> bool:
    """GitHub gives these runs no secrets: a fork's pull request (also of a deleted fork), and Dependabot's."""
    name = v("GITHUB_EVENT_NAME")
    if name in _TRUSTED:
        return False
    head = _dig(event, "pull_request", "head", "repo", "full_name")
    is_fork = name in _PULL_REQUEST and (head or "").lower() != (v("GITHUB_REPOSITORY") or "").lower()
    return is_fork or v("GITHUB_ACTOR") == "dependabot[bot]"


def _event(v: Variables) -> object:
    """The event's payload, where it says more than the variables; None if it cannot be read."""
    path = v("GITHUB_EVENT_PATH")
    if path is None or v("GITHUB_EVENT_NAME") not in {*_PULL_REQUEST, *_DEPLOYMENT, "pull_request_target"}:
        return None
    import json  # noqa: PLC0415 - most runs need no event

    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib costs milliseconds
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST_EVENT:
            return None
        with open(path, "rb") as file:
            payload: object = json.loads(file.read(_LARGEST_EVENT))
            return payload
    except (OSError, ValueError, RecursionError):
        return None


def _dig(payload: Any, *keys: str) -> str | None:
    for key in keys:
        payload = payload.get(key) if isinstance(payload, dict) else None
    if isinstance(payload, bool) or not isinstance(payload, (str, int)):
        return None
    return text.clean(str(payload)) or None


HOST = Host(
    name="github",
    docs="https://docs.github.com/en/actions/reference/workflows-and-actions/variables",
    variables=(
        "GITHUB_ACTIONS",
        "GITHUB_ACTOR",
        "GITHUB_BASE_REF",
        "GITHUB_EVENT_NAME",
        "GITHUB_EVENT_PATH",
        "GITHUB_HEAD_REF",
        "GITHUB_JOB",
        "GITHUB_REF",
        "GITHUB_REF_NAME",
        "GITHUB_REF_TYPE",
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_SERVER_URL",
        "GITHUB_SHA",
        "GITHUB_TRIGGERING_ACTOR",
        "GITHUB_WORKFLOW",
        "RUNNER_ENVIRONMENT",
        "RUNNER_TEMP",
    ),
    is_mine=lambda v: v.is_true("GITHUB_ACTIONS"),
    read=_read,
)
