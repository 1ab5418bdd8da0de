"""`versioner-ci matrix`: what runs where, as the tracker knows it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from versioner_ci.cli import Invocation
from versioner_ci.errors import EXIT_OK
from versioner_ci.options import Parser
from versioner_ci.terminal import ago, cell, table
from versioner_ci.tracker_data import Row, add_place, source

BEHIND = "↑"
WORDS = {
    "pending": "queued",
    "started": "in progress",
    "completed": "succeeded",
    "failed": "failed",
    "aborted": "aborted",
    "no_ending_heard": "no ending heard",
    "superseded": "superseded",
    "closed": "closed",
}
"""A state as the API tells it → as people read it."""


def parser() -> Parser:
    """The options of `matrix`."""
    made = Parser(
        "matrix",
        usage="versioner-ci matrix [options]",
        description="What runs where: products and environments, the version there, since when and by whom, and what "
        f"came after it. {BEHIND} marks a version that another environment has left behind.",
    )
    made.add_argument("--find", metavar="TEXT", help="only products whose name holds this")
    add_place(made)
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout: the API's own")
    return made


def main(call: Invocation) -> int:
    """The exit code of `matrix`."""
    options = parser().read(call.arguments)
    found = source(options, call.env).matrix()
    wanted = (options.find or "").lower()
    products = [row for row in found["products"] if wanted in str(row["name"]).lower()]
    if options.json:
        shown = {row["id"] for row in products}
        cells = [row for row in found["cells"] if row["product_id"] in shown]
        call.console.json({**found, "products": products, "cells": cells})
    elif products:
        call.console.data("\n".join(table(rows(products, found, time.time()))))
    else:
        call.console.note(f"no product has {cell(wanted)} in its name" if wanted else "nothing was deployed yet")
    return EXIT_OK


def rows(products: Sequence[Row], found: Row, now: float) -> list[list[str]]:
    """The table, its head first; environments that nothing of it was deployed to are left out."""
    cells = {(row["product_id"], row["environment_id"]): row for row in found["cells"]}
    shown = {row["id"] for row in products}
    used = {environment for product, environment in cells if product in shown}
    places = [row for row in found["environments"] if row["id"] in used]
    made = [["product", *(cell(place["name"]) for place in places)]]
    for product in products:
        own = {
            place["id"]: cells[product["id"], place["id"]] for place in places if (product["id"], place["id"]) in cells
        }
        newest: Row = max(
            (row for row in own.values() if row["version"]), key=lambda row: row["first_seen_at"], default={}
        )
        texts = (_cell(own[place["id"]], newest, now) if place["id"] in own else "–" for place in places)
        made.append([cell(product["name"]), *texts])
    return made


def _cell(row: Row, newest: Row, now: float) -> str:
    """One line for what runs, one for what came after it."""
    lines = []
    if row["version"]:
        mark = f" {BEHIND}" if row["version"] != newest.get("version") else ""
        lines.append(f"{cell(row['version'])}{mark}  {_when(row['completed_at'], row['actor'], now)}")
    if row["last_id"] != row["lifecycle_id"] and row["last_state"] != "completed":
        state = WORDS.get(str(row["last_state"]), str(row["last_state"]))
        lines.append(f"→ {cell(row['last_version'])} {state}  {_when(row['last_at'], row['last_actor'], now)}")
    return "\n".join(lines) or "–"


def _when(stamp: str | None, actor: str | None, now: float) -> str:
    return ", ".join(part for part in (ago(stamp, now), cell(actor) if actor else "") if part)
