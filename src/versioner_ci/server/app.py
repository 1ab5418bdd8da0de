"""The whole server put together: `create_app(options, env)`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from versioner_ci.clock import Clock
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.server import (
    api_change,
    api_events,
    api_read,
    docs_page,
    errors_api,
    health,
    metrics,
    pages,
)
from versioner_ci.server.access import Access
from versioner_ci.server.db import Database
from versioner_ci.server.front import Front
from versioner_ci.server.openapi import describe
from versioner_ci.server.options import Options
from versioner_ci.server.read import Reader
from versioner_ci.server.services import Services
from versioner_ci.server.slack_send import Account, Sender
from versioner_ci.server.slack_worker import SlackWorker
from versioner_ci.server.sweep import Sweeper
from versioner_ci.server.watch import Requests
from versioner_ci.server.writer import Writer


@dataclass(frozen=True, slots=True)
class Workers:
    """The threads of one server, in the order in which they start."""

    writer: Writer
    sweeper: Sweeper
    slack: SlackWorker | None

    def start(self) -> None:
        """All of them."""
        self.writer.start()
        self.sweeper.start()
        if self.slack is not None:
            self.slack.start()

    def stop(self) -> None:
        """What was handed in is written, what is in flight ends; the rest is in the database."""
        self.writer.stop()
        if self.slack is not None:
            self.slack.stop()
        self.sweeper.stop()


def create_app(options: Options, database: Database, env: Mapping[str, str], clock: Clock | None = None) -> Front:
    """The application, over a database whose schema is up to date. `env` names proxies and certificates."""
    clock = clock or Clock()
    access = Access(database, clock, is_open=options.is_open)
    slack = _slack(options, database, env, clock)
    sweeper = Sweeper(database, access, options, clock)
    wake = slack.wake if slack is not None else _nobody
    writer = Writer(database, clock, wake)
    sweeper.on_messages = wake
    registry = CollectorRegistry()
    services = Services(
        database=database,
        reader=Reader(database),
        access=access,
        writer=writer,
        options=options,
        clock=clock,
        registry=registry,
        requests=Requests(registry),
    )
    lifespan = _lifespan(Workers(writer, sweeper, slack))
    app = FastAPI(
        title="versioner-ci", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.state.services = services
    events = api_events.takers(services)
    app.router.routes.extend(Route(path, take, methods=["POST"]) for path, take in events.items())
    app.include_router(api_read.router)
    app.include_router(api_change.router)
    app.openapi = describe(app)  # type: ignore[method-assign]
    docs_page.mount(app)
    errors_api.install(app)
    for part in (health, pages, metrics):
        part.mount(app, services)
    return Front(app, events, is_open=options.is_open)


def _lifespan(workers: Workers) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        workers.start()
        yield
        workers.stop()

    return lifespan


def _slack(options: Options, database: Database, env: Mapping[str, str], clock: Clock) -> SlackWorker | None:
    """None: no token, so messages wait in the outbox."""
    if options.slack_token is None:
        return None
    account = Account(options.slack_token, options.slack_api_url, Transport(env), Redactor([options.slack_token]))
    return SlackWorker(database, Sender(account, database, clock), options, clock)


def _nobody() -> None:
    """Nobody is waiting."""
