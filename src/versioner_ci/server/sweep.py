"""What time alone brings about: no ending heard, messages given up, and when keys were used."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.clock import Clock
from versioner_ci.server import keys, outbox, slack_claim
from versioner_ci.server.access import Access
from versioner_ci.server.db import Database, complaint
from versioner_ci.server.life import COLUMNS, Life
from versioner_ci.server.moments import micros
from versioner_ci.server.options import Options
from versioner_ci.server.outbox import Told
from versioner_ci.server.tables import Environment, Lifecycle, Product, Version
from versioner_ci.status import State

_EVERY = 30.0
_GRACE = 300.0
"""Seconds after its last event arrived, in which a start that was delivered late may still get its ending."""
_MOST = 500
_log = logging.getLogger("versioner_ci.server.sweep")


def mark_stale(connection: Connection, now: int, after: int) -> int:
    """Started, open for longer than `after`, and not marked yet: marked and told, once. How many messages."""
    query = (
        select(*(getattr(Lifecycle, name) for name in COLUMNS), Product.name, Version.name, Environment.name)
        .join(Product, Product.id == Lifecycle.product_id)
        .join(Version, Version.id == Lifecycle.version_id)
        .outerjoin(Environment, Environment.id == Lifecycle.environment_id)
        .where(
            Lifecycle.is_open,
            ~Lifecycle.is_stale,
            Lifecycle.started_at < now - after,
            Lifecycle.state == "started",
            Lifecycle.last_event_at < now - min(after, micros(_GRACE)),
        )
        .order_by(Lifecycle.started_at)
        .limit(_MOST)
    )
    told = []
    for row in connection.execute(query):
        *values, product, version, environment = row
        life = Life(**dict(zip(COLUMNS, values, strict=True)))
        told.append(Told(life, State.STARTED, None, product, version, environment))
    if not told:
        return 0
    mine = update(Lifecycle).where(Lifecycle.id.in_([each.life.id for each in told]))
    connection.execute(mine.values(is_stale=True))
    return outbox.enqueue_stale(connection, told, now)


def close(connection: Connection, kind: str, identity: str, name: str) -> bool | None:
    """An admin closes what nobody ends; a real ending still wins. None: there is none such; False: it is not open."""
    row = connection.execute(
        select(Lifecycle.is_open).where(Lifecycle.id == identity, Lifecycle.kind == kind)
    ).one_or_none()
    if row is None:
        return None
    if row.is_open:
        mine = update(Lifecycle).where(Lifecycle.id == identity)
        connection.execute(mine.values(is_open=False, closed_name=name[:200]))
    return bool(row.is_open)


class Sweeper:
    """A thread that looks every half a minute, or as often as --stale-after asks for."""

    def __init__(self, database: Database, access: Access, options: Options, clock: Clock) -> None:
        self._database = database
        self._access = access
        self._options = options
        self._clock = clock
        self._every = min(_EVERY, max(0.2, options.stale_after / 4))
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)
        self.on_messages: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Once."""
        self._thread.start()

    def stop(self) -> None:
        """A last look, so that no use of a key is forgotten."""
        self._is_stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopping.wait(self._every):
            self._guarded()
        self._guarded()

    def _guarded(self) -> None:
        try:
            self.look()
        except SQLAlchemyError as error:
            _log.warning("the database cannot be swept: %s", complaint(error))
        except Exception:  # noqa: BLE001 - the thread must live on
            _log.exception("a fault in the sweeper")

    def look(self) -> None:
        """Once through everything."""
        now = micros(self._clock.wall())
        used = self._access.newly_used()
        with self._database.write() as connection:
            messages = mark_stale(connection, now, micros(self._options.stale_after))
            given_up = slack_claim.give_up(connection, now, micros(self._options.give_up_after))
            for key_id, at in used.items():
                keys.used(connection, key_id, at)
        if messages:
            self.on_messages()
        if given_up:
            _log.warning("%d messages for Slack were given up: it has not taken them in time", given_up)
