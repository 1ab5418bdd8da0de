"""What the API answers, for its OpenAPI description and for programs: times as RFC 3339, unknown as null."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from versioner_ci.server import moments

UUID_PATTERN = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
Item = TypeVar("Item")


def _stamped(value: object) -> object:
    return moments.stamp(value) if isinstance(value, int) else value


Time = Annotated[str, BeforeValidator(_stamped), WithJsonSchema({"type": "string", "format": "date-time"})]
Id = Annotated[str, Field(pattern=UUID_PATTERN)]
Kind = Literal["build", "deployment"]
State = Literal["pending", "started", "completed", "failed", "aborted"]
Shown = Literal["pending", "started", "completed", "failed", "aborted", "superseded", "no_ending_heard", "closed"]
Scope = Literal["write", "read", "admin"]
NotificationState = Literal["new", "sending", "sent", "failed"]


class Answer(BaseModel):
    """Made from the tracker's own records."""

    model_config = {"from_attributes": True}


class PageOf(Answer, Generic[Item]):
    """One page; ask for the following one with `cursor`."""

    items: list[Item]
    next: str | None = Field(description="cursor of the following page, null on the last one")


class Lifecycle(Answer):
    """A build or a deployment."""

    id: Id
    kind: Kind
    state: State = Field(description="as last told by its client")
    shown: Shown = Field(description="as people see it: the tracker alone knows superseded, no_ending_heard, closed")
    is_open: bool
    product_id: Id
    product: str
    version_id: Id
    version: str
    environment_id: Id | None
    environment: str | None
    opened_at: Time
    pending_at: Time | None
    started_at: Time | None
    ended_at: Time | None
    last_event_at: Time
    superseded_by: Id | None
    adopted_by: Id | None
    closed_name: str | None = Field(description="the key that closed it although no ending was heard")
    source_system: str | None
    invoke_id: str | None
    build_number: str | None
    actor: str | None
    branch: str | None
    sha: str | None
    repository: str | None
    url: str | None
    error: str | None
    error_code: str | None
    reason: str | None
    duration: float | None = Field(description="seconds, as the client measured them")


class StoredEvent(Answer):
    """An event as it was accepted."""

    id: Id
    seq: int = Field(description="order of arrival")
    kind: Kind
    state: State
    lifecycle_id: Id
    product_id: Id
    product: str
    version_id: Id
    version: str
    environment_id: Id | None
    environment: str | None
    occurred_at: Time
    received_at: Time
    is_late: bool
    is_repeat: bool
    payload: dict[str, object]


class Whole(Lifecycle):
    """A build or a deployment with its events, by when they happened."""

    events: list[StoredEvent]


class Named(Answer):
    """A product."""

    id: Id
    name: str
    created_at: Time


class Place(Named):
    """An environment; `position` is its place in the matrix."""

    position: int


class VersionOf(Answer):
    """A product's version."""

    id: Id
    product_id: Id
    product: str
    name: str
    scm_sha: str | None
    scm_repository: str | None
    first_seen_at: Time


class Cell(Answer):
    """What runs somewhere (null: nothing yet), and the newest deployment there, whatever became of it."""

    product_id: Id
    environment_id: Id
    version: str | None
    version_id: Id | None
    first_seen_at: Time | None = Field(description="of the version: the newest of a product is the one heard of last")
    completed_at: Time | None
    lifecycle_id: Id | None
    actor: str | None
    sha: str | None
    url: str | None
    last_id: Id
    last_version: str
    last_state: Shown
    last_at: Time
    last_actor: str | None


class WhatRunsWhere(Answer):
    """Products by name, environments by position, and a cell wherever something was deployed."""

    products: list[Named]
    environments: list[Place]
    cells: list[Cell]


class Preference(Answer):
    """Which events go to which Slack channel."""

    id: Id
    event_type: str
    channel_id: str
    product_name: str | None
    environment_name: str | None
    mention: list[str]
    created_at: Time


class Notification(Answer):
    """One step of a Slack message."""

    id: Id
    seq: int
    what: Literal["event", "quiet", "stale"]
    lifecycle_id: Id
    event_id: Id | None
    channel: str
    state: NotificationState
    attempts: int
    last_error: str | None
    created_at: Time
    sent_at: Time | None


class Key(Answer):
    """An API key without its secret."""

    id: Id
    key_id: str
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None


class MadeKey(Key):
    """A new key: `key` is shown this once."""

    key: str


class Detail(BaseModel):
    """What went wrong."""

    error: str
    message: str
    code: str = Field(description="stable: for programs")


class ErrorBody(BaseModel):
    """An error."""

    detail: Detail


class FieldFault(BaseModel):
    """One field, header or parameter that is wrong."""

    loc: list[str | int]
    msg: str
    type: str


class InvalidBody(BaseModel):
    """Everything that is wrong with a request."""

    detail: list[FieldFault]
    code: str
