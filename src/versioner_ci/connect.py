"""Connections below requests: two addresses at most, and one deadline for name, connection, head and body together."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, TypeAlias

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

MOST_ADDRESSES = 2
MOST_ON_WIRE = 1024 * 1024
"""Bytes of one answer, its heads, chunk marks and all."""

_Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Stage(Enum):
    """How far a call came."""

    NAME = 0
    CONNECT = 1
    TUNNEL = 2
    TLS = 3
    SENT = 4


class Call(threading.local):
    """The call that this thread makes: urllib3 hands nothing of ours down to its connections."""

    stage = Stage.NAME
    deadline = float("inf")
    """On time.monotonic()."""

    def start(self, timeout: float) -> None:
        """Begins a call of `timeout` seconds."""
        self.stage = Stage.NAME
        self.deadline = time.monotonic() + timeout

    def remaining(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


CALL = Call()


class NameTimeoutError(socket.gaierror):
    """The name service did not answer in time."""


def resolve(host: str, port: int) -> list[_Address]:
    """The addresses to try, one of each family first. Raises socket.gaierror, and keeps to the call's deadline."""
    if host.rstrip(".").lower().endswith(".invalid"):
        # RFC 6761, 6.4: such a name never exists, and need not be asked for.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    found = _look_up(host, port)
    first = found[:1]
    other = [address for address in found[1:] if address[0] != found[0][0]]
    return [*first, *other, *(address for address in found[1:] if address not in other)][:MOST_ADDRESSES]


def _look_up(host: str, port: int) -> list[_Address]:
    # In a thread of its own: getaddrinfo heeds no timeout, and a stalled one is simply left behind.
    results: list[list[_Address] | Exception] = []

    def work() -> None:
        try:
            results.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(CALL.remaining())
    result = results[0] if results else NameTimeoutError(socket.EAI_AGAIN, "timed out")
    if isinstance(result, UnicodeError):
        raise socket.gaierror(socket.EAI_NONAME, "not a host name")
    if isinstance(result, Exception):
        raise result
    return result


def _connect(host: str, port: int, timeout: float, options: Any) -> socket.socket:
    failed = OSError("the name has no address")
    for family, kind, protocol, _, address in resolve(host, port):
        CALL.stage = Stage.CONNECT
        connection = None
        try:
            connection = socket.socket(family, kind, protocol)
            connection.settimeout(min(timeout, CALL.remaining()))
            for option in options or ():
                connection.setsockopt(*option)
            connection.connect(address)
        except OSError as error:
            failed = error
            if connection is not None:
                connection.close()
        else:
            connection.settimeout(min(timeout, CALL.remaining()))
            return connection
    raise failed


class _Bounded(io.RawIOBase):
    """A socket's stream that ends with the call, however slowly or endlessly the server sends."""

    def __init__(self, raw: io.RawIOBase, connection: Any, deadline: float) -> None:
        self._raw = raw
        self._connection = connection
        self._deadline = deadline
        self._left = MOST_ON_WIRE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if self._left <= 0:
            raise http.client.HTTPException("more than 1 MiB")
        self._connection.settimeout(left)
        count: int | None = self._raw.readinto(buffer)
        self._left -= count or 0
        return count

    def close(self) -> None:
        super().close()
        self._raw.close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, deadline: float, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        stream: Any = self.fp
        self.fp = io.BufferedReader(_Bounded(stream.detach(), sock, deadline))


class _Tracked:
    """What both kinds of connection do differently from urllib3's."""

    sock: Any
    timeout: Any
    socket_options: Any
    port: int
    _dns_host: str
    _tunnel_host: str | None

    @property
    def response_class(self) -> Callable[..., _Response]:
        # http.client calls it for the tunnel's answer and for the server's.
        return partial(_Response, deadline=min(CALL.deadline, time.monotonic() + self.timeout))

    def _new_conn(self) -> socket.socket:
        CALL.stage = Stage.NAME
        made = _connect(self._dns_host.strip("[]"), self.port, self.timeout, self.socket_options)
        CALL.stage = Stage.TUNNEL if self._tunnel_host else Stage.TLS
        return made

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]
        CALL.stage = Stage.TLS

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        CALL.stage = Stage.SENT

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            CALL.stage = Stage.SENT
        super().request(*args, **options)  # type: ignore[misc]


class _Plain(_Tracked, HTTPConnection):  # type: ignore[misc]
    pass


class _Secure(_Tracked, HTTPSConnection):  # type: ignore[misc]
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class Adapter(HTTPAdapter):
    """requests' adapter with the connections above and one TLS context, which `trust` makes when it is needed."""

    def __init__(self, trust: Callable[[], ssl.SSLContext]) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https"):
            options["proxy_ssl_context"] = self._trust()
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new and not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def build_connection_pool_key_attributes(self, request: PreparedRequest, verify: Any, cert: Any = None) -> Any:
        host, options = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] == "https":
            options["ssl_context"] = self._trust()
        return host, options

    def cert_verify(self, conn: Any, url: str | None, verify: Any, cert: Any) -> None:
        """Nothing: requests would load certifi once more for each connection; the context verifies."""
