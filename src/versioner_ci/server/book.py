"""What one batch of events needs of the database: read by a few statements, changed in memory, written by a few."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, func, select

from versioner_ci.identity import fresh_id
from versioner_ci.server.book_rows import CellRow, Known, Names, VersionRow
from versioner_ci.server.bulk import Find, First, Put
from versioner_ci.server.life import CHANGING, COLUMNS, Life
from versioner_ci.server.payload import Keys
from versioner_ci.server.tables import Current, Environment, Event, Lifecycle, Product, Version
from versioner_ci.status import Kind

_MOST = 1_000
"""Rows of each group, or queued in each place: more are nobody's honest pipeline."""
_FEW = 20
_MANY = partial(bindparam, expanding=True)
_LIFE = Lifecycle.__table__.c
_LIVES = select(*(_LIFE[name] for name in COLUMNS))
_BY_NAME = {
    table: select(table.__table__.c.name, table.__table__.c.id).where(table.__table__.c.name.in_(_MANY("names")))
    for table in (Product, Environment)
}
_OPEN_FIRST = "is_open DESC, opened_at DESC"
_LATEST = First(Lifecycle, COLUMNS, ("key",), "", _OPEN_FIRST, _FEW)
_LATEST_OF_SLOT = First(Lifecycle, COLUMNS, ("slot",), "", _OPEN_FIRST, _FEW)
_LATER_BUILD = (
    _LIVES.where(
        _LIFE.product_id == bindparam("product"),
        _LIFE.kind == Kind.BUILD.value,
        _LIFE.opened_at > bindparam("at", type_=BigInteger),
        _LIFE.branch.is_not_distinct_from(bindparam("branch", type_=Text)),
        _LIFE.adopted_by.is_(None),
    )
    .order_by(_LIFE.opened_at)
    .limit(1)
)
_NEWEST = (
    _LIVES.where(
        _LIFE.product_id == bindparam("product"),
        _LIFE.environment_id == bindparam("environment"),
        _LIFE.kind == Kind.DEPLOYMENT.value,
        _LIFE.adopted_by.is_(None),
    )
    .order_by(_LIFE.opened_at.desc())
    .limit(_FEW)
)
_VERSION = ("id", "product_id", "name", "scm_sha", "scm_repository", "is_built", "first_seen_at")
_CELL = ("product_id", "environment_id", "lifecycle_id", "version_id", "completed_at", "last_lifecycle_id", "last_at")
_QUEUED = "AND is_open = 1 AND state = 'pending'"
_KNOWN = Find(Event, ("idempotency_key", *Known._fields), ("idempotency_key",))
_VERSIONS = Find(Version, _VERSION, ("product_id", "name"))
_CELLS = Find(Current, _CELL, ("product_id", "environment_id"))
_BY_KEY = Find(Lifecycle, COLUMNS, ("key",))
_BY_ID = Find(Lifecycle, COLUMNS, ("id",))
_BY_GROUP = First(Lifecycle, COLUMNS, ("group_key",), "", _OPEN_FIRST, _MOST)
_QUEUED_DEPLOYMENTS = First(Lifecycle, COLUMNS, ("product_id", "environment_id"), _QUEUED, "opened_at", _MOST)
_BUILDS = f"AND environment_id IS NULL {_QUEUED}"
_QUEUED_BUILDS = First(Lifecycle, COLUMNS, ("product_id", "branch"), _BUILDS, "opened_at", _MOST)
_QUEUED_NOWHERE = First(Lifecycle, COLUMNS, ("product_id",), f"AND branch IS NULL {_BUILDS}", "opened_at", _MOST)
_NEW_NAMES = {
    Product: Put(Product, ("id", "name", "created_at")),
    Environment: Put(Environment, ("id", "name", "created_at", "position")),
}
_NEW_VERSIONS, _NEW_LIVES, _NEW_CELLS = Put(Version, _VERSION), Put(Lifecycle, COLUMNS), Put(Current, _CELL)
_NEW_EVENTS = Put(Event, tuple(column.key for column in Event.__table__.c if column.key != "seq"))
_VERSIONS_CHANGED = Put(Version, ("scm_sha", "scm_repository", "is_built"), ("id",))
_LIVES_CHANGED = Put(Lifecycle, CHANGING, ("id",))
_CELLS_CHANGED = Put(Current, _CELL[2:], _CELL[:2])


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
        self.left: list[tuple[str, Life]] = []
        """Chains whose pending was taken over by a lifecycle that had been told elsewhere, to its end."""
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

    def load_ids(self, wanted: set[str]) -> None:
        """Lifecycles by their ids."""
        missing = [(one,) for one in sorted(wanted - self.lives.keys())]
        if missing:
            self._take(_BY_ID.rows(self.connection, missing))

    def load_latest(self, wanted: Sequence[Keys]) -> None:
        """The open and the newest ones of each run, or of a slot, that many share in a row."""
        runs = {keys.own for keys in wanted if keys.own != keys.slot}
        slots = {keys.slot for keys in wanted if keys.own == keys.slot}
        if runs:
            self._take(_LATEST.rows(self.connection, [(key,) for key in sorted(runs)]))
        if slots:
            found = self._take(_LATEST_OF_SLOT.rows(self.connection, [(key,) for key in sorted(slots)]))
            self.by_key |= {slot: [life for life in found if life.slot == slot] for slot in slots}

    def load_queued_deployments(self, places: set[tuple[str, str]]) -> None:
        """What is queued for these products and environments, the oldest first."""
        if places:
            self._take(_QUEUED_DEPLOYMENTS.rows(self.connection, sorted(places)))

    def load_queued_builds(self, lines: set[tuple[str, str | None]]) -> None:
        """What is queued of these products' branches, the oldest first; None: of no branch."""
        named = sorted((product, branch) for product, branch in lines if branch is not None)
        others = sorted((product,) for product, branch in lines if branch is None)
        if named:
            self._take(_QUEUED_BUILDS.rows(self.connection, named))
        if others:
            self._take(_QUEUED_NOWHERE.rows(self.connection, others))

    def load_later_build(self, product: str, branch: str | None, at: int) -> None:
        """The next build of the branch after this time."""
        self._take(self.connection.execute(_LATER_BUILD, {"product": product, "branch": branch, "at": at}))

    def newest(self, life: Life) -> Life:
        """The deployment of the same product and environment that began last."""
        return max(self.of_place(life), key=lambda one: (one.began_at, one.id))

    def of_place(self, life: Life) -> list[Life]:
        """The newest deployments of the same product and environment, and what the batch has of them."""
        where = {"product": life.product_id, "environment": life.environment_id}
        self._take(self.connection.execute(_NEWEST, where))
        return [one for one in self.lives.values() if one.place == life.place and one.adopted_by is None]

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
