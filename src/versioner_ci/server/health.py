"""`/healthz`: this process runs. `/readyz`: it can do its work, or why not."""

from __future__ import annotations

import time

import anyio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from versioner_ci import __version__
from versioner_ci.server.db import Database, complaint
from versioner_ci.server.services import Services

PATIENCE = 3.0
"""Seconds that a database has for an answer: a load balancer asks again soon."""
_SAME = {"Cache-Control": "no-store"}


def mount(app: FastAPI, services: Services) -> None:
    """Add both routes; they need no key and tell nothing of what is stored."""

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__}, headers=_SAME)

    async def readyz(_request: Request) -> JSONResponse:
        began = time.monotonic()
        problem = await trouble(services.database)
        if problem is not None:
            return JSONResponse({"status": "unavailable", "database": problem}, status_code=503, headers=_SAME)
        spent = round((time.monotonic() - began) * 1000, 1)
        return JSONResponse({"status": "ok", "database": "ok", "milliseconds": spent}, headers=_SAME)

    app.add_route("/healthz", healthz, include_in_schema=False)
    app.add_route("/readyz", readyz, include_in_schema=False)


async def trouble(database: Database) -> str | None:
    """Why the database cannot be used; None if it can. A hanging one costs a thread, not the answer."""

    def ask() -> None:
        with database.read() as connection:
            connection.execute(text("SELECT 1 FROM meta"))

    try:
        with anyio.fail_after(PATIENCE):
            await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except (SQLAlchemyError, OSError) as error:
        return complaint(error)
    return None
