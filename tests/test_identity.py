"""Ids are UUIDv5 of compact JSON; handles survive a round trip and nothing hostile gets through them."""

from __future__ import annotations

import base64
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.identity import NAMESPACE, Group, Handle, Leg, decode, event_key, lifecycle_id, read_handle, uid
from versioner_ci.status import Kind, State

GROUP = Group(
    source_system="jenkins", server_url="https://ci.example.com", invoke_id="12", pipeline="shop/main",
    kind=Kind.DEPLOYMENT, product="shop", environment="production", key=None,
)  # fmt: skip
LEG = Leg(version="1.0", attempt=None, job=None, leg=None, count=0)
HANDLE = Handle(
    id=str(uuid.UUID(int=1)), group=str(uuid.UUID(int=2)), kind=Kind.BUILD, product="shöp", version="1.0",
    environment=None, started_at="2026-11-23T10:00:00.000001Z", channels={"#deploys": "C0123=1700000000.000100"},
)  # fmt: skip
VALUES: dict[str, Any] = {
    "id": HANDLE.id, "group": HANDLE.group, "kind": "build", "product": "shop", "version": "1.0",
}  # fmt: skip


def encoded(values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_an_id_is_the_uuid5_of_the_compact_json_array_of_its_parts() -> None:
    parts = ["jenkins", "https://ci.example.com", "12", "shop/main", "deployment", "shop", "production", None]
    compact = json.dumps(parts, separators=(",", ":"))
    assert GROUP.id == str(uuid.uuid5(uuid.UUID(bytes=NAMESPACE), compact))
    more = json.dumps([*parts, "1.0", None, None, None, 0], separators=(",", ":"))
    assert lifecycle_id(GROUP, LEG) == str(uuid.uuid5(uuid.UUID(bytes=NAMESPACE), more))


def test_the_namespace_never_changes() -> None:
    assert uid("a", None, 1) == "1bedfde0-1a6b-5881-a75a-16b582ba53d0"


def test_the_idempotency_key_is_made_of_lifecycle_and_state() -> None:
    keys = {event_key(lifecycle, state) for lifecycle in ("a", "b") for state in State}
    assert len(keys) == 2 * len(State)
    assert event_key("a", State.STARTED) == uid("a", "started")


def test_parts_cannot_run_into_each_other() -> None:
    assert uid("a", "b") != uid("a,b")
    assert uid('a","b') != uid("a", "b")


def test_text_that_is_no_unicode_still_has_an_id() -> None:
    assert uid("\udcff") == uid("\udcff")


def test_a_handle_survives_the_round_trip() -> None:
    assert decode(HANDLE.encode()) == HANDLE
    assert decode(f" {HANDLE.encode()}\n") == HANDLE


def test_a_handle_fits_a_shell_word_and_a_file_name() -> None:
    assert HANDLE.encode().replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "....", "\ud800", "ü", "A" * 20_000, "bm90IGpzb24", encoded([]), encoded("text"), encoded(None),
        encoded({}), encoded({**VALUES, "id": "../../etc/passwd"}), encoded({**VALUES, "id": 5}),
        encoded({**VALUES, "group": None}), encoded({**VALUES, "kind": "release"}), encoded({**VALUES, "kind": []}),
        encoded({**VALUES, "product": ""}), encoded({**VALUES, "product": 7}), encoded({**VALUES, "version": None}),
        encoded({**VALUES, "environment": {}}), encoded({**VALUES, "channels": []}),
        encoded({**VALUES, "channels": {"#d": 1}}), encoded({**VALUES, "started_at": "yesterday"}),
        encoded({**VALUES, "started_at": "9" * 400}), encoded({**VALUES, "started_at": []}),
        base64.urlsafe_b64encode(b"[" * 9_000).decode(), base64.urlsafe_b64encode(b"9" * 9_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)  # fmt: skip
def test_anything_else_is_no_handle(text: str) -> None:
    with pytest.raises(ValueError, match=r"handle"):
        decode(text)


@given(st.text(max_size=60))
def test_no_text_at_all_does_anything_but_raise_valueerror(text: str) -> None:
    with pytest.raises(ValueError, match=r"handle"):
        decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from([*VALUES, "environment", "channels", "started_at"]), inner)
    ),
)


@given(JSON)
def test_no_json_at_all_does_anything_but_raise_valueerror(value: object) -> None:
    with pytest.raises(ValueError, match=r"handle"):
        decode(encoded(value))


def test_a_handles_text_is_cleaned() -> None:
    handle = decode(encoded({**VALUES, "product": "a\ud800b\0"}))
    assert handle.product.encode()
    assert "\0" not in handle.product


def test_a_handles_time_is_put_into_our_form() -> None:
    assert (
        decode(encoded({**VALUES, "started_at": "2026-11-23T12:00:00+02:00"})).started_at
        == "2026-11-23T10:00:00.000000Z"
    )


def test_a_handle_may_be_named_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "handle"
    path.write_text(HANDLE.encode())
    assert read_handle(f"@{path}") == HANDLE


def test_an_empty_file_says_that_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "handle").touch()
    assert read_handle(f"@{tmp_path / 'handle'}") is None


@pytest.mark.parametrize("name", ["missing", "folder", "nul\0"])
def test_a_file_that_cannot_be_read_is_no_handle(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="no handle in that file"):
        read_handle(f"@{tmp_path / name}")


def test_the_file_of_a_run_around_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "handle"
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            path.write_text(HANDLE.encode())

    assert read_handle(f"@{path}", patience=2.0, sleep=sleep) == HANDLE
    assert len(pauses) == 3


def test_the_file_of_a_run_that_is_gone_is_not_waited_for_long(tmp_path: Path) -> None:
    pauses: list[float] = []
    with pytest.raises(ValueError, match="no handle"):
        read_handle(f"@{tmp_path / 'handle'}", patience=2.0, sleep=pauses.append)
    assert 1.9 < sum(pauses) < 2.1
