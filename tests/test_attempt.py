"""Tries within a budget: when to try again, when to stop, and what is left then."""

from __future__ import annotations

import pytest

from tests.support.sinks import ACCEPTED, CHANNEL, DOWN, Reaction, Scripted, Time, a_named_item
from versioner_ci.attempt import Attempt, Deadline, attempt
from versioner_ci.clock import Clock
from versioner_ci.sinks._sink import Answer, Receipt, Target
from versioner_ci.status import State

UNKNOWN = Receipt(answer=Answer.UNKNOWN, detail="no answer")


def tried(
    sink: Scripted, time: Time, budget: float = 10.0, retries: int | None = None, targets: tuple[Target, ...] = ()
) -> Attempt:
    item = a_named_item("one", State.STARTED, targets=targets)
    return attempt(sink, item, time.deadline(budget), time.clock, retries=retries)


def asked(seconds: float) -> Receipt:
    return Receipt(answer=Answer.TEMPORARY, detail="HTTP 429", retry_after=seconds)


def test_the_waits_double_from_0_3_s_and_stay_within_the_budget() -> None:
    sink, time = Scripted(DOWN), Time()
    assert tried(sink, time).receipt is DOWN
    for wait, expected in zip(time.slept, (0.3, 0.6, 1.2, 2.4, 4.8), strict=False):
        assert 0.75 * expected <= wait <= 1.25 * expected
    assert 4 <= len(time.slept) <= 5
    assert time.now <= 10


@pytest.mark.parametrize(
    "answer",
    [
        Answer.ACCEPTED,
        Answer.DUPLICATE,
        Answer.KEPT,
        Answer.MISCONFIGURED,
        Answer.REFUSED,
        Answer.REJECTED,
    ],
    ids=lambda answer: answer.value,
)
def test_an_answer_that_another_try_would_not_change_is_the_last(answer: Answer) -> None:
    sink, time = Scripted(Receipt(answer=answer)), Time()
    assert tried(sink, time).receipt.answer is answer
    assert (len(sink.sent), time.slept) == (1, [])


RETRY_AFTER = {
    "that fits is waited for": (2.0, 10.0, 2, (2.0, 2.2), None),
    "of 0 does not make us faster than our own schedule": (0.0, 0.6, 2, (0.2, 0.6), None),
    "beyond the budget is kept at once": (12.0, 10.0, 1, (0.0, 0.0), 12.0),
    "that leaves no time for the try is kept at once": (9.98, 10.0, 1, (0.0, 0.0), 9.98),
    "of 31 years is kept at once": (1e9, 10.0, 1, (0.0, 0.0), 1e9),
}


@pytest.mark.parametrize(("seconds", "budget", "tries", "waited", "not_before"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_a_retry_after(
    seconds: float, budget: float, tries: int, waited: tuple[float, float], not_before: float | None
) -> None:
    sink, time = Scripted(asked(seconds), ACCEPTED), Time()
    done = tried(sink, time, budget)
    assert len(sink.sent) == tries
    assert waited[0] <= sum(time.slept) <= waited[1]
    assert done.not_before == not_before


LIMITS = {
    "retry once": (Receipt(answer=Answer.UNKNOWN, retry_once=True), None, 2),
    "three retries": (Receipt(answer=Answer.TEMPORARY, retries=3), None, 4),
    "no retries by the sink": (Receipt(answer=Answer.TEMPORARY, retries=0), None, 1),
    "no retries by the caller": (DOWN, 0, 1),
    "the stricter of two": (Receipt(answer=Answer.TEMPORARY, retries=3), 1, 2),
    "once, whatever else is allowed": (Receipt(answer=Answer.UNKNOWN, retry_once=True, retries=9), 5, 2),
}


@pytest.mark.parametrize(("receipt", "retries", "tries"), LIMITS.values(), ids=LIMITS)
def test_a_limit_of_retries_holds(receipt: Receipt, retries: int | None, tries: int) -> None:
    sink, time = Scripted(receipt), Time()
    tried(sink, time, 60.0, retries)
    assert len(sink.sent) == tries


def test_each_try_may_take_what_is_left_of_the_budget() -> None:
    sink, time = Scripted(DOWN, DOWN, ACCEPTED), Time()
    tried(sink, time)
    assert sink.timeouts[0] == 10.0
    assert sink.timeouts == sorted(sink.timeouts, reverse=True)
    assert sink.timeouts[-1] == pytest.approx(10.0 - time.now)


def test_without_any_time_left_nothing_is_sent() -> None:
    sink, time = Scripted(), Time()
    assert tried(sink, time, -1.0).receipt.answer is Answer.KEPT
    assert sink.sent == []


def test_a_sink_that_raises_keeps_the_event_and_says_so_without_the_words_of_the_fault() -> None:
    sink, time = Scripted(ValueError("sk_1_secret")), Time()
    receipt = tried(sink, time).receipt
    assert receipt.answer is Answer.KEPT
    assert receipt.detail == "a fault of versioner-ci: ValueError"


UNSURE = {
    "lost reply": (UNKNOWN, ACCEPTED),
    "refused": (DOWN, ACCEPTED),
    "lost, then refused": (UNKNOWN, DOWN, ACCEPTED),
}


@pytest.mark.parametrize("reactions", UNSURE.values(), ids=UNSURE)
def test_a_try_knows_whether_an_earlier_one_may_have_been_recorded(reactions: tuple[Reaction, ...]) -> None:
    sink, time = Scripted(*reactions), Time()
    done = tried(sink, time)
    assert sink.sent[0].is_unsure is False
    assert sink.sent[-1].is_unsure is done.item.is_unsure is (UNKNOWN in reactions)


def test_a_message_that_stands_is_not_posted_again_by_the_next_try() -> None:
    left = (Target(channel="#team"),)
    some = Receipt(answer=Answer.TEMPORARY, targets=left, channels={"#deploys": "C01=1.1"})
    sink, time = Scripted(some, ACCEPTED, name="slack"), Time()
    done = tried(sink, time, targets=(*CHANNEL, *left))
    assert sink.sent[1].targets == left
    assert sink.sent[1].channels == done.item.channels == {"#deploys": "C01=1.1"}


def test_a_nearer_deadline_is_never_later_than_the_whole_one() -> None:
    time = Time()
    whole = Deadline(Clock(monotonic=lambda: time.now), 10.0)
    assert whole.within(5.0).remaining == 5.0
    assert whole.within(50.0).remaining == 10.0
    time.now = 12.0
    assert whole.within(5.0).remaining == -2.0
