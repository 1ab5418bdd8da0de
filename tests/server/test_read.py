"""What is read by names: the right rows, in order, page by page, whatever index finds them."""

from __future__ import annotations

import pytest

from tests.server.engine import Engine
from versioner_ci.server import read_history
from versioner_ci.server.read import Slice
from versioner_ci.server.records import Filters


@pytest.fixture
def told(engine: Engine) -> Engine:
    """Version 1 of three products and version 2 of one, in two environments, each with two events."""
    rows = [(product, "1", place) for product in ("a", "b", "c") for place in ("test", "live")] + [("a", "2", "live")]
    for number, (product, version, place) in enumerate(rows):
        names = {"product_name": product, "version": version, "environment_name": place, "life": f"{number}"}
        engine.tell("started", number * 10, **names)
        engine.tell("failed" if number % 2 else "completed", number * 10 + 5, **names)
    return engine


FILTERS = {
    "version of many products": (Filters(version="1"), [5, 4, 3, 2, 1, 0]),
    "version of one product": (Filters(version="2"), [6]),
    "product and version": (Filters(product="b", version="1"), [3, 2]),
    "version and state": (Filters(version="1", state="failed"), [5, 3, 1]),
    "version and environment": (Filters(version="1", environment="live"), [5, 3, 1]),
    "place": (Filters(product="a", environment="live"), [6, 1]),
    "no such version": (Filters(version="3"), []),
    "no such product": (Filters(product="d", version="1"), []),
    "no such environment": (Filters(environment="moon"), []),
}


@pytest.mark.parametrize("many", [400, 2], ids=["few versions", "very many"])
def test_each_page_holds_the_next_rows(told: Engine, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_history, "_MANY", many)
    rows = [row.id for row in told.reader.lifecycles("deployment").items]
    for name, (filters, expected) in FILTERS.items():
        seen: list[str] = []
        at: Slice | None = Slice(None, 2)
        while at is not None:
            page = told.reader.lifecycles("deployment", filters, at)
            assert len(page.items) <= 2
            seen += [row.id for row in page.items]
            at = Slice(page.next, 2) if page.next else None
        assert seen == [rows[6 - each] for each in expected], name


def test_events_of_a_version_come_as_they_arrived(told: Engine) -> None:
    for version in ("1", "2", "3"):
        every = [row.seq for row in told.reader.events("deployment").items if row.version == version]
        seen: list[int] = []
        at: Slice | None = Slice(None, 5)
        while at is not None:
            page = told.reader.events("deployment", Filters(version=version), at)
            seen += [row.seq for row in page.items]
            at = Slice(page.next, 5) if page.next else None
        assert seen == every == sorted(every, reverse=True)


def test_a_cursor_that_is_none_is_refused_whatever_is_asked(told: Engine) -> None:
    for ask in (told.reader.lifecycles, told.reader.events):
        for version in ("1", "none"):
            with pytest.raises(ValueError, match=r"."):
                ask("deployment", Filters(version=version), Slice("nonsense", 5))
