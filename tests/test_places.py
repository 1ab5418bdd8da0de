"""Where events are kept, on every kind of host, home and disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from versioner_ci.context import CIContext
from versioner_ci.places import Place, place
from versioner_ci.spool_files import user_id

LOCAL = CIContext(source_system="local", scm_repository="octo/shop")
GITHUB = CIContext(
    source_system="github", server_url="https://github.com", scm_repository="octo/shop", invoke_id="7", job="deploy",
    is_ephemeral=True,
)  # fmt: skip
GITLAB = CIContext(source_system="gitlab", server_url="https://gitlab.com", scm_repository="octo/shop", invoke_id="9")
JENKINS = CIContext(source_system="jenkins", server_url="https://ci.example", scm_repository="octo/shop", invoke_id="3")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    for name in ("tmp", "home"):
        (tmp_path / name).mkdir()
    return {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}


def root_of(found: Place) -> Path:
    assert found.root is not None, found.why
    assert stat.S_IMODE(found.root.stat().st_mode) == 0o700
    return found.root


def test_a_given_folder_has_a_subfolder_per_source_server_and_repository(tmp_path: Path, env: dict[str, str]) -> None:
    shared = tmp_path / "deep" / "shared"
    others = [
        replace(GITHUB, scm_repository="octo/other"),
        replace(GITHUB, server_url="https://github.example"),
        replace(GITHUB, source_system="gitlab"),
    ]
    roots = {root_of(place(str(shared), context, env)) for context in (GITHUB, *others)}
    assert len(roots) == 4
    assert {root.parent for root in roots} == {shared}
    again = place(str(shared), replace(GITHUB, invoke_id="8", job="another", attempt="2"), env)
    assert again.root in roots
    assert (again.is_lost_with_job, again.why) == (False, None)


def test_a_given_folder_may_be_relative_or_start_at_home(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", env["HOME"])
    assert root_of(place("kept", GITHUB, env)).parent == tmp_path / "kept"
    assert root_of(place("~/kept", GITHUB, env)).parent == tmp_path / "home" / "kept"


@pytest.mark.parametrize(
    ("context", "is_lost"),
    [
        pytest.param(GITHUB, True, id="a hosted runner"),
        pytest.param(replace(GITHUB, is_ephemeral=False), True, id="RUNNER_TEMP is emptied on any runner"),
        pytest.param(JENKINS, False, id="a lasting agent's WORKSPACE_TMP"),
        pytest.param(replace(JENKINS, is_ephemeral=True), True, id="an agent that dies with the job"),
    ],
)
def test_the_hosts_scratch_is_used_and_said_to_be_lost_where_it_is(
    tmp_path: Path,
    env: dict[str, str],
    context: CIContext,
    is_lost: bool,
) -> None:
    found = place(None, replace(context, scratch=str(tmp_path)), env)
    assert root_of(found) == tmp_path / "versioner-ci"
    assert (found.is_lost_with_job, found.why) == (is_lost, None)


def test_a_job_without_scratch_has_a_temporary_folder_of_its_own(tmp_path: Path, env: dict[str, str]) -> None:
    first = place(None, GITLAB, env)
    assert root_of(first).parent == tmp_path / "tmp" / f"versioner-ci-{user_id()}"
    assert first.is_lost_with_job
    assert place(None, replace(GITLAB, version="2", product="x"), env) == first
    other_jobs = [replace(GITLAB, job="b"), replace(GITLAB, invoke_id="10"), replace(GITLAB, attempt="2")]
    assert len({root_of(place(None, context, env)) for context in (GITLAB, *other_jobs)}) == 4


@pytest.mark.parametrize("scratch", ["/nonexistent/temp", "relative", "\0"])
def test_a_scratch_that_cannot_be_used_is_passed_over(env: dict[str, str], scratch: str) -> None:
    found = place(None, replace(GITHUB, scratch=scratch), env)
    assert str(root_of(found)).startswith(env["TMPDIR"])
    assert found.why is None


def test_outside_ci_it_is_the_users_state_folder(tmp_path: Path, env: dict[str, str]) -> None:
    found = place(None, LOCAL, env)
    assert found == Place(root=tmp_path / "state" / "versioner-ci", is_lost_with_job=False)


@pytest.mark.parametrize("context", [GITHUB, JENKINS, GITLAB], ids=lambda context: context.source_system)
def test_a_forks_run_never_uses_a_shared_folder(tmp_path: Path, env: dict[str, str], context: CIContext) -> None:
    (tmp_path / "scratch").mkdir()
    fork = replace(context, is_fork=True, scratch=str(tmp_path / "scratch"))
    found = place(str(tmp_path / "shared"), fork, env)
    assert not (tmp_path / "shared").exists()
    assert found.is_lost_with_job
    trusted = place(str(tmp_path / "shared"), replace(fork, is_fork=False), env)
    assert root_of(found) != root_of(trusted)


def test_a_forks_run_on_a_lasting_agent_does_not_meet_the_next_builds(tmp_path: Path, env: dict[str, str]) -> None:
    fork = replace(JENKINS, is_fork=True, scratch=str(tmp_path))
    assert str(root_of(place(None, fork, env))).startswith(env["TMPDIR"])


def test_a_given_folder_that_cannot_be_used_is_told_and_another_one_used(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    found = place(str(tmp_path / "file"), replace(GITHUB, scratch=str(tmp_path)), env)
    assert root_of(found) == tmp_path / "versioner-ci"
    assert found.is_lost_with_job
    assert found.why == f"cannot use {tmp_path / 'file'}: EEXIST"


@pytest.mark.parametrize("given", ["\0", "a" * 5000, "/dev/null/x"], ids=["NUL", "too long", "below a file"])
def test_a_given_folder_of_any_name_is_never_fatal(env: dict[str, str], given: str) -> None:
    found = place(given, GITLAB, env)
    assert found.root is not None
    assert found.why is not None


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "open to others"])
def test_fault_43_a_folder_that_is_not_ours_alone_is_not_used(tmp_path: Path, env: dict[str, str], kind: str) -> None:
    ours = tmp_path / "tmp" / f"versioner-ci-{user_id()}"
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    if kind == "file":
        ours.touch()
    elif kind == "open to others":
        ours.mkdir()
        ours.chmod(0o770)
    else:
        ours.symlink_to(tmp_path / "elsewhere" / ("gone" if kind == "dangling link" else ""))
    found = place(None, GITLAB, env)
    assert found.root is None
    assert found.why is not None
    assert found.why.startswith(f"cannot use {tmp_path / 'tmp'}: ")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_fault_43_another_users_folder_is_not_used(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    root_of(place(None, LOCAL, env))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    found = place(None, LOCAL, {**env, "TMPDIR": env["HOME"] + "/.."})
    assert found.root is None
    assert found.why is not None
    assert found.why.endswith("it belongs to another user")


def test_the_folders_of_jobs_long_gone_are_removed(tmp_path: Path, env: dict[str, str]) -> None:
    old, running = (root_of(place(None, replace(GITLAB, job=name), env)) for name in ("old", "running"))
    for root in (old, running):
        (root / "state").mkdir()
        (root / "state" / "file").touch()
        os.utime(root, (1, 1))
    os.utime(old / "state", (1, 1))
    (old / "link").symlink_to(tmp_path / "home")
    os.utime(old, (1, 1))
    new = root_of(place(None, replace(GITLAB, job="new"), env))
    assert {path.name for path in new.parent.iterdir()} == {running.name, new.name}
    assert (tmp_path / "home").is_dir()


HOMELESS = """
import json, os, sys
import hashlib, platformdirs, platformdirs.unix  # before this user can no longer read them
from versioner_ci.context import CIContext
from versioner_ci.places import place

if "no passwd entry" in sys.argv and os.geteuid() == 0:
    os.setgroups([]), os.setgid(54321), os.setuid(54321)
found = place(None, CIContext(source_system="local"), dict(os.environ))
print(json.dumps([str(found.root), found.is_lost_with_job, found.why]))
"""


@pytest.fixture
def open_tmp() -> Iterator[Path]:
    """A folder for all users, as /tmp is, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.mark.parametrize(
    ("home", "mode"),
    [
        pytest.param("/nonexistent", "", id="HOME does not exist"),
        pytest.param("/dev/null", "", id="HOME is no folder"),
        pytest.param(None, "no passwd entry", id="HOME unset, uid without passwd entry"),
        pytest.param("/proc", "", id="HOME is read-only"),
    ],
)
def test_fault_41_without_a_usable_home_it_is_a_temporary_folder(open_tmp: Path, home: str | None, mode: str) -> None:
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(open_tmp)} | ({"HOME": home} if home else {})
    if mode and os.geteuid() != 0:
        env["HOME"] = "/nonexistent"  # only root can become a user whom nobody knows
    done = subprocess.run(
        [sys.executable, "-c", HOMELESS, mode], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    root, is_lost, why = json.loads(done.stdout)
    assert root.startswith(f"{open_tmp}/versioner-ci-")
    assert (is_lost, why) == (False, None)


def test_fault_41_without_any_folder_there_is_no_place_and_no_exception(env: dict[str, str]) -> None:
    blocked = Path(env["TMPDIR"], f"versioner-ci-{user_id()}")
    blocked.touch()
    found = place(None, LOCAL, {**env, "XDG_STATE_HOME": "/dev/null/state"})
    assert found.root is None
    assert found.why == "cannot use /dev/null/state: ENOTDIR"
