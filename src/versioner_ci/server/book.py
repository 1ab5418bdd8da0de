"""What one batch of events needs of the database: read by a few statements, changed in memory, written by a few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from versioner_ci.identity import fresh_id
from versioner_ci.server.bulk import Find, Put
from versioner_ci.server.life import CHANGING, COLUMNS, Life
from versioner_ci.server.payload import Keys
from versioner_ci.server.tables import Current, Environment, Event, Lifecycle, Product, Version


class Known(NamedTuple):
    """What was accepted under an Idempotency-Key."""

    kind: str
    state: str
    product_id: str
    version_id: str
    environment_id: str | None
    answer: str


_MOST = 1_000
"""Rows of one group, or queued in one place: more are nobody's honest pipeline."""
_FEW = 20
_MANY = partial(bindparam, expanding=True)
_LIFE = Lifecycle.__table__.c
_LIVES = select(*(_LIFE[name] for name in COLUMNS))
_BY_NAME = {
    table: select(table.__table__.c.name, table.__table__.c.id).where(table.__table__.c.name.in_(_MANY("names")))
    for table in (Product, Environment)
}
_NEWEST = (_LIFE.is_open.desc(), _LIFE.opened_at.desc())
_LATEST = _LIVES.where(_LIFE.key == bindparam("key")).order_by(*_NEWEST).limit(_FEW)
_LATEST_OF_SLOT = _LIVES.where(_LIFE.slot == bindparam("key")).order_by(*_NEWEST).limit(_FEW)
_VERSION = ("id", "product_id", "name", "scm_sha", "scm_repository", "is_built", "first_seen_at")
_CELL = ("product_id", "environment_id", "lifecycle_id", "version_id", "completed_at", "last_lifecycle_id", "last_at")
_QUEUED = f"AND is_open = 1 AND state = 'pending' LIMIT {_MOST}"
_KNOWN = Find(Event, ("idempotency_key", *Known._fields), ("idempotency_key",))
_VERSIONS = Find(Version, _VERSION, ("product_id", "name"))
_CELLS = Find(Current, _CELL, ("product_id", "environment_id"))
_BY_KEY = Find(Lifecycle, COLUMNS, ("key",))
_BY_GROUP = Find(Lifecycle, COLUMNS, ("group_key",), f"LIMIT {_MOST}")
_QUEUED_DEPLOYMENTS = Find(Lifecycle, COLUMNS, ("product_id", "environment_id"), _QUEUED)
_QUEUED_BUILDS = Find(Lifecycle, COLUMNS, ("product_id",), f"AND environment_id IS NULL {_QUEUED}")
_NEW_NAMES = {
    Product: Put(Product, ("id", "name", "created_at")),
    Environment: Put(Environment, ("id", "name", "created_at", "position")),
}
_NEW_VERSIONS, _NEW_LIVES, _NEW_CELLS = Put(Version, _VERSION), Put(Lifecycle, COLUMNS), Put(Current, _CELL)
_NEW_EVENTS = Put(Event, tuple(column.key for column in Event.__table__.c if column.key != "seq"))
_VERSIONS_CHANGED = Put(Version, ("scm_sha", "scm_repository", "is_built"), ("id",))
_LIVES_CHANGED = Put(Lifecycle, CHANGING, ("id",))
_CELLS_CHANGED = Put(Current, _CELL[2:], _CELL[:2])


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
        self.known: dict[str, Known] = {}
        """By Idempotency-Key."""
        self.events: list[dict[str, Any]] = []
        self._new: dict[Any, list[tuple[Any, ...]]] = {Product: [], Environment: []}

    def load_known(self, keys: Sequence[str]) -> None:
        """Events that were accepted under these keys before."""
        if keys:
            rows = _KNOWN.rows(self.connection, [(key,) for key in keys])
            self.known |= {key: Known(*values) for key, *values in rows}

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
            for row in _VERSIONS.rows(self.connection, list(wanted)):
                self.versions[row[1], row[2]] = VersionRow(**dict(zip(_VERSION, row, strict=True)))

    def load_lives(self, keys: Sequence[str], groups: Sequence[str]) -> None:
        """Lifecycles that have a key of their own, and all of these groups."""
        if keys:
            self._take(_BY_KEY.rows(self.connection, [(key,) for key in keys]))
        if groups:
            self._take(_BY_GROUP.rows(self.connection, [(group,) for group in groups]))

    def load_latest(self, keys: Keys) -> None:
        """The open and the newest ones of a run, or of a slot, that many share in a row."""
        query = _LATEST_OF_SLOT if keys.own == keys.slot else _LATEST
        self.by_key[keys.own] = self._take(self.connection.execute(query, {"key": keys.own}))

    def load_waiting(self, places: set[tuple[str, str | None]]) -> None:
        """What is queued for these products and environments."""
        pairs = [(product, environment) for product, environment in places if environment is not None]
        products = [(product,) for product, environment in places if environment is None]
        if pairs:
            self._take(_QUEUED_DEPLOYMENTS.rows(self.connection, pairs))
        if products:
            self._take(_QUEUED_BUILDS.rows(self.connection, products))

    def load_cells(self, wanted: set[tuple[str, str]]) -> None:
        """Rows of `current`."""
        if wanted:
            for row in _CELLS.rows(self.connection, list(wanted)):
                self.cells[row[0], row[1]] = CellRow(**dict(zip(_CELL, row, strict=True)))

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
        connection = self.connection
        for table, rows in self._new.items():
            _NEW_NAMES[table].rows(connection, rows)
        _write(connection, self.versions.values(), _NEW_VERSIONS, _VERSIONS_CHANGED)
        _write(connection, self.lives.values(), _NEW_LIVES, _LIVES_CHANGED)
        _NEW_EVENTS.rows(connection, [_event(row) for row in self.events])
        _write(connection, self.cells.values(), _NEW_CELLS, _CELLS_CHANGED)

    def _take(self, rows: Iterable[Any]) -> list[Life]:
        return [self.lives.get(row[0]) or self.add(Life(**dict(zip(COLUMNS, row, strict=True)))) for row in rows]

    def _name(self, table: Any, name: str, now: int, cache: dict[str, str]) -> str:
        cache[name] = identity = fresh_id()
        row: tuple[Any, ...] = (identity, name, now)
        if table is Environment:
            query = select(func.coalesce(func.max(Environment.position), 0))
            row = (*row, self.connection.execute(query).scalar_one() + 1 + len(self._new[table]))
        self._new[table].append(row)
        return identity


_event = itemgetter(*_NEW_EVENTS.columns)


def _write(connection: Connection, found: Iterable[Any], new: Put, changed: Put) -> None:
    """The rows in memory that the database does not have yet, or not so."""
    fresh, moved = attrgetter(*new.columns), attrgetter(*changed.columns, *changed.match)
    found = list(found)
    new.rows(connection, [fresh(row) for row in found if row.is_new])
    changed.rows(connection, [moved(row) for row in found if row.is_changed and not row.is_new])
