"""The spool: what is written, claimed, kept and forgotten."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.spools import NOW, Wall, an_item, kept, names
from versioner_ci import spool_files
from versioner_ci.clock import Clock
from versioner_ci.event import Event
from versioner_ci.identity import uid
from versioner_ci.sinks._sink import Item, Target
from versioner_ci.spool import Spool, SpoolError
from versioner_ci.status import Kind, State


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def spool(tmp_path: Path, wall: Wall) -> Spool:
    return Spool(tmp_path / "spool", Clock(wall=wall))


def test_an_event_comes_back_as_it_was_written(spool: Spool) -> None:
    item = an_item(
        targets=(Target(channel="C1", mentions=("<@U1>",), is_reply_due=True), Target(channel="")),
        channels={"#deploys": "C1=1700000000.000100"}, is_gated=True, is_unsure=True,
    )  # fmt: skip
    entry = spool.add("slack", item, job="a-job", lease_until=NOW + 30)
    stored = spool.read(entry)
    assert stored is not None
    assert (stored.item, stored.job) == (item, "a-job")


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50) | st.integers() | st.booleans(), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_any_metadata_comes_back_as_it_was_written(tmp_path: Path, metadata: dict[str, object]) -> None:
    spool = Spool(tmp_path / os.urandom(8).hex(), Clock(wall=Wall()))
    item = an_item()
    event = Event(**{name: getattr(item.event, name) for name in Event.__slots__} | {"metadata": metadata})
    stored = spool.read(spool.add("backend", Item(event=event), job=None, lease_until=NOW))
    assert stored is not None
    assert stored.item.event == event


def test_files_are_0600_in_a_folder_of_0700(spool: Spool) -> None:
    old = os.umask(0)
    try:
        entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
        spool.set_aside(entry)
        entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (spool.root, spool.root / "bad", entry.path)}
    assert list(modes.values()) == [0o700, 0o700, 0o600]


def test_a_new_event_is_leased_and_nobody_else_may_claim_it(spool: Spool) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    assert spool.entries() == [entry]
    assert entry.is_leased(NOW)
    assert spool.claim(entry, NOW + 60) is None


def test_a_lapsed_lease_is_claimed_by_one_and_by_no_second(spool: Spool, wall: Wall) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    wall.now += 31
    assert spool.claim(entry, wall.now + 30) is not None
    assert spool.claim(entry, wall.now + 30) is None


def test_a_kept_event_is_free_and_its_content_is_untouched(spool: Spool) -> None:
    entry = kept(spool)
    [listed] = spool.entries("backend")
    assert listed == entry
    assert listed.hold == "free"
    claimed = spool.claim(listed, NOW + 5)
    assert claimed is not None
    assert spool.read(claimed) is not None


def test_a_not_before_is_kept_in_the_name_and_at_most_an_hour_long(spool: Spool) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    spool.keep(entry, NOW + 1e9)
    [listed] = spool.entries()
    assert not listed.is_due(NOW + 3599)
    assert listed.is_due(NOW + 3700)


def test_the_last_hook_may_claim_what_is_not_due_yet(spool: Spool) -> None:
    entry = spool.keep(spool.add("backend", an_item(), job=None, lease_until=NOW + 30), NOW + 60)
    assert entry is not None
    assert not entry.is_due(NOW)
    assert spool.claim(entry, NOW + 5) is not None


def test_what_is_done_is_gone(spool: Spool) -> None:
    spool.done(spool.add("backend", an_item(), job=None, lease_until=NOW + 30))
    assert names(spool.root) == []


def test_done_after_the_lease_was_lost_still_forgets_the_event(spool: Spool, wall: Wall) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 1)
    other = spool.add("slack", an_item(), job=None, lease_until=NOW + 1)
    wall.now += 2
    assert spool.claim(entry, wall.now + 30) is not None
    spool.done(entry)
    assert spool.entries() == [other]


def test_keep_after_the_lease_was_lost_disturbs_nobody(spool: Spool, wall: Wall) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 1)
    wall.now += 2
    claimed = spool.claim(entry, wall.now + 30)
    assert spool.keep(entry) is None
    assert spool.entries() == [claimed]


def test_a_lease_is_extended_only_while_it_is_ours(spool: Spool) -> None:
    entry = spool.add("backend", an_item(), job=None, lease_until=NOW + 1)
    longer = spool.extend(entry, NOW + 50)
    assert longer is not None
    assert longer.until == NOW + 50
    assert spool.extend(entry, NOW + 60) is None


def test_the_same_event_for_the_same_sink_is_kept_once(spool: Spool) -> None:
    first = spool.add("backend", an_item(is_unsure=True), job="first", lease_until=NOW + 30)
    spool.keep(first)
    again = spool.add("backend", an_item(), job="second", lease_until=NOW + 40)
    assert spool.entries() == [again]
    stored = spool.read(again)
    assert stored is not None
    assert (stored.job, stored.item.is_unsure, again.until) == ("first", True, NOW + 40)


def test_the_same_event_that_another_process_sends_now_gets_a_file_of_its_own(spool: Spool) -> None:
    spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    spool.add("backend", an_item(), job=None, lease_until=NOW + 30)
    assert len(spool.entries()) == 2


def test_each_sink_has_its_own_file(spool: Spool) -> None:
    for sink in ("backend", "slack"):
        spool.add(sink, an_item(), job=None, lease_until=NOW + 30)
    assert [[e.sink for e in spool.entries(sink)] for sink in ("backend", "slack", "other")] == [
        ["backend"], ["slack"], [],
    ]  # fmt: skip


def test_events_of_a_lifecycle_stay_in_order_when_the_clock_jumps_back(spool: Spool, wall: Wall) -> None:
    first = spool.add("backend", an_item(state=State.COMPLETED), job=None, lease_until=NOW + 30)
    wall.now = 5.0
    second = spool.add("backend", an_item(state=State.ABORTED), job=None, lease_until=35.0)
    assert second.seq == first.seq + 1
    assert spool.entries() == [first, second]


def test_an_event_of_the_whole_run_is_ordered_by_its_group(spool: Spool) -> None:
    event = Event(
        kind=Kind.BUILD, state=State.FAILED, product="shop", version="1", occurred_at="2026-01-31T12:00:00.000000Z",
        group_id=uid("group"), key="not a uuid",
    )  # fmt: skip
    entry = spool.add("backend", Item(event=event), job=None, lease_until=NOW)
    assert entry.order_id == uid("group").replace("-", "")
    assert entry.key == uid("not a uuid").replace("-", "")
    assert spool.read(entry) is not None


def test_progress_replaces_the_content_and_keeps_the_job(spool: Spool) -> None:
    entry = spool.add("slack", an_item(targets=(Target(channel="C1"), Target(channel="C2"))), job="j", lease_until=NOW)
    assert spool.rewrite(entry, an_item(targets=(Target(channel="C2"),)))
    stored = spool.read(entry)
    assert stored is not None
    assert (stored.job, [t.channel for t in stored.item.targets]) == ("j", ["C2"])


def test_progress_of_an_event_that_is_gone_brings_it_not_back(spool: Spool) -> None:
    entry = spool.add("slack", an_item(), job=None, lease_until=NOW)
    spool.done(entry)
    assert not spool.rewrite(entry, an_item())
    assert names(spool.root) == []


def test_an_event_too_large_to_be_ours_is_not_written(spool: Spool) -> None:
    item = an_item(channels={"a": "x" * (spool_files.MAX_FILE + 1)})
    with pytest.raises(SpoolError, match="bytes"):
        spool.add("slack", item, job=None, lease_until=NOW)
    assert names(spool.root) == []


def test_a_sink_whose_name_is_no_file_name_is_refused(spool: Spool) -> None:
    with pytest.raises(SpoolError, match="sink"):
        spool.add("Back-End", an_item(), job=None, lease_until=NOW)


@pytest.mark.parametrize("value", [float("nan"), object()], ids=["NaN", "no JSON"])
def test_an_event_that_is_no_json_is_a_spool_error(spool: Spool, value: object) -> None:
    item = an_item()
    event = Event(**{name: getattr(item.event, name) for name in Event.__slots__} | {"metadata": {"x": value}})
    with pytest.raises(SpoolError, match="JSON"):
        spool.add("backend", Item(event=event), job=None, lease_until=NOW)


def test_the_errors_name_is_said_and_no_path(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"^cannot spool \(ENOENT\)$"):
        Spool(tmp_path / "a" / "b", Clock()).add("backend", an_item(), job=None, lease_until=NOW)
    assert spool_files.why(OSError(errno.ENOSPC, "x", str(tmp_path))) == "ENOSPC"
