"""Times in and out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.errors import UsageError
from versioner_ci.times import parse, stamp

NOON = 1_769_860_800.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        (" 2026-01-31T12:00:00Z\n", NOON),
        ("2026-01-31T12:00:00", NOON),
        ("2026-01-31 12:00:00", NOON),
        ("2026-01-31T14:00:00+02:00", NOON),
        ("2026-01-31T12:00:00.5Z", NOON + 0.5),
        ("2026-01-31T12:00:00.12Z", NOON + 0.12),
        ("2026-01-31T12:00:00.123456789Z", NOON + 0.123456),
        ("1769860800", NOON),
        ("1769860800.25", NOON + 0.25),
        ("0", 0.0),
    ],
)
def test_a_time_is_read_in_every_form_that_people_and_hosts_write(text: str, seconds: float) -> None:
    assert parse(text) == pytest.approx(seconds, abs=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "12:00",
        "2026-13-01T00:00:00Z",
        "2026-01-31T25:00:00Z",
        "-5",
        "1e9",
        "nan",
        "9" * 30,
        "²",
    ],
)
def test_what_is_no_time_is_refused_with_the_form_to_write(text: str) -> None:
    with pytest.raises(UsageError, match="write it like 2026-01-31T12:00:00Z"):
        parse(text)


def test_a_stamp_is_utc_with_microseconds() -> None:
    assert stamp(NOON + 0.000001) == "2026-01-31T12:00:00.000001Z"


@pytest.mark.parametrize(("seconds", "year"), [(-1e12, "1970"), (0.0, "1970"), (1e18, "9999")])
def test_a_clock_beyond_the_calendar_does_not_crash(seconds: float, year: str) -> None:
    assert stamp(seconds).startswith(year)


@given(st.floats(min_value=0, max_value=4e9))
def test_a_stamp_reads_back_as_the_same_time(seconds: float) -> None:
    assert parse(stamp(seconds)) == pytest.approx(seconds, abs=2e-6)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse(text) >= 0
