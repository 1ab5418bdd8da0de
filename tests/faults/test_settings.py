"""Rows 48 and 49: what CI host and git do not say, and settings that cannot be used."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.faults import CANARY, KEY, Fault, delivered
from tests.support.process import Repo
from tests.support.recorder import Recorder

STARTED = ("report", "build", "started")
HOSTS = {
    "github": {"GITHUB_ACTIONS": "true"},
    "gitlab": {"GITLAB_CI": "true"},
    "jenkins": {"BUILD_ID": "1"},
    "azure": {"TF_BUILD": "True"},
    "bitbucket": {"BITBUCKET_BUILD_NUMBER": "1"},
    "circleci": {"CIRCLECI": "true"},
    "buildkite": {"BUILDKITE": "true"},
    "travis": {"TRAVIS": "true"},
    "rundeck": {"RD_JOB_EXECID": "1"},
}


@pytest.mark.parametrize("env", [pytest.param(env, id=f"fault-48 {name}") for name, env in HOSTS.items()])
def test_a_host_that_says_nothing_more_leaves_it_to_git(fault: Fault, tracker: Recorder, env: dict[str, str]) -> None:
    fault(*STARTED, env=env)
    body = tracker.events[0].body
    assert (body["product_name"], body["scm_sha"]) == ("shop", fault.repo.sha)
    assert body["version"] == fault.repo.sha[:12]


def test_fault_48_a_detached_head_has_no_branch(fault: Fault, tracker: Recorder) -> None:
    fault.repo.git("checkout", "--quiet", "--detach")
    fault(*STARTED)
    assert "scm_branch" not in tracker.events[0].body


def test_fault_48_a_shallow_clone_says_what_it_knows(fault: Fault, tracker: Recorder, tmp_path: Path) -> None:
    (fault.repo.path / "more").write_text("more")
    fault.repo.git("add", ".")
    fault.repo.git("commit", "--quiet", "--message", "second")
    fault.repo.git("clone", "--quiet", "--depth", "1", f"file://{fault.repo.path}", str(tmp_path / "clone" / "shop"))
    fault.repo = Repo(path=tmp_path / "clone" / "shop", sha=fault.repo.git("rev-parse", "HEAD"), git=fault.repo.git)
    fault(*STARTED, "--product", "shop")
    assert tracker.events[0].body["scm_sha"] == fault.repo.sha


def no_git(fault: Fault) -> None:
    empty = fault.folder / "bin"
    empty.mkdir()
    fault.env["PATH"] = str(empty)


def no_repository(fault: Fault) -> None:
    shutil.rmtree(fault.repo.path / ".git")


def instead_of_git(fault: Fault, script: str) -> None:
    folder = fault.folder / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    fault.env["PATH"] = f"{folder}{os.pathsep}{fault.env['PATH']}"


def unsafe(fault: Fault) -> None:
    """git refuses a repository of another user's; it can be told that this one is."""
    instead_of_git(fault, f'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {shutil.which("git")} "$@"')


def hanging(fault: Fault) -> None:
    instead_of_git(fault, "exec sleep 30")


BROKEN = [no_git, no_repository, unsafe, hanging]


@pytest.mark.parametrize("break_it", [pytest.param(each, id=f"fault-48 {each.__name__}") for each in BROKEN])
def test_without_git_a_partial_event_is_sent(fault: Fault, tracker: Recorder, break_it: object) -> None:
    assert callable(break_it)
    break_it(fault)
    fault(*STARTED, "--product", "shop", "--version", "1", kept=[])
    body = tracker.events[0].body
    assert body["status"] == "started"
    assert "scm_branch" not in body


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            STARTED, "the build's product is not known (give --product or VERSIONER_PRODUCT)", id="fault-48 product"
        ),
        pytest.param((*STARTED, "--product", "shop"), "the build's version is not known", id="fault-48 version"),
        pytest.param(
            ("report", "deployment", "started", "--product", "shop", "--version", "1"),
            "the deployment's environment is not known",
            id="fault-48 environment",
        ),
    ],
)
def test_a_missing_required_field_is_named_with_the_flag_that_sets_it(
    fault: Fault, tracker: Recorder, arguments: tuple[str, ...], said: str
) -> None:
    no_repository(fault)
    no_git(fault)
    fault(*arguments, code=2, said=said, kept=[])
    assert tracker.requests == []


URLS = {
    "malformed": "http//tracker",
    "a blank inside": "http://127.0.0.1 /",
    "no host": "https://",
    "another scheme": "ftp://tracker.example",
    "userinfo": f"https://ada:{CANARY}@tracker.example",
    "unencrypted": "http://tracker.example",
    "port": "https://tracker.example:99999",
    "a line break inside": "https://a\nb",
}


@pytest.mark.parametrize("url", [pytest.param(url, id=f"fault-49 {name}") for name, url in URLS.items()])
def test_an_address_that_cannot_be_used_sends_nothing_until_it_is_corrected(
    fault: Fault, tracker: Recorder, url: str
) -> None:
    result = fault(*STARTED, env={"VERSIONER_API_URL": url}, kept=["backend build.started"])
    assert "VERSIONER_API_URL" in result.err
    fault(
        "report",
        "build",
        "completed",
        env={"VERSIONER_API_URL": url},
        kept=[
            "backend build.completed",
            "backend build.started",
        ],
    )
    fault("flush", kept=[], said=delivered(2))
    assert tracker.states() == ["started", "completed"]


@pytest.mark.parametrize("url", [pytest.param(url, id=f"fault-49 typed {name}") for name, url in URLS.items()])
def test_an_address_that_was_typed_wrong_is_wrong_usage(fault: Fault, url: str) -> None:
    fault(*STARTED, "--api-url", url, code=2, said="--api-url", kept=[])


def test_fault_49_strict_an_unusable_address_is_an_undelivered_event(fault: Fault) -> None:
    fault(*STARTED, "--fail-on-error", env={"VERSIONER_API_URL": URLS["userinfo"]}, code=4)


@pytest.mark.parametrize("end", [pytest.param(end, id=f"fault-49 {end!r}") for end in ("\n", "\r\n", " ", "\t")])
def test_a_blank_at_a_keys_end_is_taken_off_and_said(fault: Fault, tracker: Recorder, end: str) -> None:
    fault(*STARTED, env={"VERSIONER_API_KEY": KEY + end}, kept=[], said="VERSIONER_API_KEY ended in a newline")
    assert tracker.events[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "middle",
    [pytest.param(middle, id=f"fault-49 {middle!r}") for middle in ("\n", "\r\nX-Header: a", "\x1b", "\u20ac", " ")],
)
def test_a_key_that_no_header_can_carry_is_refused_unseen(fault: Fault, tracker: Recorder, middle: str) -> None:
    fault(
        *STARTED,
        env={"VERSIONER_API_KEY": KEY[:20] + middle + KEY[20:]},
        kept=["backend build.started"],
        said="VERSIONER_API_KEY",
    )
    assert tracker.requests == []
    fault("flush", kept=[], said=delivered(1))
