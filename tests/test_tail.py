"""The end of a command's stderr as the error of its failure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.redact import Redactor
from versioner_ci.tail import BYTES, LINES, error_text

PLAIN = Redactor()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", None),
        (b"\n\n", None),
        (b"one\n", "one"),
        (b"one\n\n\n", "one"),
        (b"\n one\ntwo", "\n one\ntwo"),
        (b"one\r\ntwo\r\n", "one\ntwo"),
        (b"10%\r50%\r100%\ndone\n", "100%\ndone"),
        (b"\x1b[31mred\x1b[0m \x1b[1;4mbold\x1b[m\n", "red bold"),
        (b"\x1b]8;;https://x\x07link\x1b]8;;\x07\n", "link"),
        (b"\x1b]0;never ended\nerror: the cause\n", "\nerror: the cause"),
        (b"\x1b(Bset\x1b7\x1b8", "set"),
        (b"bell\x07 back\x08 nul\x00\n", "bell back nul\ufffd"),
        (b"\xff\xfe caf\xc3\xa9\n", "\ufffd\ufffd café"),
    ],
)  # fmt: skip
def test_the_text_of_an_error(raw: bytes, text: str | None) -> None:
    assert error_text(raw, PLAIN) == text


def test_the_last_20_lines_are_told() -> None:
    raw = b"".join(b"line %d\n" % number for number in range(100))
    assert str(error_text(raw, PLAIN)).splitlines() == [f"line {number}" for number in range(80, 100)]


def test_four_kibibytes_at_most_and_never_half_a_character() -> None:
    text = str(error_text(("é" * 5_000).encode(), PLAIN))
    assert BYTES - 2 < len(text.encode()) <= BYTES
    assert set(text) == {"é"}


def test_secrets_are_masked_before_the_text_is_cut() -> None:
    secret = "hunter2-hunter2"
    raw = (secret + "x" * (BYTES - 5)).encode()
    text = str(error_text(raw, Redactor([secret])))
    assert "hunter" not in text
    assert "unter2" not in text


def test_a_secret_in_colours_is_masked() -> None:
    assert error_text(b"key=hun\x1b[1mter2-hunter2\x1b[0m", Redactor(["hunter2-hunter2"])) == "key=***"


@given(st.binary(max_size=6_000))
def test_no_bytes_at_all_make_trouble(raw: bytes) -> None:
    text = error_text(raw, PLAIN)
    if text is not None:
        assert len(text.encode()) <= BYTES
        assert len(text.split("\n")) <= LINES
        assert not any(ord(character) < 32 and character not in "\n\t" for character in text)
