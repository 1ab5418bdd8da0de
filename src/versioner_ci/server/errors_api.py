"""Every error as the API's own body, whoever raised it; nothing of the inside is shown."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Match, Route, compile_path

from versioner_ci.server.api_models import ErrorBody, InvalidBody
from versioner_ci.server.db import complaint
from versioner_ci.server.problems import Fault, Problem, invalid

_LOG = logging.getLogger("versioner_ci.server.api")
_CODES = {404: ("not_found", "there is nothing at this address"), 405: ("method_not_allowed", "not with this method")}
WORDS = {
    400: "the body is no JSON, or doubtful JSON",
    401: "no key, or one that does not count",
    403: "the key has not the scope",
    404: "there is none such",
    409: "it does not fit what is known",
    413: "the body is too large",
    415: "the body is not JSON",
    422: "something is wrong with the fields",
    503: "the database cannot be used now: try again",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error bodies of a route, for its description."""
    always = (401, 403, 422, 503)
    return {
        status: {"model": InvalidBody if status == 422 else ErrorBody, "description": WORDS[status]}
        for status in sorted({*always, *statuses})
    }


def answer(problem: Problem) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(problem.body(), problem.status, problem.headers)


def problem_of(error: Exception) -> Problem:
    """Whatever was raised, as a problem; the log hears of what no client has caused."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, SQLAlchemyError):
        _LOG.error("the database cannot be used: %s", complaint(error))
        message = "the tracker's database cannot be used now: try again"
        return Problem(503, "database_unavailable", message, headers={"Retry-After": "2"})
    _LOG.error("a fault of the tracker", exc_info=error)
    return Problem(500, "internal_error", "a fault of the tracker itself; its log says more")


def install(app: FastAPI) -> None:
    """Handlers for whatever a route raises."""

    async def on_error(_request: Request, error: Exception) -> JSONResponse:
        return answer(problem_of(error))

    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
        found = error.errors()
        return answer(
            invalid(*(Fault(at=tuple(each["loc"]), message=each["msg"], type=each["type"]) for each in found))
        )

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
        code, message = _CODES.get(error.status_code, ("refused", str(error.detail)))
        allowed = {"Allow": ", ".join(_methods(request))} if error.status_code == 405 else error.headers
        return answer(Problem(error.status_code, code, message, headers=allowed))

    for raised in (Problem, SQLAlchemyError, Exception):
        app.add_exception_handler(raised, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)


def _methods(request: Request) -> list[str]:
    """What may be done at an address: it has a route for each method."""
    found: set[str] = set()
    for path, methods in request.app.openapi()["paths"].items():
        if compile_path(path)[0].match(request.scope["path"]):
            found |= {method.upper() for method in methods}
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)
