"""Keys in the tracker's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.clock import Clock
from versioner_ci.errors import UsageError
from versioner_ci.server import api_models, keys, migrate, payload
from versioner_ci.server.db import connect
from versioner_ci.server.moments import micros
from versioner_ci.server.read import Reader
from versioner_ci.tracker_keys import NewKey

_DAY = 86_400.0


class LocalKeys:
    """Raises UsageError if there is no database of this version, or it cannot be used."""

    def __init__(self, where: str) -> None:
        self._database = connect(where)
        self._reader = Reader(self._database)
        self._now = micros(Clock().wall())
        migrate.check(self._database)

    def create(self, wanted: NewKey) -> Mapping[str, Any]:
        """The new key, with its text."""
        if not payload.is_name(wanted.name):
            raise UsageError("a key's name must not be blank, hold control characters or have over 200 characters")
        expires = None if wanted.days is None else self._now + micros(wanted.days * _DAY)
        try:
            with self._database.write() as connection:
                made = keys.create(connection, wanted.name, wanted.scopes, self._now, expires)
        except SQLAlchemyError as error:
            raise migrate.unusable(self._database, error) from None
        return {**_as_json(made.row), "key": made.text}

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """All keys, the oldest first."""
        try:
            return [_as_json(row) for row in self._reader.all_keys()]
        except SQLAlchemyError as error:
            raise migrate.unusable(self._database, error) from None

    def revoke(self, key_id: str) -> bool:
        """Whether there is such a key; a running tracker notices within 2 seconds."""
        try:
            with self._database.write() as connection:
                return keys.revoke(connection, key_id, self._now)
        except SQLAlchemyError as error:
            raise migrate.unusable(self._database, error) from None


def _as_json(row: object) -> dict[str, Any]:
    return api_models.Key.model_validate(row).model_dump()
