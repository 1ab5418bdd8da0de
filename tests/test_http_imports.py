"""Nothing is imported while a request is made: imports in two threads at once have broken a third of the runs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.support import raw_server
from tests.support.pki import authority
from tests.support.raw_server import RawServer

_SCRIPT = """
import sys, threading
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.sinks.backend import Asked, classify
bundle, secure, *urls = sys.argv[1:]
transport = Transport({"SSL_CERT_FILE": bundle, "NO_PROXY": "10.0.0.0/8", "http_proxy": ""}, allow_http=True)
transport.warm(secure)
before = set(sys.modules)
def work():
    for url in (secure, *urls):
        reply = transport.post(url, {"Authorization": "Bearer x"}, b"{}", timeout=1)
        classify(reply, Asked(redact=Redactor(["x" * 9])), now=1.0)
thread = threading.Thread(target=work)
thread.start()
thread.join()
print(*sorted(set(sys.modules) - before))
"""
_ANSWERS = (
    raw_server.reply(201, {"id": "1"}, {"Set-Cookie": "a=b; expires=Wed, 21 Oct 2026 07:28:00 GMT"}),
    raw_server.reply(503, b"<html>", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT", "Location": "https://x.test"}),
    raw_server.reply(409, {"detail": {"code": "X", "retry_after": "2026-10-21T07:28:00Z"}}),
    raw_server.reply(200, b"\xef\xbb\xbf{}"),
    raw_server.raw(b"junk"),
    raw_server.reset(),
    raw_server.endless(),
    raw_server.bomb(200, 6),
    raw_server.hang(),
)


def test_a_request_in_a_thread_imports_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(RawServer(answer)).url for answer in _ANSWERS]
        secure = stack.enter_context(RawServer(raw_server.reply(201), tls=authority().context())).url
        urls += [stack.enter_context(raw_server.refused()), "http://x.invalid", urls[0].replace("http:", "https:")]
        command = [sys.executable, "-c", _SCRIPT, authority().bundle(tmp_path), secure, *urls]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    assert done.stdout.split() == []
