"""The transport against real sockets: what came of a request, how long it took, and that nothing raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import raw_server
from tests.support.raw_server import Behaviour, RawServer, head
from versioner_ci.http import Kind, Reply, Transport

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk_1_canary"}


def post(url: str, *, timeout: float = 5.0, env: dict[str, str] | None = None, **options: Any) -> Reply:
    return Transport(env or {}, **options).post(url + "/events/", HEADERS, b'{"a": 1}', timeout=timeout)


def test_a_request_arrives_as_it_was_given_and_its_answer_comes_back() -> None:
    with RawServer(raw_server.reply(201, {"id": "7"}, {"X-Request-Id": "r1"})) as server:
        reply = post(server.url)
    assert (reply.status, reply.body, reply.is_whole, reply.failure) == (201, b'{"id": "7"}', True, None)
    assert reply.headers["x-request-id"] == "r1"
    assert reply.host == f"127.0.0.1:{server.port}"
    request = server.requests[0]
    assert (request.method, request.target, request.body) == ("POST", "/events/", b'{"a": 1}')
    assert request.headers["authorization"] == "Bearer sk_1_canary"
    assert request.headers["accept-encoding"] == "identity"


def test_one_connection_serves_several_requests() -> None:
    transport = Transport({})
    with RawServer(raw_server.reply(201, {"id": "7"})) as server:
        for _ in range(3):
            assert transport.post(server.url, HEADERS, b"{}", timeout=5).status == 201
    assert server.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew() -> None:
    transport = Transport({})
    once = raw_server.raw(head(201, {"Content-Length": "2", "Connection": "keep-alive"}) + b"{}")
    with RawServer(once) as server:
        assert transport.post(server.url, HEADERS, b"{}", timeout=5).status == 201
        time.sleep(0.1)
        assert transport.post(server.url, HEADERS, b"{}", timeout=5).status == 201
    assert server.connections == 2


def test_several_threads_share_a_transport() -> None:
    transport = Transport({})
    replies: list[Reply] = []
    with RawServer(raw_server.reply(201)) as server:
        work = [
            threading.Thread(target=lambda: replies.append(transport.post(server.url, HEADERS, b"{}", timeout=5)))
            for _ in range(8)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert [reply.status for reply in replies] == [201] * 8


def test_no_user_name_from_netrc_replaces_the_key(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(raw_server.reply(201)) as server:
        post(server.url)
    assert server.requests[0].headers["authorization"] == "Bearer sk_1_canary"


def test_no_cookie_is_kept() -> None:
    transport = Transport({})
    with RawServer(raw_server.reply(201, headers={"Set-Cookie": "sid=1; Path=/"})) as server:
        for _ in range(2):
            transport.post(server.url, HEADERS, b"{}", timeout=5)
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        RawServer(raw_server.reply(201)) as target,
        RawServer(raw_server.reply(status, headers={"Location": target.url})) as server,
    ):
        reply = post(server.url)
    assert reply.status == status
    assert not target.requests


def test_a_redirect_with_an_endless_body_costs_nothing() -> None:
    with RawServer(raw_server.endless(302)) as server:
        began = time.monotonic()
        reply = post(server.url)
    assert (reply.status, reply.is_oversize, len(reply.body)) == (302, True, 64 * 1024)
    assert time.monotonic() - began < 1


FAILURES: list[tuple[str, Behaviour, Kind, str, bool, bool]] = [
    ("closed-unanswered", raw_server.lose_reply(), Kind.RESET, "broke the connection", True, False),
    ("reset-after-request", raw_server.reset(), Kind.RESET, "broke the connection", True, False),
    ("reset-in-head", raw_server.reset(b"HTTP/1.1 200 OK\r\nX-"), Kind.RESET, "broke the connection", True, False),
    ("no-http", raw_server.raw(b"SSH-2.0-OpenSSH_9.6\r\n"), Kind.MALFORMED, "malformed HTTP", True, False),
    ("http-0.9", raw_server.raw(b"<html>hello</html>\n"), Kind.MALFORMED, "malformed HTTP", True, False),
    ("http-2", raw_server.raw(b"HTTP/2.0 200 OK\r\n\r\n"), Kind.MALFORMED, "malformed HTTP", True, False),
    ("bad-status", raw_server.raw(b"HTTP/1.1 9999 OK\r\n\r\n"), Kind.MALFORMED, "malformed HTTP", True, False),
    (
        "two-lengths",
        raw_server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        Kind.MALFORMED,
        "malformed HTTP",
        True,
        False,
    ),
    ("header-flood", raw_server.header_flood(), Kind.MALFORMED, "malformed HTTP", True, False),
    ("header-line", raw_server.flood(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 1024), Kind.MALFORMED, "malformed", True, False),
    ("1xx-flood", raw_server.interim_flood(), Kind.MALFORMED, "malformed HTTP", True, False),
    ("tls-alert", raw_server.raw(b"\x15\x03\x01\x00\x02\x02\x46"), Kind.NOT_TLS, "server speaks TLS only", False, True),
]


@pytest.mark.parametrize(
    ("behaviour", "kind", "words", "is_sent", "is_lasting"),
    [row[1:] for row in FAILURES],
    ids=[row[0] for row in FAILURES],
)
def test_a_server_that_gives_no_answer(
    behaviour: Behaviour,
    kind: Kind,
    words: str,
    is_sent: bool,
    is_lasting: bool,
) -> None:
    with RawServer(behaviour) as server:
        began = time.monotonic()
        reply = post(server.url)
    assert time.monotonic() - began < 3
    assert reply.failure is not None
    assert reply.status is None
    assert (reply.failure.kind, reply.failure.is_sent, reply.failure.is_lasting) == (kind, is_sent, is_lasting)
    assert words in reply.failure.detail
    assert f"127.0.0.1:{server.port}" in reply.failure.detail


def test_a_connection_that_is_reset_at_once_is_tried_again() -> None:
    with RawServer(raw_server.reset(is_read=False)) as server:
        failure = post(server.url).failure
    assert failure is not None
    assert failure.kind in {Kind.RESET, Kind.CONNECT}  # the reset may come before connect() has returned
    assert not failure.is_lasting


SLOW: list[tuple[str, Behaviour]] = [
    ("hang", raw_server.hang()),
    ("drip-head", raw_server.drip(b"HTTP/1.1 200 OK\r\nX: ", 0.05)),
    ("drip-status", raw_server.drip(b"", 0.05)),
]


@pytest.mark.parametrize("behaviour", [row[1] for row in SLOW], ids=[row[0] for row in SLOW])
def test_a_server_that_is_too_slow_is_left_in_time(behaviour: Behaviour) -> None:
    with RawServer(behaviour) as server:
        began = time.monotonic()
        reply = post(server.url, timeout=0.6)
        took = time.monotonic() - began
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.is_sent) == (Kind.TIMEOUT, True)
    assert reply.failure.detail == f"no answer from 127.0.0.1:{server.port} in 0.54 s"
    assert 0.4 < took < 1.1


def test_an_answer_is_waited_for_four_seconds_at_most() -> None:
    with RawServer(raw_server.hang()) as server:
        began = time.monotonic()
        reply = post(server.url, timeout=30)
    assert 3.5 < time.monotonic() - began < 5.5
    assert reply.failure is not None
    assert reply.failure.detail.endswith("in 4 s")


def test_a_closed_port_refuses() -> None:
    with raw_server.refused() as url:
        reply = post(url)
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.is_sent, reply.failure.is_lasting) == (Kind.REFUSED, False, False)
    assert reply.failure.detail == f"refused by {url.removeprefix('http://')}"


def test_a_connection_that_hangs_is_given_up_after_the_timeout() -> None:
    with raw_server.blackhole() as url:
        began = time.monotonic()
        reply = post(url, timeout=0.5)
    assert 0.3 < time.monotonic() - began < 1
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.is_sent) == (Kind.CONNECT, False)
    assert "no connection to 127.0.0.1" in reply.failure.detail


@pytest.mark.slow
def test_a_connection_is_waited_for_three_seconds_at_most() -> None:
    with raw_server.blackhole() as url:
        began = time.monotonic()
        post(url, timeout=30)
    assert 2.5 < time.monotonic() - began < 4


URLS = [
    ("https://user:canary@127.0.0.1:1", "user name or password"),
    ("http://192.0.2.1", "plain http:// is not sent"),
    ("ftp://127.0.0.1", "not an http(s) address"),
    ("127.0.0.1:80", "not an http(s) address"),
    ("http://", "not an http(s) address"),
    ("https://[::1", "not an http(s) address"),
    ("https://127.0.0.1:canary", "not an http(s) address"),
    ("https://127.0.0.1:99999", "not an http(s) address"),
    ("https://exa mple.test", "not an http(s) address"),
]


@pytest.mark.parametrize(("url", "words"), URLS, ids=[row[0] for row in URLS])
def test_a_url_that_must_not_or_cannot_be_used_is_said_and_not_sent(url: str, words: str) -> None:
    reply = post(url)
    assert reply.failure is not None
    assert (reply.failure.is_sent, reply.failure.is_lasting) == (False, True)
    assert words in reply.failure.detail
    assert "canary" not in reply.failure.detail


def test_plain_http_to_another_machine_needs_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server.refused() as url:
        port = int(url.rpartition(":")[2])
        found = [(2, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
        assert post(f"http://tracker.test:{port}").failure.kind is Kind.OTHER  # type: ignore[union-attr]
        assert post(f"http://tracker.test:{port}", allow_http=True).failure.kind is Kind.REFUSED  # type: ignore[union-attr]


HEADERS_THAT_CANNOT_BE_SENT = ["sk_1_canary\nX-Evil: 1", "sk_1_canary\r\n", "sk_1_canary\u0153", "sk_1_canary\udcff"]


@pytest.mark.parametrize("key", HEADERS_THAT_CANNOT_BE_SENT, ids=ascii)
def test_a_key_that_http_cannot_carry_is_said_without_the_key(key: str) -> None:
    with RawServer(raw_server.reply(201)) as server:
        reply = Transport({}).post(server.url, {"Authorization": f"Bearer {key}"}, b"{}", timeout=5)
    assert reply.failure is not None
    assert reply.failure.is_lasting
    assert "cannot carry" in reply.failure.detail
    assert "canary" not in reply.failure.detail
    assert not server.requests


@pytest.mark.parametrize(
    "warmed",
    [
        lambda t: t.warm("http://127.0.0.1:1"),
        lambda t: t.warm("https://127.0.0.1:1"),
        lambda t: t.warm("https://["),
        lambda t: t.warm(""),
    ],
    ids=["http", "https", "malformed", "empty"],
)
def test_warming_up_raises_nothing(warmed: Callable[[Transport], None]) -> None:
    warmed(Transport({}))
    warmed(Transport({"SSL_CERT_FILE": "/nonexistent"}))
