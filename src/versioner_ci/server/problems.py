"""What is answered when a request cannot be served: a status, a stable code, one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

INVALID = "validation_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a body or a query: where, what, and a word for programs."""

    at: tuple[str | int, ...]
    message: str
    type: str

    def as_json(self) -> dict[str, Any]:
        """As FastAPI writes it."""
        return {"loc": list(self.at), "msg": self.message, "type": self.type}


class Problem(Exception):  # noqa: N818 - it is an answer
    """An answer that is not 2xx. `faults`: field by field, for 422."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.faults = faults
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The body, in one of the API's two forms."""
        if self.faults:
            return {"detail": [fault.as_json() for fault in self.faults], "code": self.code}
        return {"detail": {"error": HTTPStatus(self.status).phrase, "message": self.message, "code": self.code}}


def invalid(*faults: Fault) -> Problem:
    """422 with each fault told."""
    return Problem(422, INVALID, faults[0].message, faults=faults)


def not_found(what: str) -> Problem:
    """404."""
    return Problem(404, "not_found", f"there is no such {what}")
