"""Whom to trust: certifi's and the operating system's certificates together, and the files that the user names."""

from __future__ import annotations

import os
import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import certifi
from urllib3.util.ssl_ import create_urllib3_context

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
HINT = "if a private authority signs its certificate, set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to that authority's file"
# Where Debian, Red Hat, SUSE and Alpine or macOS keep theirs: a Python built elsewhere does not know.
_USUAL = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_HASHED = r"[0-9a-f]{8}\.\d"


class TrustError(Exception):
    """A bundle that the user named cannot be used; the text is one line."""


def context(env: Mapping[str, str]) -> ssl.SSLContext:
    """A verifying context. Takes some 20 to 40 ms. Raises TrustError."""
    made = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    made.check_hostname = True
    _load_certifi(made)
    _load_system(made)
    for name, path in _named(env):
        try:
            made.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            why = "no certificates in it" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "no path")
            raise TrustError(f"{name} names a file that cannot be used: {path[:200]}: {why}") from None
    return made


def _named(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in BUNDLES:
        if path := env.get(name):
            yield name, path


def _load_certifi(made: ssl.SSLContext) -> None:
    if Path(bundle := certifi.where()).is_file():
        made.load_verify_locations(bundle)
    else:  # run out of a zipapp
        made.load_verify_locations(cadata=certifi.contents())


def _load_system(made: ssl.SSLContext) -> None:
    if sys.platform == "win32":
        made.load_default_certs()
        return
    # Not load_default_certs: there SSL_CERT_FILE, of the process' environment, takes the place of the system's.
    paths = ssl.get_default_verify_paths()
    if _is_hashed(paths.openssl_capath):
        made.load_verify_locations(capath=paths.openssl_capath)  # looked up on use: costs nothing here
        return
    for bundle in (paths.openssl_cafile, *_USUAL):
        if Path(bundle).is_file():
            with suppress(OSError):  # an empty or broken one is the system's matter
                made.load_verify_locations(bundle)
                return


def _is_hashed(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(re.fullmatch(_HASHED, entry.name) for entry in entries)
    except OSError:
        return False
