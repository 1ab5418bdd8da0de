"""One sink's deliveries: the order inside a lifecycle, what stays on disk, and the last hook of a dying machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sinks import ACCEPTED, CHANNEL, DOWN, Bench, Scripted, named
from versioner_ci.clock import Clock
from versioner_ci.deliver import Effort
from versioner_ci.outcome import Verdict
from versioner_ci.sinks._sink import Answer, Item, Receipt, Rejection, Target
from versioner_ci.status import State

PENDING, STARTED, COMPLETED = State.PENDING, State.STARTED, State.COMPLETED
REFUSED = Receipt(answer=Answer.REFUSED, detail="HTTP 422")
REJECTED = Receipt(answer=Answer.REJECTED, rejection=Rejection(rule="freeze", reason="no deploys"))
WRONG_KEY = Receipt(answer=Answer.MISCONFIGURED, detail="HTTP 401")
UNKNOWN = Receipt(answer=Answer.UNKNOWN, detail="no answer", retry_once=True)


def bench(folder: Path, *reactions: object, name: str = "backend", is_final: bool = False) -> Bench:
    return Bench(folder, Scripted(*reactions, name=name), is_final=is_final)  # type: ignore[arg-type]


SETTLED = {
    "accepted": (ACCEPTED, Verdict.ACCEPTED, [], 0),
    "duplicate": (Receipt(answer=Answer.DUPLICATE), Verdict.DUPLICATE, [], 0),
    "temporary": (DOWN, Verdict.KEPT, ["one started f"], 0),
    "unknown": (UNKNOWN, Verdict.KEPT, ["one started f"], 0),
    "kept": (Receipt(answer=Answer.KEPT), Verdict.KEPT, ["one started f"], 0),
    "misconfigured": (WRONG_KEY, Verdict.KEPT, ["one started f"], 0),
    "refused": (REFUSED, Verdict.REFUSED, [], 1),
    "rejected": (REJECTED, Verdict.REJECTED, [], 0),
    "a sink that raises": (RuntimeError("boom"), Verdict.KEPT, ["one started f"], 0),
}


@pytest.mark.parametrize(("receipt", "verdict", "holds", "bad"), SETTLED.values(), ids=SETTLED)
def test_what_is_on_disk_after_an_answer(
    tmp_path: Path, receipt: object, verdict: Verdict, holds: list[str], bad: int
) -> None:
    b = bench(tmp_path, receipt)
    outcome = b.line.deliver(b.posted("one", STARTED), b.time.deadline(10))
    assert outcome.verdict is verdict
    assert [hold.replace(" free", " f") for hold in b.holds()] == holds
    assert len(list((b.spool.root / "bad").glob("*"))) == bad


def test_an_event_is_on_disk_while_it_is_sent_and_gone_only_after_the_answer(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look(item: Item, timeout: float) -> Receipt:
        seen.append(b.holds())
        return ACCEPTED

    b = bench(tmp_path, look)
    b.line.deliver(b.posted("one", STARTED), b.time.deadline(10))
    assert seen == [["one started leased"]]
    assert b.holds() == []


def test_a_retry_after_beyond_the_budget_is_written_into_the_name(tmp_path: Path) -> None:
    b = bench(tmp_path, Receipt(answer=Answer.TEMPORARY, retry_after=120.0))
    b.line.deliver(b.posted("one", STARTED), b.time.deadline(10))
    [entry] = b.spool.entries()
    assert entry.hold == "later"
    assert entry.until == pytest.approx(b.time.clock.wall() + 120, abs=1)


def test_however_long_a_server_asks_to_wait_an_hour_is_the_most(tmp_path: Path) -> None:
    b = bench(tmp_path, Receipt(answer=Answer.TEMPORARY, retry_after=1e9))
    b.line.deliver(b.posted("one", STARTED), b.time.deadline(10))
    [entry] = b.spool.entries()
    assert entry.until == pytest.approx(b.time.clock.wall() + 3600, abs=1)


def test_kept_events_of_the_lifecycle_go_first_in_order(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.kept("one", STARTED)
    b.kept("other", STARTED)
    b.kept("one", PENDING)
    outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert outcome.verdict is Verdict.ACCEPTED
    assert b.sink.told == ["one pending", "one started", "one completed"]
    assert b.holds() == ["other started free"]


def test_an_ending_never_overtakes_a_start_that_stays_kept(tmp_path: Path) -> None:
    b = bench(tmp_path, DOWN)
    b.kept("one", STARTED)
    outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert outcome.verdict is Verdict.KEPT
    assert outcome.detail == "behind an earlier event: HTTP 503"
    assert set(b.sink.told) == {"one started"}
    assert b.holds() == ["one started free", "one completed free"]


def test_an_ending_waits_for_a_start_that_another_call_is_sending(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.posted("one", STARTED)
    outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert outcome.detail == "behind an earlier event: another call is sending it"
    assert (b.sink.sent, b.time.slept) == ([], [])
    assert b.holds() == ["one started leased", "one completed free"]


def test_a_start_that_another_call_has_delivered_meanwhile_is_no_hindrance(tmp_path: Path) -> None:
    b = bench(tmp_path)
    stale = b.kept("one", STARTED)
    assert b.line.deliver_kept([stale], b.time.deadline(10)).delivered == 1
    assert b.line.deliver_kept([stale], b.time.deadline(10)).left == 0


@pytest.mark.parametrize(("first", "bad"), [(REFUSED, 1), (REJECTED, 0)], ids=["refused", "rejected"])
def test_a_start_that_is_given_up_lets_its_ending_pass_and_is_told(tmp_path: Path, first: Receipt, bad: int) -> None:
    b = bench(tmp_path, first, ACCEPTED)
    b.kept("one", STARTED)
    outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert outcome.verdict is Verdict.ACCEPTED
    [warning] = outcome.warnings
    assert "an earlier event of this lifecycle was not accepted" in warning
    assert ("HTTP 422" if bad else "rejected by rule 'freeze': no deploys") in warning
    assert len(list((b.spool.root / "bad").glob("*"))) == bad


def test_a_not_before_that_fits_into_the_budget_is_waited_for(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.kept("one", STARTED, not_before=3)
    b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert b.sink.told == ["one started", "one completed"]
    assert b.time.slept == [pytest.approx(3, abs=0.01)]


def test_a_not_before_beyond_the_budget_is_respected(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.kept("one", STARTED, not_before=30)
    outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(10))
    assert outcome.detail == "behind an earlier event: the server asked to wait another 30 s"
    assert (b.sink.sent, b.time.slept) == ([], [])


def test_an_event_that_was_kept_before_is_sent_as_it_was_first_written(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.kept("one", STARTED)
    again = b.posted("one", STARTED)
    later = again._replace(item=replace(again.item, event=replace(again.item.event, occurred_at="later")))
    b.line.deliver(later, b.time.deadline(10))
    assert b.sink.sent[0].event.occurred_at == "2026-01-31T12:00:00.000000Z"
    assert b.holds() == []


def test_without_a_disk_an_event_is_sent_all_the_same(tmp_path: Path) -> None:
    b = Bench(tmp_path, Scripted(), has_disk=False)
    assert b.line.deliver(b.posted("one", STARTED), b.time.deadline(10)).verdict is Verdict.ACCEPTED


class TestSlack:
    """Updates of one message may be merged; what would not be seen otherwise may not."""

    def test_an_update_that_a_newer_one_overwrites_is_not_sent(self, tmp_path: Path) -> None:
        b = bench(tmp_path, name="slack")
        b.kept("one", STARTED, targets=CHANNEL)
        b.line.deliver(b.posted("one", COMPLETED, CHANNEL), b.time.deadline(10))
        assert b.sink.told == ["one completed"]
        assert b.holds() == []

    def test_kept_updates_are_merged_to_the_newest(self, tmp_path: Path) -> None:
        b = bench(tmp_path, name="slack")
        group = [b.kept("one", state, targets=CHANNEL) for state in (PENDING, STARTED, COMPLETED)]
        tally = b.line.deliver_kept(group, b.time.deadline(10))
        assert b.sink.told == ["one completed"]
        assert (tally.delivered, tally.left) == (1, 0)

    @pytest.mark.parametrize(
        "older",
        [
            pytest.param((Target(channel="#other"),), id="in another channel"),
            pytest.param((*CHANNEL, Target(channel="#other")), id="in one more channel"),
            pytest.param((Target(channel=""),), id="by webhook"),
            pytest.param((Target(channel="#deploys", is_reply_due=True),), id="a reply that is due"),
        ],
    )
    def test_what_a_newer_one_does_not_overwrite_is_sent(self, tmp_path: Path, older: tuple[Target, ...]) -> None:
        b = bench(tmp_path, name="slack")
        b.kept("one", STARTED, targets=older)
        newer = (Target(channel=""),) if not older[0].channel else CHANNEL
        b.line.deliver(b.posted("one", COMPLETED, newer), b.time.deadline(10))
        assert b.sink.told == ["one started", "one completed"]

    def test_the_trackers_events_are_never_merged(self, tmp_path: Path) -> None:
        b = bench(tmp_path)
        group = [b.kept("one", state) for state in (PENDING, STARTED, COMPLETED)]
        assert b.line.deliver_kept(group, b.time.deadline(10)).delivered == 3

    def test_the_message_that_stands_is_known_to_the_next_call(self, tmp_path: Path) -> None:
        b = bench(tmp_path, name="slack")
        b.notes.known = {"#deploys": "C01=1.1"}
        b.line.deliver(b.posted("one", STARTED, CHANNEL), b.time.deadline(10))
        assert b.sink.sent[0].channels == {"#deploys": "C01=1.1"}

    def test_the_progress_of_an_event_that_stays_kept_is_on_disk(self, tmp_path: Path) -> None:
        left = (Target(channel="#team"),)
        some = Receipt(answer=Answer.KEPT, targets=left, channels={"#deploys": "C01=1.1"})
        b = bench(tmp_path, some, name="slack")
        b.line.deliver(b.posted("one", STARTED, (*CHANNEL, *left)), b.time.deadline(10))
        [entry] = b.spool.entries()
        stored = b.spool.read(entry)
        assert stored is not None
        assert stored.item.targets == left
        assert stored.item.channels == {"#deploys": "C01=1.1"}, "known even where the job's state file is lost"
        assert b.notes.noted == [("one started", False)]


class TestKept:
    """What earlier calls kept of one lifecycle."""

    def test_one_that_stays_kept_keeps_those_behind_it(self, tmp_path: Path) -> None:
        b = bench(tmp_path, ACCEPTED, DOWN)
        group = [b.kept("one", state) for state in (PENDING, STARTED, COMPLETED)]
        tally = b.line.deliver_kept(group, b.time.deadline(10), Effort(retries=0))
        assert (tally.delivered, tally.left, tally.detail) == (1, 2, "HTTP 503")
        assert b.sink.told == ["one pending", "one started"]

    def test_an_event_takes_no_more_than_its_share(self, tmp_path: Path) -> None:
        b = bench(tmp_path, DOWN)
        b.line.deliver_kept([b.kept("one")], b.time.deadline(60), Effort(5.0))
        assert 1 < b.time.now <= 5

    def test_after_a_wrong_key_nothing_more_is_tried(self, tmp_path: Path) -> None:
        b = bench(tmp_path, WRONG_KEY)
        tally = b.line.deliver_kept([b.kept("one"), b.kept("one", COMPLETED)], b.time.deadline(10))
        assert (tally.left, b.line.is_stopped) == (2, True)
        assert b.line.deliver_kept([b.kept("two")], b.time.deadline(10)).left == 1
        assert len(b.sink.sent) == 1

    def test_a_refused_one_is_set_aside_and_counted(self, tmp_path: Path) -> None:
        b = bench(tmp_path, REFUSED, ACCEPTED)
        tally = b.line.deliver_kept([b.kept("one"), b.kept("one", COMPLETED)], b.time.deadline(10))
        assert (tally.set_aside, tally.delivered, tally.left, tally.detail) == (1, 1, 0, "HTTP 422")

    def test_a_rejection_that_comes_late_is_told_with_its_rule(self, tmp_path: Path) -> None:
        b = bench(tmp_path, REJECTED)
        tally = b.line.deliver_kept([b.kept("one")], b.time.deadline(10))
        assert tally.detail == "rejected by rule 'freeze': no deploys"

    def test_a_torn_one_is_passed_over(self, tmp_path: Path) -> None:
        b = bench(tmp_path)
        group = [b.kept("one"), b.kept("one", COMPLETED)]
        group[0].path.write_bytes(b"{")
        tally = b.line.deliver_kept(group, b.time.deadline(10))
        assert (tally.delivered, tally.left) == (1, 0)

    def test_one_whose_owner_died_while_sending_may_have_been_recorded(self, tmp_path: Path) -> None:
        b = bench(tmp_path)
        lapsed = b.posted("one", STARTED).entry
        assert lapsed is not None
        b.time.now = 11
        b.line.deliver_kept([lapsed], b.time.deadline(10))
        assert b.sink.sent[0].is_unsure

    def test_a_lease_outlasts_its_owners_share(self, tmp_path: Path) -> None:
        leases: list[float] = []

        def look(item: Item, timeout: float) -> Receipt:
            leases.extend(entry.until - b.time.clock.wall() for entry in b.spool.entries())
            return ACCEPTED

        b = bench(tmp_path, look)
        b.line.deliver_kept([b.kept("one")], b.time.deadline(60), Effort(5.0))
        assert leases == [pytest.approx(5.5, abs=0.01)], "and not by much: a killed one must not be held up long"


class TestTheLastHook:
    """Nothing comes after it, and the machine dies: what is kept is lost."""

    def test_a_lease_is_waited_for(self, tmp_path: Path) -> None:
        b = bench(tmp_path, is_final=True)
        b.posted("one", STARTED)
        b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(30))
        assert b.sink.told == ["one started", "one completed"]
        assert 9.9 < b.time.now < 10.3

    def test_a_lease_is_waited_for_no_longer_than_its_owner_needs(self, tmp_path: Path) -> None:
        b = bench(tmp_path, is_final=True)
        other = b.posted("one", STARTED).entry
        assert other is not None
        plain = b.time.sleep

        def sleep(seconds: float) -> None:
            plain(seconds)
            if b.time.now > 1:
                b.spool.done(other)

        b.line._clock = Clock(wall=b.time.clock.wall, monotonic=b.time.clock.monotonic, sleep=sleep)
        b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(30))
        assert b.sink.told == ["one completed"]
        assert b.time.now < 2

    def test_a_not_before_is_tried_once_all_the_same(self, tmp_path: Path) -> None:
        b = bench(tmp_path, is_final=True)
        b.kept("one", STARTED, not_before=1800)
        b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(30))
        assert b.sink.told == ["one started", "one completed"]
        assert b.time.slept == []

    def test_the_ending_goes_out_though_its_start_could_not_and_has_its_time(self, tmp_path: Path) -> None:
        def poisoned(item: Item, timeout: float) -> Receipt:
            return DOWN if item.event.state is STARTED else ACCEPTED

        b = bench(tmp_path, poisoned, is_final=True)
        b.kept("one", STARTED)
        outcome = b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(30))
        assert outcome.verdict is Verdict.ACCEPTED
        assert "an earlier event of this lifecycle was not accepted: HTTP 503" in outcome.warnings[0]
        assert b.sink.timeouts[-1] >= 14, "half of the time is the ending's own"
        assert [named(item) for item in b.sink.sent][-1] == "one completed"

    def test_the_ending_goes_out_though_another_call_still_holds_its_start(self, tmp_path: Path) -> None:
        b = bench(tmp_path, is_final=True)
        b.posted("one", STARTED)
        b.line.deliver(b.posted("one", COMPLETED), b.time.deadline(6))
        assert b.sink.told == ["one completed"]

    def test_of_kept_events_too_one_that_fails_lets_those_behind_it_pass(self, tmp_path: Path) -> None:
        b = bench(tmp_path, DOWN, ACCEPTED, is_final=True)
        tally = b.line.deliver_kept([b.kept("one"), b.kept("one", COMPLETED)], b.time.deadline(30), Effort(5.0, 0))
        assert (tally.delivered, tally.left) == (1, 1)
