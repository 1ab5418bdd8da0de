"""One build for all tests of what is built, also where several processes run them."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jenkins import conftest as jenkins
from tests.release.built import GUARD, ROOT, WHEELS, Built, Zipapp, build, clone, is_broken, run
from tests.support.process import Result
from tests.support.recorder import Recorder

controller, run_build = jenkins.controller, jenkins.run_build
"""Fixtures: Jenkinsfiles that really run."""
KEY = "sk_1_release0123456789abcdef0123456789"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The folder that RELEASE_DIST names; else dist/ of this checkout, made in a folder of the test run.

    Made it is in any case: tests of the build itself find the downloaded wheels then.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    out = shared / "release-dist"
    with (shared / "release-dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "SHA256SUMS").is_file():
            done = build(_broken(shared / "broken") if is_broken() else ROOT, out)
            assert done.code == 0, done.err
    return Built(folder=Path(os.environ.get("RELEASE_DIST") or out))


def _broken(folder: Path) -> Path:
    clone(folder)
    (folder / ".tools").symlink_to(ROOT / ".tools")
    return folder


@pytest.fixture
def env(cli_env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """A clean environment without our sources: no Python finds them, and the network ends at loopback."""
    (tmp_path / "work").mkdir()
    return {**cli_env, "PYTHONPATH": str(GUARD)}


@pytest.fixture
def work(env: dict[str, str], tmp_path: Path) -> Path:
    """An empty folder to be in."""
    return tmp_path / "work"


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as recorder:
        yield recorder


@pytest.fixture
def reporting(env: dict[str, str], tracker: Recorder) -> dict[str, str]:
    """`env` with the tracker, and with time: what is tested here is not how quick a busy machine is."""
    return {**env, "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY, "VERSIONER_TIMEOUT": "40"}


@pytest.fixture
def zipapp(built: Built, reporting: dict[str, str], work: Path) -> Zipapp:
    """`zipapp(argument…, python=PATH, NAME=value…)`: a copy of the built one, run in an empty folder."""
    copy = work.parent / "our tools" / "versioner-ci.pyz"
    copy.parent.mkdir()
    shutil.copy(built.zipapp, copy)

    def go(*arguments: str, python: str = sys.executable, archive: Path = copy, **changes: str) -> Result:
        return run([python, archive, *arguments], env={**reporting, **changes}, cwd=work)

    return go


@pytest.fixture
def aged(zipapp: Zipapp, built: Built, tmp_path: Path) -> Zipapp:
    """The zipapp; for our own Python one that asks for a Python of the far future."""
    path = tmp_path / "aged.pyz"
    with zipfile.ZipFile(built.zipapp) as archive, zipfile.ZipFile(path, "w") as changed:
        for name in ("__main__.py", "versioner_ci_stand_in.py"):
            changed.writestr(name, archive.read(name).replace(b"< (3, 10)", b"< (99, 0)"))

    def go(*arguments: str, python: str, **changes: str) -> Result:
        more = {"archive": path} if python == sys.executable else {}
        return zipapp(*arguments, python=python, PYTHONPATH="", **more, **changes)

    return go


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clone with the downloaded wheels, in a folder with a blank."""
    path = tmp_path / "elsewhere" / "a clone"
    clone(path)
    shutil.copytree(WHEELS, path / ".tools" / "wheels")
    return path
