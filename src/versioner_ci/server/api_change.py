"""The changing routes: notification preferences, keys, and closing what nobody ends."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from versioner_ci.server import api_bodies as bodies
from versioner_ci.server import api_models as models
from versioner_ci.server import keys, moments, preferences, sweep
from versioner_ci.server.access import Caller
from versioner_ci.server.api_access import ADMIN, READER, WRITER, ServicesOf
from versioner_ci.server.api_read import ByNumber, ByPair, Id, whole
from versioner_ci.server.errors_api import responses
from versioner_ci.server.preferences import Wish
from versioner_ci.server.problems import Fault, Problem, invalid, not_found
from versioner_ci.server.services import Services

router = APIRouter()
KeyId = Annotated[str, Field(pattern="^[A-Za-z0-9]{1,40}$")]
_BODY = (400, 413, 415)


def taking(model: type[Any]) -> dict[str, Any]:
    """A route's body, for its description."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}}


@router.get(
    "/notification-preferences/",
    responses=responses(),
    response_model=models.PageOf[models.Preference],
    dependencies=[READER],
    tags=["preferences"],
)
def list_preferences(services: ServicesOf, at: ByPair) -> object:
    """Notification preferences, the oldest first."""
    return services.reader.preferences(at)


@router.post(
    "/notification-preferences/",
    status_code=201,
    responses=responses(*_BODY),
    response_model=models.Preference,
    openapi_extra=taking(bodies.NewPreference),
    dependencies=[WRITER],
    tags=["preferences"],
)
async def create_preference(request: Request, services: ServicesOf) -> object:
    """Send events to a Slack channel."""
    given = await bodies.read(request, bodies.NewPreference)
    wish = preferences.checked(_wish(given))
    now = _now(services)
    identity = await services.writer.change(lambda connection: preferences.create(connection, wish, now))
    return {**wish._asdict(), "id": identity, "created_at": now}


@router.get(
    "/notification-preferences/{id}",
    responses=responses(404),
    response_model=models.Preference,
    dependencies=[READER],
    tags=["preferences"],
)
def get_preference(services: ServicesOf, id: Id) -> object:  # noqa: A002 - the API's word
    """One preference."""
    return _known(services, id)


@router.patch(
    "/notification-preferences/{id}",
    responses=responses(404, *_BODY),
    response_model=models.Preference,
    openapi_extra=taking(bodies.ChangedPreference),
    dependencies=[WRITER],
    tags=["preferences"],
)
async def change_preference(request: Request, services: ServicesOf, id: Id) -> object:  # noqa: A002
    """Change the fields that are given."""
    given = await bodies.read(request, bodies.ChangedPreference)
    known = await run_in_threadpool(_known, services, id)
    changed = {name: getattr(given, name) for name in given.model_fields_set}
    old = {name: getattr(known, name) for name in Wish._fields}
    wish = preferences.checked(Wish(**{**old, **changed}))
    if not await services.writer.change(lambda connection: preferences.change(connection, id, wish)):
        raise not_found("preference")
    return {**wish._asdict(), "id": id, "created_at": known.created_at}


@router.delete(
    "/notification-preferences/{id}",
    status_code=204,
    responses=responses(404),
    response_class=Response,
    dependencies=[WRITER],
    tags=["preferences"],
)
async def delete_preference(services: ServicesOf, id: Id) -> None:  # noqa: A002 - the API's word
    """Delete it; messages that stand stay."""
    if not await services.writer.change(lambda connection: preferences.remove(connection, id)):
        raise not_found("preference")


@router.get(
    "/notifications/",
    responses=responses(),
    response_model=models.PageOf[models.Notification],
    dependencies=[READER],
    tags=["preferences"],
)
def list_notifications(services: ServicesOf, at: ByNumber, state: models.NotificationState | None = None) -> object:
    """What goes to Slack, the newest first."""
    return services.reader.notifications(state, at)


@router.get("/keys/", responses=responses(), response_model=list[models.Key], dependencies=[ADMIN], tags=["keys"])
def list_keys(services: ServicesOf) -> object:
    """All keys, without their secrets."""
    return services.reader.all_keys()


@router.post(
    "/keys/",
    status_code=201,
    responses=responses(*_BODY),
    response_model=models.MadeKey,
    openapi_extra=taking(bodies.NewKey),
    dependencies=[ADMIN],
    tags=["keys"],
)
async def create_key(request: Request, services: ServicesOf) -> object:
    """Make a key; the answer shows it once."""
    given = await bodies.read(request, bodies.NewKey)
    try:
        expires = moments.parse(given.expires_at) if given.expires_at is not None else None
    except ValueError:
        message = "must be a time like 2026-01-31T12:00:00Z"
        raise invalid(Fault(at=("body", "expires_at"), message=message, type="datetime_parsing")) from None
    now = _now(services)
    made = await services.writer.change(
        lambda connection: keys.create(connection, given.name, tuple(given.scopes), now, expires)
    )
    row = made.row
    return {**{name: getattr(row, name) for name in row.__dataclass_fields__}, "key": made.text}


@router.delete(
    "/keys/{key_id}",
    status_code=204,
    responses=responses(404),
    response_class=Response,
    dependencies=[ADMIN],
    tags=["keys"],
)
async def revoke_key(services: ServicesOf, key_id: KeyId) -> None:
    """Revoke a key: it is of no more use."""
    now = _now(services)
    if not await services.writer.change(lambda connection: keys.revoke(connection, key_id, now)):
        raise not_found("key")
    services.access.forget(key_id)


@router.post("/deployments/{id}/close", responses=responses(404, 409), response_model=models.Whole, tags=["admin"])
async def close_deployment(services: ServicesOf, id: Id, caller: Annotated[Caller, ADMIN]) -> object:  # noqa: A002
    """Close a deployment that nobody ends; a real ending still wins."""
    return await _close(services, "deployment", id, caller)


@router.post("/builds/{id}/close", responses=responses(404, 409), response_model=models.Whole, tags=["admin"])
async def close_build(services: ServicesOf, id: Id, caller: Annotated[Caller, ADMIN]) -> object:  # noqa: A002
    """Close a build that nobody ends; a real ending still wins."""
    return await _close(services, "build", id, caller)


async def _close(services: Services, kind: str, identity: str, caller: Caller) -> object:
    done = await services.writer.change(lambda connection: sweep.close(connection, kind, identity, caller.name))
    if done is None:
        raise not_found(kind)
    if not done:
        raise Problem(409, "not_open", f"this {kind} is not open")
    return await run_in_threadpool(whole, services, kind, identity)


def _known(services: Services, identity: str) -> Any:
    found = services.reader.preference(identity)
    if found is None:
        raise not_found("preference")
    return found


def _wish(given: bodies.NewPreference) -> Wish:
    return Wish(**{**given.model_dump(), "mention": tuple(given.mention)})


def _now(services: Services) -> int:
    return moments.micros(services.clock.wall())
