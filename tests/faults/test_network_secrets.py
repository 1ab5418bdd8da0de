"""Every row again, with all the secrets that a pipeline may hold and both destinations at the same broken server.

Fault.assert_no_secret searches all output, what --verbose says too, every file that was written, and its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.support import raw_server
from tests.support.faults import CANARY, MARGIN, SLACK_TOKEN, Fault
from tests.support.network_faults import NAMES, names
from tests.support.pki import Authority
from tests.support.raw_server import Behaviour, RawServer, head, reply

KEY_OF_OLD = "-".join(("glpat", CANARY, "0042"))  # noqa: FLY002 - or scanners take it for a real one
PASSWORD = f"://ada:{CANARY}@"
BUDGET = 1.0


def echo(status: int, headers: dict[str, str] | None = None, *, is_page: bool = False) -> Behaviour:
    """An answer that repeats the request's own headers, the key among them, and other secrets' shapes."""

    def behave(exchange: raw_server.Exchange) -> None:
        request = exchange.read()
        secrets = " ".join(request.headers.values()) if request is not None else ""
        words = f"{secrets} {SLACK_TOKEN} https{PASSWORD}host/ {KEY_OF_OLD}"
        content = f"<html>{words}</html>".encode() if is_page else json.dumps({"detail": words, "id": words}).encode()
        kind = {"Content-Type": "text/html"} if is_page else {}
        exchange.send(head(status, {"Content-Length": str(len(content)), **kind, **(headers or {})}) + content)

    return behave


LOCATION = {"Location": f"https{PASSWORD}other.test/?token={CANARY}", "Retry-After": CANARY, "X-Request-Id": KEY_OF_OLD}
ROWS: dict[str, Behaviour] = {
    "fault-08": raw_server.hang(),
    "fault-09": raw_server.drip(every=0.2),
    "fault-10": raw_server.reset(),
    "fault-11": raw_server.lose_reply(),
    "fault-12": echo(500, LOCATION),
    "fault-13": echo(502, is_page=True),
    "fault-14": echo(200, is_page=True),
    "fault-15": echo(202),
    "fault-16": raw_server.truncated(201),
    "fault-17": echo(429, {"Retry-After": "2"}),
    "fault-18": echo(429, {"Retry-After": "Thu, 01 Jan 2004 00:00:00 GMT"}),
    "fault-19": echo(503, {"Retry-After": "1e9"}),
    "fault-20": echo(422),
    "fault-21": echo(401),
    "fault-22": echo(404),
    "fault-23": echo(423),
    "fault-24": reply(409, {"detail": {"code": "idempotency_in_flight", "message": SLACK_TOKEN}}),
    "fault-25": echo(409),
    "fault-26": echo(410),
    "fault-27": echo(413),
    "fault-28": echo(302, LOCATION),
    "fault-29": raw_server.endless(201),
    "fault-30": raw_server.bomb(503),
    "fault-31": reply(422, b'{"detail": "\xff\0 ' + SLACK_TOKEN.encode() + b'"}'),
    "fault-32": raw_server.raw(f"HTTP/1.1 {SLACK_TOKEN}\r\n\r\n".encode()),
}


def pipeline(url: str) -> dict[str, str]:
    """Settings and strangers' secrets, as a CI job has them."""
    return {
        "VERSIONER_API_URL": url,
        "SLACK_API_URL": f"{url}/api/",
        "CI_JOB_TOKEN": KEY_OF_OLD,
        "CI_REPOSITORY_URL": f"https{PASSWORD}git.test/shop.git",
        "GIT_URL": f"https{PASSWORD}git.test/shop.git",
    }


def assert_no_secret(fault: Fault, url: str, more: Mapping[str, str], *, is_bot: bool = True) -> None:
    """A failed build with a bot token, or a gated start with a webhook."""
    hook = {"SLACK_WEBHOOK_URL": f"{url}/services/T1/B1/{CANARY}"}
    slack = {"SLACK_BOT_TOKEN": SLACK_TOKEN, "SLACK_CHANNEL": "#deploys"} if is_bot else hook
    failed = ("report", "build", "failed", "--error", f"curl: Authorization: Bearer {fault.env['VERSIONER_API_KEY']}")
    event = failed if is_bot else ("report", "deployment", "started", "--environment", "production")
    flags = ("--verbose", "--json", "--timeout", f"{BUDGET:g}")
    result = fault.start(*event, *flags, env={**pipeline(url), **slack, **more}).wait()
    assert result.code in {0, 5}, result.err
    assert result.seconds < BUDGET + MARGIN, result.err
    assert "a fault of versioner-ci" not in result.err, result.err
    assert {row["sink"] for row in json.loads(result.out)["sinks"]} <= {"backend", "slack"}


@pytest.mark.parametrize(
    ("behaviour", "is_bot"),
    [pytest.param(row, number % 2 == 0, id=name) for number, (name, row) in enumerate(ROWS.items())],
)
def test_no_answer_brings_a_secret_out(fault: Fault, behaviour: Behaviour, is_bot: bool) -> None:
    with RawServer(behaviour) as server:
        assert_no_secret(fault, server.url, {}, is_bot=is_bot)


@pytest.mark.parametrize(
    "how", [pytest.param(how, id=f"fault-{row:02} {how}") for row, how in ((1, "unknown"), (2, "stall"), (5, "many"))]
)
def test_no_name_brings_a_secret_out(fault: Fault, how: str) -> None:
    path = {"PYTHONPATH": f"{NAMES}:{fault.env['PYTHONPATH']}"}
    assert_no_secret(fault, "https://tracker.test:9", {**names(how), **path})


def test_fault_03_no_refusal_brings_a_secret_out(fault: Fault) -> None:
    with raw_server.refused() as url:
        assert_no_secret(fault, url, {})


def test_fault_04_no_hanging_connection_brings_a_secret_out(fault: Fault) -> None:
    with raw_server.blackhole() as url:
        assert_no_secret(fault, url, {})


def test_fault_06_no_certificate_brings_a_secret_out(fault: Fault) -> None:
    with RawServer(reply(201), tls=Authority().context()) as server:
        assert_no_secret(fault, server.url, {})


def test_fault_07_no_plain_port_brings_a_secret_out(fault: Fault) -> None:
    with RawServer(reply(201)) as server:
        assert_no_secret(fault, server.url.replace("http:", "https:"), {})


@pytest.mark.parametrize("status", [pytest.param(status, id=f"fault-33 {status}") for status in (407, 502)])
def test_no_proxy_brings_a_secret_out(fault: Fault, status: int) -> None:
    with RawServer(raw_server.tunnel(status)) as server:
        proxy = f"http{PASSWORD}127.0.0.1:{server.port}"
        assert_no_secret(fault, "https://tracker.test", {"HTTPS_PROXY": proxy})


def test_fault_34_no_exemption_brings_a_secret_out(fault: Fault) -> None:
    with RawServer(echo(503)) as server:
        assert_no_secret(fault, server.url, {"HTTP_PROXY": f"http{PASSWORD}127.0.0.1:9", "NO_PROXY": "127.0.0.0/8"})
