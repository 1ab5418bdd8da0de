"""Names, addresses and deadlines: what the resolver says, and how many addresses are tried for how long."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import raw_server
from tests.support.raw_server import RawServer
from versioner_ci.http import Failure, Kind, Transport

Resolver = Callable[..., Any]


def fail(url: str, *, timeout: float = 5.0) -> Failure:
    reply = Transport({}, allow_http=True).post(url, {}, b"{}", timeout=timeout)
    assert reply.failure is not None
    return reply.failure


def ipv4(host: str, port: int) -> tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


@pytest.mark.parametrize("url", ["http://tracker.invalid", "https://tracker.invalid:8443", "http://a.b.INVALID."])
def test_a_name_that_does_not_exist_is_not_worth_another_try(url: str) -> None:
    began = time.monotonic()
    failure = fail(url)
    assert time.monotonic() - began < 0.5
    assert (failure.kind, failure.is_sent, failure.is_lasting) == (Kind.DNS_UNKNOWN, False, True)
    assert failure.detail.startswith("cannot resolve ")


CODES = [
    (socket.EAI_NONAME, Kind.DNS_UNKNOWN, True, "cannot resolve tracker.test"),
    (getattr(socket, "EAI_NODATA", socket.EAI_NONAME), Kind.DNS_UNKNOWN, True, "cannot resolve tracker.test"),
    (socket.EAI_AGAIN, Kind.DNS, False, "DNS for tracker.test failed: Temporary\\nfailure"),
    (socket.EAI_FAIL, Kind.DNS, False, "DNS for tracker.test failed: Temporary\\nfailure"),
]


@pytest.mark.parametrize(("code", "kind", "is_lasting", "detail"), CODES, ids=["noname", "nodata", "again", "fail"])
def test_a_resolvers_error_decides_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    kind: Kind,
    is_lasting: bool,
    detail: str,
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(code, "Temporary\nfailure")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    failure = fail("http://tracker.test:8080")
    assert (failure.kind, failure.is_lasting, failure.detail) == (kind, is_lasting, detail)


def test_a_name_that_is_none_does_not_crash() -> None:
    assert fail(f"http://{'a' * 70}.test").kind is Kind.DNS_UNKNOWN


def test_a_stalled_name_service_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def stall(*_: Any, **__: Any) -> list[Any]:
        time.sleep(3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stall)
    began = time.monotonic()
    failure = fail("http://tracker.test", timeout=0.5)
    assert time.monotonic() - began < 1
    assert (failure.kind, failure.is_sent, failure.detail) == (Kind.DNS, False, "DNS for tracker.test timed out")


def test_two_of_eight_dead_addresses_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []
    connect = socket.socket.connect

    def note(self: socket.socket, address: Any) -> None:
        tried.append(address)
        connect(self, address)

    with raw_server.refused() as url:
        port = int(url.rpartition(":")[2])
        monkeypatch.setattr(socket.socket, "connect", note)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [ipv4(f"127.0.0.{n}", port) for n in range(1, 9)])
        failure = fail(f"http://tracker.test:{port}")
    assert tried == [("127.0.0.1", port), ("127.0.0.2", port)]
    assert failure.kind is Kind.REFUSED


def test_many_addresses_that_hang_take_no_longer_than_the_try(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server.blackhole() as url:
        port = int(url.rpartition(":")[2])
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [ipv4("127.0.0.1", port)] * 8)
        began = time.monotonic()
        failure = fail(f"http://tracker.test:{port}", timeout=0.6)
    assert time.monotonic() - began < 1
    assert failure.kind is Kind.CONNECT


def test_the_other_family_gets_the_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(raw_server.reply(201)) as server:
        dead = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 1, 0, 0))] * 3
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [*dead, ipv4("127.0.0.1", server.port)])
        reply = Transport({}, allow_http=True).post(f"http://tracker.test:{server.port}", {}, b"{}", timeout=5)
    assert reply.status == 201


def test_no_address_at_all_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    failure = fail("http://tracker.test")
    assert failure.kind is Kind.CONNECT
    assert "no address" in failure.detail


def test_an_ipv6_address_in_a_url_is_connected_to() -> None:
    failure = fail("http://[::1]:1")
    assert failure.kind in {Kind.REFUSED, Kind.CONNECT}
    assert "[::1]:1" in failure.detail
