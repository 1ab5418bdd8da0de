"""TLS: verified always, against the system's, certifi's and the user's authorities together."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import certifi
import pytest

from tests.support import raw_server
from tests.support.pki import Authority, authority
from tests.support.raw_server import RawServer
from versioner_ci import tls
from versioner_ci.http import Failure, Kind, Transport


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return authority().bundle(tmp_path)


def fail(url: str, env: dict[str, str]) -> Failure:
    reply = Transport(env).post(url, {"Authorization": "Bearer sk_1_canary"}, b"{}", timeout=5)
    assert reply.failure is not None
    return reply.failure


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_private_authority_is_trusted_when_the_user_names_it(name: str, bundle: str) -> None:
    with RawServer(raw_server.reply(201), tls=authority().context()) as server:
        reply = Transport({name: bundle}).post(server.url, {}, b"{}", timeout=5)
    assert (reply.status, reply.failure) == (201, None)


def test_certifis_bundle_counts_where_it_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a zipapp it is a part of the archive."""
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2)]
    tls._load_certifi(contexts[0])
    monkeypatch.setattr(certifi, "where", lambda: "/an/archive.pyz/certifi/cacert.pem")
    tls._load_certifi(contexts[1])
    stats = [context.cert_store_stats()["x509_ca"] for context in contexts]
    assert stats[0] == stats[1] > 100


def test_one_context_and_one_connection_serve_several_requests(bundle: str) -> None:
    transport = Transport({"SSL_CERT_FILE": bundle})
    with RawServer(raw_server.reply(201), tls=authority().context()) as server:
        transport.warm(server.url)
        for _ in range(3):
            assert transport.post(server.url, {}, b"{}", timeout=5).status == 201
    assert server.connections == 1


WRONG = [
    ("expired", lambda: authority().context(is_expired=True), "certificate has expired"),
    ("wrong-host", lambda: authority().context("tracker.example"), "IP address mismatch"),
    ("unknown-authority", lambda: Authority().context(), "unable to get local issuer certificate"),
]


@pytest.mark.parametrize(("context", "reason"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_certificate_ends_it_with_openssls_own_reason(context: object, reason: str, bundle: str) -> None:
    assert callable(context)
    with RawServer(raw_server.reply(201), tls=context()) as server:
        failure = fail(server.url, {"SSL_CERT_FILE": bundle})
    assert (failure.kind, failure.is_sent, failure.is_lasting) == (Kind.TLS, False, True)
    assert reason in failure.detail
    assert f"127.0.0.1:{server.port}" in failure.detail
    assert not server.requests


@pytest.mark.parametrize("name", ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_an_empty_variable_does_not_switch_verification_off(name: str) -> None:
    with RawServer(raw_server.reply(201), tls=Authority().context()) as server:
        assert fail(server.url, {name: ""}).kind is Kind.TLS
    assert not server.requests


@pytest.mark.parametrize("name", ["PYTHONHTTPSVERIFY", "GIT_SSL_NO_VERIFY", "NODE_TLS_REJECT_UNAUTHORIZED"])
def test_no_variable_switches_verification_off(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0")
    with RawServer(raw_server.reply(201), tls=Authority().context()) as server:
        assert fail(server.url, {name: "0"}).kind is Kind.TLS


def test_tls_to_a_plain_port_is_named() -> None:
    with RawServer(raw_server.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        failure = fail(server.url.replace("http:", "https:"), {})
    assert (failure.kind, failure.is_lasting) == (Kind.NOT_TLS, True)
    assert "server does not speak TLS" in failure.detail


def test_plain_http_to_a_tls_port_ends_at_once() -> None:
    with RawServer(raw_server.reply(201), tls=authority().context()) as server:
        began = time.monotonic()
        failure = fail(server.url.replace("https:", "http:"), {})
    assert time.monotonic() - began < 2
    assert failure.kind in {Kind.NOT_TLS, Kind.RESET}


def test_a_handshake_that_hangs_is_left_in_time() -> None:
    with RawServer(raw_server.silence()) as server:
        began = time.monotonic()
        reply = Transport({}).post(server.url.replace("http:", "https:"), {}, b"{}", timeout=0.5)
    assert time.monotonic() - began < 1
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.is_sent) == (Kind.TIMEOUT, False)


def test_a_handshake_that_breaks_off_reached_no_one() -> None:
    with RawServer(raw_server.reset(is_read=False)) as server:
        failure = fail(server.url.replace("http:", "https:"), {})
    assert failure.kind in {Kind.RESET, Kind.CONNECT}  # the reset may come before connect() has returned
    assert (failure.is_sent, failure.is_lasting) == (False, False)


def _missing(folder: Path) -> str:
    return str(folder / "missing.pem")


def _no_pem(folder: Path) -> str:
    path = folder / "notes.txt"
    path.write_text("no certificate")
    return str(path)


@pytest.mark.parametrize("name", tls.BUNDLES)
@pytest.mark.parametrize("make", [_missing, _no_pem], ids=["missing", "not-pem"])
def test_a_bundle_that_cannot_be_used_is_one_clear_failure(name: str, make: object, tmp_path: Path) -> None:
    assert callable(make)
    path = make(tmp_path)
    failure = fail("https://127.0.0.1:1", {name: path})
    assert (failure.kind, failure.is_sent, failure.is_lasting) == (Kind.TLS, False, True)
    assert failure.detail.startswith(f"{name} names a file that cannot be used: {path}")


def test_a_bundle_is_no_matter_for_plain_http(tmp_path: Path) -> None:
    with RawServer(raw_server.reply(201)) as server:
        reply = Transport({"SSL_CERT_FILE": _missing(tmp_path)}).post(server.url, {}, b"{}", timeout=5)
    assert reply.status == 201


def test_certifi_and_the_users_file_are_trusted_together(bundle: str) -> None:
    with_certifi = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with_certifi.load_verify_locations(certifi.where())
    names = {str(entry["subject"]) for entry in tls.context({"SSL_CERT_FILE": bundle}).get_ca_certs()}
    assert {str(entry["subject"]) for entry in with_certifi.get_ca_certs()} < names
    assert any("Loopback Tests" in name for name in names)


def test_a_folder_of_certificates_is_taken(tmp_path: Path, bundle: str) -> None:
    assert Path(bundle).parent == tmp_path
    assert tls.context({"SSL_CERT_DIR": str(tmp_path)}).verify_mode is ssl.CERT_REQUIRED
