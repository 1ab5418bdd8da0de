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
        "attest": {"id-token": "write", "attestations": "write"},
        "tag": {"contents": "write"},
    }


def test_what_publishes_runs_after_the_tests_and_builds_nothing() -> None:
    for job in JOBS.keys() - set(BUILDING):
        assert JOBS[job]["environment"] == "release"
        ran = "\n".join(step.get("run", "") for step in steps(job))
        assert not re.search(r"script/(build|test|bootstrap)|\.ci/run|pip ", ran)
    for job in ("package-index", "attest"):
        assert JOBS[job]["needs"] == ["build", "test", "same"]
        assert all("checkout" not in step.get("uses", "") for step in steps(job))
    assert set(JOBS["tag"]["needs"]) == {"build", "package-index", "attest"}


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
    assert named == {"script/build", "script/release_notes", "script/release_commit", ".ci/run"}
    assert all((ROOT / name).stat().st_mode & 0o111 for name in named)
