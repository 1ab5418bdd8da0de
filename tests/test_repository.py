"""The repository itself: its lists, its scripts, its promises about what stands in it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from versioner_ci import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
SETTINGS: dict[str, Any] = tomllib.loads(PYPROJECT)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
SCRIPTS = sorted(
    path for path in [*(ROOT / "script").iterdir(), ROOT / ".ci" / "run"] if path.is_file() and not path.suffix
)
"""What is run; files with a suffix are parts of these."""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_run_and_says_what_it_does(path: Path) -> None:
    assert os.access(path, os.X_OK)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] in {"#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env python3"}
    assert lines[1].startswith(("# ", '"""'))


@pytest.mark.parametrize(
    "path", [path for path in SCRIPTS if path.read_text().startswith("#!/bin/")], ids=lambda p: p.name
)
def test_a_script_stops_at_the_first_fault(path: Path) -> None:
    settings = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("set -")]
    assert settings in (["set -eu"], ["set -euo pipefail"]) or path.name == "lint"


def test_every_script_in_python_is_checked_as_python() -> None:
    ours = {
        f"script/{path.name}"
        for path in SCRIPTS
        if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python")
    }
    assert ours <= set(SETTINGS["tool"]["ruff"]["extend-include"])


def dependencies(text: str) -> Iterator[tuple[str, str]]:
    """Each requirement of pyproject.toml, and the line above it."""
    lines = text.splitlines()
    for above, line in pairwise(lines):
        if re.fullmatch(r'  "[A-Za-z][\w.-]*(\[\w+\])?[<>=~!][^"]*",', line):
            yield line.strip(), above.strip()


def test_every_dependency_has_a_reason_beside_it() -> None:
    found = dict(dependencies(PYPROJECT))
    count = len(SETTINGS["project"]["dependencies"])
    count += sum(isinstance(row, str) for group in SETTINGS["dependency-groups"].values() for row in group)
    count += sum(len(rows) for rows in SETTINGS["project"]["optional-dependencies"].values())
    assert len(found) == count
    assert [line for line, above in found.items() if not above.startswith("# ")] == []


def test_every_rule_that_is_off_has_a_reason_beside_it() -> None:
    table = PYPROJECT[PYPROJECT.index("[tool.ruff.lint]") : PYPROJECT.index("[tool.ruff.lint.pylint]")]
    rules = [line for line in table.splitlines() if re.match(r'  "[A-Z]+\d*",', line)]
    assert len(rules) > 20
    assert [line for line in rules if not re.search(r",\s+# \w", line)] == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_what_is_installed_is_pinned_and_hashed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    packages = re.findall(r"^[A-Za-z][\w.-]*(?:\[[\w,]+\])?(==)?", text, re.MULTILINE)
    assert len(packages) >= 5
    assert all(packages)
    blocks = re.split(r"^(?=[A-Za-z])", text, flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_what_is_wanted_is_in_the_locks() -> None:
    def name(requirement: str) -> str:
        return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-").replace(".", "-")

    def missing(wanted: list[object], lock: str) -> set[str]:
        names = re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE)
        return {name(row) for row in wanted if isinstance(row, str)} - {name(n) for n in names}

    groups = SETTINGS["dependency-groups"]
    assert missing(SETTINGS["project"]["dependencies"], "run.txt") == set()
    assert missing(SETTINGS["project"]["dependencies"] + groups["test"], "test.txt") == set()
    assert missing(SETTINGS["project"]["dependencies"] + groups["test"] + groups["dev"], "dev.txt") == set()


def test_all_locks_name_the_same_versions() -> None:
    pins: dict[str, set[str]] = {}
    for line in "\n".join(path.read_text() for path in LOCKS).splitlines():
        if match := re.match(r"([\w.-]+)==(\S+)(?: ; ([^\\]+))?", line):
            pins.setdefault(f"{match[1]} {match[3] or ''}".strip(), set()).add(match[2])
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_the_version_is_one() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert SETTINGS["project"]["dynamic"] == ["version"]


@pytest.fixture(scope="module")
def problems_of() -> Callable[..., Iterator[str]]:
    return runpy.run_path(str(ROOT / "script" / "check_text"))["problems_of"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("see /srv/build/here/x\n", "this machine", id="a path of the machine"),
        pytest.param("pip install --index" + "-url x\n", "registry", id="an option that names an index"),
        pytest.param("https://pypi" + ".org/simple/x\n", "registry", id="an index"),
        pytest.param("# TO" + "DO: later\n", "note to self", id="a note to self"),
        pytest.param("as style" + ".md says\n", "how it was made", id="a document that is not here"),
        pytest.param("end \n", "white space", id="white space"),
        pytest.param("end\r\n", "carriage return", id="line ends of Windows"),
        pytest.param("no end", "no line end", id="no line end"),
        pytest.param("x\n" * 251, "251 lines", id="too long"),
    ],
)
def test_what_must_not_stand_in_a_file_is_found(
    problems_of: Callable[..., Iterator[str]], text: str, what: str
) -> None:
    machine = re.compile("/srv/build/here")
    assert [problem for problem in problems_of("src/x.py", text, machine) if what in problem]
    assert list(problems_of("src/x.py", "a\n", machine)) == []


def test_a_fault_without_a_test_is_found() -> None:
    check = runpy.run_path(str(ROOT / "script" / "check_faults"))
    listed = check["listed"]((ROOT / "tests" / "faults.txt").read_text(encoding="utf-8"), check["_LINE"])
    assert sorted(listed) == list(range(1, 59))
    assert check["_NAMED"].findall("tests/faults/test_x.py::test_it[fault-07 gone] test_fault_12_y fault-123") == [
        "07",
        "12",
    ]


def test_every_mutant_still_finds_its_text() -> None:
    mutants = runpy.run_path(str(ROOT / "script" / "mutants"))["read_list"]()
    assert len(mutants) >= 10
    assert all((ROOT / test.partition("::")[0]).is_file() for mutant in mutants for test in mutant.tests)


def test_nothing_that_is_made_is_in_git() -> None:
    if not (ROOT / ".git").exists():
        return  # an unpacked sdist
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True).stdout
    made = re.compile(
        r"(^|/)(__pycache__|\.venv|\.tools|dist|\.pytest_cache|\.hypothesis)/|\.(pyc|egg-info|log)$|uv\.lock$"
    )
    assert [name for name in names.splitlines() if made.search(name)] == []
