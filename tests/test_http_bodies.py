"""An answer's body: read raw, within bounds of size and time, never decoded."""

from __future__ import annotations

import time

import pytest

from tests.support import raw_server
from tests.support.raw_server import Behaviour, RawServer, head
from versioner_ci.http import Reply, Transport


def post(url: str, timeout: float = 5.0) -> Reply:
    return Transport({}).post(url, {}, b"{}", timeout=timeout)


_CHUNKED = {"Transfer-Encoding": "chunked"}
BODIES: list[tuple[str, Behaviour, int, bool, bool]] = [
    ("empty", raw_server.reply(204, b"", {"Content-Length": "0"}), 0, True, False),
    ("truncated", raw_server.truncated(), 11, False, False),
    ("reset-in-body", raw_server.reset(head(200, {"Content-Length": "50"}) + b"{}"), 0, False, False),
    ("drip-body", raw_server.drip(head(200, {"Content-Length": "500"}) + b"{}", 0.1), 0, False, False),
    ("chunk-broken", raw_server.raw(head(200, _CHUNKED) + b"5\r\n{"), 0, False, False),
    ("chunk-no-number", raw_server.raw(head(200, _CHUNKED) + b"zz\r\n{}"), 0, False, False),
    ("chunk-negative", raw_server.flood(head(200, _CHUNKED) + b"-1\r\n", b"x" * 1024), 0, False, False),
    ("endless-chunks", raw_server.endless(), 65536, True, True),
    ("endless-plain", raw_server.flood(head(200), b" " * 1024), 65536, True, True),
    ("huge-length", raw_server.flood(head(200, {"Content-Length": "1000000000"}), b" " * 1024), 65536, True, True),
    ("exactly-the-cap", raw_server.reply(200, b" " * 65536), 65536, True, False),
    ("one-more", raw_server.reply(200, b" " * 65537), 65536, True, True),
]


@pytest.mark.parametrize(
    ("behaviour", "least", "is_whole", "is_oversize"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_a_body_is_read_within_bounds(
    behaviour: Behaviour,
    least: int,
    is_whole: bool,
    is_oversize: bool,
) -> None:
    with RawServer(behaviour) as server:
        began = time.monotonic()
        reply = post(server.url, 1.5)
    assert time.monotonic() - began < 2.5
    assert (reply.failure, reply.is_whole, reply.is_oversize) == (None, is_whole, is_oversize)
    assert least <= len(reply.body) <= 65536


@pytest.mark.parametrize(("times", "encoding"), [(1, "gzip"), (6, "gzip"), (1, "br"), (1, "made-up"), (3, "deflate")])
def test_an_encoded_body_is_never_decoded(times: int, encoding: str) -> None:
    with RawServer(raw_server.bomb(200, times, encoding)) as server:
        reply = post(server.url)
    assert reply.status == 200
    assert reply.body.startswith(b"\x1f\x8b")
