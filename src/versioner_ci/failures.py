"""From an exception of requests, urllib3, ssl or socket to a Failure: which of them it was, in plain words."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import NamedTuple, TypeVar

from requests.exceptions import InvalidHeader, InvalidProxyURL, InvalidSchema, InvalidURL
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ProxySchemeUnknown, ReadTimeoutError

from versioner_ci.connect import NameTimeoutError, Stage
from versioner_ci.reply import Failure, Kind
from versioner_ci.text import cut, one_line
from versioner_ci.tls import TrustError

_UNKNOWN_NAME = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}
_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
}
_TIMEOUTS = (TimeoutError, socket.timeout, ConnectTimeoutError, ReadTimeoutError)
_GONE = (RemoteDisconnected, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_TUNNEL = r"Tunnel connection failed: (\d{3})"
E = TypeVar("E", bound=BaseException)


class Place(NamedTuple):
    """Where a request was to go: HOST[:PORT] of the server, and of the proxy."""

    host: str
    proxy: str | None = None
    seconds: float = 4.0
    """How long an answer is waited for."""

    def __str__(self) -> str:
        return f"{self.host} via proxy {self.proxy}" if self.proxy else self.host


def explain(error: BaseException, stage: Stage, place: Place) -> Failure:
    """What an exception means, by how far the call had come."""
    chain = _Chain(error)
    if failure := _before(chain, stage, place):
        return failure
    if stage in {Stage.NAME, Stage.CONNECT} and place.proxy:
        return _at_proxy(_unconnected(chain, place.proxy), place)
    if stage in {Stage.NAME, Stage.CONNECT}:
        return _unconnected(chain, place.host)
    if stage is Stage.TUNNEL:
        return _tunnel(chain, place)
    return _tls(chain, place) if stage is Stage.TLS else _sent(chain, place)


class _Chain:
    """An exception and all that it wraps, each library in its own way."""

    def __init__(self, error: BaseException) -> None:
        self._all = list(_unwrap(error))

    def find(self, *kinds: type[E]) -> E | None:
        return next((error for error in self._all if isinstance(error, kinds)), None)

    def has(self, *kinds: type[BaseException]) -> bool:
        return self.find(*kinds) is not None

    def status_of_tunnel(self) -> str | None:
        """The status that a proxy answered CONNECT with, if it refused."""
        found = [match[1] for error in self._all if (match := re.search(_TUNNEL, str(error)))]
        return found[0] if found else None

    def innermost(self) -> str:
        """The text of the first cause that says something, on one line."""
        errors = [error for error in self._all if isinstance(error, OSError) and error.strerror]
        text = errors[-1].strerror if errors else str(self._all[-1]) or type(self._all[-1]).__name__
        return cut(one_line(str(text)), 160)


def _unwrap(error: BaseException) -> Iterator[BaseException]:
    queue: list[object] = [error]
    seen: set[int] = set()
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            wrapped = (getattr(item, "reason", None), getattr(item, "original_error", None))
            queue += [item.__cause__, item.__context__, *wrapped, *item.args]


def _failure(kind: Kind, detail: str, *, is_sent: bool = False, is_lasting: bool = False) -> Failure:
    return Failure(kind=kind, detail=detail, is_sent=is_sent, is_lasting=is_lasting)


def _before(chain: _Chain, stage: Stage, place: Place) -> Failure | None:
    """What fails before anything is sent, and would again. Texts of requests are left out: they quote the value."""
    if trust := chain.find(TrustError):
        return _failure(Kind.TLS, one_line(str(trust)), is_lasting=True)
    if chain.has(InvalidProxyURL):
        return _failure(Kind.PROXY, f"{place}: the proxy's address is malformed", is_lasting=True)
    if chain.has(InvalidSchema, ProxySchemeUnknown) and place.proxy:
        return _failure(Kind.PROXY, f"{place}: this kind of proxy is not supported", is_lasting=True)
    if chain.has(UnicodeEncodeError) or (stage is Stage.NAME and chain.has(InvalidHeader)):
        return _failure(Kind.OTHER, f"{place}: the key holds characters that HTTP cannot carry", is_lasting=True)
    if chain.has(InvalidURL, InvalidSchema) or (stage is Stage.NAME and not chain.has(OSError)):
        return _failure(Kind.OTHER, f"{place.host}: not an http(s) address", is_lasting=True)
    return None


def _unconnected(chain: _Chain, host: str) -> Failure:
    if name := chain.find(socket.gaierror):
        return _unresolved(name, re.sub(r":\d+\Z", "", host))
    if chain.has(ConnectionRefusedError):
        return _failure(Kind.REFUSED, f"refused by {host}")
    if chain.has(*_TIMEOUTS):
        return _failure(Kind.CONNECT, f"no connection to {host} in time")
    return _failure(Kind.CONNECT, f"cannot reach {host}: {chain.innermost()}")


def _unresolved(error: socket.gaierror, name: str) -> Failure:
    if error.errno in _UNKNOWN_NAME:
        return _failure(Kind.DNS_UNKNOWN, f"cannot resolve {name}", is_lasting=True)
    if isinstance(error, NameTimeoutError):
        return _failure(Kind.DNS, f"DNS for {name} timed out")
    return _failure(Kind.DNS, f"DNS for {name} failed: {one_line(str(error.strerror))}")


def _at_proxy(failure: Failure, place: Place) -> Failure:
    detail = f"{place.host} via proxy {place.proxy}: {failure.detail}"
    return _failure(Kind.PROXY, detail, is_lasting=failure.is_lasting)


def _tunnel(chain: _Chain, place: Place) -> Failure:
    status = chain.status_of_tunnel()
    if status is not None:
        meaning = ", it asks for a user name and password" if status == "407" else ""
        is_lasting = status.startswith(("3", "4")) and status not in {"408", "425", "429"}
        return _failure(Kind.PROXY, f"{place}: the proxy answered HTTP {status}{meaning}", is_lasting=is_lasting)
    if chain.has(ssl.SSLError):
        failure = _tls(chain, place)
        return _failure(Kind.PROXY, f"{failure.detail} (TLS with the proxy)", is_lasting=failure.is_lasting)
    why = "no answer from the proxy in time" if chain.has(*_TIMEOUTS) else "the proxy broke off or answered no HTTP"
    return _failure(Kind.PROXY, f"{place}: {why}")


def _tls(chain: _Chain, place: Place) -> Failure:
    if wrong := chain.find(ssl.SSLCertVerificationError):
        reason = cut(one_line(wrong.verify_message or str(wrong)), 200)
        return _failure(Kind.TLS, f"{place}: certificate verify failed: {reason}", is_lasting=True)
    if chain.has(*_TIMEOUTS):
        return _failure(Kind.TIMEOUT, f"{place}: no TLS answer in time")
    if chain.has(*_GONE):
        return _failure(Kind.RESET, f"{place} broke off the TLS handshake")
    if failed := chain.find(ssl.SSLError):
        if failed.reason in _NOT_TLS:
            return _failure(Kind.NOT_TLS, f"{place}: server does not speak TLS", is_lasting=True)
        return _failure(
            Kind.TLS, f"{place}: TLS failed: {cut(one_line(failed.reason or str(failed)), 200)}", is_lasting=True
        )
    return _failure(Kind.CONNECT, f"{place}: {chain.innermost()}")


def _sent(chain: _Chain, place: Place) -> Failure:
    if chain.has(*_TIMEOUTS):
        return _failure(Kind.TIMEOUT, f"no answer from {place} in {place.seconds:.2g} s", is_sent=True)
    if chain.has(*_GONE):
        return _failure(Kind.RESET, f"{place} broke the connection before it answered", is_sent=True)
    line = chain.find(BadStatusLine)
    if line is not None and str(line).startswith("\x15\x03"):  # a TLS alert
        return _failure(Kind.NOT_TLS, f"{place}: server speaks TLS only (use https://)", is_lasting=True)
    if chain.has(HTTPException, HTTPError):
        return _failure(Kind.MALFORMED, f"{place} answered malformed HTTP", is_sent=True)
    return _failure(Kind.OTHER, f"{place}: {chain.innermost()}", is_sent=True)
