from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext

SHA = "ffac537e6cbbf934b08745a378932722df287a53"
HEAD = "a1e2f3d4c5b6a7980a1b2c3d4e5f60718293a4b5"


def pull_request(tmp_path: Path, payload: object = None, **changes: str) -> CIContext:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(event_of("acme/shop") if payload is None else payload), encoding="utf-8")
    return hosts.detect(load("github_pull_request", GITHUB_EVENT_PATH=str(event), **changes))


def event_of(repository: str | None, **head: Any) -> dict[str, Any]:
    repo = {"full_name": repository} if repository else None
    return {"pull_request": {"number": 42, "head": {"sha": HEAD, "ref": "fix/totals", "repo": repo, **head}}}


def test_a_push_says_everything() -> None:
    assert hosts.detect(load("github_push")) == CIContext(
        source_system="github",
        server_url="https://github.com",
        product="shop",
        version=SHA[:12],
        scm_sha=SHA,
        scm_branch="feature/checkout",
        scm_repository="acme/shop",
        scm_url="https://github.com/acme/shop",
        build_number="372",
        run_url="https://github.com/acme/shop/actions/runs/1658821493",
        invoke_id="1658821493",
        attempt="1",
        job="deploy",
        actor="octocat",
        is_ephemeral=True,
        scratch="/home/runner/_work/_temp",
        metadata={
            "vi_gh_workflow": "Deploy the shop",
            "vi_gh_job": "deploy",
            "vi_gh_run_attempt": "1",
            "vi_gh_event_name": "push",
            "vi_gh_ref": "refs/heads/feature/checkout",
        },
    )


def test_a_pull_request_is_its_head_not_the_merge_commit(tmp_path: Path) -> None:
    context = pull_request(tmp_path)
    assert (context.scm_sha, context.version, context.scm_branch) == (HEAD, HEAD[:12], "fix/totals")
    assert (context.pull_request, context.is_fork) == ("42", False)
    assert context.metadata["vi_gh_head_ref"] == "fix/totals"
    assert context.metadata["vi_gh_base_ref"] == "main"


def test_a_rerun_links_its_attempt_and_names_who_ran_it_again(tmp_path: Path) -> None:
    context = pull_request(tmp_path)
    assert context.run_url == "https://github.com/acme/shop/actions/runs/1658821493/attempts/3"
    assert (context.attempt, context.actor, context.invoke_id) == ("3", "hubot", "1658821493")


@pytest.mark.parametrize(
    ("repository", "is_fork"),
    [("acme/shop", False), ("Acme/Shop", False), ("mallory/shop", True), (None, True)],
    ids=["same", "same in other case", "fork", "fork deleted"],
)
@pytest.mark.parametrize("event", ["pull_request", "pull_request_review", "pull_request_review_comment"])
def test_a_forks_pull_request_is_untrusted(tmp_path: Path, event: str, repository: str | None, is_fork: bool) -> None:
    context = pull_request(tmp_path, event_of(repository), GITHUB_EVENT_NAME=event)
    assert context.is_fork is is_fork


def test_pull_request_target_is_a_trusted_run_of_the_head(tmp_path: Path) -> None:
    context = pull_request(
        tmp_path,
        event_of("mallory/shop"),
        GITHUB_EVENT_NAME="pull_request_target",
        GITHUB_REF="refs/heads/main",
        GITHUB_REF_NAME="main",
    )
    assert (context.is_fork, context.scm_branch, context.scm_sha) == (False, "fix/totals", HEAD)
    assert context.pull_request == "42"


def test_workflow_run_is_trusted_and_speaks_of_what_it_runs_on() -> None:
    context = hosts.detect(load("github_push", GITHUB_EVENT_NAME="workflow_run", GITHUB_ACTOR="dependabot[bot]"))
    assert (context.is_fork, context.scm_sha) == (False, SHA)


@pytest.mark.parametrize("event", ["push", "pull_request", "deployment"])
def test_dependabot_is_untrusted_also_when_a_person_runs_it_again(tmp_path: Path, event: str) -> None:
    context = pull_request(
        tmp_path, GITHUB_EVENT_NAME=event, GITHUB_ACTOR="dependabot[bot]", GITHUB_TRIGGERING_ACTOR="octocat"
    )
    assert context.is_fork
    assert context.actor == "octocat"


@pytest.mark.parametrize(
    "changes",
    [
        {"GITHUB_REF": "refs/tags/v1.4.2", "GITHUB_REF_NAME": "v1.4.2", "GITHUB_REF_TYPE": "tag"},
        {"GITHUB_REF": "", "GITHUB_REF_NAME": "v1.4.2", "GITHUB_REF_TYPE": "tag"},
        {"GITHUB_REF": "refs/tags/v1.4.2", "GITHUB_REF_NAME": "", "GITHUB_REF_TYPE": ""},
    ],
)
def test_a_tags_run_has_the_tag_as_version_and_no_branch(changes: dict[str, str]) -> None:
    context = hosts.detect(load("github_push", **changes))
    assert (context.version, context.scm_branch, context.scm_sha) == ("v1.4.2", None, SHA)


def test_a_branch_called_like_a_remotes_keeps_its_name() -> None:
    assert hosts.detect(load("github_push", GITHUB_REF="refs/heads/origin/x")).scm_branch == "origin/x"


def test_the_branch_is_known_without_the_full_ref() -> None:
    assert hosts.detect(load("github_push", GITHUB_REF="")).scm_branch == "feature/checkout"


def test_an_enterprise_server_has_its_own_address() -> None:
    context = hosts.detect(load("github_push", GITHUB_SERVER_URL="https://user:pw@github.example.com:8443/"))
    assert context.server_url == "https://github.example.com:8443"
    assert context.run_url == "https://github.example.com:8443/acme/shop/actions/runs/1658821493"
    assert context.scm_url == "https://github.example.com:8443/acme/shop"


def test_a_self_hosted_runner_outlives_the_job() -> None:
    assert not hosts.detect(load("github_push", RUNNER_ENVIRONMENT="self-hosted")).is_ephemeral


def test_a_deployment_event_names_its_environment(tmp_path: Path) -> None:
    context = pull_request(tmp_path, {"deployment": {"environment": "staging"}}, GITHUB_EVENT_NAME="deployment_status")
    assert context.environment == "staging"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"pull_request": []}',
        b"[" * 100_000,
        b'{"pull_request": {"head": {"sha": 7}}}',
    ],
    ids=["empty", "cut", "list", "null", "no text", "no record", "nested", "number"],
)
def test_an_unreadable_event_leaves_the_variables_and_counts_as_a_fork(tmp_path: Path, raw: bytes) -> None:
    event = tmp_path / "event.json"
    event.write_bytes(raw)
    context = hosts.detect(load("github_pull_request", GITHUB_EVENT_PATH=str(event)))
    assert context.is_fork
    assert context.scm_branch == "fix/totals"
    assert context.scm_sha in {"9" * 40, "7"}


def test_an_event_that_is_no_file_hangs_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "missing", "\0"):
        assert hosts.detect(load("github_pull_request", GITHUB_EVENT_PATH=str(path))).is_fork


def test_a_huge_event_is_not_read(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({**event_of("acme/shop"), "padding": "x" * 5_000_000}), encoding="utf-8")
    assert hosts.detect(load("github_pull_request", GITHUB_EVENT_PATH=str(event))).is_fork


@pytest.mark.parametrize("sha", ["HEAD", "$(id)", "", None, True, ["a"], "\ud800"])
def test_a_head_that_is_no_commit_is_not_taken(tmp_path: Path, sha: object) -> None:
    assert pull_request(tmp_path, event_of("acme/shop", sha=sha)).scm_sha == "9" * 40


def test_a_head_branch_is_outside_text_and_stays_as_it_is(tmp_path: Path) -> None:
    assert pull_request(tmp_path, GITHUB_HEAD_REF="$(id)<!channel>%0A").scm_branch == "$(id)<!channel>%0A"
