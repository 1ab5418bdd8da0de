"""The generated documents are those that the tables make, on every Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from script import reference_main
from script.reference_cli import cli
from script.reference_markdown import code, codes, page, sentence, table
from script.reference_pages import OUTCOMES, PAGES
from versioner_ci import schema
from versioner_ci.outcome import Verdict

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "script.reference_main", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_the_repository_is_up_to_date(name: str) -> None:
    text = (ROOT / f"docs/reference/{name}.md").read_text(encoding="utf-8")
    assert text == PAGES[name](), "run ./script/reference"


def test_the_schema_in_the_repository_is_up_to_date() -> None:
    assert (ROOT / "docs/versioner.schema.json").read_text(encoding="utf-8") == schema.render()


def test_check_says_so_and_writes_nothing() -> None:
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "docs").rglob("*")}
    done = run("--check")
    assert (done.returncode, done.stdout) == (0, "reference: all pages are up to date\n")
    assert {path: path.stat().st_mtime_ns for path in (ROOT / "docs").rglob("*")} == before


def test_a_page_that_differs_is_missing_or_left_over_is_found(tmp_path: Path) -> None:
    assert len(reference_main.write(tmp_path)) == len(PAGES) + 1
    assert reference_main.differing(tmp_path) == []
    folder = tmp_path / "reference"
    (folder / "cli.md").write_text("changed by hand\n")
    (folder / "statuses.md").unlink()
    (folder / "old.md").write_text("left over\n")
    names = {path.name for path in reference_main.differing(tmp_path)}
    assert names == {"cli.md", "statuses.md", "old.md"}


def test_writing_mends_only_what_differs(tmp_path: Path) -> None:
    reference_main.write(tmp_path)
    (tmp_path / "reference/old.md").write_text("left over\n")
    (tmp_path / "reference/cli.md").write_text("changed by hand\n")
    assert {path.name for path in reference_main.write(tmp_path)} == {"cli.md", "old.md"}
    assert reference_main.differing(tmp_path) == []
    assert not (tmp_path / "reference/old.md").exists()


def test_a_wrong_option_is_told() -> None:
    done = run("--chek")
    assert (done.returncode, done.stderr) == (2, "usage: script/reference [--check]\n")


def test_the_page_does_not_depend_on_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", "40")
    narrow = cli()
    monkeypatch.setitem(os.environ, "COLUMNS", "400")
    assert cli() == narrow


def test_every_outcome_has_its_meaning() -> None:
    assert set(OUTCOMES) == set(Verdict)


def test_a_table_cannot_be_broken_by_its_cells() -> None:
    made = table(("a", "b"), [("one|two", "three\nfour")])
    assert made.splitlines() == ["| a | b |", "| --- | --- |", "| one\\|two | three four |"]


def test_values_are_written_as_code_and_their_absence_as_a_dash() -> None:
    assert (code("x"), code(None), codes(["x", "y"]), codes([])) == ("`x`", "–", "`x`, `y`", "–")
    assert sentence("is it set up.") == "Is it set up."
    assert page("# A", "", "b").endswith("# A\n\nb\n")
