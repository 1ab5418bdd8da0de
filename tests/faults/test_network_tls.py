"""Rows 6 and 7: certificates that cannot be trusted, and TLS on one side only."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import raw_server
from tests.support.faults import Fault
from tests.support.network_faults import BUILD, DEPLOYMENT, Expected, Way, names, serving, soft_and_strict
from tests.support.pki import Authority, authority

HINT = "name that in SSL_CERT_FILE or REQUESTS_CA_BUNDLE"
WRONG: dict[str, tuple[Callable[[], ssl.SSLContext], str]] = {
    "expired": (lambda: authority().context(is_expired=True), "certificate has expired"),
    "wrong host": (lambda: authority().context("tracker.example"), "IP address mismatch"),
    "self-signed": (lambda: Authority().self_signed(), "signed certificate"),
    "unknown CA": (lambda: Authority().context(), "unable to get local issuer certificate"),
}


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return authority().bundle(tmp_path)


@pytest.mark.parametrize("wrong", [pytest.param(name, id=f"fault-06 {name}") for name in WRONG])
def test_a_wrong_certificate_is_said_in_openssls_words_and_nothing_is_sent(
    fault: Fault, bundle: str, wrong: str
) -> None:
    make, reason = WRONG[wrong]
    said = ("{host}: certificate verify failed: ", reason, HINT)
    way = Way(args=BUILD if wrong == "expired" else DEPLOYMENT, budget=10, env={"SSL_CERT_FILE": bundle})
    expected = Expected(tries=range(1), said=said, within=5)
    for seen in soft_and_strict(fault, serving(raw_server.reply(201), tls=make()), expected, way):
        assert seen.server is not None
        assert seen.server.connections == 1, "there is no second try, and none without verification"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_fault_06_naming_the_authority_as_the_message_says_delivers_it(fault: Fault, bundle: str, name: str) -> None:
    listener = serving(raw_server.reply(201), tls=authority().context())
    soft_and_strict(fault, listener, Expected(outcome="accepted"), Way(env={name: bundle}))


def test_fault_06_a_bundle_that_is_missing_is_named(fault: Fault) -> None:
    listener = serving(raw_server.reply(201), tls=authority().context())
    said = ("REQUESTS_CA_BUNDLE names a file that cannot be used: /nonexistent.pem: No such file or directory",)
    way = Way(env={"REQUESTS_CA_BUNDLE": "/nonexistent.pem"})
    soft_and_strict(fault, listener, Expected(tries=range(1), said=said, within=5), way)


@pytest.mark.parametrize("name", ["PYTHONHTTPSVERIFY", "CURL_CA_BUNDLE"])
def test_fault_06_no_variable_switches_verification_off(fault: Fault, name: str) -> None:
    listener = serving(raw_server.reply(201), tls=Authority().context())
    way = Way(env={name: "" if name.endswith("BUNDLE") else "0"})
    soft_and_strict(fault, listener, Expected(tries=range(1), said=("certificate verify failed",), within=5), way)


def test_fault_07_tls_to_a_plain_port_is_tried_once(fault: Fault) -> None:
    answer = raw_server.raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    way = Way(args=DEPLOYMENT, budget=10, url="https://{host}")
    expected = Expected(tries=range(1), said=("{host}: server does not speak TLS", "check api_url"), within=5)
    for seen in soft_and_strict(fault, serving(answer), expected, way):
        assert seen.server is not None
        assert seen.server.connections == 1


PLAIN_TO_TLS = {
    "alert": raw_server.raw(b"\x15\x03\x01\x00\x02\x02\x46"),
    "nginx": raw_server.page(400, b"<html>The plain HTTP request was sent to HTTPS port</html>"),
}


@pytest.mark.parametrize("answer", [pytest.param(row, id=f"fault-07 {name}") for name, row in PLAIN_TO_TLS.items()])
def test_plain_http_to_a_tls_port_is_tried_once(fault: Fault, answer: raw_server.Behaviour) -> None:
    expected = Expected(said=("{host}: server speaks TLS only", "https://", "from VERSIONER_API_URL"), within=5)
    soft_and_strict(fault, serving(answer), expected, Way(budget=10))


def test_fault_07_plain_http_to_a_tls_library_keeps_the_event(fault: Fault) -> None:
    listener = serving(raw_server.reply(201), tls=authority().context())
    soft_and_strict(fault, listener, Expected(tries=range(1), said=("{host}",)), Way(url="http://{host}", budget=2))


def test_fault_07_a_name_that_the_certificate_bears_is_accepted(fault: Fault, bundle: str) -> None:
    listener = serving(raw_server.reply(201), tls=authority().context("tracker.test"))
    way = Way(url="https://tracker.test:{port}", env={"SSL_CERT_FILE": bundle, **names("here")})
    soft_and_strict(fault, listener, Expected(outcome="accepted"), way)
