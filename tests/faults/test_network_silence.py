"""Rows 8 to 11 and 16: nobody knows whether the tracker has the event."""

from __future__ import annotations

import pytest

from tests.support import raw_server
from tests.support.faults import KEY, Fault
from tests.support.network_faults import BUILD, DEPLOYMENT, Expected, Way, serving, soft_and_strict
from tests.support.raw_server import Behaviour, head
from tests.support.recorder import Recorder

UNFINISHED = "HTTP 200 from {host}, but the answer broke off"
UNSURE = "may have been recorded; retry is safe"
BEGUN = head(200, {"Content-Length": "1000"})
HANG = raw_server.hang()
ENDLESS: dict[str, tuple[Behaviour, str]] = {
    "fault-08 read, no answer": (HANG, "no answer from {host} in"),
    "fault-08 not even read": (raw_server.silence(), "no answer from {host} in"),
    "fault-09 a byte of the head now and then": (raw_server.drip(every=0.2), "no answer from {host} in"),
    "fault-09 a byte of the body now and then": (raw_server.drip(BEGUN, 0.2), UNFINISHED),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ENDLESS.items()])
def test_a_tracker_that_never_comes_to_an_end_takes_no_longer_than_the_budget(
    fault: Fault, row: tuple[Behaviour, str]
) -> None:
    # A gated start and an event that is not gated are waited for in different places.
    behaviour, said = row
    args = DEPLOYMENT if UNFINISHED in said or behaviour is HANG else BUILD
    expected = Expected(tries=range(3), said=(said, UNSURE))
    soft_and_strict(fault, serving(behaviour), expected, Way(args=args, budget=2))


@pytest.mark.slow
def test_fault_08_an_answer_is_waited_for_four_seconds_and_the_retry_is_the_same_event(fault: Fault) -> None:
    listener = serving(raw_server.hang(), raw_server.reply(200, {"duplicate": True, "id": "1"}))
    both = soft_and_strict(fault, listener, Expected(outcome="duplicate", tries=range(2, 3)), Way(budget=8))
    assert all(4 < seen.result.seconds < 8 for seen in both)


BROKEN: dict[str, tuple[Behaviour, str]] = {
    "fault-10 before the request is read": (raw_server.reset(is_read=False), "{host}"),
    "fault-10 once the request is read": (raw_server.reset(), "{host} broke the connection before it answered"),
    "fault-10 within the body": (raw_server.reset(BEGUN + b'{"id":'), UNFINISHED),
    "fault-11 closed without an answer": (raw_server.lose_reply(), "{host} broke the connection before it answered"),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in BROKEN.items()])
def test_a_connection_that_always_breaks_keeps_the_event(fault: Fault, row: tuple[Behaviour, str]) -> None:
    behaviour, said = row
    tries = range(8) if behaviour is BROKEN["fault-10 before the request is read"][0] else range(2, 5)
    soft_and_strict(fault, serving(behaviour), Expected(tries=tries, said=(said,)), Way(budget=2))


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in BROKEN.items()])
def test_a_connection_that_breaks_once_is_tried_again_with_the_same_event(
    fault: Fault, row: tuple[Behaviour, str]
) -> None:
    args = BUILD if row[1] == UNFINISHED else DEPLOYMENT
    listener = serving(row[0], raw_server.reply(201, {"id": "7"}))
    soft_and_strict(fault, listener, Expected(outcome="accepted", tries=range(1, 3)), Way(args=args))


@pytest.mark.parametrize("args", [BUILD, DEPLOYMENT], ids=["ungated", "gated"])
@pytest.mark.parametrize("flags", [(), ("--fail-on-error",)], ids=["soft", "strict"])
def test_fault_11_a_lost_reply_is_one_record_and_a_success(
    fault: Fault, tracker: Recorder, args: tuple[str, ...], flags: tuple[str, ...]
) -> None:
    tracker.lose_replies(2)
    result = fault(*args, *flags, kept=[], bad=0)
    assert "backend: accepted before, a duplicate" in result.err
    assert len(tracker.events) == 1
    first, *others = tracker.requests
    assert len(others) == 2
    assert all((other.key, other.raw) == (first.key, first.raw) for other in others)
    assert first.headers["authorization"] == f"Bearer {KEY}"


TORN: dict[str, Behaviour] = {
    "fault-16 JSON that breaks off": raw_server.reply(201, b'{"id": "1", "st'),
    "fault-16 shorter than announced": raw_server.truncated(201),
    "fault-16 a chunk that breaks off": raw_server.raw(head(201, {"Transfer-Encoding": "chunked"}) + b'20\r\n{"id":'),
}


@pytest.mark.parametrize("torn", [pytest.param(row, id=name) for name, row in TORN.items()])
def test_a_torn_answer_is_tried_once_more_with_the_same_event(fault: Fault, torn: Behaviour) -> None:
    listener = serving(torn, raw_server.reply(200, {"id": "1", "duplicate": True}))
    # Over a connection that is kept the same behaviour answers twice.
    if torn is TORN["fault-16 JSON that breaks off"]:
        listener = serving(
            raw_server.raw(head(201, {"Content-Length": "6"}) + b'{"id":'),
            raw_server.reply(200, {"id": "1", "duplicate": True}),
        )
    soft_and_strict(fault, listener, Expected(outcome="duplicate", tries=range(2, 3)))


@pytest.mark.parametrize("torn", [pytest.param(row, id=name) for name, row in TORN.items()])
def test_an_answer_that_is_torn_each_time_is_tried_twice_and_no_more(fault: Fault, torn: Behaviour) -> None:
    said = ("HTTP 201 from {host}, but the answer broke off", UNSURE)
    soft_and_strict(fault, serving(torn), Expected(tries=range(2, 3), said=said, within=5), Way(budget=10))


def test_fault_16_an_answer_longer_than_announced_is_taken_as_announced(fault: Fault) -> None:
    answer = raw_server.raw(head(201, {"Content-Length": "2"}) + b'{}{"detail": "more"}')
    soft_and_strict(fault, serving(answer), Expected(outcome="accepted"))
