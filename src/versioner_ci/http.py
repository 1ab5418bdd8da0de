"""One request over the network: never raises for the network's or the server's doing, never follows, never decodes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from ssl import SSLContext
from urllib.parse import SplitResult, urlsplit

from requests import PreparedRequest, Request, Response
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from versioner_ci import tls
from versioner_ci.connect import CALL, Adapter
from versioner_ci.failures import Place, explain
from versioner_ci.proxies import is_loopback, proxy_for
from versioner_ci.reply import Failure, Kind, Reply
from versioner_ci.text import one_line

CONNECT_SECONDS = 3.0
READ_SECONDS = 4.0
MOST_BODY = 64 * 1024
_MOMENT = 0.25
_MALFORMED, _HOSTLESS = "a malformed address", "an address without a host"

__all__ = ["Failure", "Kind", "Reply", "Transport"]


class Transport:
    """POSTs over connections that are kept; safe to use from several threads.

    `env` names proxies and certificates. Plain http:// goes to loopback only, unless `allow_http`.
    """

    def __init__(self, env: Mapping[str, str], *, allow_http: bool = False) -> None:
        self._env = env
        self._allow_http = allow_http
        self._context: SSLContext | None = None
        self._lock = threading.Lock()
        self._adapter = Adapter(self._trust)

    def warm(self, url: str) -> None:
        """Does beforehand, in the main thread, what would import modules or take long. Raises nothing."""
        try:
            _prepare(url, {}, b"")
            if urlsplit(url).scheme == "https":
                self._trust()
        except (ValueError, OSError, tls.TrustError):
            return  # post() says it

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout: float) -> Reply:
        """One try of `timeout` seconds in all; at most 3 for each connection and 4 for the answer."""
        # A moment less, so that what this call has to say is still heard by who waits for it no longer than `timeout`.
        timeout -= min(_MOMENT, timeout / 10)
        CALL.start(timeout)
        place = Place(host=_shown(url), seconds=min(READ_SECONDS, timeout))
        try:
            parts = urlsplit(url)
            if reason := self._refuses(parts):
                return _failed(place, Failure(kind=Kind.OTHER, detail=f"{place}: {reason}", is_lasting=True))
            proxy = proxy_for(parts, self._env)
            if proxy and _shown(proxy) in {_MALFORMED, _HOSTLESS}:
                reason = "the proxy's address is malformed"
                return _failed(place, Failure(kind=Kind.PROXY, detail=f"{place}: {reason}", is_lasting=True))
            place = place._replace(proxy=_shown(proxy) if proxy else None)
            return self._post(_prepare(url, headers, body), proxy, place, timeout)
        except Exception as error:  # noqa: BLE001 - whatever a hostile server makes the libraries raise
            return _failed(place, explain(error, CALL.stage, place))

    def _post(self, request: PreparedRequest, proxy: str | None, place: Place, timeout: float) -> Reply:
        limits = Timeout(total=timeout, connect=min(CONNECT_SECONDS, timeout), read=place.seconds)
        proxies = {"http": proxy, "https": proxy} if proxy else {}
        # Not through a requests.Session: that reads a redirect's body without bound and knows netrc and cookies.
        response = self._adapter.send(request, stream=True, timeout=limits, proxies=proxies)  # type: ignore[arg-type]
        return _read(response, place)

    def _refuses(self, url: SplitResult) -> str | None:
        if url.scheme not in {"http", "https"} or not url.hostname:
            return "not an http(s) address"
        if url.username is not None or url.password is not None:
            return "a user name or password in the address is not sent"
        if url.scheme == "http" and not self._allow_http and not is_loopback(url.hostname):
            return "plain http:// is not sent to another machine (use https://, or --allow-http)"
        return None

    def _trust(self) -> SSLContext:
        with self._lock:
            if self._context is None:
                self._context = tls.context(self._env)
            return self._context


def _prepare(url: str, headers: Mapping[str, str], body: bytes) -> PreparedRequest:
    # identity: an answer is not decoded, so a bomb costs nothing.
    return Request("POST", url, headers={"Accept-Encoding": "identity", **headers}, data=body).prepare()


def _read(response: Response, place: Place) -> Reply:
    raw = response.raw
    # urllib3 sets decoders up even where it is told not to decode, and fails at the sixth.
    raw.headers.pop("Content-Encoding", None)
    body, is_whole = bytearray(), True
    try:
        while len(body) <= MOST_BODY and (chunk := raw.read(MOST_BODY + 1 - len(body), decode_content=False)):
            body += chunk
    except (HTTPError, OSError):
        is_whole = False
    if is_whole and len(body) <= MOST_BODY:
        raw.release_conn()
    else:
        raw.close()
    return Reply(
        host=str(place),
        status=response.status_code,
        headers=response.headers,
        body=bytes(body[:MOST_BODY]),
        is_whole=is_whole,
        is_oversize=len(body) > MOST_BODY,
    )


def _shown(url: str) -> str:
    """HOST[:PORT], without userinfo, path and query."""
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    try:
        parts = urlsplit(f"//{authority}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return _MALFORMED
    host = one_line(f"[{host}]" if ":" in host else host)
    return (host if port is None else f"{host}:{port}") or _HOSTLESS


def _failed(place: Place, failure: Failure) -> Reply:
    return Reply(host=str(place), headers=CaseInsensitiveDict(), is_whole=False, failure=failure)
