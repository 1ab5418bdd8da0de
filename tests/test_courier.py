"""All sinks at once under one deadline: real threads, and sinks that hang, raise and fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.sinks import ACCEPTED, DOWN, Bench, Notes, Scripted, a_named_item
from versioner_ci.attempt import Deadline
from versioner_ci.clock import Clock
from versioner_ci.courier import Courier, Ticket
from versioner_ci.deliver import Line, Posted
from versioner_ci.outcome import Backlog, Verdict, united, worst
from versioner_ci.sinks._sink import Answer, Item, Receipt
from versioner_ci.spool import Spool
from versioner_ci.status import State

STARTED, COMPLETED = State.STARTED, State.COMPLETED
WRONG_KEY = Receipt(answer=Answer.MISCONFIGURED, detail="HTTP 401")


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a hanging sink waits for: the end of the test."""
    event = threading.Event()
    yield event
    event.set()


class Office:
    """A courier with a real clock over a spool of the test's own."""

    def __init__(
        self, folder: Path, *sinks: Scripted, is_final: bool = False, unusable: dict[str, str] | None = None
    ) -> None:
        self.clock = Clock()
        self.spool = Spool(folder / "spool", self.clock)
        self.lines = [Line(sink, self.spool, Notes(), self.clock, is_final=is_final) for sink in sinks]
        self.courier = Courier(self.lines, self.spool, self.clock, unusable)

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(self.clock, seconds)

    def posted(self, name: str, state: State = STARTED, sink: str = "backend") -> Posted:
        item = a_named_item(name, state)
        entry = self.spool.add(sink, item, job=None, lease_until=time.time() + 10)
        return Posted(item=item, job=None, entry=entry, order_id=entry.order_id, rank=state.rank)

    def kept(self, name: str, state: State = STARTED, sink: str = "backend", not_before: float | None = None) -> None:
        entry = self.posted(name, state, sink).entry
        assert entry is not None
        self.spool.keep(entry, not_before)

    def deliver(self, name: str, state: State = STARTED, *, seconds: float = 5.0) -> list[Verdict]:
        tickets = self.courier.post({"backend": self.posted(name, state)}, self.deadline(seconds))
        return [outcome.verdict for outcome in self.courier.wait(tickets, self.deadline(seconds))]

    def flush(self, seconds: float = 5.0) -> Backlog:
        deadline = self.deadline(seconds)
        self.courier.wait(self.courier.flush(deadline), deadline)
        return self.courier.backlogs[0] if self.courier.backlogs else Backlog(sink="backend")


def hanging(released: threading.Event) -> Callable[[Item, float], Receipt]:
    def hang(item: Item, timeout: float) -> Receipt:
        released.wait(30)
        return ACCEPTED

    return hang


def test_all_sinks_are_told_at_the_same_time(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=5)

    def meet(item: Item, timeout: float) -> Receipt:
        both.wait()
        return ACCEPTED

    office = Office(tmp_path, Scripted(meet), Scripted(meet, name="slack"))
    letters = {name: office.posted("one", sink=name) for name in ("backend", "slack")}
    tickets = office.courier.post(letters, office.deadline(5))
    outcomes = office.courier.wait(tickets, office.deadline(5))
    assert [(o.sink, o.verdict) for o in outcomes] == [("backend", Verdict.ACCEPTED), ("slack", Verdict.ACCEPTED)]


def test_the_budget_is_enforced_from_outside_a_hanging_sink(tmp_path: Path, released: threading.Event) -> None:
    office = Office(tmp_path, Scripted(hanging(released)), Scripted(name="slack"))
    letters = {name: office.posted("one", sink=name) for name in ("backend", "slack")}
    began = time.monotonic()
    deadline = office.deadline(0.4)
    backend, slack = office.courier.wait(office.courier.post(letters, deadline), deadline)
    assert time.monotonic() - began < 0.9
    assert (backend.verdict, slack.verdict) == (Verdict.KEPT, Verdict.ACCEPTED)
    assert backend.detail == "no answer in time; it may have been recorded"
    [entry] = office.spool.entries()
    assert entry.hold == "free", "for the next call at once"


def test_an_answer_after_the_deadline_still_counts_on_disk(tmp_path: Path) -> None:
    late = threading.Event()

    def slow(item: Item, timeout: float) -> Receipt:
        late.wait(5)
        return ACCEPTED

    office = Office(tmp_path, Scripted(slow))
    deadline = office.deadline(0.1)
    tickets = office.courier.post({"backend": office.posted("one")}, deadline)
    office.courier.wait(tickets, deadline)
    late.set()
    wait_until(lambda: tickets[0].is_done)
    assert office.spool.entries() == []


def test_a_sink_that_raises_is_told_as_kept_and_the_others_are_not_silenced(tmp_path: Path) -> None:
    office = Office(tmp_path, Scripted(RuntimeError("boom")), Scripted(name="slack"))
    letters = {name: office.posted("one", sink=name) for name in ("backend", "slack")}
    backend, slack = office.courier.wait(office.courier.post(letters, office.deadline(5)), office.deadline(5))
    assert (backend.verdict, backend.detail) == (Verdict.KEPT, "a fault of versioner-ci: RuntimeError")
    assert slack.verdict is Verdict.ACCEPTED


def test_a_fault_beside_the_sink_keeps_the_event_and_hangs_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path, Scripted())
    office.lines[0]._book = None  # type: ignore[assignment]
    tickets = office.courier.post({"backend": office.posted("one")}, office.deadline(5))
    [outcome] = office.courier.wait(tickets, office.deadline(5))
    assert (outcome.verdict, outcome.detail) == (Verdict.KEPT, "a fault of versioner-ci: AttributeError")
    assert [entry.hold for entry in office.spool.entries()] == ["free"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_fault_in_a_flush_is_told_and_shows_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    office = Office(tmp_path, Scripted())
    for number in range(count):
        office.kept(f"p{number}")
    office.lines[0]._book = None  # type: ignore[assignment]
    backlog = office.flush()
    assert (backlog.left, backlog.detail) == (count, "a fault of versioner-ci: AttributeError")
    assert capsys.readouterr().err == ""


def test_an_unusable_destination_keeps_the_event_and_says_why(tmp_path: Path) -> None:
    office = Office(tmp_path, unusable={"backend": "api_url: holds a blank"})
    [outcome] = office.courier.wait(
        office.courier.post({"backend": office.posted("one")}, office.deadline(5)), office.deadline(5)
    )
    assert (outcome.verdict, outcome.detail) == (Verdict.KEPT, "api_url: holds a blank")
    assert [entry.hold for entry in office.spool.entries()] == ["free"]
    corrected = Office(tmp_path, Scripted())
    assert corrected.flush().delivered == 1


def test_after_its_own_event_a_call_delivers_what_others_kept(tmp_path: Path) -> None:
    sink = Scripted()
    office = Office(tmp_path, sink)
    office.kept("older")
    assert office.deliver("own") == [Verdict.ACCEPTED]
    assert sink.told == ["own started", "older started"]
    assert office.courier.backlogs == (Backlog(sink="backend", delivered=1),)


def test_a_call_whose_own_event_stays_kept_tries_no_others(tmp_path: Path) -> None:
    sink = Scripted(DOWN)
    office = Office(tmp_path, sink)
    office.kept("older")
    office.deliver("own", seconds=0.4)
    assert set(sink.told) == {"own started"}


def test_after_its_own_event_a_call_gives_each_kept_one_a_single_try(tmp_path: Path) -> None:
    sink = Scripted(ACCEPTED, DOWN)
    office = Office(tmp_path, sink)
    for number in range(12):
        office.kept(f"p{number}")
    began = time.monotonic()
    office.deliver("own")
    assert time.monotonic() - began < 2, "no event of the past makes a pipeline wait"
    assert len(sink.sent) == 13
    assert office.courier.backlogs[0].left == 12


def test_events_that_always_fail_do_not_block_other_lifecycles(tmp_path: Path) -> None:
    def poisoned(item: Item, timeout: float) -> Receipt:
        return DOWN if item.event.metadata["name"].startswith("poison") else ACCEPTED

    office = Office(tmp_path, Scripted(poisoned))
    for number in range(10):
        office.kept(f"poison {number}")
    for number in range(5):
        office.kept(f"good {number}")
    office.deliver("own")
    backlog = office.courier.backlogs[0]
    assert (backlog.delivered, backlog.left) == (5, 10)


def test_a_flush_tries_again_for_a_while(tmp_path: Path) -> None:
    sink = Scripted(DOWN, ACCEPTED)
    office = Office(tmp_path, sink)
    office.kept("one")
    assert office.flush().delivered == 1
    assert len(sink.sent) == 2


def test_a_flush_gives_a_dead_sink_up(tmp_path: Path) -> None:
    sink = Scripted(Receipt(answer=Answer.TEMPORARY, retries=0, detail="refused"))
    office = Office(tmp_path, sink)
    for number in range(100):
        office.kept(f"p{number}")
    backlog = office.flush()
    assert (backlog.delivered, backlog.left, backlog.detail) == (0, 100, "refused")
    assert 8 <= len(sink.sent) <= 12


def test_a_wrong_key_ends_a_flush(tmp_path: Path) -> None:
    sink = Scripted(WRONG_KEY, name="slack")
    office = Office(tmp_path, sink)
    for number in range(5):
        office.kept(f"p{number}", sink="slack")
    assert office.flush().left == 5
    assert len(sink.sent) == 1


def test_a_flush_by_four_threads_keeps_the_order_inside_each_lifecycle(tmp_path: Path) -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(item: Item, timeout: float) -> Receipt:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return ACCEPTED

    sink = Scripted(work)
    office = Office(tmp_path, sink)
    for number in range(20):
        for state in (State.PENDING, STARTED, COMPLETED):
            office.kept(f"p{number}", state)
    assert office.flush().delivered == 60
    order: dict[str, list[str]] = {}
    for name, state in (told.split() for told in sink.told):
        order.setdefault(name, []).append(state)
    assert set(map(tuple, order.values())) == {("pending", "started", "completed")}
    assert 2 <= most <= 4


def test_slack_is_told_by_one_thread(tmp_path: Path) -> None:
    names: set[str] = set()

    def work(item: Item, timeout: float) -> Receipt:
        names.add(threading.current_thread().name)
        return ACCEPTED

    office = Office(tmp_path, Scripted(work, name="slack"))
    for number in range(6):
        office.kept(f"p{number}", sink="slack")
    assert office.flush().delivered == 6
    assert names == {"slack"}


def test_a_newer_event_does_not_wait_behind_what_was_kept(tmp_path: Path) -> None:
    begun = threading.Event()

    def slow(item: Item, timeout: float) -> Receipt:
        begun.set()
        time.sleep(0.05)
        return ACCEPTED

    sink = Scripted(slow)
    office = Office(tmp_path, sink)
    for number in range(100):
        office.kept(f"p{number}")
    first = office.courier.post({"backend": office.posted("own")}, office.deadline(10))
    office.courier.wait(first, office.deadline(10), for_backlog=False)
    second = office.courier.post({"backend": office.posted("own", COMPLETED)}, office.deadline(10))
    began = time.monotonic()
    [outcome] = office.courier.wait(second, office.deadline(10), for_backlog=False)
    assert outcome.verdict is Verdict.ACCEPTED
    assert time.monotonic() - began < 0.5
    office.courier.wait(second, office.deadline(10))
    assert office.courier.backlogs == (Backlog(sink="backend", delivered=100),), "told once, though in two goes"


def test_whoever_waits_for_the_backlog_waits_for_that_of_earlier_tickets_too(tmp_path: Path) -> None:
    office = Office(tmp_path, Scripted())
    office.kept("older")
    first = office.courier.post({"backend": office.posted("own")}, office.deadline(5))
    office.courier.wait(first, office.deadline(5), for_backlog=False)
    office.courier.wait([], office.deadline(5))
    assert office.courier.backlogs == (Backlog(sink="backend", delivered=1),)


def test_a_start_that_goes_through_brings_its_kept_ending_along(tmp_path: Path) -> None:
    sink = Scripted()
    office = Office(tmp_path, sink)
    office.kept("own", COMPLETED)
    office.deliver("own", STARTED)
    assert sink.told == ["own started", "own completed"]


def test_what_nobody_may_touch_now_is_left_alone(tmp_path: Path) -> None:
    office = Office(tmp_path, Scripted())
    office.kept("later", not_before=time.time() + 60)
    office.posted("leased")
    assert office.flush() == Backlog(sink="backend")


def test_in_a_last_hook_a_not_before_of_any_lifecycle_is_tried(tmp_path: Path) -> None:
    sink = Scripted()
    office = Office(tmp_path, sink, is_final=True)
    office.kept("later", not_before=time.time() + 60)
    office.kept("now")
    office.deliver("own")
    assert sorted(sink.told) == ["later started", "now started", "own started"]
    assert office.spool.entries() == []


def test_with_no_time_left_an_event_is_given_up_at_once(tmp_path: Path) -> None:
    sink = Scripted()
    office = Office(tmp_path, sink)
    assert office.deliver("own", seconds=-1) == [Verdict.KEPT]
    assert sink.sent == []


def test_without_a_disk_nothing_else_is_looked_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Scripted(), has_disk=False)
    courier = Courier([bench.line], None, Clock())
    deadline = Deadline(Clock(), 5)
    [outcome] = courier.wait(courier.post({"backend": bench.posted("one", STARTED)}, deadline), deadline)
    assert outcome.verdict is Verdict.ACCEPTED
    assert courier.give_up(Ticket(sink="backend")).verdict is Verdict.KEPT


def test_the_worst_outcome_is_the_calls_outcome() -> None:
    assert worst([]) is Verdict.NOTHING
    assert worst([Verdict.ACCEPTED, Verdict.KEPT, Verdict.DUPLICATE]) is Verdict.KEPT
    assert worst([Verdict.REJECTED, Verdict.REFUSED, Verdict.LOST]) is Verdict.REJECTED


def test_backlogs_of_one_sink_are_told_as_one() -> None:
    first = Backlog(sink="backend", delivered=2, left=5, detail="HTTP 503")
    second = Backlog(sink="backend", delivered=4, left=1, set_aside=1)
    other = Backlog(sink="slack", left=1)
    assert united([first, other, second]) == (
        Backlog(sink="backend", delivered=6, left=1, set_aside=1, detail="HTTP 503"),
        other,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)
