"""The bounds of what is sent: nothing over them, nothing cut in silence, nothing changed that fits."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from versioner_ci import limits
from versioner_ci.event import Event, extra_metadata, payload
from versioner_ci.limits import MARK_KEY, MAX_DEPTH, MAX_KEYS, MAX_METADATA, MAX_REQUEST, MAX_VALUE, cut_metadata
from versioner_ci.status import Kind, State
from versioner_ci.text import MARK


class Colour(Enum):
    RED = "red"


class Silent:
    """An object that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def event(**fields: Any) -> Event:
    known: dict[str, Any] = {
        "kind": Kind.DEPLOYMENT, "state": State.FAILED, "product": "shop", "version": "1", "environment": "qa",
        "occurred_at": "2026-01-31T12:00:00.000000Z", "group_id": "0" * 36, "lifecycle_id": "1" * 36, "key": "k",
    }  # fmt: skip
    return Event(**{**known, **fields})


def size(value: object) -> int:
    return len(json.dumps(value))


def utf8(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def keys(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


def nested(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = {"a": value}
    return value


def holds(metadata: dict[str, Any]) -> None:
    """The contract's bounds, with what the reporter adds."""
    sent = extra_metadata(event(metadata=metadata))
    assert size(sent) <= MAX_METADATA
    assert keys(sent) <= MAX_KEYS
    assert depth(sent) <= MAX_DEPTH
    for value in sent.values():
        assert len(value.encode()) <= MAX_VALUE if isinstance(value, str) else utf8(value) <= MAX_VALUE
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent
    json.dumps(sent, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"a": "text", "b": 1, "c": 1.5, "d": True, "e": None, "f": [1, [2]], "g": {"h": {}}},
        {"emoji": "🚀", "quote": '"\\', "lines": "a\nb"},
        {"long": "x" * MAX_VALUE},
        {"é": "é" * (MAX_VALUE // 2)},
        {str(number): number for number in range(96)},
        {"deep": nested(MAX_DEPTH - 1)},
        {"number": 2**63 - 1, "other": -(2**63)},
    ],
    ids=["empty", "types", "text", "8-KiB", "8-KiB-of-two-bytes", "keys", "depth", "numbers"],
)
def test_what_fits_stays_as_it_is_without_a_note(metadata: dict[str, Any]) -> None:
    assert cut_metadata(metadata) == (metadata, ())
    holds(metadata)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (2**63, str(2**63)),
        (b"caf\xc3\xa9", "café"),
        (b"\xff", "�"),
        (bytearray(b"a"), "a"),
        ("\udcff\ud800", "��"),
        ("a\0b", "a�b"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"a"}), ["a"]),
        ((1, 2), [1, 2]),
        (deque([1]), [1]),
        (OrderedDict(a=1), {"a": 1}),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00+00:00"),
        (Colour.RED, "red"),
        (Kind.BUILD, "build"),
        (State.FAILED, "failed"),
        (Decimal("1.10"), "1.10"),
        (UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (PurePosixPath("/a"), "/a"),
        (Silent(), "<Silent>"),
        ([float("nan"), b"a", Colour.RED], ["nan", "a", "red"]),
        ({2: "a", None: "b", True: "c", 1.5: "d"}, {"2": "a", "null": "b", "true": "c", "1.5": "d"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_becomes_json(value: Any, sent: Any) -> None:
    metadata, _ = cut_metadata({"a": value})
    assert metadata["a"] == sent
    holds(metadata)


@pytest.mark.parametrize(("key", "text"), [(1, "1"), (None, "null"), (True, "true"), ((1, 2), "(1, 2)"), ("\0", "�")])
def test_a_key_is_always_text(key: object, text: str) -> None:
    assert cut_metadata({key: 1}) == ({text: 1}, ())


def test_a_long_text_is_cut_with_a_mark_and_a_note() -> None:
    metadata, notes = cut_metadata({"log": "é" * 10_000})
    assert metadata["log"].endswith(MARK)
    assert MAX_VALUE - 4 <= len(metadata["log"].encode()) <= MAX_VALUE
    assert metadata[MARK_KEY] == "cut: log"
    assert notes == ("metadata 'log': cut, longer than 8 KiB",)
    holds(metadata)


def test_a_long_list_is_cut_with_a_mark_and_a_note() -> None:
    metadata, notes = cut_metadata({"list": list(range(10_000))})
    assert metadata["list"][:3] == [0, 1, 2]
    assert metadata["list"][-1] == MARK
    assert notes == ("metadata 'list': cut, longer than 8 KiB",)
    holds(metadata)


def test_a_long_text_within_a_list_is_cut_where_it_stands() -> None:
    metadata, notes = cut_metadata({"list": ["a", "x" * 10_000, "b"]})
    assert metadata["list"][0] == "a"
    assert metadata["list"][1].endswith(MARK)
    assert notes == ("metadata 'list': cut, longer than 8 KiB",)
    holds(metadata)


def test_what_is_nested_too_deeply_is_cut_with_a_mark_and_a_note() -> None:
    metadata, notes = cut_metadata({"deep": nested(900)})
    assert MARK in json.dumps(metadata, ensure_ascii=False)
    assert notes == ("metadata 'deep': cut, nested deeper than 8 levels",)
    holds(metadata)


def test_what_holds_itself_is_cut() -> None:
    itself: dict[str, Any] = {}
    itself["again"] = itself
    loop: list[Any] = []
    loop.append(loop)
    metadata, notes = cut_metadata({"map": itself, "list": loop})
    assert len(notes) == 2
    holds(metadata)


def test_a_bomb_of_shared_lists_costs_little() -> None:
    bomb: list[Any] = ["x"] * 9
    for _ in range(30):
        bomb = [bomb] * 9
    metadata, notes = cut_metadata({"bomb": bomb})
    assert notes
    holds(metadata)


def test_more_than_100_keys_are_left_out_and_counted() -> None:
    metadata, notes = cut_metadata({str(number): "x" for number in range(500)})
    assert list(metadata)[:2] == ["0", "1"]
    assert metadata[MARK_KEY] == "404 left out"
    assert notes == ("metadata: 404 of 500 keys left out (at most 100 keys, 64 KiB)",)
    holds(metadata)


def test_nested_keys_count_too_but_never_at_the_cost_of_upper_ones() -> None:
    metadata, notes = cut_metadata({"map": {str(number): 1 for number in range(200)}, "last": 1})
    assert metadata["last"] == 1
    assert len(metadata["map"]) == 94
    assert notes == ("metadata 'map': cut, more than 100 keys in all",)
    holds(metadata)


def test_metadata_of_100_kb_is_cut_to_64_kib_and_said() -> None:
    metadata, notes = cut_metadata({f"key{number}": "x" * 5_000 for number in range(20)})
    assert size(metadata) > MAX_METADATA - 2_000
    assert MARK_KEY in metadata
    assert notes
    holds(metadata)


def test_the_hosts_and_the_reporters_own_keys_are_kept_before_others() -> None:
    own = {"error": "boom", "error_code": "1", "reason": "timeout", "vi_gh_job": "deploy", "duration_seconds": 1.5}
    metadata, _ = cut_metadata({**{f"key{number}": "x" * 5_000 for number in range(150)}, **own})
    assert {key: metadata[key] for key in own} == own
    holds(metadata)


def test_the_mark_itself_never_breaks_a_bound() -> None:
    metadata, _ = cut_metadata({f"🚀\x01{number}" * 20: "x" * 9_000 for number in range(90)})
    assert size(metadata[MARK_KEY]) <= 255
    holds(metadata)


def test_a_mark_that_somebody_else_set_is_kept_only_as_text() -> None:
    assert cut_metadata({MARK_KEY: "cut: log", "log": "x"})[0][MARK_KEY] == "cut: log"
    bomb: list[Any] = []
    for _ in range(60):
        bomb = [bomb, bomb]
    assert cut_metadata({MARK_KEY: bomb}) == ({}, ())


def test_the_order_of_keys_stays() -> None:
    assert list(cut_metadata({"b": 1, "vi_x": 2, "a": 3})[0]) == ["b", "vi_x", "a"]


def test_a_very_long_key_is_cut() -> None:
    metadata, _ = cut_metadata({"k" * 10_000: 1})
    (key,) = metadata
    assert len(key) == 255
    assert key.endswith(MARK)


def test_a_note_is_one_line_whatever_the_key() -> None:
    _, notes = cut_metadata({"a\n::error::b" * 20: "x" * 10_000})
    assert len(notes) == 1
    assert "\n" not in notes[0]
    assert len(notes[0]) < 120


LARGE = st.sampled_from(["x" * 9_000, "🚀" * 3_000, "\x01" * 4_000, '"' * 8_200])
LEAVES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=20), st.datetimes()),
    *(st.text(st.characters(), max_size=20), LARGE),
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.text(st.characters(), max_size=5) | st.integers(), inner, max_size=6),
        st.lists(inner, max_size=1).map(lambda values: values * 2_000),
    ),
    max_leaves=25,
)
KEYS = st.text(st.characters(), max_size=12) | st.integers() | st.none() | st.just("k" * 400) | st.just(MARK_KEY)


@settings(max_examples=40)
@given(st.dictionaries(KEYS, ANYTHING, max_size=12))
def test_arbitrary_metadata_ends_within_the_bounds_and_a_second_pass_changes_nothing(metadata: dict[Any, Any]) -> None:
    done, notes = cut_metadata(metadata)
    holds(done)
    assert all("\n" not in note for note in notes)
    assert not notes or MARK_KEY in done
    assert cut_metadata(done) == (done, ())


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=50) | st.integers(-9, 9), max_size=9))
def test_small_metadata_is_never_changed(metadata: dict[str, Any]) -> None:
    clean = {key.replace("\0", "�"): str(value).replace("\0", "�") if isinstance(value, str) else value
             for key, value in metadata.items()}  # fmt: skip
    assert cut_metadata(metadata) == (clean, ())


# --- events and requests ----------------------------------------------------------------------------------------------


def test_an_event_that_fits_stays_as_it_is() -> None:
    small = event(scm_branch="main", run_url="https://ci.example/1", metadata={"a": 1})
    assert limits.cut_event(small) == (small, ())


def test_long_names_are_cut_and_said() -> None:
    done, notes = limits.cut_event(event(version="v" * 300, scm_branch="b" * 100_000))
    assert (len(done.version), len(done.scm_branch or "")) == (255, 255)
    assert notes == ("version: cut from 300 to 255 characters", "scm_branch: cut from 100,000 to 255 characters")


def test_a_link_that_is_too_long_is_left_out_since_a_part_of_it_leads_nowhere() -> None:
    done, notes = limits.cut_event(event(run_url="https://ci.example/" + "x" * 3_000))
    assert done.run_url is None
    assert notes == ("run_url: left out, 3,019 characters are too many for a link",)


def test_ids_and_times_are_never_touched() -> None:
    done, _ = limits.cut_event(event(version="v" * 300))
    assert (done.key, done.group_id, done.lifecycle_id) == ("k", "0" * 36, "1" * 36)
    assert done.occurred_at == "2026-01-31T12:00:00.000000Z"


NAMES = (
    *("product", "version", "environment", "source_system", "build_number", "scm_sha", "scm_branch", "scm_repository"),
    *("scm_url", "run_url", "invoke_id", "actor", "actor_email", "actor_name"),
)


@pytest.mark.parametrize("text", ["🚀", "\x01", "x", '"', "\udcff"])
def test_the_largest_event_fits_into_a_request_however_it_is_written(text: str) -> None:
    fields = dict.fromkeys(NAMES, text * 100_000)
    done, _ = limits.cut_event(event(**fields, metadata={str(number): text * 9_000 for number in range(120)}))
    body, _ = limits.cut_request(payload(done))
    assert size(body) <= MAX_REQUEST
    assert len(json.dumps(body, ensure_ascii=False).encode()) <= MAX_REQUEST


def test_a_request_that_fits_stays_as_it_is() -> None:
    body = payload(event(metadata={"a": "x" * 1_000}))
    assert limits.cut_request(body) == (body, ())


def test_a_request_that_is_too_large_loses_metadata_first() -> None:
    body = {"product_name": "shop", "extra_metadata": {str(number): "x" * 8_000 for number in range(50)}}
    done, notes = limits.cut_request(body)
    assert done["product_name"] == "shop"
    assert size(done) <= MAX_REQUEST
    assert notes


def test_a_request_without_metadata_has_its_long_texts_cut() -> None:
    done, notes = limits.cut_request({"a": "x" * 300_000, "b": "short"})
    assert size(done) <= MAX_REQUEST
    assert done["b"] == "short"
    assert done["a"].endswith(MARK)
    assert notes == ("a: cut to 4096 bytes, the request was too large",)
