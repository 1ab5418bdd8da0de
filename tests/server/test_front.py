"""What every request passes: the short way for events, addresses without their last slash, counts and the log."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from versioner_ci.server.front import Front
from versioner_ci.server.watch import Requests, Watch

HOST = [(b"host", b"localhost")]


def ask(app: ASGIApp, method: str, path: str, headers: list[tuple[bytes, bytes]] = HOST, kind: str = "http") -> Any:
    """The status and the text of the answer."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {"type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": b""}
    full = {**scope, "headers": headers, "client": ("192.0.2.1", 1)}
    with ThreadPoolExecutor(1) as pool:  # a browser's tests leave a loop in the main thread
        pool.submit(lambda: asyncio.run(app(full, receive, send))).result()  # type: ignore[arg-type]
    if not said:
        return None
    return said[0]["status"], b"".join(each.get("body", b"") for each in said[1:]).decode()


def named(name: str) -> ASGIApp:
    """An application that says its name and the path that it was given."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await PlainTextResponse(f"{name} {scope['path']}")(scope, receive, send)

    return answer


def front(*, is_open: bool = False) -> Front:
    return Front(named("app"), {"/build-events/": named("taker")}, is_open=is_open)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/build-events/", "taker /build-events/"),
        ("POST", "/build-events", "taker /build-events/"),
        ("GET", "/build-events", "app /build-events/"),
        ("PUT", "/build-events/", "app /build-events/"),
        ("POST", "/build-events/x", "app /build-events/x"),
        ("POST", "//build-events", "app //build-events"),
        ("GET", "/deployments", "app /deployments/"),
        ("GET", "/keys", "app /keys/"),
        ("GET", "/matrix", "app /matrix"),
        ("GET", "/deployments/1", "app /deployments/1"),
    ],
)
def test_events_go_to_their_taker_and_a_collection_needs_no_last_slash(method: str, path: str, said: str) -> None:
    assert ask(front(), method, path) == (200, said)


@pytest.mark.parametrize(
    "headers",
    [[(b"host", b"evil.example")], [], [*HOST, (b"x-forwarded-for", b"10.0.0.1")], [*HOST, (b"forwarded", b"for=x")]],
)
def test_without_keys_only_this_machine_reaches_anything(headers: list[tuple[bytes, bytes]]) -> None:
    for method, path in (("POST", "/build-events/"), ("GET", "/matrix")):
        status, text = ask(front(is_open=True), method, path, headers)
        assert (status, json.loads(text)["detail"]["code"]) == (403, "no_auth_remote")
        assert ask(front(), method, path, headers)[0] == 200, "with keys, that is no matter"
    assert ask(front(is_open=True), "POST", "/build-events/") == (200, "taker /build-events/")


def test_what_is_no_request_goes_through() -> None:
    assert ask(front(is_open=True), "POST", "/build-events/", [], "lifespan") is None
    registry = CollectorRegistry()
    assert ask(Watch(named("app"), Requests(registry)), "GET", "/x", kind="lifespan") is None
    assert registry.get_sample_value("versioner_http_requests_total") is None


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def watched(registry: CollectorRegistry) -> ASGIApp:
    """Three routes: one that answers, one that refuses, one that breaks."""

    async def fine(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("fine")

    async def refused(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("no", 409)

    async def broken(_request: Request) -> PlainTextResponse:
        raise RuntimeError("a fault")

    routes = [Route("/things/{name}", fine, methods=["GET", "BREW"]), Route("/no", refused), Route("/broken", broken)]
    return Watch(Starlette(routes=routes), Requests(registry))


def counted(registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    """How many by method, route and status."""
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "versioner_http_requests_total"
    }


def test_requests_are_counted_and_timed_by_what_they_reach_never_by_their_names(
    watched: ASGIApp, registry: CollectorRegistry
) -> None:
    for method, path in (
        ("GET", "/things/a"),
        ("GET", "/things/b"),
        ("BREW", "/things/c"),
        ("GET", "/secret"),
        ("GET", "/no"),
    ):
        ask(watched, method, path)
    with pytest.raises(RuntimeError, match="a fault"):
        ask(watched, "GET", "/broken")
    found = counted(registry)
    assert sorted(found.values()) == [1, 1, 1, 1, 2]
    assert {(method, status) for method, _, status in found} == {
        ("GET", "200"), ("other", "200"), ("GET", "404"), ("GET", "409"), ("GET", "500"),
    }  # fmt: skip
    assert not any(word in str(found) for word in ("/things/a", "secret", "BREW"))
    timed = [
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_seconds_count")
    ]
    assert sum(timed) == 6


@pytest.mark.parametrize(
    ("path", "seconds", "status", "level"),
    [
        ("/x", 0.1, 200, logging.DEBUG),
        ("/x", 1.1, 200, logging.INFO),
        ("/x", 0.1, 404, logging.INFO),
        ("/x", 0.1, 503, logging.WARNING),
    ],
)
def test_the_log_hears_of_what_went_wrong_or_took_long(
    registry: CollectorRegistry, caplog: pytest.LogCaptureFixture, path: str, seconds: float, status: int, level: int
) -> None:
    scope = {"method": "GET", "path": path, "client": ("192.0.2.1", 1)}
    with caplog.at_level(logging.DEBUG, "versioner_ci"):
        Requests(registry).answered(scope, "/x", status, seconds)
    [record] = caplog.records
    assert record.levelno == level
    fields = vars(record)["fields"]
    assert (fields["path"], fields["status"], fields["milliseconds"]) == (path, status, round(seconds * 1000, 1))
    caplog.clear()
    with caplog.at_level(level + 1, "versioner_ci"):
        Requests(CollectorRegistry()).answered(scope, "/x", status, seconds)
    assert caplog.records == []
