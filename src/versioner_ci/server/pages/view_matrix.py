"""The matrix: products × environments, what runs there, what is under way, what lags behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from versioner_ci.server import records
from versioner_ci.server.pages.looks import Look, Stamp, look_of, moment

PRODUCTS = 500
"""As many as one page shows."""


class Next(NamedTuple):
    """A deployment that came after what runs, and has not replaced it."""

    id: str
    version: str
    look: Look
    when: Stamp


class Cell(NamedTuple):
    """One product in one environment."""

    id: str | None
    version: str | None
    when: Stamp | None
    actor: str | None
    behind: str
    """The newer version that runs elsewhere."""
    where: str
    """…and in which environment."""
    next: Next | None
    tone: str
    say: str
    """The cell in a sentence, for who does not see it change."""


class Line(NamedTuple):
    """A product; a cell for each environment, None where it never was."""

    id: str
    product: str
    cells: tuple[Cell | None, ...]


class Count(NamedTuple):
    """`number` cells look like this."""

    look: Look
    number: int
    wording: str


class Matrix(NamedTuple):
    """One page of products."""

    environments: tuple[str, ...]
    rows: tuple[Line, ...]
    counts: tuple[Count, ...]
    more: str
    """The query of the next page."""


_COUNTED = (
    (look_of("deployment", "started"), "in progress"),
    (look_of("deployment", "failed"), "failed"),
    (look_of("deployment", records.NO_ENDING), "without an ending"),
)
_DRIFT = Look("drift", "Drift", "drift")


def matrix(data: records.Matrix, wanted: str, after: str, now: float) -> Matrix:
    """`wanted` is a part of the products' names, `after` the last name of the page before."""
    used = {environment for _, environment in data.cells}
    environments = tuple(row for row in data.environments if row.id in used)
    found = [row for row in data.products if wanted.lower() in row.name.lower() and row.name > after]
    lines = tuple(_line(row, environments, data.cells, now) for row in found[:PRODUCTS])
    more = urlencode({"q": wanted, "after": found[PRODUCTS - 1].name}) if len(found) > PRODUCTS else ""
    return Matrix(tuple(row.name for row in environments), lines, _counts(lines), more)


def _line(
    product: records.NameRow,
    environments: Sequence[records.NameRow],
    cells: Mapping[tuple[str, str], records.Cell],
    now: float,
) -> Line:
    row = [(place.name, cells.get((product.id, place.id))) for place in environments]
    running = [(cell.first_seen_at or 0, cell.version, place) for place, cell in row if cell and cell.version]
    _, newest, where = max(running, default=(0, None, ""), key=lambda each: each[0])
    shown = (
        None if cell is None else _cell(f"{product.name} in {place}", cell, now, (newest or "", where))
        for place, cell in row
    )
    return Line(product.id, product.name, tuple(shown))


def _cell(what: str, cell: records.Cell, now: float, newest: tuple[str, str]) -> Cell:
    following = None
    if cell.last_id != cell.lifecycle_id and cell.last_state != "completed":
        look = look_of("deployment", cell.last_state)
        following = Next(cell.last_id, cell.last_version, look, moment(cell.last_at, now))
    is_behind = cell.version is not None and cell.version != newest[0]
    said = [what, f"{cell.version} runs" if cell.version else "nothing runs"]
    if following is not None:
        said.append(f"{following.version} {following.look.short}")
    return Cell(
        id=cell.lifecycle_id,
        version=cell.version,
        when=moment(cell.completed_at, now) if cell.completed_at is not None else None,
        actor=cell.actor,
        behind=newest[0] if is_behind else "",
        where=newest[1] if is_behind else "",
        next=following,
        tone=following.look.name if following else "completed",
        say=", ".join(said),
    )


def _counts(lines: Iterable[Line]) -> tuple[Count, ...]:
    cells = [cell for line in lines for cell in line.cells if cell is not None]
    looks = [cell.next.look for cell in cells if cell.next is not None]
    counts = [Count(look, looks.count(look), wording) for look, wording in _COUNTED]
    behind = sum(bool(cell.behind) for cell in cells)
    counts.append(Count(_DRIFT, behind, "behind another environment"))
    return tuple(count for count in counts if count.number)
