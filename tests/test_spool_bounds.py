"""How much is kept and for how long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.spools import NOW, Wall, an_item, kept, names
from versioner_ci import spool_bounds
from versioner_ci.clock import Clock
from versioner_ci.spool import Dropped, Spool


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def spool(tmp_path: Path, wall: Wall) -> Spool:
    return Spool(tmp_path / "spool", Clock(wall=wall))


def test_what_a_killed_process_began_to_write_is_removed_after_an_hour(spool: Spool, wall: Wall) -> None:
    kept(spool)
    for name, age in ((".new-old", 3700.0), (".new-young", 10.0)):
        (spool.root / name).touch()
        os.utime(spool.root / name, (wall.now - age, wall.now - age))
    spool.prune()
    assert [name for name in names(spool.root) if name.startswith(".")] == [".new-young"]


def test_events_are_dropped_after_72_hours_and_counted(spool: Spool, wall: Wall) -> None:
    kept(spool, "old")
    wall.now += 3600
    young = kept(spool, "young")
    wall.now += 72 * 3600 - 60
    dropped = spool.prune()
    assert dropped == Dropped(too_old=1)
    assert dropped.reasons() == {"older than 72 h": 1}
    assert spool.entries() == [young]


def test_an_event_that_is_being_sent_is_never_dropped(spool: Spool, wall: Wall) -> None:
    entry = kept(spool)
    wall.now += 80 * 3600
    spool.claim(entry, wall.now + 30)
    assert spool.prune() == Dropped()


def test_fault_44_an_event_written_before_the_clock_was_set_is_not_too_old(spool: Spool, wall: Wall) -> None:
    wall.now = 100.0
    spool.keep(spool.add("backend", an_item(), job=None, lease_until=110.0))
    wall.now = NOW
    assert spool.prune() == Dropped()
    assert len(spool.entries()) == 1


def test_no_more_than_1000_files_are_kept_and_the_oldest_goes_first(spool: Spool, wall: Wall) -> None:
    template = kept(spool, "template")
    content = template.path.read_bytes()
    spool.done(template)
    for number in range(1003):
        name = f"v1-{int(NOW * 1e6) + number:017d}-{number:032x}-1-backend-{number:032x}-f.json"
        (spool.root / name).write_bytes(content)
    assert spool.prune().reasons() == {"more than 1,000 files": 3}
    assert spool.entries()[0].seq == int(NOW * 1e6) + 3
    wall.now += 60
    kept(spool, "one more")
    assert len(spool.entries()) == 1000
    assert spool.prune() == Dropped(too_many=1)
    assert spool.prune() == Dropped()


def test_no_more_than_16_mib_are_kept(spool: Spool) -> None:
    for number in range(20):
        entry = kept(spool, str(number))
        entry.path.write_bytes(b"x" * (1 << 20))
    dropped = spool.prune()
    assert sum(path.stat().st_size for path in spool.root.glob("v1-*")) <= 16 << 20
    assert dropped.reasons() == {"more than 16 MiB": 4}


def test_the_quarantine_is_bounded_too(spool: Spool, wall: Wall) -> None:
    wall.now = time.time()
    kept(spool)
    for number in range(spool_bounds.MAX_BAD_FILES + 7):
        (spool.root / f"foreign{number}").write_text("x")
    spool.prune()
    spool.prune()
    assert len(names(spool.root / "bad")) == spool_bounds.MAX_BAD_FILES
    wall.now += 73 * 3600
    spool.prune()
    assert names(spool.root / "bad") == []


def test_the_state_of_jobs_is_dropped_after_72_hours(spool: Spool, wall: Wall) -> None:
    (spool.root / "state").mkdir(parents=True, mode=0o700)
    spool.root.chmod(0o700)
    for name, age in (("old", 73 * 3600.0), ("young", 3600.0)):
        (spool.root / "state" / name).touch()
        os.utime(spool.root / "state" / name, (wall.now - age, wall.now - age))
    spool.prune()
    assert names(spool.root / "state") == ["young"]


def test_a_thousand_events_are_listed_and_claimed_in_well_under_a_second(spool: Spool) -> None:
    spool.done(spool.add("backend", an_item(), job=None, lease_until=NOW))
    for number in range(1000):
        name = f"v1-{int(NOW * 1e6) + number:017d}-{number % 300:032x}-1-backend-{number:032x}-f.json"
        (spool.root / name).write_bytes(b"{}")
    began = time.perf_counter()
    claimed = [spool.claim(entry, NOW + 30) for entry in spool.entries("backend")]
    seconds = time.perf_counter() - began
    assert all(claimed)
    assert seconds < 0.5
