"""git's processes: bounded in time and size, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hosts.repository import GIT, NOTHING, Git, answers, program
from versioner_ci.hosts import _process


@pytest.mark.parametrize("script", ["sleep 60", "trap '' TERM HUP INT; sleep 60 & sleep 60", "echo x; exec sleep 60"])
def test_a_git_that_hangs_is_killed_in_time(repository: Path, env: dict[str, str], tmp_path: Path, script: str) -> None:
    program(tmp_path / "bin", f"echo $$ >> {tmp_path}/pids\n{script}")
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    began = time.monotonic()
    one = Git(str(repository), env, limit=0.5)
    assert answers(one) == NOTHING
    assert one.user_name is None
    assert time.monotonic() - began < 2
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_all_processes_run_at_the_same_time_and_are_read_late(
    repository: Path, env: dict[str, str], tmp_path: Path
) -> None:
    program(tmp_path / "bin", f'sleep 0.3; exec {GIT} "$@"')
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    began = time.monotonic()
    one = Git(str(repository), env)
    assert time.monotonic() - began < 0.25
    assert one.branch == "main"
    assert one.remote is not None
    assert time.monotonic() - began < 1.1


def test_an_answer_that_came_in_time_is_read_after_the_limit(repository: Path, env: dict[str, str]) -> None:
    one = Git(str(repository), env, limit=0.5)
    time.sleep(0.7)
    assert one.branch == "main"


def test_a_flood_is_not_read(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin", "exec yes refs/heads/main")
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    began = time.monotonic()
    assert answers(Git(str(repository), env)) == NOTHING
    assert time.monotonic() - began < 2


def test_what_nobody_reads_is_ended(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin", f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60")
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    one = Git(str(repository), env, ("head",))
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)
    one.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert one.sha is None


def test_with_closed_standard_streams_it_works_the_same(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom versioner_ci.git import Git\n"
        "one = Git(sys.argv[1], os.environ)\n"
        "open(sys.argv[2], 'w').write(f'{one.branch} {one.remote}')\n"
    )
    paths = [path for path in sys.path if path.endswith(("src", "site-packages"))]
    env["PYTHONPATH"] = os.pathsep.join(paths)
    for closing in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        out = tmp_path / "out"
        command = f'exec "$0" -c "$1" "$2" "$3" {closing}'
        subprocess.run(
            ["/bin/sh", "-c", command, sys.executable, code, repository, out], env=env, check=True, timeout=20
        )
        assert out.read_text() == "main git@github.com:acme/shop.git"
        out.unlink()


@pytest.mark.parametrize("start", ["posix_spawn", "subprocess"])
@pytest.mark.parametrize(
    ("script", "answer"), [("printf abc", b"abc"), ("exit 3", b""), ("echo x; exit 1", b"x\n"), ("sleep 30", b"")]
)
def test_both_ways_to_start_a_process_answer_alike(start: str, script: str, answer: bytes) -> None:
    argv, deadline = ["/bin/sh", "-c", script], time.monotonic() + 0.6
    kind = _process._Spawned.start if start == "posix_spawn" else _process._Opened
    assert kind(argv, {"PATH": os.environ["PATH"]}, deadline).read() == answer
    assert time.monotonic() < deadline + 1


@pytest.mark.parametrize(
    "argv", [["/nonexistent"], ["/"], ["/bin/sh", "\0"], ["/bin/sh", "\ud800"], ["/bin/sh", "x" * 200_000]]
)
def test_what_cannot_be_started_is_none_and_leaks_nothing(argv: list[str]) -> None:
    before = set(os.listdir("/dev/fd"))
    assert _process.start(argv, {}, 1.0) is None
    assert len(set(os.listdir("/dev/fd"))) == len(before)


def test_no_descriptor_and_no_child_is_left(repository: Path, env: dict[str, str]) -> None:
    before = len(os.listdir("/dev/fd"))
    one = Git(str(repository), env)
    pids = [process._pid for process in one._running.values() if isinstance(process, _process._Spawned)]
    assert len(pids) == 4
    assert one.sha
    one.close()
    assert len(os.listdir("/dev/fd")) == before
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
