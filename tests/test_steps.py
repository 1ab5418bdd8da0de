"""GitHub's toJSON(steps): the step that failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from versioner_ci.steps import failed_step


def steps(**conclusions: str) -> str:
    return json.dumps({name: {"conclusion": word, "outcome": "failure"} for name, word in conclusions.items()})


@pytest.mark.parametrize(
    ("conclusions", "name"),
    [
        ({"build": "success", "ship": "failure", "tell": "failure"}, "ship"),
        ({"build": "success"}, None),
        ({"build": "cancelled", "ship": "skipped"}, None),
        ({"__run_2": "failure"}, None),
        ({"__run_2": "failure", "ship": "failure"}, "ship"),
        ({}, None),
    ],
)
def test_the_first_step_that_failed_the_job_and_has_an_id(
    tmp_path: Path, conclusions: dict[str, str], name: str | None
) -> None:
    (tmp_path / "steps.json").write_text(steps(**conclusions))
    assert failed_step(f"@{tmp_path / 'steps.json'}") == name
    assert failed_step(steps(**conclusions)) == name


@pytest.mark.parametrize("text", ["", " ", "{}"])
def test_a_job_without_steps_names_none(text: str) -> None:
    assert failed_step(text) is None


@pytest.mark.parametrize("text", ["x", "[]", "5", '{"a": 1}', '{"a": null}', "[" * 100_000, "@/nonexistent", "@a\0b"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the JSON of"):
        failed_step(text)


def test_a_name_is_one_short_line() -> None:
    assert (
        failed_step(json.dumps({"a\n::error::" + "b" * 500: {"conclusion": "failure"}})) == r"a\n::error::" + "b" * 88
    )
