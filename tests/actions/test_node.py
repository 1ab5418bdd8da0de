"""The tests that are written in JavaScript, by Node's own runner."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.actions.release import ACTIONS, ROOT

FILES = sorted((ROOT / "tests/actions/node").glob("*.test.mjs"))


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is missing: install Node.js 20 or newer")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_javascript(path: Path, tmp_path: Path) -> None:
    shutil.copytree(ACTIONS, tmp_path / "actions")
    copy = tmp_path / path.relative_to(ROOT)
    copy.parent.mkdir(parents=True)
    shutil.copy(path, copy)
    env = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(copy)],
        env=env,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    counts = dict(re.findall(r"^# (pass|fail|skipped|cancelled) (\d+)$", done.stdout, re.MULTILINE))
    assert done.returncode == 0, done.stdout
    assert (counts["fail"], counts["skipped"], counts["cancelled"]) == ("0", "0", "0")
    assert int(counts["pass"]) > 4


def test_only_node_s_own_modules_are_imported() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "actions").rglob("*.mjs")}
    assert len(sources) >= 7
    for path, text in sources.items():
        for name in re.findall(r"""(?:from|import|require)\s*\(?\s*['"]([^'"]+)['"]""", text):
            assert name.startswith(("node:", "./", "../lib/")), path.name
        is_entry = path.parent.name != "lib"
        assert len(text.splitlines()) <= (15 if is_entry else 250)
