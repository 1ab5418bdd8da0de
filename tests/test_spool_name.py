"""File names: everything that choosing and ordering need, and nothing that is not ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.spool_name import LONGEST_HOLD, Entry, held, in_order, parse

FOLDER = Path("/spool")
LIFECYCLE = "0123456789abcdef" * 2
KEY = "fedcba9876543210" * 2
NAME = f"v1-01764000000000000-{LIFECYCLE}-1-backend-{KEY}-f.json"
NOW = 1_764_000_000.0

hexes = st.text("0123456789abcdef", min_size=32, max_size=32)
entries = st.builds(
    Entry,
    path=st.just(FOLDER / "any"),
    seq=st.integers(0, 10**17 - 1),
    order_id=hexes,
    rank=st.integers(0, 2),
    sink=st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True),
    key=hexes,
)


def entry(seq: int, order_id: str = LIFECYCLE, rank: int = 1) -> Entry:
    return held(Entry(path=FOLDER / "any", seq=seq, order_id=order_id, rank=rank, sink="backend", key=KEY), "free")


@given(entries, st.sampled_from(["free", "leased", "later"]), st.integers(0, 10**14))
def test_every_name_that_is_written_is_read_back_as_it_was(plain: Entry, hold: str, ms: int) -> None:
    named = held(plain, hold, ms / 1000)  # type: ignore[arg-type]
    assert parse(named.path) == named
    assert named.until == (0.0 if hold == "free" else ms / 1000)


NAMES = rf"v1-[0-9]{{17}}-{LIFECYCLE}-[0-2]-[a-z]{{1,9}}-{KEY}-(f|[ln][0-9]{{1,16}})\.json"


@given(st.from_regex(NAMES, fullmatch=True))
def test_every_name_that_is_understood_says_the_same_when_written_again(name: str) -> None:
    parsed = parse(FOLDER / name)
    assert parsed is not None
    again = held(parsed, parsed.hold, parsed.until)
    assert (again.seq, again.order_id, again.rank, again.sink, again.key) == (
        parsed.seq,
        parsed.order_id,
        parsed.rank,
        parsed.sink,
        parsed.key,
    )
    assert again.until == parsed.until


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=150))
def test_any_other_name_is_none_of_ours(name: str) -> None:
    assert parse(FOLDER / name) is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(NAME.replace("v1", "v2"), id="later format"),
        pytest.param(NAME.removesuffix(".json"), id="no suffix"),
        pytest.param(NAME + "\n", id="line end"),
        pytest.param(NAME + "~", id="an editor's copy"),
        pytest.param(NAME.replace("-1-backend", "-3-backend"), id="no such rank"),
        pytest.param(NAME.replace("backend", "Back-end"), id="no such sink"),
        pytest.param(NAME.replace("01764", "٠١٧٦٤"), id="digits of another script"),
        pytest.param(NAME.replace(KEY, KEY.upper()), id="upper case"),
        pytest.param(NAME.replace("-f.json", "-l.json"), id="a lease without end"),
        pytest.param(NAME.replace("-f.json", "-f12.json"), id="free until"),
        pytest.param(NAME.replace("-f.json", "-n-5.json"), id="a negative time"),
    ],
)
def test_a_name_that_is_nearly_ours_is_not_ours(name: str) -> None:
    assert parse(FOLDER / NAME) is not None
    assert parse(FOLDER / name) is None


@pytest.mark.parametrize(
    ("hold", "until", "is_due", "is_leased"),
    [
        pytest.param("free", 0.0, True, False, id="free"),
        pytest.param("leased", NOW + 10, False, True, id="leased"),
        pytest.param("leased", NOW, True, False, id="lease lapsed"),
        pytest.param("later", NOW + 10, False, False, id="not before"),
        pytest.param("later", NOW - 1, True, False, id="not-before has come"),
        pytest.param("leased", NOW + LONGEST_HOLD + 1, True, False, id="leased under a clock that was ahead"),
        pytest.param("later", NOW + 31e9, True, False, id="a not-before of centuries"),
    ],
)
def test_a_hold_lasts_until_its_end_and_never_over_an_hour(
    hold: str,
    until: float,
    is_due: bool,
    is_leased: bool,
) -> None:
    named = held(entry(1), hold, until)  # type: ignore[arg-type]
    assert (named.is_due(NOW), named.is_leased(NOW)) == (is_due, is_leased)


def test_the_oldest_lifecycle_comes_first_and_inside_it_the_ranks() -> None:
    older, newer = "a" * 32, "0" * 32
    ending, started = entry(5, older, 2), entry(9, older, 1)
    other = entry(7, newer, 0)
    assert in_order([other, started, ending]) == [started, ending, other]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["a" * 32, "b" * 32, "c" * 32]), st.integers(0, 2))))
def test_the_order_does_not_depend_on_how_the_folder_is_listed(rows: list[tuple[int, str, int]]) -> None:
    listed = [entry(*row) for row in rows]
    assert in_order(listed) == in_order(listed[::-1])
    ordered = in_order(listed)
    assert [e.order_id for e in ordered] == sorted(
        (e.order_id for e in listed), key=lambda i: (min(e.seq for e in listed if e.order_id == i), i)
    )
