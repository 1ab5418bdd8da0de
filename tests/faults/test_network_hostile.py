"""Rows 29 to 32: answers made to exhaust, to confuse or to crash who reads them."""

from __future__ import annotations

import sys

import pytest

from tests.support import raw_server
from tests.support.faults import Fault
from tests.support.network_faults import DEPLOYMENT, Expected, Way, serving, soft_and_strict
from tests.support.raw_server import Behaviour, head, reply

GIGABYTE = 1 << 30
BY_STATUS = {
    201: ("accepted", 1, "accepted ("),
    422: ("refused", 1, "HTTP 422 from"),
    503: ("kept", 4, "HTTP 503 from"),
}
"""Status → outcome, at most how many tries, and what is said."""


def vast(status: int) -> Behaviour:
    """1 GB of spaces, as far as anybody takes them."""
    return raw_server.flood(head(status, {"Content-Length": str(GIGABYTE)}), b" " * 1024)


def by_status(fault: Fault, behaviour: Behaviour, status: int, *, unsaid: tuple[str, ...] = ()) -> None:
    """The status decides, whatever the body is."""
    outcome, most, said = BY_STATUS[status]
    expected = Expected(outcome=outcome, tries=range(1, most + 1), said=(said,), unsaid=unsaid)
    soft_and_strict(fault, serving(behaviour), expected, Way(budget=2))


VAST = [
    pytest.param(make(status), status, id=f"fault-29 {name} {status}")
    for name, make, statuses in (("1 GB", vast, (422,)), ("endless chunks", raw_server.endless, (201, 503)))
    for status in statuses
]


@pytest.mark.parametrize(("behaviour", "status"), VAST)
def test_a_vast_body_is_read_for_64_kib_and_the_status_decides(fault: Fault, behaviour: Behaviour, status: int) -> None:
    by_status(fault, behaviour, status)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory hold on Linux")
def test_fault_29_a_vast_body_takes_no_memory(fault: Fault) -> None:
    with raw_server.RawServer(vast(201)) as server:
        prefix = ("sh", "-c", 'ulimit -v 600000; exec "$@"', "sh")
        fault("report", "build", "started", env={"VERSIONER_API_URL": server.url}, prefix=prefix, kept=[], bad=0)


CODED = [
    pytest.param(raw_server.bomb(status, times, coding), status, id=f"fault-30 {times} x {coding} {status}")
    for status, times, coding in ((201, 1, "gzip"), (503, 1, "br"), (201, 6, "gzip"), (422, 6, "deflate"))
]


@pytest.mark.parametrize(("behaviour", "status"), CODED)
def test_a_coded_body_is_never_decoded(fault: Fault, behaviour: Behaviour, status: int) -> None:
    by_status(fault, behaviour, status)


ODD = {
    "invalid UTF-8": b'{"id": "\xff\xfe", "detail": "\xff"}',
    "NUL": b'{"id": "a\0b", "detail": "a\0b"}\0',
    "30,000 brackets": b"[" * 30_000 + b"]" * 30_000,
    "a number of 5,000 digits": b'{"id": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(body, status, id=f"fault-31 {name} {status}")
        for number, (name, body) in enumerate(ODD.items())
        for status in ((201, 422) if number < 2 else (201,))
    ],
)
def test_a_body_that_breaks_a_parser_breaks_nothing(fault: Fault, body: bytes, status: int) -> None:
    by_status(fault, reply(status, body), status, unsaid=("\0", "RecursionError", "fault of versioner-ci"))


FLOOD = raw_server.interim_flood()
MALFORMED: dict[str, Behaviour] = {
    "100 Continue without end": FLOOD,
    "200 headers of 64 KB": raw_server.header_flood(),
    "HTTP/0.9": raw_server.raw(b"<html>hello</html>\r\n"),
    "another protocol": raw_server.raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "status 99": raw_server.raw(b"HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n"),
    "a line without end": raw_server.flood(b"HTTP/1.1 200 ", b"x" * 1024),
}


@pytest.mark.parametrize("behaviour", [pytest.param(row, id=f"fault-32 {name}") for name, row in MALFORMED.items()])
def test_what_is_no_http_keeps_the_event(fault: Fault, behaviour: Behaviour) -> None:
    # The last of several tries may end with the budget, in the midst of a flood.
    said = ("{host}" if behaviour is FLOOD else "{host} answered malformed HTTP", "may have been recorded")
    expected = Expected(tries=range(1, 5), said=said, unsaid=("hello", "SSH-2.0"))
    soft_and_strict(fault, serving(behaviour), expected, Way(args=DEPLOYMENT, budget=2))
