"""One locked 0600 file a job: shared by processes, never fatal, forgotten after 72 h."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from versioner_ci import state
from versioner_ci.book import StateBook
from versioner_ci.context import CIContext
from versioner_ci.event import Event
from versioner_ci.identity import uid
from versioner_ci.session import job_name
from versioner_ci.sinks._sink import Item, Target
from versioner_ci.state import MAX_AGE, JobState, Record
from versioner_ci.status import Kind, State

ADD_TEN = """
import sys, time
from pathlib import Path
from versioner_ci.state import JobState, Record
for n in range(10):
    with JobState(Path(sys.argv[1])).changing() as records:
        time.sleep(0.002)
        records.append(Record(id=f"{sys.argv[2]}-{n}", group="g", kind="build", product="p", version="v",
                              opened=time.time()))
"""


def a_record(name: str = "one", **changes: Any) -> Record:
    values: dict[str, Any] = {"group": "g", "kind": "build", "product": "p", "version": "v", "opened": time.time()}
    return Record(id=name, **{**values, **changes})


def add(job: JobState, record: Record) -> None:
    with job.changing() as records:
        records.append(record)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "job.json"


def test_what_one_call_writes_the_next_one_reads(path: Path) -> None:
    full = a_record(
        environment="e",
        key="k",
        invoke_id="7",
        count=3,
        state="started",
        started_at="t",
        started_monotonic=1.5,
        boot="b",
        is_own=False,
        run="r",
        is_rejected=True,
        is_pending_accepted=True,
        channels={"#d": "C1=1.1"},
        scm={"scm_sha": "f"},
        told=("slack:started",),
        error="e",
        error_code="1",
    )
    add(JobState(path), full)
    assert JobState(path).read() == [full]


def test_the_file_and_its_folder_are_the_users_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        add(JobState(path), a_record())
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"format": 99, "records": [{}]}', b'{"format": 1, "records": [{}]}',
     b'{"format": 1, "records": [5]}', b'{"format": 1, "records": 5}', b"[" * 100_000, b"9" * 10_000,
     json.dumps({"format": 1, "records": [{**state._slim(a_record()), "channels": "x"}]}).encode(),
     json.dumps({"format": 1, "records": [{**state._slim(a_record()), "opened": "x"}]}).encode(),
     json.dumps({"format": 1, "records": [{**state._slim(a_record()), "product": 5}]}).encode()],
)  # fmt: skip
def test_a_torn_or_foreign_file_counts_as_empty_and_is_written_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    job = JobState(path)
    assert job.read() == []
    add(job, a_record())
    assert [record.id for record in JobState(path).read()] == ["one"]
    assert job.problem is None


def test_a_field_of_a_later_version_is_passed_over(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"format": 1, "records": [{**state._slim(a_record()), "colour": "red"}]}))
    assert [record.id for record in JobState(path).read()] == ["one"]


def test_a_lifecycle_is_forgotten_after_72_hours(path: Path) -> None:
    job = JobState(path)
    add(job, a_record("old", opened=time.time() - MAX_AGE - 5))
    add(job, a_record("young", opened=time.time() - MAX_AGE + 60))
    assert [record.id for record in job.read()] == ["young"]


def test_an_error_inside_changes_nothing(path: Path) -> None:
    def fail() -> None:
        with JobState(path).changing() as records:
            records.append(a_record("two"))
            raise ValueError

    add(JobState(path), a_record())
    with pytest.raises(ValueError):  # noqa: PT011 - our own
        fail()
    assert [record.id for record in JobState(path).read()] == ["one"]
    add(JobState(path), a_record("three"))


def test_processes_at_once_lose_nothing_of_each_other(path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", ADD_TEN, str(path), str(n)]) for n in range(4)]
    assert [process.wait(30) for process in processes] == [0] * 4
    assert len({record.id for record in JobState(path).read()}) == 40


def test_threads_at_once_lose_nothing_of_each_other(path: Path) -> None:
    job = JobState(path)
    threads = [threading.Thread(target=add, args=(job, a_record(str(n)))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(job.read()) == 8


@pytest.mark.skipif(state.fcntl is None, reason="Windows has no flock")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_costs_no_time(path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def flock(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(state.fcntl, "flock", flock)
    began = time.monotonic()
    for n in range(5):
        add(JobState(path), a_record(str(n)))
    assert time.monotonic() - began < 1
    assert len(JobState(path).read()) == 5


def test_a_lock_that_nobody_releases_is_not_waited_for_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_LOCK_SECONDS", 0.2)
    with JobState(path).changing():
        began = time.monotonic()
        add(JobState(path), a_record())
        assert 0.1 < time.monotonic() - began < 2


def _no_folder(path: Path) -> None:
    path.parent.write_text("a file")


def _a_link(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent / "elsewhere")


def _a_folder(path: Path) -> None:
    path.mkdir(parents=True)


@pytest.mark.parametrize("spoil", [_no_folder, _a_link, _a_folder])
def test_an_unwritable_place_keeps_the_state_in_memory_and_says_so(path: Path, spoil: Callable[[Path], None]) -> None:
    spoil(path)
    job = JobState(path)
    add(job, a_record())
    add(job, a_record("two"))
    assert [record.id for record in job.read()] == ["one", "two"]
    assert str(job.problem).startswith("cannot keep this job's state (")


def test_without_a_place_the_state_is_in_memory() -> None:
    job = JobState(None)
    add(job, a_record())
    job.update("one", error="e")
    job.update("gone", error="e")
    assert [record.error for record in job.read()] == ["e"]
    assert job.problem is None


CI = CIContext(
    source_system="jenkins",
    server_url="https://ci",
    invoke_id="12",
    pipeline="shop/main",
    attempt="2",
    job="j",
    leg="3",
)


def test_the_file_is_named_by_what_tells_one_job_from_another() -> None:
    assert job_name(CI, "/w") == uid("jenkins", "https://ci", "12", "shop/main", "2", "j", "3")
    assert job_name(replace(CI, scm_sha="f", scm_repository="o/r", product="x", environment="y"), "/x") == job_name(
        CI, "/w"
    )


@pytest.mark.parametrize("name", ["source_system", "server_url", "invoke_id", "pipeline", "attempt", "job", "leg"])
def test_another_run_attempt_job_or_leg_has_a_file_of_its_own(name: str) -> None:
    assert job_name(replace(CI, **{name: "other"}), "/w") != job_name(CI, "/w")


def test_outside_ci_a_repository_has_one_file_wherever_it_is_used() -> None:
    local = CIContext(source_system="local", server_url="https://github.com", scm_repository="octo/shop")
    assert job_name(local, "/w") == job_name(replace(local, scm_sha="f", version="2"), "/w/sub")
    assert job_name(local, "/w") != job_name(replace(local, scm_repository="octo/lib"), "/w")
    assert job_name(replace(local, scm_repository=None), "/w") != job_name(replace(local, scm_repository=None), "/x")


def an_item(state: State, **changes: Any) -> Item:
    event = Event(kind=Kind.BUILD, state=state, product="p", version="v", occurred_at="t", key="k", lifecycle_id="one")
    targets = (Target(channel="#d"),) if "channels" in changes or state is State.FAILED else ()
    return Item(event=event, targets=targets, **changes)


def test_what_a_sink_accepted_is_noted_once(path: Path) -> None:
    job = JobState(path)
    add(job, a_record())
    book = StateBook(job, "job")
    for _ in range(2):
        book.note("job", "slack", an_item(State.STARTED, channels={"#d": "C1=1.1"}), is_delivered=True)
    book.note("job", "backend", an_item(State.PENDING), is_delivered=True)
    book.note("job", "backend", an_item(State.STARTED), is_delivered=False)
    [record] = job.read()
    assert record.told == ("slack:started", "backend:pending")
    assert record.is_pending_accepted
    assert book.channels("job", "one") == {"#d": "C1=1.1"}


def test_a_kept_event_of_another_job_is_noted_in_that_jobs_file(path: Path) -> None:
    other = JobState(path.with_name("other.json"))
    add(other, a_record())
    book = StateBook(JobState(path), "job")
    book.note("other", "slack", an_item(State.STARTED, channels={"#d": "C1=1.1"}), is_delivered=True)
    assert other.read()[0].channels == book.channels("other", "one") == {"#d": "C1=1.1"}
    book.note("../../other", "slack", an_item(State.FAILED), is_delivered=True)
    book.note("gone", "slack", an_item(State.FAILED), is_delivered=True)
    assert not path.with_name("gone.json").exists()
