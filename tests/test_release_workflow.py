"""The release workflow, read: who may do what, and that nothing unpinned runs in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / ".github" / "workflows" / "release.yml"
TEXT = PATH.read_text(encoding="utf-8")
WORKFLOW: dict[str, Any] = yaml.load(TEXT, yaml.BaseLoader)  # noqa: S506 - `on` stays a word
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
BUILDING = ("build", "test", "same")
PUBLISHING = ("package-index", "attest", "tag")


def steps(job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = JOBS[job]["steps"]
    return found


def test_only_a_tag_of_a_whole_version_starts_it() -> None:
    assert WORKFLOW["on"] == {"push": {"tags": ["release/v[0-9]+.[0-9]+.[0-9]+"]}}


def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it() -> None:
    uses = re.findall(r"uses: (\S+)(.*)", TEXT)
    assert len(uses) > 8
    assert [use for use, _ in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", use)] == []
    assert [use for use, beside in uses if not re.fullmatch(r" # v\d+\.\d+\.\d+", beside)] == []
    assert len(dict(uses)) == len({use.partition("@")[0] for use, _ in uses})


def test_each_job_may_do_what_it_must_and_no_more() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {job: JOBS[job]["permissions"] for job in JOBS} == {
        **{job: {"contents": "read"} for job in BUILDING},
        "package-index": {"id-token": "write"},
        "published": {},
        "attest": {"id-token": "write", "attestations": "write"},
        "tag": {"contents": "write"},
    }


def test_what_publishes_runs_after_the_tests_and_builds_nothing() -> None:
    assert {*BUILDING, *PUBLISHING, "published"} == JOBS.keys()
    for job in PUBLISHING:
        ran = "\n".join(step.get("run", "") for step in steps(job))
        assert not re.search(r"script/(build|test|bootstrap)|\.ci/run|pip ", ran)
    for job in ("package-index", "attest"):
        assert JOBS[job]["needs"] == ["build", "test", "same"]
        assert all("checkout" not in step.get("uses", "") for step in steps(job))
    assert JOBS["published"]["needs"] == ["build", "package-index"]
    assert JOBS["tag"]["needs"] == ["build", "published", "attest"]


def test_the_package_index_trusts_an_environment_that_no_other_job_is_in() -> None:
    environments = {job: JOBS[job]["environment"] for job in JOBS if "environment" in JOBS[job]}
    assert environments == {"package-index": "package-index", "attest": "release", "tag": "release"}


def test_the_publisher_can_read_what_hatchling_writes() -> None:
    """Metadata-Version 2.5 needs twine 7, which this action has from 1.14.2 on."""
    [version] = re.findall(r"pypa/gh-action-pypi-publish@[0-9a-f]{40} # v(\S+)", TEXT)
    assert tuple(map(int, version.split("."))) >= (1, 14, 2)


def test_a_waiting_release_is_not_cancelled_by_the_next_one() -> None:
    assert "concurrency" not in WORKFLOW
    assert [job for job in JOBS if "concurrency" in JOBS[job]] == ["tag"]
    assert JOBS["tag"]["concurrency"] == {"group": "release-tag", "cancel-in-progress": "false"}


def test_only_a_commit_of_the_default_branch_is_built() -> None:
    [checkout, check, *_] = steps("build")
    assert checkout["with"]["fetch-depth"] == "0"
    assert check["run"] == './script/release_check "$GITHUB_REF_NAME" "origin/$BRANCH"'
    assert check["env"] == {"BRANCH": "${{ github.event.repository.default_branch }}"}


def test_all_that_publishes_first_compares_with_what_was_built() -> None:
    assert JOBS["build"]["outputs"]["sums"] == "${{ steps.build.outputs.sums }}"
    for job in (*PUBLISHING, "published"):
        at = next(n for n, step in enumerate(steps(job)) if "download-artifact" in step.get("uses", ""))
        check = steps(job)[at + 1]
        assert check["env"] == {"SUMS": "${{ needs.build.outputs.sums }}"}
        assert check["run"] == steps("tag")[2]["run"]


def test_pythons_that_are_too_old_are_among_those_it_is_tested_on() -> None:
    [python] = [step for step in steps("test") if "setup-python" in step.get("uses", "")]
    versions = python["with"]["python-version"].split()
    assert {"3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14"} == set(versions)
    assert versions[-1] == "3.13"  # the last one is `python`


def test_no_password_is_kept_and_no_text_from_outside_becomes_a_script() -> None:
    assert "secrets." not in TEXT
    for job in JOBS:
        assert all("${{" not in step.get("run", "") for step in steps(job))
        assert all(
            step["with"]["persist-credentials"] == "false" for step in steps(job) if "checkout" in step.get("uses", "")
        )
        assert int(JOBS[job]["timeout-minutes"]) <= 60


def test_the_scripts_that_it_runs_are_there() -> None:
    named = set(re.findall(r"\./(?:elsewhere/)?((?:script|\.ci)/\w+)", TEXT))
    scripts = {
        f"script/{name}" for name in ("build", "release_check", "release_notes", "release_commit", "release_tags")
    }
    assert named == {*scripts, ".ci/run"}
    assert all((ROOT / name).stat().st_mode & 0o111 for name in named)
