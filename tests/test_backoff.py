"""Waits: how long between tries, and what a server's Retry-After comes to."""

from __future__ import annotations

import itertools
import math
from email.utils import formatdate, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci import backoff

NOW = 1_790_000_000.0
DATE = formatdate(NOW, usegmt=True)


def test_delays_double_from_0_3_to_10_seconds() -> None:
    delays = list(itertools.islice(backoff.delays(lambda: 0.5), 8))
    assert delays == pytest.approx([0.3, 0.6, 1.2, 2.4, 4.8, 9.6, 10, 10])


@pytest.mark.parametrize(("random", "factor"), [(0.0, 0.75), (0.999999, 1.25)])
def test_jitter_is_a_quarter_each_way(random: float, factor: float) -> None:
    assert next(backoff.delays(lambda: random)) == pytest.approx(0.3 * factor, rel=1e-4)


WAITS = [
    ("2", 2.0),
    ("0", 0.0),
    (" 2.5 ", 2.5),
    ("007", 7.0),
    ("1e9", 1e9),
    ("-5", None),
    ("-0.1", None),
    ("NaN", None),
    ("", None),
    ("   ", None),
    ("soon", None),
    ("2 s", None),
    ("0x10", None),
    (formatdate(NOW + 30, usegmt=True), 30.0),
    (formatdate(NOW - 30, usegmt=True), 0.0),
    ("Mon, 21 Sep 2026 14:13:50 GMT", 30.0),
    ("Monday, 21-Sep-26 14:13:50 GMT", 30.0),
    ("Mon Sep 21 14:13:50 2026", 30.0),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ("Monday, 01-Jan-70 00:00:00 GMT", 0.0),
    ("Mon, 99 Sep 2026 14:13:50 GMT", None),
    ("Mon, 21 Foo 2026 14:13:50 GMT", None),
    ("2026-09-21T14:13:50Z", None),
]


@pytest.mark.parametrize(("value", "expected"), WAITS, ids=[repr(row[0]) for row in WAITS])
def test_retry_after_in_seconds_or_as_a_date(value: str, expected: float | None) -> None:
    assert backoff.retry_after({"Retry-After": value, "Date": DATE}, now=0) == expected


@pytest.mark.parametrize("value", ["inf", "Infinity", "1e400", "9" * 40, "9" * 5000])
def test_an_endless_wait_is_a_long_finite_one(value: str) -> None:
    seconds = backoff.retry_after({"Retry-After": value}, now=NOW)
    assert seconds is not None
    assert math.isfinite(seconds)
    assert seconds > 31 * 365 * 86400


def test_no_header_is_no_wait() -> None:
    assert backoff.retry_after({}, now=NOW) is None


def test_the_case_of_a_headers_name_does_not_matter() -> None:
    assert backoff.retry_after({"retry-AFTER": "3"}, now=NOW) == 3


@pytest.mark.parametrize("skew", [-86400.0, 86400.0, -NOW])
def test_a_date_counts_from_the_servers_own_clock(skew: float) -> None:
    headers = {"Retry-After": formatdate(NOW + 30, usegmt=True), "Date": DATE}
    assert backoff.retry_after(headers, now=NOW + skew) == 30


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Sep 2026 14:13:50 GMT"])
def test_without_the_servers_date_ours_counts(date: str) -> None:
    headers = {"Retry-After": formatdate(NOW + 30, usegmt=True), "Date": date}
    assert backoff.retry_after(headers, now=NOW + 10) == 20


_DATES = st.from_regex(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


@given(st.text(max_size=80) | st.from_regex(r"[0-9eE.+-]{0,12}") | _DATES)
def test_whatever_a_server_writes_the_wait_is_finite_or_none(value: str) -> None:
    seconds = backoff.retry_after({"Retry-After": value, "Date": value}, now=NOW)
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_dates_are_read_as_the_standard_library_reads_them(moment: int) -> None:
    text = formatdate(moment, usegmt=True)
    assert backoff.http_date(text) == moment == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5.0),
        (2.5, 2.5),
        ("5", 5.0),
        (0, 0.0),
        (True, None),
        (None, None),
        ([5], None),
        ({}, None),
        (-1, None),
        ("x", None),
        (float("nan"), None),
    ],
)
def test_a_wait_in_a_body_is_a_number_or_its_text(value: object, expected: float | None) -> None:
    assert backoff.seconds_of(value) == expected


def test_a_number_too_large_for_a_float_is_a_long_wait() -> None:
    assert backoff.seconds_of(10**400) == backoff.seconds_of(float("inf"))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (40, "40 s"),
        (59.5, "60 s"),
        (180, "3 min"),
        (7200, "2 h"),
        (90000, "1 d"),
        (1e9, "31 y"),
    ],
)
def test_a_wait_in_words(seconds: float, words: str) -> None:
    assert backoff.in_words(seconds) == words
