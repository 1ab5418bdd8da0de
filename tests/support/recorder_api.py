"""The tracker's API as the recorder speaks it: what a request is, what is wrong with it, what rules and answers are."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {"/build-events/": "build", "/deployment-events/": "deployment"}
MOST_BYTES = 256 * 1024
STATES = ("pending", "started", "completed", "failed", "aborted")
_TEXT_FIELDS = (
    "product_name",
    "version",
    "status",
    "source_system",
    "build_number",
    "scm_sha",
    "scm_branch",
    "scm_repository",
    "invoke_id",
    "started_at",
    "completed_at",
)
_OWN_FIELDS = {
    "build": ("build_url", "built_by", "built_by_email", "built_by_name"),
    "deployment": ("environment_name", "deploy_url", "deployed_by", "deployed_by_email", "deployed_by_name"),
}
_REQUIRED = {
    "build": ("product_name", "version", "status"),
    "deployment": ("product_name", "version", "status", "environment_name"),
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the tracker says to one request; `body` is JSON, or bytes or text sent as they are."""

    status: int = 201
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the first byte of it."""
    is_lost: bool = False
    """Never sent: the connection is closed instead."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request and the status it was answered with (None: no answer was sent)."""

    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: dict[str, Any]
    """{} where it was no JSON object."""
    raw: bytes
    at: float
    """Seconds since the epoch."""
    connection: int
    """The same number: the same TCP connection."""
    answered: int | None = None

    @property
    def kind(self) -> str:
        return KINDS.get(self.path, "")

    @property
    def state(self) -> str:
        return str(self.body.get("status", ""))

    @property
    def type(self) -> str:
        """`deployment.started`."""
        return f"{self.kind}.{self.state}"

    @property
    def key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def metadata(self) -> dict[str, Any]:
        extra = self.body.get("extra_metadata")
        return extra if isinstance(extra, dict) else {}

    @property
    def lifecycle(self) -> str | None:
        return self.metadata.get("vi_lifecycle_id")


Predicate = Callable[[Received], bool]


@dataclass(eq=False, kw_only=True)
class Rule:
    """Rejects the `started` of a deployment that fits; None fits all. Lift it with `Recorder.lift`."""

    product: str | None = None
    environment: str | None = None
    status: int = 409
    code: str | None = "DEPLOYMENT_REJECTED"
    rule_name: str | None = "no-friday-deploys"
    message: str = "Deployments are frozen"
    retry_after: float | str | None = None

    def applies(self, request: Received) -> bool:
        fits = request.type == "deployment.started" and not request.body.get("skip_preflight_checks")
        return fits and all(
            wanted in {None, request.body.get(name)}
            for name, wanted in (("product_name", self.product), ("environment_name", self.environment))
        )

    def answer(self) -> Answer:
        detail = {
            "error": "Deployment rejected",
            "message": self.message,
            "code": self.code,
            "retry_after": self.retry_after,
            "details": {"rule_name": self.rule_name} if self.rule_name else None,
        }
        return Answer(status=self.status, body={"detail": {k: v for k, v in detail.items() if v is not None}})


def ids(request: Received, key: str) -> dict[str, Any]:
    body = request.body
    event_id = _id("event", key)
    reply = {
        "id": event_id,
        "event_id": event_id,
        "product_id": _id("product", body["product_name"]),
        "version_id": _id("version", body["product_name"], body["version"]),
        f"{request.kind}_id": _id(request.kind, request.lifecycle or key),
        "status": body["status"],
    }
    if request.kind == "deployment":
        reply["environment_id"] = _id("environment", body["environment_name"])
    return reply


def _id(*parts: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(parts)))


def problems(request: Received) -> Iterator[dict[str, Any]]:
    """FastAPI's list of what is wrong with an event's body."""
    if not request.body:
        yield {"loc": ["body"], "msg": "Input should be a valid dictionary", "type": "dict_type"}
        return
    texts = {*_TEXT_FIELDS, *_OWN_FIELDS[request.kind]}
    for name in _REQUIRED[request.kind]:
        if name not in request.body:
            yield {"loc": ["body", name], "msg": "Field required", "type": "missing"}
    for name, value in request.body.items():
        if message := _problem(name, value, texts):
            yield {"loc": ["body", name], "msg": message, "type": "value_error", "input": value}


def _problem(name: str, value: Any, texts: set[str]) -> str | None:  # noqa: PLR0911 - one for each rule
    if name == "extra_metadata":
        return None if isinstance(value, dict) and value else "Input should be an object that is not empty"
    if name == "skip_preflight_checks":
        return None if value is True else "Input should be true, or left out"
    if name not in texts:
        return "Extra inputs are not permitted"
    if not isinstance(value, str) or not value:
        return "Input should be a string that is not empty"
    if name == "status" and value not in STATES:
        return f"Input should be one of {', '.join(STATES)}"
    if name in {"started_at", "completed_at"} and not _TIME.fullmatch(value):
        return "Input should be a UTC time with microseconds"
    return None
