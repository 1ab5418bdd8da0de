"""Rows 17 to 19 and 24: the tracker names a time, or nonsense for one."""

from __future__ import annotations

import time

import pytest

from tests.support import raw_server
from tests.support.faults import Fault
from tests.support.network_faults import BUILD, DEPLOYMENT, Expected, Seen, Way, serving, soft_and_strict
from tests.support.raw_server import Behaviour, reply

THEN_201 = reply(201, {})
HOUR = 3600


def busy(status: int, headers: dict[str, str]) -> Behaviour:
    """One such answer; the connection ends with it, so that the next try meets the next behaviour."""
    return raw_server.raw(raw_server.head(status, {"Content-Length": "2", **headers}) + b"{}")


def hold(seen: Seen) -> float | None:
    """Seconds from now until the kept event may be tried again; None: at once."""
    [entry] = seen.place.entries()
    mark = entry.stem.rpartition("-")[2]
    return int(mark[1:]) / 1000 - time.time() if mark.startswith("n") else None


@pytest.mark.parametrize(("status", "args"), [(429, BUILD), (503, DEPLOYMENT)], ids=["429 ungated", "503 gated"])
def test_fault_17_a_wait_that_fits_is_waited_for(fault: Fault, status: int, args: tuple[str, ...]) -> None:
    listener = serving(busy(status, {"Retry-After": "2"}), THEN_201)
    both = soft_and_strict(fault, listener, Expected(outcome="accepted", tries=range(2, 3)), Way(args=args, budget=5))
    assert all(2 < seen.result.seconds < 5 for seen in both)


def test_fault_17_a_wait_that_does_not_fit_is_kept_at_once_and_not_tried_before(fault: Fault) -> None:
    listener = serving(reply(429, {}, {"Retry-After": "60"}))
    said = ("HTTP 429 from {host}, server asks to wait 1 min",)
    for seen in soft_and_strict(fault, listener, Expected(said=said, within=5), Way(budget=10)):
        wait = hold(seen)
        assert wait is not None
        assert 50 < wait <= 60


def test_fault_17_a_wait_of_the_body_counts_too(fault: Fault) -> None:
    listener = serving(reply(429, {"detail": {"message": "Slow down", "retry_after": 60}}))
    both = soft_and_strict(fault, listener, Expected(said=("asks to wait 1 min: Slow down",)), Way(budget=10))
    assert hold(both[0]) is not None


LONG_AGO, SOON_AFTER = "Thu, 01 Jan 2004 00:00:00 GMT", "Thu, 01 Jan 2004 00:00:01 GMT"
DATES: dict[str, dict[str, str]] = {
    "past": {"Retry-After": LONG_AGO},
    "in a second by the server's own wrong clock": {"Retry-After": SOON_AFTER, "Date": LONG_AGO},
    "garbage": {"Retry-After": "Someday, 32 Foo 20x6 25:61:61 GMT"},
    "garbage in Date": {"Retry-After": "1", "Date": "yesterday"},
}


@pytest.mark.parametrize("headers", [pytest.param(row, id=f"fault-18 {name}") for name, row in DATES.items()])
def test_a_date_counts_from_the_servers_own_clock(fault: Fault, headers: dict[str, str]) -> None:
    listener = serving(busy(429, headers), THEN_201)
    both = soft_and_strict(fault, listener, Expected(outcome="accepted", tries=range(2, 3)), Way(budget=4))
    if ":01 GMT" in headers["Retry-After"]:
        assert all(seen.result.seconds > 1 for seen in both)


def test_fault_18_a_date_that_is_far_off_is_kept_at_once(fault: Fault) -> None:
    headers = {"Date": LONG_AGO, "Retry-After": "Thu, 01 Jan 2004 00:10:00 GMT"}
    listener = serving(reply(429, {}, headers))
    both = soft_and_strict(fault, listener, Expected(said=("asks to wait 10 min",), within=5), Way(budget=10))
    wait = hold(both[0])
    assert wait is not None
    assert 580 < wait <= 600


@pytest.mark.parametrize(
    ("status", "value", "words"),
    [
        pytest.param(status, value, words, id=f"fault-19 {status} {value}")
        for status, value, words in ((429, "1e9", "31 y"), (503, "inf", "100 y"))
    ],
)
def test_a_wait_of_years_is_not_slept_and_holds_the_event_an_hour_at_most(
    fault: Fault, status: int, value: str, words: str
) -> None:
    listener = serving(reply(status, {}, {"Retry-After": value}))
    expected = Expected(said=(f"server asks to wait {words}",), within=5)
    for seen in soft_and_strict(fault, listener, expected, Way(budget=10)):
        wait = hold(seen)
        assert wait is not None
        assert HOUR - 20 < wait <= HOUR


@pytest.mark.parametrize(
    ("status", "value"),
    [
        pytest.param(status, value, id=f"fault-19 {status} {value or 'empty'}")
        for status, value in ((429, "-5"), (503, "NaN"), (429, ""), (503, "-inf"))
    ],
)
def test_a_wait_that_is_none_is_as_if_there_were_none(fault: Fault, status: int, value: str) -> None:
    listener = serving(reply(status, {}, {"Retry-After": value}))
    expected = Expected(tries=range(2, 5), unsaid=("asks to wait",))
    for seen in soft_and_strict(fault, listener, expected, Way(budget=2)):
        assert hold(seen) is None


IN_FLIGHT = {"detail": {"message": "In progress", "code": "idempotency_in_flight"}}


@pytest.mark.parametrize(
    ("args", "wait"),
    [(BUILD, {}), (DEPLOYMENT, {"Retry-After": "0"}), (DEPLOYMENT, {"Retry-After": "900"})],
    ids=["ungated", "gated 0", "gated 900"],
)
def test_fault_24_a_copy_in_flight_is_waited_for_shortly(
    fault: Fault, args: tuple[str, ...], wait: dict[str, str]
) -> None:
    content = b'{"detail": {"message": "In progress", "code": "idempotency_in_flight"}}'
    flight = raw_server.raw(raw_server.head(409, {"Content-Length": str(len(content)), **wait}) + content)
    listener = serving(flight, reply(200, {"duplicate": True}))
    soft_and_strict(fault, listener, Expected(outcome="duplicate", tries=range(2, 3), within=5), Way(args=args))


def test_fault_24_a_copy_that_stays_in_flight_keeps_the_event(fault: Fault) -> None:
    expected = Expected(tries=range(2, 5), said=("{host} is handling a copy of this event (HTTP 409)",))
    soft_and_strict(fault, serving(reply(409, IN_FLIGHT)), expected, Way(args=DEPLOYMENT, budget=2))
