"""From a branch: a virtual environment from hashed requirements, made once, by two at once, and without a network."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.actions.release import ACTIONS, branch
from tests.actions.steps import Step, annotations
from tests.gitlab.packages import wheels
from tests.support.recorder import Recorder

Prepared = dict[str, str]
pytestmark = pytest.mark.timeout(240)  # each makes virtual environments, which a busy machine takes its time for


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels, and `run.txt` with their hashes."""
    folder = tmp_path_factory.mktemp("shelf") / "wheels"
    rows = wheels(folder).split("\n")
    ours = next(number for number, row in enumerate(rows) if row.startswith("versioner_ci=="))
    (folder / "run.txt").write_text("\n".join(rows[:ours] + rows[ours + 2 :]))
    return folder


@pytest.fixture
def repository(shelf: Path, tmp_path: Path) -> Path:
    folder = branch(tmp_path / "branch")
    shutil.copy(shelf / "run.txt", folder / "requirements/run.txt")
    return folder


def env_of(shelf: Path, tmp_path: Path) -> dict[str, str]:
    """pip's own settings are heeded: here they name the only place that there is."""
    for name in ("cache", "temp"):
        (tmp_path / name).mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelf),
        "RUNNER_TOOL_CACHE": str(tmp_path / "cache"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
    }


def start(repository: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", str(repository / "actions/lib/prepare.py"), str(repository)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> Prepared:
    out, _ = process.communicate(timeout=100)
    assert process.returncode == 0
    found: Prepared = json.loads(out)
    return found


def test_two_at_once_make_one_that_works(repository: Path, shelf: Path, tmp_path: Path) -> None:
    env = env_of(shelf, tmp_path)
    first, second = (start(repository, env) for _ in range(2))
    found = said(first)
    assert found == said(second)
    done = subprocess.run(
        [found["python"], "-I", str(repository / "actions/lib/launch.py"), "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.startswith("versioner-ci ")
    assert len(list((tmp_path / "cache/versioner-ci-action").iterdir())) == 1


def test_the_next_step_uses_it_again_and_a_half_written_one_is_made_anew(
    repository: Path, shelf: Path, tmp_path: Path
) -> None:
    env = env_of(shelf, tmp_path)
    found = said(start(repository, env))
    assert said(start(repository, {**env, "PIP_FIND_LINKS": "/nowhere"})) == found
    folder = Path(found["python"]).parents[1]
    shutil.rmtree(folder / "bin")
    old = folder.with_name(f"{folder.name}.abc")
    old.mkdir()
    os.utime(old, (0, 0))
    assert said(start(repository, env)) == found
    assert Path(found["python"]).exists()
    assert list(folder.parent.iterdir()) == [folder]


def test_other_requirements_make_another_one(repository: Path, shelf: Path, tmp_path: Path) -> None:
    env = env_of(shelf, tmp_path)
    (tmp_path / "cache").rmdir()
    found = said(start(repository, env))
    assert (tmp_path / "temp") in Path(found["python"]).parents
    with (repository / "requirements/run.txt").open("a") as file:
        file.write("# changed\n")
    assert said(start(repository, env)) != found


def test_a_wheel_that_is_not_the_pinned_one_is_refused(repository: Path, shelf: Path, tmp_path: Path) -> None:
    listed = repository / "requirements/run.txt"
    text = listed.read_text()
    digest = text.index("sha256:") + len("sha256:")
    listed.write_text(text[:digest] + "0" * 64 + text[digest + 64 :])
    found = said(start(repository, env_of(shelf, tmp_path)))
    assert "HASH" in found["problem"].upper()
    assert list((tmp_path / "cache/versioner-ci-action").iterdir()) == []


def test_without_a_network_the_job_goes_on_with_one_warning(
    step: Step, repository: Path, shelf: Path, tmp_path: Path, tracker: Recorder
) -> None:
    step.release = repository
    step.env |= {**env_of(tmp_path / "nowhere", tmp_path), "PATH": step.path}
    ended = step.main()
    assert ended.code == 0
    assert ["could not be installed" in text for text in annotations(ended, "warning")] == [True]
    assert step.post().code == 0
    step.inputs["gate"] = "required"
    assert step.main().code == 5
    assert tracker.requests == []


def test_a_job_is_reported_from_a_branch(
    step: Step, repository: Path, shelf: Path, tmp_path: Path, tracker: Recorder
) -> None:
    step.release = repository
    step.env |= {**env_of(shelf, tmp_path), "PATH": step.path}
    assert step.main().code == 0
    assert step.post("failure").code == 0
    assert tracker.states() == ["started", "failed"]


def test_requirements_without_hashes_are_refused(repository: Path, shelf: Path, tmp_path: Path) -> None:
    listed = repository / "requirements/run.txt"
    rows = [row.partition(" ")[0] for row in listed.read_text().splitlines() if "==" in row]
    listed.write_text("\n".join(rows) + "\n")
    found = said(start(repository, env_of(shelf, tmp_path)))
    assert "hash" in found["problem"].lower()


def test_pip_s_variables_cannot_put_the_libraries_elsewhere(repository: Path, shelf: Path, tmp_path: Path) -> None:
    elsewhere = {name: str(tmp_path / "elsewhere") for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")}
    found = said(start(repository, {**env_of(shelf, tmp_path), **elsewhere, "PIP_USER": "1"}))
    assert not (tmp_path / "elsewhere").exists()
    subprocess.run([found["python"], "-I", "-c", "import requests, slack_sdk, yaml"], check=True, timeout=30)
    folder = Path(found["python"]).parents[1]
    assert folder.stat().st_mode & 0o755 == 0o755
    (folder / ".versioner-ci-complete").unlink()
    assert "problem" in said(start(repository, {**env_of(shelf, tmp_path), "PIP_FIND_LINKS": "/nowhere"}))


def test_a_place_that_is_somebody_else_s_gives_way_to_the_next(repository: Path, shelf: Path, tmp_path: Path) -> None:
    env = env_of(shelf, tmp_path)
    if os.geteuid() == 0:  # root may write everywhere but into a file
        (tmp_path / "cache/versioner-ci-action").write_text("")
    else:
        (tmp_path / "cache/versioner-ci-action").mkdir(mode=0o500)
    assert (tmp_path / "temp") in Path(said(start(repository, env))["python"]).parents


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to catch")
def test_a_signal_in_mid_install_leaves_nothing(repository: Path, shelf: Path, tmp_path: Path) -> None:
    process = start(repository, env_of(shelf, tmp_path))
    place = tmp_path / "cache/versioner-ci-action"
    until = time.monotonic() + 30
    while not any(place.glob("*.*/pyvenv.cfg")) and time.monotonic() < until:
        time.sleep(0.02)
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    assert list(place.iterdir()) == []
    commands = map(_read, Path("/proc").glob("[0-9]*/cmdline"))
    assert not [command for command in commands if str(place).encode() in command]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def install() -> Any:
    spec = importlib.util.spec_from_file_location("install", ACTIONS / "lib/install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_takes_too_long_is_said_plainly(install: Any) -> None:
    with pytest.raises(install.FailedError, match=r"^it took longer than 60 s$"):
        install._run(["sleep", "30"], os.environ, 0.0)


def test_two_sweeps_at_once_are_no_fault(install: Any, tmp_path: Path) -> None:
    (tmp_path / "a.b").symlink_to(tmp_path / "gone")
    (tmp_path / "c.d").mkdir()
    os.utime(tmp_path / "c.d", (0, 0))
    install._sweep(tmp_path)
    assert not (tmp_path / "c.d").exists()
