"""Rows 33 and 34: a proxy in between, and what is exempt from it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.support import raw_server
from tests.support.faults import CANARY, KEY, Fault
from tests.support.network_faults import BUILD, DEPLOYMENT, Expected, Way, names, serving, soft_and_strict
from tests.support.pki import authority
from tests.support.raw_server import Behaviour, RawServer, refused, reply, tunnel

USER = f"ada:{CANARY}"
PROXY = f"http://{USER}@{{host}}"
TRACKER = "https://tracker.test"
VIA = "tracker.test via proxy {host}: "
FIX = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
HIDDEN = ("ada:", "@127")
REFUSED: dict[str, tuple[Behaviour, range, str]] = {
    "CONNECT 407": (tunnel(407), range(1, 2), "the proxy answered HTTP 407, it asks for a user name and password"),
    "CONNECT 502": (tunnel(502), range(4, 5), "the proxy answered HTTP 502"),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"fault-33 {name}") for name, row in REFUSED.items()])
def test_a_proxy_that_lets_nothing_through_is_named_without_its_password(
    fault: Fault, row: tuple[Behaviour, range, str]
) -> None:
    behaviour, tries, said = row
    expected = Expected(tries=tries, said=(VIA + said, FIX), unsaid=HIDDEN, within=8)
    way = Way(args=DEPLOYMENT, budget=10, url=TRACKER, env={"HTTPS_PROXY": PROXY})
    for seen in soft_and_strict(fault, serving(behaviour), expected, way):
        request = seen.requests[0]
        assert (request.method, request.target) == ("CONNECT", "tracker.test:443")
        assert request.headers["proxy-authorization"] == "Basic " + base64.b64encode(USER.encode()).decode()
        assert "authorization" not in request.headers, "the key is for the tracker only"


@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_fault_33_a_dead_proxy_costs_about_two_seconds(fault: Fault, name: str) -> None:
    way = Way(budget=10, url=TRACKER, env={name: PROXY})
    soft_and_strict(fault, refused, Expected(said=(VIA + "refused by {host}", FIX), unsaid=HIDDEN, within=7), way)


def test_fault_33_a_proxy_that_hangs_takes_no_longer_than_the_budget(fault: Fault) -> None:
    expected = Expected(tries=range(1, 3), said=(VIA + "no answer from the proxy in time", FIX), unsaid=HIDDEN)
    soft_and_strict(fault, serving(raw_server.hang()), expected, Way(budget=2, url=TRACKER, env={"HTTPS_PROXY": PROXY}))


BROKEN = {
    "unknown name": (f"http://{USER}@proxy.invalid:3128", "via proxy proxy.invalid:3128: cannot resolve proxy.invalid"),
    "malformed": (f"http://{USER}@[::1", "the proxy's address is malformed"),
    "SOCKS": (f"socks5://{USER}@127.0.0.1:1080", "this kind of proxy is not supported"),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"fault-33 {name}") for name, row in BROKEN.items()])
def test_a_proxys_address_that_cannot_be_used_is_said_without_its_password(fault: Fault, row: tuple[str, str]) -> None:
    proxy, said = row
    expected = Expected(said=(said,), unsaid=HIDDEN, within=5)
    soft_and_strict(fault, refused, expected, Way(budget=10, url=TRACKER, env={"HTTPS_PROXY": proxy}))


PLAIN: dict[str, tuple[Behaviour, str]] = {
    "407": (reply(407, b"<html>Log in</html>"), "{tracker}the proxy asks for a user name and password (HTTP 407)"),
    "a sign-in page": (raw_server.page(200), "127.0.0.1:9 via proxy {host} answered 200 but not an API reply"),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"fault-33 http {name}") for name, row in PLAIN.items()])
def test_plain_http_through_a_proxy_names_it_too(fault: Fault, row: tuple[Behaviour, str]) -> None:
    behaviour, said = row
    said = said.replace("{tracker}", "127.0.0.1:9 via proxy {host}: ")
    expected = Expected(tries=range(1, 5), said=(said,), unsaid=(*HIDDEN, "Log in"))
    way = Way(budget=2, url="http://127.0.0.1:9", env={"HTTP_PROXY": PROXY})
    soft_and_strict(fault, serving(behaviour), expected, way)


def test_fault_33_through_a_proxy_the_key_reaches_the_tracker_and_the_password_the_proxy(
    fault: Fault, tmp_path: Path
) -> None:
    with RawServer(reply(201, {"id": "7"}), tls=authority().context()) as tracker:
        env = {"HTTPS_PROXY": PROXY, "SSL_CERT_FILE": authority().bundle(tmp_path)}
        expected = Expected(outcome="accepted", said=("accepted (id 7)",), unsaid=HIDDEN)
        both = soft_and_strict(fault, serving(tunnel()), expected, Way(url=tracker.url, env=env))
    assert len(tracker.requests) == 2
    assert all(seen.requests[0].method == "CONNECT" for seen in both)
    for request in tracker.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert "proxy-authorization" not in request.headers


def test_fault_33_the_certificate_is_verified_through_a_proxy_too(fault: Fault) -> None:
    with RawServer(reply(201, {}), tls=authority().context()) as tracker:
        said = (f"127.0.0.1:{tracker.port} via proxy {{host}}: certificate verify failed", "SSL_CERT_FILE")
        way = Way(budget=10, url=tracker.url, env={"HTTPS_PROXY": PROXY})
        soft_and_strict(fault, serving(tunnel()), Expected(said=said, unsaid=HIDDEN, within=7), way)
        assert not tracker.requests


HTTPOXY: dict[str, tuple[dict[str, str], bool]] = {
    "HTTP_PROXY of a visitor": ({"HTTP_PROXY": "http://{proxy}", "REQUEST_METHOD": "GET"}, False),
    "http_proxy of the machine": ({"http_proxy": "http://{proxy}", "REQUEST_METHOD": "GET"}, True),
    "HTTP_PROXY and no visitor": ({"HTTP_PROXY": "http://{proxy}"}, True),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"fault-33 {name}") for name, row in HTTPOXY.items()])
def test_a_visitors_header_is_no_proxy(fault: Fault, row: tuple[dict[str, str], bool]) -> None:
    env, is_used = row
    _through(fault, Way(url="{url}", env=env), is_used=is_used)


HERE, NAME = "{url}", "http://tracker.test:{port}"
EXEMPT: dict[str, tuple[str, str, bool]] = {
    "host": (NAME, "tracker.test", True),
    ".suffix": (NAME, ".test", True),
    "suffix in a list": (NAME, "other.example, TEST", True),
    "*": (NAME, "*", True),
    "host and port": (NAME, "tracker.test:{port}", True),
    "CIDR": (HERE, "127.0.0.0/8", True),
    "address and port": (HERE, "127.0.0.1:{port}", True),
    "another port": (HERE, "127.0.0.1:9", False),
    "another name": (NAME, "racker.test", False),
    "nonsense": (HERE, "/, :, ., [, 127.0.0.0/99", False),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=f"fault-34 {name}") for name, row in EXEMPT.items()])
def test_no_proxy_exempts_what_it_lists(fault: Fault, row: tuple[str, str, bool]) -> None:
    url, listed, is_exempt = row
    env = {"HTTP_PROXY": "http://{proxy}", "NO_PROXY": listed, **names("here")}
    _through(fault, Way(args=(*BUILD, "--allow-http"), url=url, env=env), is_used=not is_exempt)


def test_fault_34_no_proxy_in_lower_case_counts_before_upper_case(fault: Fault) -> None:
    env = {"HTTP_PROXY": "http://{proxy}", "no_proxy": "127.0.0.1", "NO_PROXY": "other.test"}
    _through(fault, Way(env=env), is_used=False)


def _through(fault: Fault, way: Way, *, is_used: bool) -> None:
    """A tracker and a proxy that both answer 201: the event arrives at one of them."""
    with RawServer(tunnel()) as proxy:
        env = {name: value.replace("{proxy}", f"{USER}@127.0.0.1:{proxy.port}") for name, value in way.env.items()}
        way = Way(args=way.args, url=way.url, env=env)
        tries = range(1) if is_used else range(1, 2)
        soft_and_strict(fault, serving(reply(201, {})), Expected(outcome="accepted", tries=tries, unsaid=HIDDEN), way)
        assert len(proxy.requests) == (2 if is_used else 0)
