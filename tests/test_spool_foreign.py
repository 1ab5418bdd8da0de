"""Files and folders that are not ours: set aside or left alone, never fatal."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.spools import NOW, Wall, an_item, kept, names
from versioner_ci import spool_files
from versioner_ci.clock import Clock
from versioner_ci.identity import uid
from versioner_ci.spool import Dropped, Spool, SpoolError


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def spool(tmp_path: Path, wall: Wall) -> Spool:
    return Spool(tmp_path / "spool", Clock(wall=wall))


def test_a_torn_file_of_the_same_event_does_not_stand_in_for_it(spool: Spool) -> None:
    entry = kept(spool)
    entry.path.write_bytes(b'{"format": 1, "sin')
    again = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    assert spool.read(again) is not None
    assert len(names(spool.root / "bad")) == 1


def foreign_link(path: Path) -> None:
    target = path.with_name(".target")
    path.rename(target)
    path.symlink_to(target)


def rewritten(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def apply(path: Path) -> object:
        record = json.loads(path.read_text())
        change(record)
        return path.write_text(json.dumps(record))

    return apply


BROKEN: dict[str, Callable[[Path], object]] = {
    "torn": lambda path: os.truncate(path, path.stat().st_size // 2),
    "zero-length": lambda path: os.truncate(path, 0),
    "not JSON": lambda path: path.write_bytes(b"\xff\xfe\x00garbage"),
    "another shape": lambda path: path.write_text("[1, 2]"),
    "nested beyond reason": lambda path: path.write_text("[" * 100_000),
    "another event's": rewritten(lambda record: record["event"].update(key=uid("other"))),
    "another sink's": rewritten(lambda record: record.update(sink="slack")),
    "future version": rewritten(lambda record: record.update(format=2)),
    "unknown state": rewritten(lambda record: record["event"].update(state="vanished")),
    "targets of numbers": rewritten(lambda record: record.update(targets=[7])),
    "channel of numbers": rewritten(lambda record: record.update(channels={"a": 7})),
    "0777": lambda path: path.chmod(0o777),
    "group may read": lambda path: path.chmod(0o640),
    "symlink": foreign_link,
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "FIFO": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    "huge": lambda path: path.write_bytes(b" " * (spool_files.MAX_FILE + 1)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_fault_43_a_file_that_is_not_ours_is_set_aside_and_the_others_are_read(
    spool: Spool, wall: Wall, broken: str
) -> None:
    entry = kept(spool)
    BROKEN[broken](entry.path)
    wall.now += 1
    good = kept(spool, "two")
    claimed = [spool.claim(listed, NOW + 9) for listed in spool.entries()]
    read = [spool.read(listed) for listed in claimed if listed is not None]
    assert [stored is not None for stored in read] == [False, True]
    assert len(names(spool.root / "bad")) == 1
    assert [listed.key for listed in spool.entries()] == [good.key]


def test_fault_43_another_users_file_or_folder_is_not_ours(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = kept(spool)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(spool_files.ForeignError, match="others own it"):
        spool_files.read(entry.path)
    with pytest.raises(SpoolError, match="another user"):
        spool.add("backend", an_item("two"), job=None, lease_until=NOW)


FOREIGN = [
    pytest.param("v2-01764000000000000-x.json", id="later format"),
    pytest.param("notes.txt", id="a note"),
    pytest.param("state~", id="a backup"),
    pytest.param("\udcff\n\x1b", id="bytes that are no text"),
]


@pytest.mark.parametrize("name", FOREIGN)
def test_fault_43_files_of_other_names_are_set_aside_by_prune(spool: Spool, name: str) -> None:
    entry = kept(spool)
    (spool.root / name).write_text("x")
    assert spool.entries() == [entry]
    assert spool.prune() == Dropped(foreign=1)
    assert names(spool.root / "bad") == [name]


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_no_name_in_the_folder_is_fatal(tmp_path: Path, name: str) -> None:
    spool = Spool(tmp_path / os.urandom(8).hex(), Clock(wall=Wall(time.time())))
    spool.add("backend", an_item(), job=None, lease_until=NOW)
    if name not in {".", ".."}:
        (spool.root / name).write_text("x")
    assert len(spool.entries()) == 1
    assert spool.prune().total == 0
    assert len(spool.entries()) == 1


def test_hidden_files_and_folders_of_others_are_left_alone(spool: Spool) -> None:
    kept(spool)
    (spool.root / ".gitkeep").touch()
    (spool.root / "lost+found").mkdir()
    assert spool.prune() == Dropped()
    assert {".gitkeep", "lost+found"} <= set(names(spool.root))


def test_a_folder_that_is_open_to_others_is_not_written_to(tmp_path: Path) -> None:
    tmp_path.joinpath("open").mkdir()
    tmp_path.joinpath("open").chmod(0o755)
    with pytest.raises(SpoolError, match="others may read"):
        Spool(tmp_path / "open", Clock()).add("backend", an_item(), job=None, lease_until=NOW)


def test_a_linked_folder_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(SpoolError, match="link"):
        Spool(tmp_path / "link", Clock()).add("backend", an_item(), job=None, lease_until=NOW)


def test_a_folder_that_is_missing_or_no_folder_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "missing", tmp_path / "file"):
        spool = Spool(root, Clock())
        assert spool.entries() == []
        assert spool.prune() == Dropped()
