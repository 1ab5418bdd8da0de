"""The API's description: what FastAPI knows of its routes, and by hand what it does not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from versioner_ci import __version__
from versioner_ci.server import api_bodies, api_models, errors_api, payload
from versioner_ci.server.api_bodies import event_schema
from versioner_ci.server.api_events import PATHS
from versioner_ci.server.problems import INVALID
from versioner_ci.status import Kind

_REF = "#/components/schemas/{model}"
_ABOUT = (
    "What every CI pipeline builds and deploys. Send `Authorization: Bearer sk_…`; keys have the scopes write, read "
    "and admin. Errors are one object with a stable code, or a list of the fields that are wrong."
)
_ERROR = {"detail": {"error": "Unauthorized", "message": "this key is unknown", "code": "key_unknown"}}
_INVALID = {
    "detail": [{"loc": ["body", "status"], "msg": "legal words: pending, queued, …", "type": "enum"}],
    "code": INVALID,
}
_UUID = {"type": "string", "pattern": api_models.UUID_PATTERN}


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The function that FastAPI asks for the description; it is made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_described(app))
        return made

    return openapi


def _described(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title="versioner-ci tracker", version=__version__, description=_ABOUT, routes=app.routes)
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    wanted = [(model, "validation") for model in (*api_bodies.BODIES, api_models.ErrorBody, api_models.InvalidBody)]
    schemas |= models_json_schema(wanted, ref_template=_REF)[1].get("$defs", {})  # type: ignore[arg-type]
    for kind in Kind:
        schema = event_schema(kind)
        schemas[schema["title"]] = schema
        schemas[f"{schema['title']}Answer"] = _answer(kind)
    for path, kind in PATHS.items():
        found["paths"].setdefault(path, {})["post"] = _event_route(kind)
    schemas["ErrorBody"]["examples"] = [_ERROR]
    schemas["InvalidBody"]["examples"] = [_INVALID]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return found


def _answer(kind: Kind) -> dict[str, Any]:
    ids = ["id", "event_id", "product_id", "version_id", f"{kind.value}_id"]
    ids += ["environment_id"] if kind is Kind.DEPLOYMENT else []
    return {
        "type": "object",
        "title": f"{kind.value.capitalize()}EventAnswer",
        "required": [*ids, "status"],
        "properties": {
            **dict.fromkeys(ids, _UUID),
            "status": {"type": "string", "enum": list(api_models.State.__args__)},  # type: ignore[attr-defined]
            "duplicate": {"type": "boolean", "description": "true: this key was accepted before"},
        },
    }


def _event_route(kind: Kind) -> dict[str, Any]:
    name = f"{kind.value.capitalize()}Event"
    answer = {"application/json": {"schema": {"$ref": _REF.format(model=f"{name}Answer")}}}
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes a retry harmless: the first accepted answer comes again, with duplicate: true.",
        "schema": {"type": "string", "minLength": 1, "maxLength": payload.LONGEST_KEY, "pattern": "^[!-~]{1,255}$"},
    }
    return {
        "tags": ["events"],
        "summary": f"A {kind.value} has a new state",
        "operationId": f"create_{kind.value}_event",
        "security": [{"key": []}],
        "parameters": [key],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=name)}}},
        },
        "responses": {
            "201": {"description": "Accepted", "content": answer},
            "200": {"description": "Accepted before", "content": answer},
            **{str(status): _error(status) for status in errors_api.responses(400, 409, 413, 415)},
        },
    }


def _error(status: int | str) -> dict[str, Any]:
    model = "InvalidBody" if status == 422 else "ErrorBody"
    content = {"application/json": {"schema": {"$ref": _REF.format(model=model)}}}
    return {"description": errors_api.WORDS[int(status)], "content": content}
