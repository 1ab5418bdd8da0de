"""The spool between real processes: claims, kills, full and read-only disks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from versioner_ci.clock import Clock
from versioner_ci.spool import Spool

pytestmark = pytest.mark.skipif(os.name == "nt", reason="fork, signals and limits of POSIX")

PRELUDE = """
import json, os, signal, sys, time
from pathlib import Path
from versioner_ci.clock import Clock
from versioner_ci.event import Event
from versioner_ci.identity import event_key, uid
from versioner_ci.sinks._sink import Item
from versioner_ci.spool import Spool, SpoolError
from versioner_ci.spool_name import parse
from versioner_ci.status import Kind, State

spool = Spool(Path(sys.argv[1]), Clock())

def item(name, **more):
    lifecycle = uid(name)
    return Item(event=Event(kind=Kind.BUILD, state=State.STARTED, product="shop", version="1", lifecycle_id=lifecycle,
                            occurred_at="2026-01-31T12:00:00.000000Z", key=event_key(lifecycle, State.STARTED), **more))

def add(name, **more):
    return spool.add("backend", item(name, **more), job=None, lease_until=time.time() + 30)
"""


def start(script: str, root: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + script, str(root), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=50)
    assert (process.returncode, err) == (0, "")
    return json.loads(out)


def run(script: str, root: Path) -> Any:
    return answer(start(script, root))


CLAIM_ALL = """
go = Path(sys.argv[2])
print("ready", file=sys.stdout, flush=True)
while not go.exists():
    time.sleep(0.001)
mine = []
for entry in spool.entries("backend"):
    claimed = spool.claim(entry, time.time() + 30)
    if claimed is not None and spool.read(claimed) is not None:
        mine.append(claimed.key)
        spool.done(claimed)
        time.sleep(0.0005)  # so that all have a share
print(json.dumps(mine))
"""


def test_fault_42_four_processes_claim_200_events_each_exactly_once(tmp_path: Path) -> None:
    root, go = tmp_path / "spool", tmp_path / "go"
    added = run("print(json.dumps([spool.keep(add(str(n))).key for n in range(200)]))", root)
    claimers = [start(CLAIM_ALL, root, str(go)) for _ in range(4)]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    go.touch()
    shares = [answer(claimer) for claimer in claimers]
    assert sorted(key for share in shares for key in share) == sorted(added)
    assert sum(bool(share) for share in shares) >= 2, "no race took place"
    assert [path.name for path in root.iterdir()] == []


WORK = """
me, done, give_up = sys.argv[2], [], time.time() + 20
for n in range(50):
    spool.keep(add(f"{me}-{n}"))
    for entry in spool.entries()[:3]:
        claimed = spool.claim(entry, time.time() + 30)
        if claimed is not None:
            done.append(spool.read(claimed).item.event.key)
            spool.done(claimed)
    spool.prune()
print(json.dumps(done))
"""


def test_fault_42_events_are_neither_lost_nor_doubled_while_all_write_and_send(tmp_path: Path) -> None:
    workers = [start(WORK, tmp_path / "spool", str(number)) for number in range(4)]
    done = [key for worker in workers for key in answer(worker)]
    left = [entry.key for entry in Spool(tmp_path / "spool", Clock()).entries()]
    keys = [key.replace("-", "") for key in done] + left
    assert len(keys) == len(set(keys)) == 200
    assert not (tmp_path / "spool" / "bad").exists()


KILL_AT_EVERY_CALL = """
def killed_at(limit):
    '''Add an event in a child that is killed at its `limit`-th call into C; whether it was.'''
    pid = os.fork()
    if pid == 0:
        calls = 0
        def count(frame, event, argument):
            nonlocal calls
            calls += event in ("c_call", "c_return")
            if calls >= limit:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        add(f"event {limit}", metadata={"text": "x" * 20_000})
        sys.setprofile(None)
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

add("first")  # everything is imported and the folder is there
report = {"kills": 0, "whole": 0, "broken": [], "unfinished": 0}
for limit in range(1, 2000, 2):
    before = set(os.listdir(spool.root))
    if not killed_at(limit):
        break
    report["kills"] += 1
    for name in set(os.listdir(spool.root)) - before:
        entry = parse(spool.root / name)
        if entry is None:
            report["unfinished"] += 1
        elif spool.read(entry) is None:
            report["broken"].append(limit)
        else:
            report["whole"] += 1
        os.unlink(spool.root / name)
report["last"] = len(spool.entries())
print(json.dumps(report))
"""


def test_fault_37_a_kill_at_any_call_leaves_a_whole_event_or_none(tmp_path: Path) -> None:
    report = run(KILL_AT_EVERY_CALL, tmp_path / "spool")
    assert report["broken"] == []
    assert report["kills"] > 50
    assert report["unfinished"] >= 5, "killed before the rename"
    assert report["whole"] >= 5, "killed after the rename"
    assert report["last"] == 2
    assert not (tmp_path / "spool" / "bad").exists()


CALLS = """
calls, watched = [], {"open", "write", "fsync", "close", "replace", "rename", "unlink"}
add("first")
sys.setprofile(lambda frame, event, c: calls.append(c.__name__) if event == "c_call" and c.__module__ == "posix" else 0)
entry = add("second")
sys.setprofile(None)
print(json.dumps([name for name in calls if name in watched]))
"""


def test_fault_37_the_content_is_on_disk_before_its_name_and_then_the_name(tmp_path: Path) -> None:
    calls = run(CALLS, tmp_path / "spool")
    assert calls == ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]


FULL = """
import resource
entry = add("small")
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
try:
    add("large")
    why = None
except SpoolError as error:
    why = str(error)
is_rewritten = spool.rewrite(entry, item("small", metadata={"more": "x" * 500}))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
stored = spool.read(entry)
print(json.dumps([why, is_rewritten, stored is not None, os.listdir(spool.root) == [entry.path.name]]))
"""


def test_fault_40_a_full_disk_is_told_and_leaves_no_torn_file(tmp_path: Path) -> None:
    assert run(FULL, tmp_path / "spool") == ["cannot spool (EFBIG)", False, True, True]


READ_ONLY = """
import contextlib, platformdirs
entry = add("one")
for path in (entry.path, spool.root):
    os.chown(path, 65534, 65534) if os.geteuid() == 0 else None
spool.root.chmod(0o500)
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
later = time.time() + 100
lapsed = Spool(spool.root, Clock(wall=lambda: later))
try:
    add("two")
    why = None
except SpoolError as error:
    why = str(error)
answers = [why, lapsed.claim(entry, later + 9), spool.keep(entry), spool.set_aside(entry),
           spool.rewrite(entry, item("one")), spool.prune().total, spool.done(entry), len(spool.entries()),
           spool.read(entry) is not None]
print(json.dumps(answers))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user reaches, which tmp_path is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        (Path(folder) / "spool").chmod(0o700)


def test_fault_41_a_read_only_folder_is_told_and_nothing_is_fatal(open_folder: Path) -> None:
    answers = run(READ_ONLY, open_folder / "spool")
    assert answers == ["cannot spool (EACCES)", None, None, False, False, 0, None, 1, True]


def test_an_unfinished_file_of_a_killed_process_does_not_stand_in_the_way(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    spool = Spool(root, Clock())
    run("add('one'); print(1)", root)
    (root / ".new-0011223344556677").write_text('{"format"')
    [entry] = spool.entries()
    assert spool.read(entry) is not None
    time.sleep(0.01)
    assert spool.prune().total == 0
    assert len(spool.entries()) == 1
