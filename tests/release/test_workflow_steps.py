"""The release workflow's own lines, run on what was built: they let it pass, and nothing else."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.release.built import ROOT, Built, run
from tests.support.process import Result
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(120)
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]


@pytest.fixture
def dist(built: Built, work: Path) -> Path:
    """As the artifact is downloaded: files only."""
    (work / "dist").mkdir()
    for path in built.folder.iterdir():
        if path.is_file():
            shutil.copy(path, work / "dist")
    return work / "dist"


def step(job: str, name: str) -> str:
    [text] = [step["run"] for step in JOBS[job]["steps"] if step.get("name", "").startswith(name)]
    return str(text)


def bash(script: str, work: Path, env: dict[str, str], **changes: str) -> Result:
    """As GitHub runs it."""
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return run(command, env={**env, **changes}, cwd=work, timeout=90)


def untouched(_: Path) -> None:
    pass


def another_wheel(dist: Path) -> None:
    next(dist.glob("*.whl")).write_bytes(b"changed")


def another_wheel_and_sum(dist: Path) -> None:
    wheel = next(dist.glob("*.whl"))
    sums = (dist / "SHA256SUMS").read_text()
    before = hashlib.sha256(wheel.read_bytes()).hexdigest()
    wheel.write_bytes(b"changed")
    (dist / "SHA256SUMS").write_text(sums.replace(before, hashlib.sha256(b"changed").hexdigest()))


def one_more(dist: Path) -> None:
    (dist / "versioner_ci-0.0.1-py3-none-any.whl").write_bytes(b"slipped in")


def one_less(dist: Path) -> None:
    next(dist.glob("*.whl")).unlink()


@pytest.mark.parametrize("change", [untouched, another_wheel, another_wheel_and_sum, one_more, one_less])
def test_nothing_but_the_built_files_is_published(change: Any, dist: Path, env: dict[str, str]) -> None:
    sums = hashlib.sha256((dist / "SHA256SUMS").read_bytes()).hexdigest()
    change(dist)
    done = bash(step("tag", "These are the files"), dist.parent, env, SUMS=sums)
    assert (done.code == 0) == (change is untouched), done.out + done.err


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_wheel_of_other_bytes_on_the_package_index_stops_the_release(
    is_ours: bool, dist: Path, env: dict[str, str], tmp_path: Path
) -> None:
    wheel = next(dist.glob("*.whl"))
    (tmp_path / "index").mkdir()
    published = tmp_path / "index" / wheel.name
    published.write_bytes(wheel.read_bytes() + (b"" if is_ours else b"x"))
    path = f"{Path(sys.executable).parent}:{env['PATH']}"
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(published.parent), "PIP_CONFIG_FILE": "/dev/null"}
    script = step("published", "The wheel that users get")
    done = bash(script, dist.parent, env, WAITS="0 0", VERSION=__version__, PATH=path, **offline)
    assert (done.code == 0) == is_ours, done.out + done.err
    assert ("::error::the package index has no wheel" in done.out) != is_ours


@pytest.mark.parametrize("is_there", [True, False])
def test_making_the_release_can_be_tried_again(is_there: bool, dist: Path, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n[ "$2" != view ] || exit {0 if is_there else 1}\n')
    gh.chmod(0o755)
    (dist.parent / "script").mkdir()
    notes = dist.parent / "script" / "release_notes"
    notes.write_text("#!/bin/sh\necho notes\n")
    notes.chmod(0o755)
    path = f"{gh.parent}:{env['PATH']}"
    script = step("tag", "Make the release")
    done = bash(script, dist.parent, env, VERSION="1.2.3", LATEST="false", PATH=path)
    assert done.code == 0, done.err
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[1] for call in calls] == (["view", "upload"] if is_there else ["view", "create", "upload"])
    assert is_there or "--latest=false" in calls[1]
    names = {Path(word).name for word in calls[-1].split() if word.startswith("dist/")}
    assert names == {path.name for path in dist.iterdir()}
