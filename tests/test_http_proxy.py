"""Proxies: which URL goes through which, and what is said when one of them fails; its password never."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import raw_server
from tests.support.pki import authority
from tests.support.raw_server import RawServer
from versioner_ci.http import Failure, Kind, Reply, Transport
from versioner_ci.proxies import is_loopback, proxy_for

TARGET = "http://tracker.test:8080"


def through(proxy: str, url: str = TARGET, **env: str) -> Reply:
    variables = {"HTTPS_PROXY": proxy, "http_proxy": proxy, **env}
    return Transport(variables, allow_http=True).post(url + "/events/", {"Authorization": "Bearer k"}, b"{}", timeout=3)


def failed(reply: Reply) -> Failure:
    assert reply.failure is not None
    assert "canary" not in reply.failure.detail
    assert "canary" not in reply.host
    return reply.failure


def with_password(server: RawServer) -> str:
    return server.url.replace("//", "//user:canary@")


def test_plain_http_is_handed_to_the_proxy() -> None:
    with RawServer(raw_server.tunnel()) as proxy:
        reply = through(with_password(proxy))
    assert reply.status == 201
    assert reply.host == f"tracker.test:8080 via proxy 127.0.0.1:{proxy.port}"
    assert proxy.requests[0].target == "http://tracker.test:8080/events/"
    assert proxy.requests[0].headers["proxy-authorization"].startswith("Basic ")


def test_https_goes_through_a_tunnel_and_keeps_its_headers_from_the_proxy(tmp_path: Path) -> None:
    bundle = authority().bundle(tmp_path)
    with RawServer(raw_server.reply(201), tls=authority().context()) as server, RawServer(raw_server.tunnel()) as proxy:
        reply = through(with_password(proxy), server.url, SSL_CERT_FILE=bundle)
    assert (reply.status, reply.failure) == (201, None)
    assert proxy.requests[0].target == f"127.0.0.1:{server.port}"
    assert "authorization" not in proxy.requests[0].headers
    assert "proxy-authorization" not in server.requests[0].headers


def test_a_proxy_that_is_spoken_to_over_tls_is_verified(tmp_path: Path) -> None:
    bundle = authority().bundle(tmp_path)
    with RawServer(raw_server.tunnel(), tls=authority().context()) as proxy:
        assert through(proxy.url, SSL_CERT_FILE=bundle).status == 201
        assert failed(through(proxy.url)).is_lasting


REFUSALS = [
    (407, True, "HTTP 407, it asks for a user name and password"),
    (403, True, "HTTP 403"),
    (502, False, "HTTP 502"),
    (503, False, "HTTP 503"),
    (429, False, "HTTP 429"),
]


@pytest.mark.parametrize(("status", "is_lasting", "words"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_a_proxy_that_refuses_the_tunnel(status: int, is_lasting: bool, words: str) -> None:
    with RawServer(raw_server.tunnel(status)) as proxy:
        failure = failed(through(with_password(proxy), "https://tracker.test"))
    assert (failure.kind, failure.is_sent, failure.is_lasting) == (Kind.PROXY, False, is_lasting)
    assert failure.detail == f"tracker.test via proxy 127.0.0.1:{proxy.port}: the proxy answered {words}"


@pytest.mark.parametrize("url", [TARGET, "https://tracker.test"])
def test_a_dead_proxy_is_named(url: str) -> None:
    with raw_server.refused() as proxy:
        failure = failed(through(proxy.replace("//", "//user:canary@"), url))
    assert (failure.kind, failure.is_sent, failure.is_lasting) == (Kind.PROXY, False, False)
    assert f"via proxy {proxy.removeprefix('http://')}: refused by" in failure.detail


def test_a_proxy_whose_name_does_not_exist_is_named() -> None:
    failure = failed(through("http://user:canary@proxy.invalid:3128"))
    assert (failure.kind, failure.is_lasting) == (Kind.PROXY, True)
    assert "via proxy proxy.invalid:3128: cannot resolve proxy.invalid" in failure.detail


@pytest.mark.parametrize(
    "behaviour",
    [
        raw_server.hang(),
        raw_server.drip(b"HTTP/1.1 200 ", 0.05),
        raw_server.lose_reply(),
        raw_server.raw(b"junk\r\n\r\n"),
        raw_server.interim_flood(),
    ],
    ids=["hang", "drip", "close", "junk", "1xx-flood"],
)
def test_a_broken_proxy_is_named(behaviour: raw_server.Behaviour) -> None:
    with RawServer(behaviour) as proxy:
        reply = Transport({"https_proxy": with_password(proxy)}).post("https://tracker.test", {}, b"{}", timeout=0.7)
    failure = failed(reply)
    assert (failure.kind, failure.is_sent) == (Kind.PROXY, False)
    assert f"via proxy 127.0.0.1:{proxy.port}" in failure.detail


BROKEN = [
    "http://",
    "http://user:canary@",
    "socks5://user:canary@127.0.0.1:1080",
    "gopher://user:canary@127.0.0.1:70",
    "http://user.invalid:12#canary@127.0.0.1:1",
    "://",
    "http://[::1",
    "http://127.0.0.1:canary",
]


@pytest.mark.parametrize("proxy", BROKEN)
@pytest.mark.parametrize("url", [TARGET, "https://tracker.test"])
def test_a_proxy_address_that_is_wrong_is_one_clear_failure(proxy: str, url: str) -> None:
    failure = failed(through(proxy, url))
    assert (failure.kind, failure.is_sent) == (Kind.PROXY, False)
    assert "canary" not in failure.detail


PROXY = "http://proxy.test:3128"
CHOICES: list[tuple[str, dict[str, str], str | None]] = [
    ("http://a.test", {}, None),
    ("http://a.test", {"http_proxy": PROXY}, PROXY),
    ("http://a.test", {"HTTP_PROXY": PROXY}, PROXY),
    ("http://a.test", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
    ("http://a.test", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
    ("https://a.test", {"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
    ("https://a.test", {"HTTP_PROXY": PROXY}, None),
    ("https://a.test", {"ALL_PROXY": PROXY}, PROXY),
    ("https://a.test", {"all_proxy": PROXY, "HTTPS_PROXY": "http://other.test"}, PROXY),
    ("https://a.test", {"https_proxy": "proxy.test:3128"}, PROXY),
    ("https://a.test", {"https_proxy": "  "}, None),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "*"}, None),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "b.test"}, PROXY),
    ("https://a.test", {"https_proxy": PROXY, "no_proxy": "b.test, a.test"}, None),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "A.TEST"}, None),
    ("https://x.a.test", {"https_proxy": PROXY, "NO_PROXY": ".a.test"}, None),
    ("https://x.a.test", {"https_proxy": PROXY, "NO_PROXY": "a.test"}, None),
    ("https://x.a.test", {"https_proxy": PROXY, "NO_PROXY": "*.a.test"}, None),
    ("https://xa.test", {"https_proxy": PROXY, "NO_PROXY": "a.test"}, PROXY),
    ("https://a.test.", {"https_proxy": PROXY, "NO_PROXY": "a.test"}, None),
    ("https://a.test:8443", {"https_proxy": PROXY, "NO_PROXY": "a.test:8443"}, None),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "a.test:443"}, None),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "a.test:8443"}, PROXY),
    ("https://10.1.2.3", {"https_proxy": PROXY, "NO_PROXY": "10.0.0.0/8"}, None),
    ("https://11.1.2.3", {"https_proxy": PROXY, "NO_PROXY": "10.0.0.0/8"}, PROXY),
    ("https://10.1.2.3", {"https_proxy": PROXY, "NO_PROXY": "10.1.2.3"}, None),
    ("https://10.1.2.3:8443", {"https_proxy": PROXY, "NO_PROXY": "10.1.2.3:8443"}, None),
    ("https://[fd00::1]", {"https_proxy": PROXY, "NO_PROXY": "fd00::/8"}, None),
    ("https://[fd00::1]:8443", {"https_proxy": PROXY, "NO_PROXY": "[fd00::1]:8443"}, None),
    ("https://[fd00::1]", {"https_proxy": PROXY, "NO_PROXY": "[fd00::1]:8443"}, PROXY),
    ("https://10.1.2.3", {"https_proxy": PROXY, "NO_PROXY": "10.0.0.0/99 , /, :, ., [, a:b:c"}, PROXY),
    ("https://a.test", {"https_proxy": PROXY, "NO_PROXY": "10.0.0.0/99 , /, :, ., *., [, a:b:c"}, PROXY),
]


@pytest.mark.parametrize(("url", "env", "proxy"), CHOICES, ids=[f"{row[0]}-{row[1]}" for row in CHOICES])
def test_the_variables_choose_the_proxy(url: str, env: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(urlsplit(url), env) == proxy


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with RawServer(raw_server.reply(201)) as server:
        assert Transport({}).post(server.url, {}, b"{}", timeout=3).status == 201


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - a name to be judged, not bound
        ("", False),
        ("127.0.0.1.example", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
