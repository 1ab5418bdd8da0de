"""One rendering for all tabs that ask within a second."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.server.tracker import Tracker
from versioner_ci.clock import Clock
from versioner_ci.server.pages.render import Part
from versioner_ci.server.pages.shared import PATIENCE, SECONDS, Shared


class Hand:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.clock = Clock(monotonic=lambda: self.now)


class Maker:
    """Counts what it makes."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Part:
        self.made += 1
        return Part(b"part", str(self.made))


def test_within_a_second_there_is_one_part_for_all_and_then_a_new_one() -> None:
    hand, make = Hand(), Maker()
    shared = Shared(hand.clock)
    assert [shared.part(("q",), make).tag for _ in range(3)] == ["1", "1", "1"]
    hand.now += SECONDS + 0.01
    assert shared.part(("q",), make).tag == "2"


def test_each_search_has_its_own_part_and_old_ones_are_forgotten() -> None:
    make = Maker()
    shared = Shared(Hand().clock)
    tags = [shared.part((str(number),), make).tag for number in range(200)]
    assert len(set(tags)) == 200
    assert shared.part(("199",), make).tag == "200"
    assert shared.part(("0",), make).tag == "201"


def test_tabs_that_ask_together_wait_for_one_rendering() -> None:
    shared, count, started = Shared(Hand().clock), Maker(), threading.Barrier(8)

    def make() -> Part:
        threading.Event().wait(0.05)
        return count()

    def ask(_: int) -> str:
        started.wait(10)
        return shared.part(("q",), make).tag

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"1"}


def test_nobody_waits_in_line_for_a_database_that_hangs() -> None:
    shared, make, free = Shared(Hand().clock), Maker(), threading.Event()

    def hang() -> Part:
        free.wait(30)
        return make()

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(shared.part, ("q",), hang)
        began = time.monotonic()
        others = [pool.submit(shared.part, (name,), make) for name in ("q", "another")]
        assert {other.result(30).tag for other in others} == {"1", "2"}
        assert time.monotonic() - began < PATIENCE + 2
        free.set()
        assert first.result(30).tag == "3"


def test_what_could_not_be_made_is_tried_again() -> None:
    shared = Shared(Hand().clock)

    def fail() -> Part:
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        shared.part(("q",), fail)
    assert shared.part(("q",), Maker()).tag == "1"


def test_a_tab_sees_a_deployment_within_two_of_its_looks(tracker: Tracker) -> None:
    session = requests.Session()
    session.post(f"{tracker.url}/sign-in", data={"key": tracker.key}, timeout=20)

    def look() -> str:
        answer = session.get(tracker.url, headers={"X-Fragment": "1"}, timeout=20)
        assert answer.status_code == 200
        return answer.text

    assert "shared-shop" not in look()
    tracker.deploy("started", product_name="shared-shop")
    look()
    threading.Event().wait(SECONDS + 0.1)
    assert "shared-shop" in look()
