"""Outside text: valid, on one line, cut where it may be cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.text import MARK, clean, cut, cut_bytes, one_line, visible

ANY = st.text(st.characters())
"""Lone surrogates too, as the environment has them."""


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        (b"caf\xff".decode("utf-8", "surrogateescape"), "caf\ufffd"),
        (b"\xc3".decode("utf-8", "surrogateescape") + "x", "\ufffdx"),
        ("\ud800x", "\ufffdx"),
        ("a\0b", "a\ufffdb"),
        ("é🚀", "é🚀"),
    ],
    ids=["invalid byte", "half a character", "lone surrogate", "NUL", "valid"],
)
def test_invalid_text_becomes_valid(given_text: str, wanted: str) -> None:
    assert clean(given_text) == wanted


@given(ANY)
def test_clean_text_is_always_utf_8_without_nul(text: str) -> None:
    assert "\0" not in clean(text).encode("utf-8").decode("utf-8")


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u2028b", "a\\x2028b"),
        ("\x85", "\\x85"),
        ("plain é", "plain é"),
    ],
)
def test_control_characters_are_written_out(given_text: str, wanted: str) -> None:
    assert one_line(given_text) == wanted


@given(ANY)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize("control", ["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2069"])
def test_characters_that_reorder_or_hide_text_are_taken_out(control: str) -> None:
    assert visible(f"ma{control}in") == "main"


@given(ANY, st.integers(min_value=0, max_value=50))
def test_a_cut_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(cut(text, limit, "")) <= limit
    assert len(cut(text, limit)) <= max(limit, 1)


def test_a_cut_is_marked() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert cut_bytes("x" * 100, 50).endswith(MARK)


@given(st.text(), st.integers(min_value=len(MARK.encode()), max_value=60))
def test_a_text_cut_by_bytes_fits_and_stays_valid(text: str, limit: int) -> None:
    done = cut_bytes(text, limit)
    assert len(done.encode()) <= limit
    assert done == text or done.endswith(MARK)
