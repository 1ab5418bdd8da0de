"""Metadata as it is typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.errors import UsageError
from versioner_ci.settings_metadata import from_json, from_variable, metadata_from


def outcome(read: Callable[[Any], dict[str, Any]], raw: object) -> dict[str, Any] | str:
    """What was read, or what the error says."""
    try:
        return read(raw)
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize(
    ("pair", "found"),
    [
        ("team=payments", {"team": "payments"}),
        ("query=a=b=c", {"query": "a=b=c"}),
        ("empty=", {"empty": ""}),
        ("number=1", {"number": "1"}),
        (" key =  value ", {"key": "  value "}),
        ("emoji=🚀", {"emoji": "🚀"}),
        ("bytes=\udcff", {"bytes": "�"}),
        ("lines=a\nb", {"lines": "a\nb"}),
    ],
)
def test_a_value_of_key_value_is_text(pair: str, found: dict[str, str]) -> None:
    assert metadata_from([pair]) == found


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["team"], "--metadata 'team' has no '=' (write it like team=payments)"),
        (["=x"], "metadata has an empty key (write it like team=payments)"),
        ([" =x"], "metadata has an empty key (write it like team=payments)"),
        (["a=1", "b=2", "a=3"], "--metadata: the key 'a' is given twice"),
        (["a\nb=1"], "the metadata key 'a\\nb' holds a character that cannot be shown"),
        (["\x1b[31m=1"], "the metadata key '\\x1b[31m' holds a character that cannot be shown"),
        (["k" * 300 + "=1"], f"the metadata key '{'k' * 59}…' is longer than 255 characters"),
    ],
)
def test_ill_pairs_are_errors_on_one_line(pairs: list[str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        metadata_from(pairs)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "metadata is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ('{"a": 1,\n "b": x}', "metadata is not JSON: Expecting value at line 2, column 7"),
        ("team=payments", "metadata is not JSON: Expecting value at line 1, column 1"),
        ("[1]", "metadata is a list, not a JSON object"),
        ('"a"', "metadata is text, not a JSON object"),
        ("true", "metadata is true or false, not a JSON object"),
        ("null", "metadata is null, not a JSON object"),
        ("3", "metadata is a number, not a JSON object"),
        ('{"a": 1, "b": {"c": 1, "d": 2, "c": 3}}', "metadata: the key 'c' is given twice"),
        ('{"a": 1, "b": 1, "a": 1}', "metadata: the key 'a' is given twice"),
        ('{"a": NaN}', "metadata: NaN is not a JSON number"),
        ('{"a": [-Infinity]}', "metadata: -Infinity is not a JSON number"),
        ('{"": 1}', "metadata has an empty key"),
        ('{"\\ud800": 1}', "the metadata key"),
        ("[" * 100_000, "metadata is nested too deeply"),
    ],
    ids=lambda text: text[:30],
)
def test_ill_json_is_an_error_that_names_the_place(document: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        metadata_from((), document)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_a_number_of_5000_digits_is_an_error_or_a_number_never_a_crash() -> None:
    found = outcome(from_json, '{"a": ' + "9" * 5000 + "}")
    assert "too long" in found if isinstance(found, str) else set(found) == {"a"}


@pytest.mark.parametrize(
    "raw",
    [b'{"a": "\xc3\xa9"}', b'\xef\xbb\xbf{"a": "\xc3\xa9"}', '{"a": "é"}'.encode("utf-16")],
    ids=["utf-8", "byte-order-mark", "utf-16-as-PowerShell-writes-it"],
)
def test_a_file_may_be_written_as_editors_write_it(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(raw)
    assert metadata_from((), f"@{tmp_path / 'm.json'}") == {"a": "é"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("missing.json", "No such file"), (".", "Is a directory"), ("nul\0", "not a path")],
    ids=["missing", "folder", "nul"],
)
def test_a_file_that_cannot_be_read_is_an_error(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the metadata file") as raised:
        metadata_from((), f"@{tmp_path}/{name}")
    assert said in str(raised.value)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(UsageError, match="not UTF-8 text"):
        metadata_from((), f"@{tmp_path / 'm.json'}")


def test_an_endless_input_is_not_read_to_its_end() -> None:
    with pytest.raises(UsageError, match="larger than 8 MiB"):
        metadata_from((), "-", stdin=io.BytesIO(b" " * (9 * 1024 * 1024)))


def test_standard_input_where_there_is_none_is_an_error() -> None:
    with pytest.raises(UsageError, match="cannot be read from standard input"):
        metadata_from((), "-")


def test_a_pair_is_stronger_than_the_document() -> None:
    assert metadata_from(["a=pair"], '{"a": 1, "b": 2}') == {"a": "pair", "b": 2}
    assert metadata_from({"a": 3}, '{"a": 1}') == {"a": 3}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ("a=1\n\n b = 2\r\nc={x}\n", {"a": "1", "b": " 2", "c": "{x}"}),
        ("", {}),
    ],
    ids=["json", "lines", "empty"],
)
def test_a_variable_may_hold_json_or_lines(text: str, found: dict[str, Any]) -> None:
    assert from_variable(text) == found


def test_a_variable_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"a": [1, null]}')
    assert from_variable(f" @{tmp_path / 'm.json'}") == {"a": [1, None]}


@given(st.binary(max_size=300) | st.text(alphabet=st.characters(), max_size=300))
def test_anything_else_is_a_usage_error_never_a_crash(raw: bytes | str) -> None:
    found = outcome(from_json, raw)
    assert isinstance(found, dict) or "\n" not in found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_a_json_object_arrives_as_it_is(value: dict[str, Any]) -> None:
    assert from_json(json.dumps(value)) == json.loads(json.dumps(value))


@given(st.lists(st.text(alphabet=st.characters(), max_size=40), max_size=4))
def test_arbitrary_pairs_give_text_or_a_usage_error(pairs: list[str]) -> None:
    found = outcome(metadata_from, pairs)
    assert "\n" not in found if isinstance(found, str) else all(isinstance(value, str) for value in found.values())
