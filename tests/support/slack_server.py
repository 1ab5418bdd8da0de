"""The fake Slack's HTTP side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from tests.support.slack_model import WEBHOOK, Channel, Reply

HOOK = "/services/T0FAKE/B0FAKE/fakeWebhookSecret0001"


class Workspace(Protocol):
    """What the server serves."""

    channels: dict[str, Channel]

    def serve(self, method: str, headers: Mapping[str, str], raw: bytes) -> Reply: ...


class Server(ThreadingHTTPServer):
    """Threads end with the process; a client that hangs up ends nothing."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], slack: Workspace) -> None:
        self.slack = slack
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 90

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        slack, path = self.server.slack, self.path
        method = WEBHOOK if path.startswith("/services/") else path.removeprefix("/api/")
        if method == WEBHOOK and path != HOOK:
            self._send(404, {}, "no_service")
            return
        status, headers, body = slack.serve(method, {name.title(): value for name, value in self.headers.items()}, raw)
        if status is None:
            self.close_connection = True
            return
        self._send(status, headers, body)

    def do_GET(self) -> None:
        channels = self.server.slack.channels.values()
        shown = {f"#{channel.name}": [asdict(message) for message in channel.messages] for channel in channels}
        self._send(200 if self.path == "/messages" else 404, {}, json.dumps(shown, ensure_ascii=False, indent=1))

    def _send(self, status: int, headers: Mapping[str, str], body: str) -> None:
        raw = body.encode()
        self.send_response(status)
        kind = "application/json; charset=utf-8" if body[:1] in {"{", "["} else "text/html"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Quiet: `calls` is the log."""
