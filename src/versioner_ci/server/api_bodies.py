"""The bodies that the API takes, as its OpenAPI description tells them. Unknown fields are ignored: the API grows.

Events are read by payload.py, whose limits these repeat; a test holds them together.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request

from versioner_ci.config_routes import EVENT_TYPES
from versioner_ci.server import incoming, payload
from versioner_ci.server.api_models import Scope
from versioner_ci.server.problems import Fault, invalid
from versioner_ci.settings_values import MENTION
from versioner_ci.status import Kind

CHANNEL_PATTERN = r"^#?[A-Za-z0-9_.\-]{1,80}$"
_TEXT: dict[str, Any] = {"type": ["string", "null"], "maxLength": payload.LONGEST_TEXT}
_NAME: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": payload.LONGEST_NAME,
    "pattern": payload.NAME_PATTERN,
}
_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time", "minLength": 19}
_METADATA: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Whatever the client wants kept. vi_lifecycle_id and vi_group_id tell which events belong "
    "together, vi_occurred_at when the event happened; error, error_code, reason and duration_seconds are shown.",
    "properties": {
        "vi_lifecycle_id": {"type": ["string", "null"], "maxLength": payload.LONGEST_NAME},
        "vi_group_id": {"type": ["string", "null"], "maxLength": payload.LONGEST_NAME},
        "vi_occurred_at": _TIME,
    },
}
_EXAMPLE = {"product_name": "shop", "version": "1.4.2", "status": "started", "source_system": "github"}


def event_schema(kind: Kind) -> dict[str, Any]:
    """The body of `POST /build-events/` or `POST /deployment-events/`."""
    required = ["product_name", "version", "status", *(["environment_name"] if kind is Kind.DEPLOYMENT else [])]
    names = {name: _NAME for name in required if name != "status"}
    texts = dict.fromkeys((*payload.TEXTS, *payload.OWN_TEXTS[kind]), _TEXT)
    status = {
        "type": "string",
        "enum": payload.words(kind),
        "description": "The state. Case does not matter, nor whether `_`, `-` or a blank stands in between.",
    }
    extra = {"skip_preflight_checks": {"type": ["boolean", "null"]}} if kind is Kind.DEPLOYMENT else {}
    return {
        "type": "object",
        "title": f"{kind.value.capitalize()}Event",
        "required": required,
        "properties": {
            **names,
            "status": status,
            **texts,
            **dict.fromkeys(payload.TIMES, _TIME),
            **extra,
            "extra_metadata": _METADATA,
        },
        "examples": [{**_EXAMPLE, **({"environment_name": "production"} if kind is Kind.DEPLOYMENT else {})}],
    }


Name = Annotated[str, Field(min_length=1, max_length=payload.LONGEST_NAME, pattern=payload.NAME_PATTERN)]
EventType = Annotated[str, Field(json_schema_extra={"enum": list(EVENT_TYPES)}, examples=["deployment.failed"])]
Channel = Annotated[str, Field(pattern=CHANNEL_PATTERN, examples=["C0123456789"])]
Mention = Annotated[str, Field(pattern=f"^(?:{MENTION})$", max_length=60, examples=["@U0456"])]


class NewPreference(BaseModel):
    """Which events go to which Slack channel, and who is mentioned on a failure or an abort."""

    event_type: EventType
    channel_id: Channel
    product_name: Name | None = None
    environment_name: Name | None = None
    mention: list[Mention] = Field(default=[], max_length=50)


class ChangedPreference(BaseModel):
    """What is to change; null takes a filter away."""

    event_type: EventType = ""
    channel_id: Channel = ""
    product_name: Name | None = None
    environment_name: Name | None = None
    mention: list[Mention] = Field(default=[], max_length=50)


class NewKey(BaseModel):
    """A key for a pipeline (write), a reader of the page (read) or an admin."""

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=3)
    expires_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None


BODIES = (NewPreference, ChangedPreference, NewKey)


async def read(request: Request, model: type[Any]) -> Any:
    """The request's body, checked strictly. Raises Problem."""
    raw = incoming.parse(await incoming.body_of(request.headers, request.receive))
    try:
        return model.model_validate(raw, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        faults = [Fault(at=("body", *each["loc"]), message=each["msg"], type=each["type"]) for each in found]
        raise invalid(*faults) from None
