"""The recorder's sockets: HTTP/1.1 on loopback, kept alive, and breakable at will."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.support.recorder_api import Answer, Received


class Responder(Protocol):
    """Who decides on the answers: the Recorder."""

    events: list[Received]

    def respond(self, request: Received) -> Answer: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, recorder: Responder, port: int) -> None:
        # Bound but not listening: the port is ours and refuses connections until server_activate().
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=False)
        self.recorder = recorder
        self.is_serving = False
        self._open: set[socket.socket] = set()
        self.server_bind()

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for the host's name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without these two, a kept-alive request stalls for 43 ms: the reply's head and body leave in two packets.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.recorder.respond(self._received(raw))
        time.sleep(answer.delay)
        if answer.is_lost:
            self.close_connection = True
        else:
            self._send(answer)

    def do_GET(self) -> None:
        """`GET /events`: the accepted events' bodies, for scripts that run in another process."""
        events = [{"type": event.type, "at": event.at, **event.body} for event in tuple(self.server.recorder.events)]
        self._send(Answer(status=200, body=events) if self.path == "/events" else Answer(status=404, body={}))

    def _received(self, raw: bytes) -> Received:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Received(
            path=self.path,
            headers=headers,
            body=body if isinstance(body, dict) else {},
            raw=raw,
            at=time.time(),
            connection=self.client_address[1],
        )

    def _send(self, answer: Answer) -> None:
        content = answer.body
        if isinstance(content, str):
            content = content.encode()
        elif not isinstance(content, bytes):
            content = b"" if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.status not in {204, 304}:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
