"""A new contributor's path: clone, `./script/test`, the map of the code. What CONTRIBUTING says is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from tests.test_docs_pages import PAGES, ROOT, blocks, prose, read
from tests.test_layers import LAYERS, PACKAGE, layer_of, name_of
from versioner_ci import __version__, deliver, event, hosts, report

PAGE = ROOT / "CONTRIBUTING.md"
SCRIPTS = sorted(path for path in (ROOT / "script").iterdir() if path.is_file() and not path.suffix)
DRY = {
    "bootstrap": (),
    "test": ("-q", "tests/test_backoff.py"),
    "reference": ("--check",),
    "build": ("--help",),
    "release_notes": (__version__,),
}
"""What a new user can try of a script within seconds, and without a network; each ends with 0."""


@cache
def table(head: str) -> list[list[str]]:
    """The cells of the rows of a table of the page."""
    text = read(PAGE)
    rows = text[text.index(head) :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `git clone` gives, with what stands here; the virtual environment is the one that there is."""
    folder = tmp_path_factory.mktemp("a new") / "clone"
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, capture_output=True, text=True, timeout=30, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.mark.parametrize("name", DRY)
def test_a_script_works_in_a_fresh_clone(name: str, clone: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(clone / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    command = [f"./script/{name}", *DRY[name]]
    done = subprocess.run(command, cwd=clone, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=90, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout or name == "bootstrap"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_can_be_started(script: Path) -> None:
    """And says at its top what it does."""
    assert os.access(script, os.X_OK)
    first, second, *_ = read(script).splitlines()
    assert first in {"#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env python3"}
    assert second.startswith(('"""', "# "))
    if first.endswith("sh"):
        subprocess.run([first[2:], "-n", str(script)], timeout=10, check=True)
    else:
        compile(read(script), str(script), "exec")


def test_every_script_that_is_named_exists() -> None:
    texts = [prose(page) for page in PAGES] + [block.text for block in blocks("sh", "yaml", "text")]
    named = {name for text in texts for name in re.findall(r"\./script/(\w+)", text)}
    assert len(named) > 10
    assert named <= {path.name for path in SCRIPTS}


def test_every_part_of_the_tests_that_is_named_is_one() -> None:
    [parts] = re.findall(r"^  ([\w |]+)\) \"\$1\" ;;$", read(ROOT / "script/test"), re.MULTILINE)
    named = {match[1] for row in table("| command |") if (match := re.match(r"`\./script/test (\w+)`", row[0]))}
    assert named <= set(parts.split(" | "))
    assert {"fast", "kills", "mutants", "matrix"} <= named


def test_the_first_commands_are_few_and_there() -> None:
    [block] = [block for block in blocks("sh") if block.page == "CONTRIBUTING.md"]
    commands = [line.split("#")[0].strip() for line in block.text.splitlines()]
    assert commands == ["./script/test fast", "./script/lint", "./script/demo"]
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_map_is_one_page_with_the_four_stages() -> None:
    text = read(PAGE)
    assert len(text.splitlines()) <= 130
    [drawn] = [block.text for block in blocks("text") if block.page == "CONTRIBUTING.md"]
    assert re.findall(r"\[(\w+)\]", drawn) == ["detect", "event", "deliver", "report"]
    assert callable(hosts.detect)
    assert all(module.__doc__ for module in (event, deliver, report))


def test_every_folder_of_the_repository_is_on_the_map() -> None:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, timeout=30, check=True
    )
    folders = {name.split("/")[0] for name in listed.stdout.splitlines() if "/" in name} - {".github"}
    assert {folder for folder in folders if not re.search(rf"`{re.escape(folder)}/", read(PAGE))} == set()


def test_a_module_stands_in_the_row_of_its_layer() -> None:
    order = [name for name, _ in LAYERS]
    rows = {row[0]: re.findall(r"`([\w*/]+)`", row[1]) for row in table("| layer |")}
    assert [name for name in rows if name in order] == order
    found = {path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in PACKAGE.rglob("*.py")}
    told = {name: row_of(name, {row: rows[row] for row in order}) for name in found if "__" not in name}
    assert {name for name, row in told.items() if row not in {None, order[layer_of(name_of(found[name]))]}} == set()


def row_of(name: str, rows: dict[str, list[str]]) -> str | None:
    """The row that names it, exactly before by pattern."""
    for fits in (str.__eq__, fnmatchcase):
        for row, patterns in rows.items():
            if any(fits(name, pattern) for pattern in patterns):
                return row
    return None


@pytest.mark.parametrize("row", table("| to add |"), ids=lambda row: row[0])
def test_what_is_to_be_touched_exists(row: list[str]) -> None:
    named = re.findall(r"`(\w[\w./]*)`", row[1]) + re.findall(r"\]\(([\w/.]+)\)", row[1])
    paths = [name for name in named if re.search(r"[/.]", name) and not re.search(r"\bx\.|_x\.|\(", name)]
    tops = (ROOT, PACKAGE, ROOT / "tests")
    assert named
    assert [name for name in paths if not any((top / name).exists() for top in tops)
            and not list(ROOT.glob(f"**/{name}"))] == []  # fmt: skip
