"""find_core.py by itself, as an agent's Python runs it: what is in the cache, and what the library brings."""

from __future__ import annotations

import contextlib
import hashlib
import os
import runpy
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from tests.jenkins.controller import LIBRARY
from tests.support.raw_server import RawServer, hang

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


HASHED = f"versioner-ci==1.0 --hash=sha256:{'0' * 64}"


def install_by(script: Path, root: Path, **env: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(root), "VERSIONER_HOOK_REQUIREMENTS": HASHED, **env}
    return subprocess.run(
        [sys.executable, "-I", str(script)], env=given, capture_output=True, text=True, timeout=50, check=False
    )


def hasty(folder: Path, *, seconds: int) -> Path:
    """The script with less time for an install."""
    path = folder / "find_core.py"
    path.write_text(SCRIPT.read_text().replace("SECONDS = 60", f"SECONDS = {seconds + 5}"))
    return path


def environment(root: Path, *, has_core: bool) -> Path:
    """One that an earlier build has left in the cache, with or without versioner-ci in it."""
    folder = root / "versioner-ci-core"
    folder.mkdir(mode=0o700)
    name = runpy.run_path(str(SCRIPT))["name_of"](f"{HASHED}\n")
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder / name)], check=True, timeout=50)
    [packages] = (folder / name).glob("lib/python*/site-packages")
    if has_core:
        (packages / "versioner_ci.py").write_text("")
    return folder / name


def test_an_environment_that_works_is_used_again(tmp_path: Path) -> None:
    venv = environment(tmp_path, has_core=True)
    done = install_by(SCRIPT, tmp_path, PIP_NO_INDEX="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{venv}\n", "")


def test_an_environment_that_does_not_work_is_not_used(tmp_path: Path) -> None:
    venv = environment(tmp_path, has_core=False)
    done = install_by(hasty(tmp_path, seconds=1), tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "could not be installed within 1 s" in done.stderr
    assert os.listdir(venv.parent) == [venv.name]


def test_a_new_environment_takes_the_place_of_one_that_does_not_work(tmp_path: Path) -> None:
    venv = environment(tmp_path, has_core=False)
    new = venv.parent / "new"
    new.mkdir()
    (new / "fresh").write_text("")
    placed = runpy.run_path(str(SCRIPT))["placed"](new, venv, time.monotonic() + 20)
    assert placed == venv
    assert (os.listdir(venv.parent), os.listdir(venv)) == ([venv.name], ["fresh"])


def test_a_new_environment_gives_way_to_one_that_works(tmp_path: Path) -> None:
    """Another build was quicker, and may be running what is there."""
    venv = environment(tmp_path, has_core=True)
    new = venv.parent / "new"
    new.mkdir()
    assert runpy.run_path(str(SCRIPT))["placed"](new, venv, time.monotonic() + 20) == venv
    assert os.listdir(venv.parent) == [venv.name]
    assert list(venv.glob("lib/python*/site-packages/versioner_ci.py"))


@pytest.mark.parametrize("other", ["version", "executable"])
def test_another_interpreter_has_an_environment_of_its_own(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name_of = runpy.run_path(str(SCRIPT))["name_of"]
    ours = name_of("x\n")
    monkeypatch.setattr(sys, other, "another")
    assert name_of("x\n") != ours


def running_with(mark: str) -> list[str]:
    """The command lines of all processes that have inherited this text in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text())
    return found


def test_an_install_that_hangs_is_ended_whole_and_leaves_nothing(tmp_path: Path) -> None:
    mark = f"versioner-mark-{uuid.uuid4()}"
    began = time.monotonic()
    with RawServer(hang()) as server:
        done = install_by(hasty(tmp_path, seconds=2), tmp_path, PIP_INDEX_URL=server.url, MARK=mark)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "versioner-ci: warning: versioner-ci could not be installed within 2 s: nothing is reported\n"
    )
    assert time.monotonic() - began < 2 + 5
    assert running_with(mark) == []
    assert os.listdir(tmp_path / "versioner-ci-core") == []


def test_what_a_killed_call_has_left_is_swept_after_an_hour(tmp_path: Path) -> None:
    folder = tmp_path / "versioner-ci-core"
    folder.mkdir(mode=0o700)
    hour_ago = time.time() - 3700
    (folder / f"{SHA256}.pyz").write_bytes(CONTENT)
    os.utime(folder / f"{SHA256}.pyz", (hour_ago, hour_ago))
    (folder / "tmpfresh").write_bytes(b"")
    for name in ("tmpfile", "tmpfolder/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    for name in ("tmpfile", "tmpfolder"):
        os.utime(folder / name, (hour_ago, hour_ago))
    assert find(tmp_path, None).returncode == 0
    assert sorted(os.listdir(folder)) == sorted([f"{SHA256}.pyz", "tmpfresh"])
