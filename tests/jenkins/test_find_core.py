"""find_core.py by itself, as an agent's Python runs it: what is in the cache, and what the library brings."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jenkins.controller import LIBRARY

CONTENT = b"print('a core')"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SCRIPT = LIBRARY / "resources/io/versioner/find_core.py"


def find(root: Path, brought: Path | None) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(root), "VERSIONER_HOOK_SHA256": SHA256}
    env["VERSIONER_HOOK_ZIPAPP"] = str(brought or "")
    command = [sys.executable, "-I", str(SCRIPT)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.parametrize("is_cached", [False, True])
def test_what_the_library_brought_is_gone_whoever_was_first(is_cached: bool, tmp_path: Path) -> None:
    folder = tmp_path / "versioner-ci-core"
    folder.mkdir(mode=0o700)
    if is_cached:
        (folder / f"{SHA256}.pyz").write_bytes(CONTENT)
    brought = tmp_path / "brought.pyz"
    brought.write_bytes(CONTENT)
    done = find(tmp_path, brought)
    assert (done.returncode, done.stdout) == (0, f"{folder / SHA256}.pyz\n")
    assert not brought.exists()
    assert [path.name for path in folder.iterdir()] == [f"{SHA256}.pyz"]


def test_what_the_library_brought_is_gone_too_if_it_is_wrong(tmp_path: Path) -> None:
    brought = tmp_path / "brought.pyz"
    brought.write_bytes(b"raise SystemExit('evil')")
    done = find(tmp_path, brought)
    assert (done.returncode, done.stdout) == (3, "")
    assert "it is not used" in done.stderr
    assert not brought.exists()
    assert list((tmp_path / "versioner-ci-core").iterdir()) == []


def test_a_cached_file_that_cannot_be_read_is_as_if_there_were_none(tmp_path: Path) -> None:
    """A folder in its place, since root may read every file."""
    (tmp_path / "versioner-ci-core").mkdir(mode=0o700)
    (tmp_path / "versioner-ci-core" / f"{SHA256}.pyz").mkdir()
    done = find(tmp_path, None)
    assert (done.returncode, done.stderr) == (7, "")
