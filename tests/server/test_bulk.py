"""Many rows by one statement, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.server.engine import Engine
from versioner_ci.server.bulk import Find, First, Put
from versioner_ci.server.tables import Environment, Lifecycle, Product, Version

PRODUCTS = Put(Product, ("id", "name", "created_at"))
VERSIONS = Put(Version, ("id", "product_id", "name", "scm_sha", "scm_repository", "is_built", "first_seen_at"))
ODD = 'it\'s "odd", 100 % {}: \\ $1 ? %s é 🚀 \u202e'


def test_what_is_put_is_found_as_it_was(engine: Engine) -> None:
    rows = [("v1", "p", ODD, None, "a/b", True, 2**53 + 1), ("v2", "p", "", "x", None, False, -1)]
    with engine.database.write() as connection:
        PRODUCTS.rows(connection, [("p", "shop", 1)])
        VERSIONS.rows(connection, rows)
        found = Find(Version, VERSIONS.columns, ("product_id", "name")).rows(connection, [("p", ODD), ("p", "")])
        assert sorted(map(tuple, found)) == rows
        assert Find(Version, ("id",), ("product_id", "name")).rows(connection, [("shop", ODD)]) == []


def test_more_than_one_list_of_parameters_holds(engine: Engine) -> None:
    rows = [(f"p{number}", f"product {number}", number) for number in range(1_000)]
    with engine.database.write() as connection:
        PRODUCTS.rows(connection, rows)
        PRODUCTS.rows(connection, [])
        find = Find(Product, ("id", "name", "created_at"), ("id",))
        for wanted in (1, 400, 401, 1_000):
            assert sorted(map(tuple, find.rows(connection, [row[:1] for row in rows[:wanted]]))) == sorted(
                rows[:wanted]
            )


def test_a_change_reaches_its_own_row_only(engine: Engine) -> None:
    environments = Put(Environment, ("id", "name", "position", "created_at"))
    change = Put(Environment, ("position", "created_at"), ("id", "name"))
    with engine.database.write() as connection:
        environments.rows(connection, [("a", "x", 1, 1), ("b", "y", 2, 1), ("c", "z", 3, 1)])
        change.rows(connection, [(20, 5, "b", "y"), (30, 6, "c", "y")])
        found = connection.execute(select(Environment.id, Environment.position).order_by(Environment.id)).all()
    assert [tuple(row) for row in found] == [("a", 1), ("b", 20), ("c", 3)], "all of its keys must fit"


def test_a_value_can_be_taken_away(engine: Engine) -> None:
    with engine.database.write() as connection:
        PRODUCTS.rows(connection, [("p", "shop", 1)])
        VERSIONS.rows(connection, [("v", "p", "1", "sha", "a/b", True, 1)])
        Put(Version, ("scm_sha", "is_built"), ("id",)).rows(connection, [(None, False, "v")])
        found = connection.execute(select(Version.scm_sha, Version.is_built, Version.scm_repository)).one()
    assert tuple(found) == (None, False, "a/b")


@pytest.mark.parametrize("order", ["name", "name DESC"])
def test_the_first_rows_are_those_of_each_key(engine: Engine, order: str) -> None:
    rows = [
        (f"{product}{number}", product, f"{number}", None, None, False, 1) for product in "pq" for number in (2, 1, 3)
    ]
    with engine.database.write() as connection:
        PRODUCTS.rows(connection, [("p", "shop", 1), ("q", "blog", 1)])
        VERSIONS.rows(connection, rows)
        first = First(Version, ("id",), ("product_id",), "AND is_built = 0 AND name <> '4'", order, 2)
        if not engine.database.is_sqlite:
            first = replace(first, rest="AND NOT is_built AND name <> '4'")
        found = [row[0] for row in first.rows(connection, [("p",), ("q",), ("none",)])]
    numbers = "12" if order == "name" else "32"
    assert sorted(found) == sorted(f"{product}{number}" for product in "pq" for number in numbers)


def test_a_double_and_a_flag_of_a_lifecycle_keep_their_kinds(engine: Engine) -> None:
    engine.tell("completed", 1, life="x", metadata={"duration_seconds": 0.1})
    with engine.database.read() as connection:
        row = Find(Lifecycle, ("duration", "is_open", "ended_at"), ("state",)).rows(connection, [("completed",)])[0]
    assert (row[0], bool(row[1])) == (0.1, False)
    assert isinstance(row[2], int)
