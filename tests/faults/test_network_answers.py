"""Rows 12 to 15, 20 to 22 and 26 to 28: answers, each with what is done about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import raw_server
from tests.support.faults import CANARY, Fault
from tests.support.network_faults import BUILD, DEPLOYMENT, Expected, Way, serving, soft_and_strict
from tests.support.raw_server import Behaviour, RawServer, reply

AGAIN = range(2, 5)
FLUSH_THREADS = 4
ID = {"X-Request-Id": "req-77"}
QUICK = Way(budget=2)


@pytest.mark.parametrize(
    "status", [pytest.param(status, id=f"fault-{row} {status}") for row, status in ((12, 500), (12, 503))]
)
def test_a_tracker_in_trouble_is_asked_again_and_named_with_its_request(fault: Fault, status: int) -> None:
    said = (f"HTTP {status} from {{host}}, request id req-77: database is down",)
    listener = serving(reply(status, {"detail": "database is down"}, ID))
    soft_and_strict(fault, listener, Expected(tries=AGAIN, said=said), QUICK)


def test_fault_12_a_tracker_that_recovers_gets_the_same_event(fault: Fault) -> None:
    once = raw_server.raw(raw_server.head(503, {"Content-Length": "2"}) + b"{}")
    expected = Expected(outcome="accepted", tries=range(2, 3), said=("backend: accepted (id 7)",))
    soft_and_strict(fault, serving(once, reply(201, {"id": "7"})), expected, Way(args=DEPLOYMENT))


PAGE = b"<html><title>502 Bad Gateway</title>\n<script>alert(1)</script> Sign in at our proxy</html>"


@pytest.mark.parametrize("status", [pytest.param(status, id=f"fault-13 {status}") for status in (502, 504)])
def test_a_gateways_page_is_never_shown(fault: Fault, status: int) -> None:
    expected = Expected(tries=AGAIN, said=(f"HTTP {status} from {{host}};",), unsaid=("Bad Gateway", "script"))
    soft_and_strict(fault, serving(raw_server.page(status, PAGE)), expected, QUICK)


SIGN_IN = {
    "html": raw_server.page(200, PAGE),
    "html with another type": reply(200, PAGE),
    "no type": raw_server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nPlease sign in"),
}


@pytest.mark.parametrize("page", [pytest.param(page, id=f"fault-14 {name}") for name, page in SIGN_IN.items()])
def test_a_200_of_somebody_else_is_no_delivery_and_no_try_more(fault: Fault, page: Behaviour) -> None:
    said = ("{host} answered 200 but not an API reply (proxy or login page?)", "check api_url, from VERSIONER_API_URL")
    expected = Expected(said=said, unsaid=("Sign in", "sign in", "accepted"), within=5)
    soft_and_strict(fault, serving(page), expected, Way(args=DEPLOYMENT, budget=10))


EMPTY = {
    "200 empty": reply(200, b""),
    "202 without a type": raw_server.raw(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"),
    "204": raw_server.raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "201 until it closes": raw_server.raw(b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{"id": 1}'),
    "201 problem type": reply(201, {}, {"Content-Type": "application/vnd.tracker+json; charset=utf-8"}),
}


@pytest.mark.parametrize("answer", [pytest.param(answer, id=f"fault-15 {name}") for name, answer in EMPTY.items()])
def test_a_2xx_without_words_is_a_delivery(fault: Fault, answer: Behaviour) -> None:
    soft_and_strict(fault, serving(answer), Expected(outcome="accepted", said=("backend: accepted (",)))


INVALID: dict[str, tuple[int, Any, str]] = {
    "fault-20 422": (
        422,
        {"detail": [{"loc": ["body", "version"], "msg": "Field required", "type": "missing", "input": CANARY}]},
        "HTTP 422 from {host}: body.version: Field required",
    ),
    "fault-20 400": (
        400,
        {"detail": {"message": "Unknown product", "code": "NO_PRODUCT"}},
        "HTTP 400 from {host}: Unknown product (NO_PRODUCT)",
    ),
    "fault-20 400 in two lines": (400, {"detail": "one\n::error::two\x1b[31m"}, r"one\n"),
    "fault-26 410": (410, {"detail": "Moved to v2"}, "HTTP 410 from {host}: Moved to v2"),
    "fault-27 413": (413, b"", " bytes (HTTP 413 from {host})"),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in INVALID.items()])
def test_a_refused_event_is_set_aside_and_never_sent_again(fault: Fault, row: tuple[int, Any, str]) -> None:
    status, body, said = row
    args = BUILD if status == 422 else DEPLOYMENT
    expected = Expected(outcome="refused", said=("refused, set aside in", said), unsaid=("\x1b", "\n::"), within=5)
    both = soft_and_strict(fault, serving(reply(status, body)), expected, Way(args=args, budget=10))
    if status == 413:
        assert f"event too large: {len(both[0].requests[0].body)} bytes" in both[0].result.err


def test_fault_20_what_was_set_aside_is_left_alone_by_the_next_call(fault: Fault) -> None:
    with RawServer(reply(422, {"detail": "no"})) as server:
        fault(*BUILD, env={"VERSIONER_API_URL": server.url}, kept=[], bad=1)
    with RawServer(reply(201, {})) as server:
        fault("flush", env={"VERSIONER_API_URL": server.url}, kept=[], bad=1)
        assert not server.requests


WRONG = {
    "fault-21 401": (401, ("key ending …0042 refused by {host} (HTTP 401)", "check the key, from VERSIONER_API_KEY")),
    "fault-22 403": (403, ("key ending …0042 refused by {host} (HTTP 403)", "check the key, from VERSIONER_API_KEY")),
    "fault-22 404": (404, ("{host} knows no such address (HTTP 404)", "check api_url, from VERSIONER_API_URL")),
    "fault-22 405": (405, ("{host} knows no such address (HTTP 405)", "it ends before /build-events/")),
}


@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in WRONG.items()])
def test_a_wrong_key_or_address_names_the_setting_and_keeps_the_event(
    fault: Fault, row: tuple[int, tuple[str, ...]]
) -> None:
    status, said = row
    listener = serving(reply(status, {"detail": f"not with Bearer {fault.env['VERSIONER_API_KEY']}"}))
    soft_and_strict(fault, listener, Expected(said=said, within=5), Way(args=DEPLOYMENT, budget=10))


def test_fault_21_a_wrong_key_ends_a_flush_and_a_mended_one_delivers_all(fault: Fault) -> None:
    with RawServer(reply(401, {"detail": "Invalid API key"})) as server:
        url = {"VERSIONER_API_URL": server.url}
        calls = [fault.start(*BUILD, "--version", str(number), env=url) for number in range(7)]
        assert {call.wait().code for call in calls} == {0}
        assert len(server.requests) == 7, "what was kept before is not tried with a key that was just refused"
        fault("flush", "--fail-on-error", env=url, code=4, kept=["backend build.started"] * 7)
        assert len(server.requests) <= 7 + FLUSH_THREADS, "those on their way at the same time, and no more"
    with RawServer(reply(201, {})) as server:
        fault("flush", env={"VERSIONER_API_URL": server.url}, kept=[])
        assert len(server.requests) == 7


ELSEWHERE = f"https://user:{CANARY}@other.test:8443/v2/build-events/?token={CANARY}#{CANARY}"
TARGETS = {
    "other host": (ELSEWHERE, "redirects to other.test:8443 (HTTP {status})"),
    "same host": (f"/v2/?token={CANARY}", "redirects to another path of its own (HTTP {status})"),
    "nowhere": ("", "redirects to nowhere (HTTP {status})"),
}


@pytest.mark.parametrize(
    ("status", "target"),
    [
        pytest.param(status, target, id=f"fault-28 {status} {target}")
        for status, target in zip((301, 302, 303, 307, 308), [*TARGETS, *TARGETS], strict=False)
    ],
)
def test_a_redirect_is_named_and_not_followed(fault: Fault, status: int, target: str) -> None:
    location, said = TARGETS[target]
    listener = serving(reply(status, b"", {"Location": location}))
    said = "{host} " + said.replace("{status}", str(status))
    expected = Expected(said=(said, "set api_url to the tracker's own address"), unsaid=("token", "user:"), within=5)
    soft_and_strict(fault, listener, expected, Way(budget=10))


def test_fault_28_the_target_of_a_redirect_gets_neither_event_nor_key(fault: Fault) -> None:
    with RawServer(reply(201, {})) as target:
        listener = serving(reply(307, b"", {"Location": f"{target.url}/build-events/"}))
        soft_and_strict(fault, listener, Expected(said=("redirects to 127.0.0.1:",)))
        assert target.connections == 0
