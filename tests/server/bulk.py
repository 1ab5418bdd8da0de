"""A long history, written straight into the tables: as much of it as a test or the bench wants."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sqlalchemy import insert

from versioner_ci.server.db import Database
from versioner_ci.server.tables import Current, Environment, Event, Lifecycle, Product, Version

_BATCH = 5_000
_START = 1_700_000_000_000_000
_STEP = 1_000_000
VERSIONS = 20
"""Of each product."""


def fill(database: Database, products: int, environments: int, events: int) -> None:
    """`events` / 2 deployments that started and completed, spread evenly over products and environments."""
    ids = [[_id(kind, number) for number in range(count)] for kind, count in (("p", products), ("e", environments))]
    with database.write() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA cache_size = -400000")
        rows: list[dict[str, Any]] = [
            {"id": one, "name": f"product-{number:03}", "created_at": _START} for number, one in enumerate(ids[0])
        ]
        connection.execute(insert(Product), rows)
        rows = [
            {"id": one, "name": f"environment-{number}", "position": number, "created_at": _START}
            for number, one in enumerate(ids[1])
        ]
        connection.execute(insert(Environment), rows)
        connection.execute(insert(Version), list(_versions(ids[0])))
        deployments = _deployments(ids[0], ids[1], events // 2)
        newest: dict[tuple[str, str], dict[str, Any]] = {}
        while batch := list(islice(deployments, _BATCH)):
            connection.execute(insert(Lifecycle), batch)
            connection.execute(insert(Event), [event for row in batch for event in _events(row)])
            newest |= {(row["product_id"], row["environment_id"]): row for row in batch}
        connection.execute(insert(Current), [_current(row) for row in newest.values()])


def _id(kind: str, number: int) -> str:
    """A UUID that grows with `number`: to write a million that do not would take minutes."""
    return f"{number:08x}-{ord(kind):04x}-8000-8000-000000000000"


def _versions(products: list[str]) -> Iterator[dict[str, Any]]:
    for product in products:
        for number in range(VERSIONS):
            yield {
                "id": _id("v", int(product[:8], 16) * VERSIONS + number),
                "product_id": product,
                "name": f"1.{number}.0",
                "is_built": False,
                "first_seen_at": _START + number * _STEP,
            }


def _deployments(products: list[str], environments: list[str], count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        product = products[number % len(products)]
        environment = environments[number // len(products) % len(environments)]
        at, own = _START + number * _STEP, _id("l", number)
        version = min(VERSIONS - 1, number * VERSIONS // count)
        yield {
            **dict.fromkeys(("id", "key", "chain_id"), own),
            "slot": _id("s", number % (len(products) * len(environments))),
            "kind": "deployment",
            "product_id": product,
            "version_id": _id("v", int(product[:8], 16) * VERSIONS + version),
            "environment_id": environment,
            "state": "completed",
            **dict.fromkeys(("is_open", "is_stale"), False),
            **dict.fromkeys(("opened_at", "started_at"), at),
            **dict.fromkeys(("ended_at", "last_event_at"), at + _STEP),
            "actor": "ada",
            "sha": own.replace("-", ""),
        }


def _events(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state, at in (("started", row["started_at"]), ("completed", row["ended_at"])):
        yield {
            "id": row["id"].replace("-006c-", "-0073-" if state == "started" else "-0065-"),
            "kind": "deployment",
            "state": state,
            "lifecycle_id": row["id"],
            **{name: row[name] for name in ("product_id", "version_id", "environment_id")},
            **dict.fromkeys(("occurred_at", "received_at"), at),
            **dict.fromkeys(("is_late", "is_repeat"), False),
            "payload": '{"status": "completed"}',
            "answer": "{}",
        }


def _current(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("product_id", "environment_id", "version_id")},
        **dict.fromkeys(("lifecycle_id", "last_lifecycle_id"), row["id"]),
        **dict.fromkeys(("completed_at", "last_at"), row["ended_at"]),
    }
