"""The tracker's data without a running tracker: its database, read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.server import api_models, migrate
from versioner_ci.server.db import connect
from versioner_ci.server.read import Reader, Slice
from versioner_ci.server.records import Filters


class Local:
    """Raises UsageError if there is no database of this version, or it cannot be used."""

    def __init__(self, where: str) -> None:
        self._database = connect(where)
        self._reader = Reader(self._database)
        migrate.check(self._database)

    def matrix(self) -> Mapping[str, Any]:
        """As the API answers it."""
        try:
            found = self._reader.matrix()
        except SQLAlchemyError as error:
            raise migrate.unusable(self._database, error) from None
        body = {"products": found.products, "environments": found.environments, "cells": list(found.cells.values())}
        return api_models.WhatRunsWhere.model_validate(body).model_dump(mode="json")

    def lifecycles(self, kind: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """As the API answers it."""
        names = {name: query.get(name) for name in ("product", "environment", "version", "state")}
        at = Slice(query.get("cursor"), int(query.get("limit", "50")))
        try:
            found = self._reader.lifecycles(kind, Filters(**names), at)  # type: ignore[arg-type]
        except SQLAlchemyError as error:
            raise migrate.unusable(self._database, error) from None
        return api_models.PageOf[api_models.Lifecycle].model_validate(found).model_dump(mode="json")
