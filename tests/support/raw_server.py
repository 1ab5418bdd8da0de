"""A server on loopback that does as scripted, byte by byte: hangs, drips, resets, lies, floods.

with RawServer(hang(), reply(201, b"{}")) as server:    # first connection, then all others
    ...                                                 # send to server.url
    assert server.requests[0].body == b"{}"

with refused() as url: ...          # nothing listens there
with blackhole() as url: ...        # a connection is never accepted
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_JSON = "application/json"
_LONGEST = 60.0
_HANDSHAKE = 0x16
"""The first byte of TLS."""


@dataclass(frozen=True)
class Request:
    """What arrived on one connection: `target` is the path, or HOST:PORT of a CONNECT."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Exchange:
    """One connection, in the hands of a behaviour."""

    def __init__(self, server: RawServer, connection: socket.socket) -> None:
        self.server = server
        self.socket = connection

    def read(self) -> Request | None:
        """The next request, recorded by the server; None if the client went away or speaks TLS."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(65536)
            if not part or part[0] == _HANDSHAKE:
                return None
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.socket.recv(65536)
        method, target = first.split(" ")[:2]
        request = Request(method, target, headers, body)
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def wait(self, seconds: float = _LONGEST) -> bool:
        """Does nothing for so long, or until the server is closed (then True)."""
        return self.server.closing.wait(seconds)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Behaviour = Callable[[Exchange], None]


class RawServer:
    """Serves the first connection by the first behaviour, and so on; the last one serves all others."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.closing = threading.Event()
        self._behaviours = behaviours
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> RawServer:  # noqa: PYI034 - Self is of 3.11
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, behaviour), daemon=True).start()

    def _serve(self, connection: socket.socket, behaviour: Behaviour) -> None:
        # A client that goes away is the normal case here.
        with contextlib.suppress(OSError, ValueError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                behaviour(Exchange(self, connection))
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                behaviour(Exchange(self, secured))


def head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """A status line and headers, JSON and `Connection: close` unless told otherwise."""
    named = {"Content-Type": _JSON, "Connection": "close", **(headers or {})}
    lines = (f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in named.items()))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def reply(status: int = 200, body: Any = b"{}", headers: Mapping[str, str] | None = None) -> Behaviour:
    """An answer as it should be, over a connection that is kept; `body`: bytes, or what becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Length": str(len(content)), "Connection": "keep-alive", **(headers or {})}

    def behave(exchange: Exchange) -> None:
        while exchange.read() is not None:
            exchange.send(head(status, lines) + content)

    return behave


def page(status: int = 200, text: bytes = b"<html><title>Sign in</title></html>") -> Behaviour:
    """A page for people."""
    return reply(status, text, {"Content-Type": "text/html; charset=utf-8"})


def raw(*parts: bytes, pause: float = 0.0) -> Behaviour:
    """Reads the request, sends exactly these bytes, closes."""

    def behave(exchange: Exchange) -> None:
        exchange.read()
        for part in parts:
            exchange.send(part)
            time.sleep(pause)

    return behave


def hang() -> Behaviour:
    """Reads the request and says nothing."""

    def behave(exchange: Exchange) -> None:
        exchange.read()
        exchange.wait()

    return behave


def silence() -> Behaviour:
    """Accepts the connection, reads nothing, says nothing."""

    def behave(exchange: Exchange) -> None:
        exchange.wait()

    return behave


def drip(begin: bytes = b"", every: float = 1.0) -> Behaviour:
    """After `begin` one byte now and then, without end: no read ever times out by itself."""

    def behave(exchange: Exchange) -> None:
        exchange.read()
        exchange.send(begin)
        while not exchange.wait(every):
            exchange.send(b"x")

    return behave


def reset(after: bytes | None = None, *, is_read: bool = True) -> Behaviour:
    """RST: once the request was read (or at once), or after some bytes of an answer."""

    def behave(exchange: Exchange) -> None:
        if is_read:
            exchange.read()
        if after:
            exchange.send(after)
            time.sleep(0.1)
        exchange.reset()

    return behave


def lose_reply() -> Behaviour:
    """Reads the whole request and closes: recorded, and nobody knows."""
    return raw()


def flood(begin: bytes, part: bytes) -> Behaviour:
    """After `begin` the same bytes again and again, as fast as they are taken."""

    def behave(exchange: Exchange) -> None:
        exchange.read()
        exchange.send(begin)
        while not exchange.server.closing.is_set():
            exchange.send(part * 64)

    return behave


def endless(status: int = 200, content_type: str = _JSON) -> Behaviour:
    """A chunked body without end."""
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    return flood(head(status, {"Content-Type": content_type, "Transfer-Encoding": "chunked"}), chunk)


def interim_flood() -> Behaviour:
    """100 Continue, for ever."""
    return flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def header_flood() -> Behaviour:
    """200 headers of 64 KB."""
    return raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 64000) for n in range(200)) + b"\r\n")


def truncated(status: int = 200, body: bytes = b'{"id": "1"}', missing: int = 20) -> Behaviour:
    """Announces more than it sends."""
    return raw(head(status, {"Content-Length": str(len(body) + missing)}) + body)


def bomb(status: int = 200, times: int = 1, encoding: str = "gzip") -> Behaviour:
    """10 MiB of spaces, packed; more `times` over."""
    packed = b" " * 10 * 1024 * 1024
    for _ in range(times):
        packed = gzip.compress(packed)
    return reply(status, packed, {"Content-Encoding": ", ".join([encoding] * times)})


def tunnel(refusal: int | None = None, *, headers: Mapping[str, str] | None = None) -> Behaviour:
    """A proxy: CONNECT is answered with `refusal`, or joined to its target; other requests are answered 201."""

    def behave(exchange: Exchange) -> None:
        request = exchange.read()
        if request is None or refusal is not None:
            exchange.send(head(refusal or 502, {"Content-Length": "0", **(headers or {})}))
        elif request.method != "CONNECT":
            exchange.send(head(201, {"Content-Length": "2"}) + b"{}")
        else:
            host, _, port = request.target.rpartition(":")
            with socket.create_connection((host, int(port)), 5) as target:
                exchange.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=_pump, args=(target, exchange.socket), daemon=True).start()
                _pump(exchange.socket, target)

    return behave


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def refused() -> Iterator[str]:
    """The URL of a port that is taken, but refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@contextlib.contextmanager
def blackhole() -> Iterator[str]:
    """The URL of a port whose queue is full: a connection hangs until it times out."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(address)
        time.sleep(0.05)
        yield f"http://127.0.0.1:{address[1]}"
