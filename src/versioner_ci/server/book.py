"""What one batch of events needs of the database: read by a few statements, changed in memory, written by a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, tuple_, update

from versioner_ci.identity import fresh_id
from versioner_ci.server.life import CHANGING, COLUMNS, Life
from versioner_ci.server.payload import Keys
from versioner_ci.server.tables import Current, Environment, Event, Lifecycle, Product, Version

_MOST = 1_000
"""Rows of one group, or queued in one place: more are nobody's honest pipeline."""
_FEW = 20
_MANY = partial(bindparam, expanding=True)
_LIFE, _EVENT, _VERSION, _CURRENT = (table.__table__.c for table in (Lifecycle, Event, Version, Current))
_LIVES = select(*(_LIFE[name] for name in COLUMNS))
_KNOWN = select(
    *(_EVENT[name] for name in ("idempotency_key", "kind", "state", "product_id", "version_id", "environment_id")),
    _EVENT.answer,
).where(_EVENT.idempotency_key.in_(_MANY("keys")))
_BY_NAME = {
    table: select(table.__table__.c.name, table.__table__.c.id).where(table.__table__.c.name.in_(_MANY("names")))
    for table in (Product, Environment)
}
_VERSIONS = select(*_VERSION).where(tuple_(_VERSION.product_id, _VERSION.name).in_(_MANY("pairs")))
_CELLS = select(*_CURRENT).where(tuple_(_CURRENT.product_id, _CURRENT.environment_id).in_(_MANY("pairs")))
_BY_KEY = _LIVES.where(_LIFE.key.in_(_MANY("keys")))
_BY_GROUP = _LIVES.where(_LIFE.group_key.in_(_MANY("groups"))).limit(_MOST)
_QUEUED = _LIVES.where(_LIFE.is_open, _LIFE.state == "pending").limit(_MOST)
_QUEUED_DEPLOYMENTS = _QUEUED.where(tuple_(_LIFE.product_id, _LIFE.environment_id).in_(_MANY("pairs")))
_QUEUED_BUILDS = _QUEUED.where(_LIFE.environment_id.is_(None), _LIFE.product_id.in_(_MANY("products")))
_NEWEST = (_LIFE.is_open.desc(), _LIFE.opened_at.desc())
_LATEST = _LIVES.where(_LIFE.key == bindparam("key")).order_by(*_NEWEST).limit(_FEW)
_LATEST_OF_SLOT = _LIVES.where(_LIFE.slot == bindparam("key")).order_by(*_NEWEST).limit(_FEW)
_UPDATE = (
    update(Lifecycle.__table__)  # type: ignore[arg-type]
    .where(_LIFE.id == bindparam("_id"))
    .values({name: bindparam(name) for name in CHANGING})
)
_CELL = ("lifecycle_id", "version_id", "completed_at", "last_lifecycle_id", "last_at")
_UPDATE_CELL = (
    update(Current.__table__)  # type: ignore[arg-type]
    .where(_CURRENT.product_id == bindparam("_product"), _CURRENT.environment_id == bindparam("_environment"))
    .values({name: bindparam(name) for name in _CELL})
)
_INSERTS = {table: insert(table.__table__) for table in (Product, Environment, Version, Lifecycle, Event, Current)}  # type: ignore[arg-type]


@dataclass(slots=True)
class Names:
    """Ids by name of what was committed: rows of these tables never go away."""

    products: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class VersionRow:
    """A version in memory."""

    id: str
    product_id: str
    name: str
    scm_sha: str | None
    scm_repository: str | None
    is_built: bool
    first_seen_at: int
    is_new: bool = False
    is_changed: bool = False


@dataclass(slots=True, kw_only=True)
class CellRow:
    """A row of `current` in memory."""

    product_id: str
    environment_id: str
    lifecycle_id: str | None
    version_id: str | None
    completed_at: int | None
    last_lifecycle_id: str
    last_at: int
    is_new: bool = False
    is_changed: bool = False


class Book:
    """The rows that a batch works on. The caller holds the write lock, so nobody else changes them meanwhile."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self.connection = connection
        self.names = Names({**names.products}, {**names.environments})
        self.lives: dict[str, Life] = {}
        self.by_key: dict[str, list[Life]] = {}
        self.by_group: dict[str, list[Life]] = {}
        self.versions: dict[tuple[str, str], VersionRow] = {}
        self.cells: dict[tuple[str, str], CellRow] = {}
        self.known: dict[str, Any] = {}
        """Idempotency key → what was accepted under it."""
        self.events: list[dict[str, Any]] = []
        self._new: dict[Any, list[dict[str, Any]]] = {Product: [], Environment: []}

    def load_known(self, keys: Sequence[str]) -> None:
        """Events that were accepted under these keys before."""
        if keys:
            self.known |= {row.idempotency_key: row for row in self.connection.execute(_KNOWN, {"keys": keys})}

    def load_names(self, table: type[Product | Environment], wanted: set[str]) -> None:
        """Ids of products or environments."""
        cache = self.names.products if table is Product else self.names.environments
        missing = [name for name in wanted if name not in cache]
        if missing:
            rows = self.connection.execute(_BY_NAME[table], {"names": missing})
            cache.update({row.name: row.id for row in rows})

    def load_versions(self, wanted: set[tuple[str, str]]) -> None:
        """Versions by product's id and name."""
        if wanted:
            for row in self.connection.execute(_VERSIONS, {"pairs": list(wanted)}):
                self.versions[row.product_id, row.name] = VersionRow(**row._mapping)  # noqa: SLF001 - its public name

    def load_lives(self, keys: Sequence[str], groups: Sequence[str]) -> None:
        """Lifecycles that have a key of their own, and all of these groups."""
        if keys:
            self._take(_BY_KEY, keys=keys)
        if groups:
            self._take(_BY_GROUP, groups=groups)

    def load_latest(self, keys: Keys) -> None:
        """The open and the newest ones of a run, or of a slot, that many share in a row."""
        found = self._take(_LATEST_OF_SLOT if keys.own == keys.slot else _LATEST, key=keys.own)
        self.by_key[keys.own] = found

    def load_waiting(self, places: set[tuple[str, str | None]]) -> None:
        """What is queued for these products and environments."""
        pairs = [place for place in places if place[1] is not None]
        products = [product for product, environment in places if environment is None]
        if pairs:
            self._take(_QUEUED_DEPLOYMENTS, pairs=pairs)
        if products:
            self._take(_QUEUED_BUILDS, products=products)

    def load_cells(self, wanted: set[tuple[str, str]]) -> None:
        """Rows of `current`."""
        if wanted:
            for row in self.connection.execute(_CELLS, {"pairs": list(wanted)}):
                self.cells[row.product_id, row.environment_id] = CellRow(**row._mapping)  # noqa: SLF001 - its public name

    def product(self, name: str, now: int) -> str:
        """The id of a product, new or known."""
        return self.names.products.get(name) or self._name(Product, name, now, self.names.products)

    def environment(self, name: str, now: int) -> str:
        """The id of an environment, new or known."""
        return self.names.environments.get(name) or self._name(Environment, name, now, self.names.environments)

    def add(self, life: Life) -> Life:
        """Take a lifecycle in, new or read."""
        if life.id in self.lives:
            return self.lives[life.id]
        self.lives[life.id] = life
        self.by_key.setdefault(life.key, []).append(life)
        if life.slot != life.key and life.slot in self.by_key:
            self.by_key[life.slot].append(life)
        if life.group_key is not None:
            self.by_group.setdefault(life.group_key, []).append(life)
        return life

    def write(self) -> None:
        """All that is new or changed."""
        for table, rows in self._new.items():
            self._insert(table, rows)
        self._insert(Version, _rows(self.versions.values(), _is_new))
        for version in filter(_is_changed, self.versions.values()):
            values = {
                "scm_sha": version.scm_sha,
                "scm_repository": version.scm_repository,
                "is_built": version.is_built,
            }
            self.connection.execute(update(Version).where(Version.id == version.id).values(values))
        self._insert(
            Lifecycle, [{name: getattr(life, name) for name in COLUMNS} for life in self.lives.values() if life.is_new]
        )
        changed = [
            {"_id": life.id, **{name: getattr(life, name) for name in CHANGING}}
            for life in self.lives.values()
            if life.is_changed and not life.is_new
        ]
        if changed:
            self.connection.execute(_UPDATE, changed)
        self._insert(Event, self.events)
        self._write_cells()

    def _write_cells(self) -> None:
        self._insert(Current, _rows(self.cells.values(), _is_new))
        changed = [
            {
                "_product": cell.product_id,
                "_environment": cell.environment_id,
                **{name: getattr(cell, name) for name in _CELL},
            }
            for cell in filter(_is_changed, self.cells.values())
        ]
        if changed:
            self.connection.execute(_UPDATE_CELL, changed)

    def _insert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(_INSERTS[table], rows)

    def _take(self, query: Any, **values: Any) -> list[Life]:
        rows = self.connection.execute(query, values)
        return [self.lives.get(row.id) or self.add(Life(**row._mapping)) for row in rows]  # noqa: SLF001 - its public name

    def _name(self, table: Any, name: str, now: int, cache: dict[str, str]) -> str:
        cache[name] = identity = fresh_id()
        row: dict[str, Any] = {"id": identity, "name": name, "created_at": now}
        if table is Environment:
            query = select(func.coalesce(func.max(Environment.position), 0))
            row["position"] = self.connection.execute(query).scalar_one() + 1 + len(self._new[table])
        self._new[table].append(row)
        return identity


def _is_new(row: Any) -> bool:
    return bool(row.is_new)


def _is_changed(row: Any) -> bool:
    return bool(row.is_changed) and not row.is_new


def _rows(found: Iterable[Any], wanted: Callable[[Any], bool]) -> list[dict[str, Any]]:
    names: tuple[str, ...] | None = None
    rows = []
    for row in filter(wanted, found):
        names = names or tuple(name for name in row.__slots__ if name not in {"is_new", "is_changed"})
        rows.append({name: getattr(row, name) for name in names})
    return rows
