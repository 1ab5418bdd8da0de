"""Certificates for servers on loopback: good, expired, for another host, of an unknown authority."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import trustme


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="Loopback Tests")

    def bundle(self, folder: Path) -> str:
        """Writes its certificate as PEM into `folder`: for SSL_CERT_FILE or REQUESTS_CA_BUNDLE."""
        path = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(path))
        return str(path)

    def context(self, *names: str, is_expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `names` (127.0.0.1 and localhost, if none are given)."""
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        until = yesterday if is_expired else None
        leaf = self._ca.issue_cert(
            *(names or ("127.0.0.1", "localhost")),
            not_after=until,
            not_before=yesterday - timedelta(days=30) if is_expired else None,
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(made)
        return made

    def self_signed(self) -> ssl.SSLContext:
        """A server's context with the authority's own certificate."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with trustme.Blob(self._ca.cert_pem.bytes() + self._ca.private_key_pem.bytes()).tempfile() as path:
            made.load_cert_chain(path)
        return made


@cache
def authority() -> Authority:
    """The one authority of a test run; who is to trust it, must be told."""
    return Authority()
