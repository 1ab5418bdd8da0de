"""`/healthz`: this process runs. `/readyz`: it can do its work, or why not.

Anybody may ask, so the answer names the part that fails and the log says how.
"""

from __future__ import annotations

import logging
import time

import anyio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse

from versioner_ci import __version__
from versioner_ci.server.db import complaint
from versioner_ci.server.logs import tell
from versioner_ci.server.services import Services

PATIENCE = 3.0
"""Seconds that a database has for an answer: a load balancer asks again soon."""
_PROBES = 2
"""Threads that may hang in a database which does not answer."""
_SAME = {"Cache-Control": "no-store"}


def mount(app: FastAPI, services: Services) -> None:
    """Add both routes; they need no key and tell nothing of what is stored."""
    probe = Probe(services)

    async def healthz(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": __version__}, headers=_SAME)

    async def readyz(_request: Request) -> JSONResponse:
        began = time.monotonic()
        problems = await probe.problems()
        if problems:
            return JSONResponse({"status": "unavailable", **problems}, status_code=503, headers=_SAME)
        spent = round((time.monotonic() - began) * 1000, 1)
        return JSONResponse({"status": "ok", "database": "ok", "milliseconds": spent}, headers=_SAME)

    app.add_route("/healthz", healthz, include_in_schema=False)
    app.add_route("/readyz", readyz, include_in_schema=False)


class Probe:
    """Asks each part that the work needs; writes to the log when what it finds has changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._threads = anyio.CapacityLimiter(_PROBES)
        self._told = ""

    async def problems(self) -> dict[str, str]:
        """Part → what is wrong with it."""
        found = {}
        if not self._services.writer.is_alive:
            found["writer"] = "not running"
        said = await self._complaint()
        if said:
            found["database"] = "no answer" if said == _SILENT else "error"
        self._tell(said or "; ".join(found))
        return found

    async def _complaint(self) -> str:
        """What the database says is wrong. A hanging one costs a thread of ours, never one that answers pages."""
        try:
            with anyio.fail_after(PATIENCE):
                await anyio.to_thread.run_sync(self._ask, abandon_on_cancel=True, limiter=self._threads)
        except TimeoutError:
            return _SILENT
        except (SQLAlchemyError, OSError) as error:
            return complaint(error) or type(error).__name__
        return ""

    def _ask(self) -> None:
        with self._services.database.read() as connection:
            connection.execute(text("SELECT 1 FROM meta"))

    def _tell(self, said: str) -> None:
        if said != self._told:
            self._told = said
            tell(logging.ERROR if said else logging.WARNING, "not ready" if said else "ready again", error=said or None)


_SILENT = f"no answer within {PATIENCE:g} s"
