"""The reading routes: events, builds, deployments, products, environments, versions and the matrix."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field, WithJsonSchema

from versioner_ci.server import api_models as models
from versioner_ci.server import cursors, moments, payload
from versioner_ci.server.api_access import READER, ServicesOf
from versioner_ci.server.errors_api import responses
from versioner_ci.server.problems import not_found
from versioner_ci.server.read import LIMIT, MOST, Slice
from versioner_ci.server.records import EventRow, Filters, LifecycleRow

Name = Annotated[str | None, Query(max_length=payload.LONGEST_NAME, pattern=payload.NAME_PATTERN)]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Moment = Annotated[
    str | None,
    Query(),
    AfterValidator(lambda text: text if text is None else moments.stamp(moments.parse(text))),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
PairCursor = Annotated[str | None, Query(pattern=f"^{cursors.PAIR}$")]
NumberCursor = Annotated[str | None, Query(pattern=f"^{cursors.NUMBER}$")]
Id = Annotated[str, Field(pattern=models.UUID_PATTERN)]
router = APIRouter(dependencies=[READER], tags=["read"])


def _pair(cursor: PairCursor = None, limit: Limit = LIMIT) -> Slice:
    return Slice(cursor, limit)


def _number(cursor: NumberCursor = None, limit: Limit = LIMIT) -> Slice:
    return Slice(cursor, limit)


def _names(product: Name = None, environment: Name = None, version: Name = None) -> Filters:
    return Filters(product=product, environment=environment, version=version)


ByPair = Annotated[Slice, Depends(_pair)]
ByNumber = Annotated[Slice, Depends(_number)]
Names = Annotated[Filters, Depends(_names)]


def _filters(names: Names, state: models.State | None = None, since: Moment = None, until: Moment = None) -> Filters:
    return Filters(
        product=names.product,
        environment=names.environment,
        version=names.version,
        state=state,
        since=moments.parse(since) if since else None,
        until=moments.parse(until) if until else None,
    )


Wanted = Annotated[Filters, Depends(_filters)]
Lifecycles = models.PageOf[models.Lifecycle]
Events = models.PageOf[models.StoredEvent]
_ERRORS = responses()
_ERRORS_404 = responses(404)


@router.get("/deployments/", responses=_ERRORS, response_model=Lifecycles)
def list_deployments(services: ServicesOf, filters: Wanted, at: ByPair) -> object:
    """Deployments, the newest first."""
    return services.reader.lifecycles("deployment", filters, at)


@router.get("/builds/", responses=_ERRORS, response_model=Lifecycles)
def list_builds(services: ServicesOf, filters: Wanted, at: ByPair) -> object:
    """Builds, the newest first."""
    return services.reader.lifecycles("build", filters, at)


@router.get("/deployments/{id}", responses=_ERRORS_404, response_model=models.Whole)
def get_deployment(services: ServicesOf, id: Id) -> object:  # noqa: A002 - the API's word
    """One deployment with its events."""
    return whole(services, "deployment", id)


@router.get("/builds/{id}", responses=_ERRORS_404, response_model=models.Whole)
def get_build(services: ServicesOf, id: Id) -> object:  # noqa: A002 - the API's word
    """One build with its events."""
    return whole(services, "build", id)


@router.get("/deployment-events/", responses=_ERRORS, response_model=Events)
def list_deployment_events(services: ServicesOf, names: Names, at: ByNumber) -> object:
    """Events of deployments as they arrived, the newest first."""
    return services.reader.events("deployment", names, at)


@router.get("/build-events/", responses=_ERRORS, response_model=Events)
def list_build_events(services: ServicesOf, names: Names, at: ByNumber) -> object:
    """Events of builds as they arrived, the newest first."""
    return services.reader.events("build", names, at)


@router.get("/products/", responses=_ERRORS, response_model=models.PageOf[models.Named])
def list_products(services: ServicesOf, at: ByPair) -> object:
    """Products in the order in which they appeared."""
    return services.reader.products(at)


@router.get("/environments/", responses=_ERRORS, response_model=models.PageOf[models.Place])
def list_environments(services: ServicesOf, at: ByPair) -> object:
    """Environments in the order in which they appeared."""
    return services.reader.environments(at)


@router.get("/versions/", responses=_ERRORS, response_model=models.PageOf[models.VersionOf])
def list_versions(services: ServicesOf, at: ByPair, product: Name = None) -> object:
    """Versions, the newest first."""
    return services.reader.versions(product, at)


@router.get("/matrix", responses=responses(), response_model=models.WhatRunsWhere)
def get_matrix(services: ServicesOf) -> object:
    """What runs where."""
    found = services.reader.matrix()
    return {"products": found.products, "environments": found.environments, "cells": list(found.cells.values())}


def whole(services: ServicesOf, kind: str, identity: str) -> dict[str, object]:
    """A build or deployment with its events. Raises Problem 404."""
    row = services.reader.lifecycle(identity)
    if row is None or row.kind != kind:
        raise not_found(kind)
    return {**_fields(row), "shown": row.shown, "events": services.reader.timeline(row)}


def _fields(row: LifecycleRow | EventRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}
