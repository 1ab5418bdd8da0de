"""The history: filters, lines and the way to older ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from versioner_ci.server import records
from versioner_ci.server.pages.looks import Look, Stamp, look_of, moment
from versioner_ci.server.read import Reader, Slice
from versioner_ci.status import Kind, State
from versioner_ci.terminal import span
from versioner_ci.text import cut

LINES = 50
_MOST_NAMES = 200
_LONGEST = 200
FIELDS = ("kind", "product", "environment", "state", "version")


class Choice(NamedTuple):
    """One entry of a list."""

    value: str
    label: str


class Select(NamedTuple):
    """A list to choose from; "" is all."""

    name: str
    label: str
    value: str
    choices: tuple[Choice, ...]


class Shown(NamedTuple):
    """The filters as the page shows them."""

    selects: tuple[Select, ...]
    version: str
    is_set: bool


class Line(NamedTuple):
    """One build or deployment."""

    id: str
    kind: str
    product: str
    version: str
    commit: str
    environment: str | None
    actor: str | None
    look: Look
    when: Stamp
    took: str
    say: str


class History(NamedTuple):
    """One page; `older` and `first` are addresses, "" where there is none."""

    filters: Shown
    rows: tuple[Line, ...]
    older: str
    first: str


def history(reader: Reader, query: Mapping[str, str], now: float) -> History:
    """What fits the query; raises ValueError for a cursor that is none."""
    asked = {name: cut(query.get(name, "").strip(), _LONGEST, "") for name in FIELDS}
    given = {name: value for name, value in asked.items() if value}
    cursor = query.get("cursor") or None
    found = _lifecycles(reader, given, cursor)
    older = f"/history?{urlencode({**given, 'cursor': found.next})}" if found.next else ""
    first = (f"/history?{urlencode(given)}" if given else "/history") if cursor else ""
    return History(_shown(reader, asked), tuple(line(row, now) for row in found.items), older, first)


def line(row: records.LifecycleRow, now: float) -> Line:
    """A lifecycle as one line."""
    look = look_of(row.kind, row.shown)
    said = [row.kind, row.product, row.version, *([f"to {row.environment}"] if row.environment else [])]
    return Line(
        id=row.id,
        kind=row.kind,
        product=row.product,
        version=row.version,
        commit=(row.sha or "")[:8] if row.sha and not row.sha.startswith(row.version) else "",
        environment=row.environment,
        actor=row.actor,
        look=look,
        when=moment(row.changed_at, now),
        took=took(row),
        say=f"{' '.join(said)}: {look.wording}",
    )


def took(row: records.LifecycleRow) -> str:
    """How long it ran; "" while it does, or where that is not known."""
    if row.duration is not None:
        return span(row.duration)
    if row.ended_at is None or row.started_at is None:
        return ""
    return span((row.ended_at - row.started_at) / 1e6)


def _lifecycles(reader: Reader, given: Mapping[str, str], cursor: str | None) -> records.Page[records.LifecycleRow]:
    """Of one kind, or of both: then two pages are merged, and the cursor fits both."""
    filters = records.Filters(
        product=given.get("product"),
        environment=given.get("environment"),
        version=given.get("version"),
        state=given.get("state"),
    )
    kinds = [given["kind"]] if given.get("kind") in _KINDS else list(_KINDS)
    pages = [reader.lifecycles(kind, filters, Slice(cursor, LINES)) for kind in kinds]
    merged = [row for page in pages for row in page.items]
    merged.sort(key=lambda row: (row.opened_at, row.id), reverse=True)
    shown = tuple(merged[:LINES])
    has_more = len(merged) > LINES or any(page.next for page in pages)
    return records.Page(items=shown, next=f"{shown[-1].opened_at}.{shown[-1].id}" if has_more else None)


_KINDS = {kind.value: f"{kind.value.capitalize()}s" for kind in (Kind.DEPLOYMENT, Kind.BUILD)}
_STATES = {
    State.PENDING: "Queued",
    State.STARTED: "In progress",
    State.COMPLETED: "Succeeded",
    State.FAILED: "Failed",
    State.ABORTED: "Aborted",
}


def _shown(reader: Reader, asked: Mapping[str, str]) -> Shown:
    many = Slice(None, _MOST_NAMES)
    names = {
        "product": sorted(row.name for row in reader.products(many).items),
        "environment": [row.name for row in reader.environments(many).items],
    }
    selects = (
        Select("kind", "Kind", asked["kind"], tuple(Choice(*each) for each in _KINDS.items())),
        *(_names(name, asked[name], names[name]) for name in ("product", "environment")),
        Select("state", "State", asked["state"], tuple(Choice(one.value, word) for one, word in _STATES.items())),
    )
    return Shown(selects, asked["version"], any(asked.values()))


def _names(name: str, value: str, known: list[str]) -> Select:
    """A name that is asked for stays chosen, though it be the 201st."""
    shown = known if not value or value in known else [value, *known]
    return Select(name, name.capitalize(), value, tuple(Choice(each, each) for each in shown))
