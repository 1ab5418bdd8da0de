"""GitHub's toJSON(needs) as one ending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from versioner_ci.errors import UsageError
from versioner_ci.needs import worst_of
from versioner_ci.status import State


def needs(*results: str) -> str:
    return json.dumps({f"job{number}": {"result": result, "outputs": {}} for number, result in enumerate(results)})


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (("success",), State.COMPLETED),
        (("success", "failure", "cancelled", "skipped"), State.FAILED),
        (("success", "cancelled", "skipped"), State.ABORTED),
        (("success", "skipped"), State.COMPLETED),
        (("skipped", "skipped"), None),
        ((), None),
    ],
)
def test_failure_before_cancelled_before_success_and_skipped_does_not_count(
    tmp_path: Path, results: tuple[str, ...], state: State | None
) -> None:
    (tmp_path / "needs.json").write_text(needs(*results))
    assert worst_of(f"@{tmp_path / 'needs.json'}") is state
    assert worst_of(needs(*results)) is state


@pytest.mark.parametrize("text", ["", "x", "[]", "5", '{"a": 1}', '{"a": {}}', '{"a": "success"}', "[" * 100_000])
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="not the JSON of"):
        worst_of(text)


def test_an_unknown_result_is_named_and_not_guessed() -> None:
    with pytest.raises(UsageError, match="unknown result 'exploded'"):
        worst_of(needs("success", "exploded"))


@pytest.mark.parametrize("name", ["missing.json", ".", "nul\0"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        worst_of(f"@{tmp_path / name}")
