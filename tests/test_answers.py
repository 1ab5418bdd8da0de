"""The table of answers: what each status and body means for the event."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.answers import KEY, answer
from versioner_ci.sinks._sink import Answer

# 2xx

IDS = {"id": "1", "event_id": "2", "product_id": 3, "version_id": "4", "environment_id": "5", "deployment_id": "6"}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_2xx_with_json_is_accepted_with_its_ids(status: int) -> None:
    receipt = answer(status, {**IDS, "status": "started", "secret": "x"})
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.ids == {**IDS, "product_id": "3"}
    assert receipt.detail == "id 2"


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("204", {"status": 204, "headers": {"Content-Type": ""}}),
    ("202-empty", {"status": 202}),
    ("blanks", {"status": 200, "body": b" \r\n "}),
    ("empty-as-html", {"status": 200, "headers": {"Content-Type": "text/html"}}),
    ("list", {"status": 200, "body": b"[1, 2]"}),
    ("null", {"status": 200, "body": b"null"}),
    ("vendor-type", {"status": 200, "body": b"{}", "headers": {"Content-Type": "application/vnd.api+json; q=1"}}),
    ("no-type", {"status": 200, "body": b'{"id": "1"}', "headers": {"Content-Type": ""}}),
    ("byte-order-mark", {"status": 200, "body": b'\xef\xbb\xbf{"id": "1"}'}),
    ("oversize", {"status": 200, "body": b'{"id": "' + b"x" * 9999, "is_oversize": True}),
    ("encoded", {"status": 200, "body": b"\x1f\x8b\x08", "headers": {"Content-Encoding": "gzip"}}),
    ("encoded-6", {"status": 200, "body": b"\x1f\x8b\x08", "headers": {"Content-Encoding": "gzip, gzip, br, x, y, z"}}),
    ("invalid-utf-8", {"status": 200, "body": b'{"id": "\xff\xfe"}'}),
    ("nul", {"status": 200, "body": b'{"id": \0 "1"}'}),
    ("nesting", {"status": 200, "body": b"[" * 60_000}),
    ("nested-objects", {"status": 200, "body": b'{"a":' * 10_000}),
    ("digits", {"status": 200, "body": b'{"id": ' + b"9" * 5000 + b"}"}),
    ("odd-ids", {"status": 200, "body": b'{"id": {"a": 1}, "event_id": true, "product_id": [], "version_id": null}'}),
]


@pytest.mark.parametrize("reply", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_a_2xx_counts_as_accepted_even_if_its_ids_cannot_be_read(reply: dict[str, Any]) -> None:
    receipt = answer(**reply)
    assert receipt.answer is Answer.ACCEPTED
    assert set(receipt.ids) <= {"id"}


def test_a_copy_that_was_known_is_a_duplicate() -> None:
    receipt = answer(200, {**IDS, "duplicate": True})
    assert (receipt.answer, receipt.ids["event_id"]) == (Answer.DUPLICATE, "2")


@pytest.mark.parametrize("value", ["true", 1, [True], None])
def test_only_true_marks_a_duplicate(value: object) -> None:
    assert answer(200, {"duplicate": value}).answer is Answer.ACCEPTED


PAGES: list[tuple[str, dict[str, str], bytes]] = [
    ("html", {"Content-Type": "text/html; charset=utf-8"}, b"<html>Sign in</html>"),
    ("html-as-json", {}, b"\n <!DOCTYPE html><html>Sign in</html>"),
    ("xhtml", {"Content-Type": "application/xhtml+xml"}, b"<html/>"),
    ("text", {"Content-Type": "text/plain"}, b"OK"),
    ("json-as-text", {"Content-Type": "text/plain"}, b'{"id": "1"}'),
    ("no-type", {"Content-Type": ""}, b"welcome"),
    ("no-type-word", {"Content-Type": ""}, b'"welcome"'),
    ("encoded-html", {"Content-Type": "text/html", "Content-Encoding": "gzip"}, b"\x1f\x8b\x08"),
    ("encoded-no-type", {"Content-Type": "", "Content-Encoding": "gzip"}, b"\x1f\x8b\x08"),
]


@pytest.mark.parametrize(("headers", "body"), [row[1:] for row in PAGES], ids=[row[0] for row in PAGES])
def test_a_2xx_that_is_no_api_reply_is_not_delivered(headers: dict[str, str], body: bytes) -> None:
    receipt = answer(200, body, headers)
    assert (receipt.answer, receipt.retry_once) == (Answer.KEPT, False)
    assert receipt.detail == "api.test answered 200 but not an API reply (proxy or login page?)"
    assert receipt.fix == "check api_url, from VERSIONER_API_URL"


@pytest.mark.parametrize("body", [b'{"id": "1', b'{"id"', b"{", b'{"id": "1"} trailing'])
def test_a_torn_2xx_is_unknown_and_tried_once_more(body: bytes) -> None:
    receipt = answer(200, body)
    assert (receipt.answer, receipt.retry_once) == (Answer.UNKNOWN, True)
    assert "may have been recorded" in receipt.detail


def test_a_2xx_shorter_than_announced_is_unknown_and_tried_once_more() -> None:
    receipt = answer(201, b'{"id": "1"}', is_whole=False)
    assert (receipt.answer, receipt.retry_once) == (Answer.UNKNOWN, True)


# Other errors


@pytest.mark.parametrize("status", [400, 402, 406, 410, 411, 413, 415, 418, 422, 431, 451, 499])
def test_any_other_4xx_is_final(status: int) -> None:
    receipt = answer(status, {"detail": "no"})
    assert (receipt.answer, receipt.retry_after, receipt.retry_once) == (Answer.REFUSED, None, False)
    assert "no" in receipt.detail


def test_a_413_says_how_large_the_event_was() -> None:
    assert answer(413).detail == "event too large: 300000 bytes (HTTP 413 from api.test)"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_by_its_end_and_its_origin(status: int) -> None:
    receipt = answer(status, {"detail": f"unknown key {KEY}"})
    assert receipt.answer is Answer.MISCONFIGURED
    assert receipt.detail == f"key ending …nary refused by api.test (HTTP {status}): unknown key ***"
    assert receipt.fix == "check the key, from VERSIONER_API_KEY"


@pytest.mark.parametrize("key", [None, ""])
def test_a_missing_key_is_asked_for(key: str | None) -> None:
    receipt = answer(401, key=key)
    assert (receipt.detail, receipt.fix) == ("api.test asks for a key (HTTP 401)", "set VERSIONER_API_KEY")


@pytest.mark.parametrize("status", [404, 405])
def test_a_wrong_address_is_named_with_its_origin(status: int) -> None:
    receipt = answer(status, {"detail": "Not Found"})
    assert receipt.answer is Answer.MISCONFIGURED
    assert receipt.detail == f"api.test knows no such address (HTTP {status}): Not Found"
    assert receipt.fix is not None
    assert receipt.fix.startswith("check api_url, from VERSIONER_API_URL")


def test_a_proxys_407_is_not_the_trackers_word() -> None:
    receipt = answer(407, b"<html>", {"Content-Type": "text/html"})
    assert receipt.answer is Answer.KEPT
    assert "proxy asks for a user name" in receipt.detail


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (408, Answer.TEMPORARY),
        (425, Answer.TEMPORARY),
        (429, Answer.TEMPORARY),
        (500, Answer.TEMPORARY),
        (501, Answer.TEMPORARY),
        (503, Answer.TEMPORARY),
        (599, Answer.TEMPORARY),
        (502, Answer.UNKNOWN),
        (504, Answer.UNKNOWN),
        (101, Answer.UNKNOWN),
        (103, Answer.UNKNOWN),
        (700, Answer.UNKNOWN),
    ],
)
def test_what_may_pass_is_tried_again(status: int, expected: Answer) -> None:
    assert answer(status).answer is expected


def test_a_5xx_names_status_and_request_id() -> None:
    receipt = answer(500, {"detail": "boom"}, {"X-Request-ID": "req-7\x1b[31m"})
    assert receipt.detail == "HTTP 500 from api.test, request id req-7\\x1b[31m: boom"


@pytest.mark.parametrize(
    ("value", "seconds", "words"),
    [
        ("2", 2.0, "asks to wait 2 s"),
        ("1e9", 1e9, "server asks to wait 31 y"),
        ("0", 0.0, None),
        ("-5", None, None),
        ("NaN", None, None),
        ("", None, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_time_that_a_server_asks_for_is_handed_on(
    status: int,
    value: str,
    seconds: float | None,
    words: str | None,
) -> None:
    receipt = answer(status, headers={"Retry-After": value})
    assert (receipt.answer, receipt.retry_after) == (Answer.TEMPORARY, seconds)
    assert (words or "HTTP") in receipt.detail
    assert ("wait" in receipt.detail) is (words is not None)


def test_a_wait_in_a_429s_body_counts_too() -> None:
    assert answer(429, {"detail": {"code": "rate_limited", "retry_after": 7}}).retry_after == 7


@pytest.mark.parametrize(
    "body",
    [
        b"The plain HTTP request was sent to HTTPS port",
        b"Client sent an HTTP request to an HTTPS server.",
        b"You're speaking plain HTTP to an SSL-enabled server port.",
    ],
)
def test_a_tls_server_that_was_spoken_to_plainly_keeps_the_event(body: bytes) -> None:
    receipt = answer(400, b"<html>" + body, {"Content-Type": "text/html"})
    assert receipt.answer is Answer.KEPT
    assert receipt.fix is not None
    assert "https://" in receipt.fix


# 3xx

TARGETS = [
    ("https://user:canary@other.test:8443/a?token=canary#f", "other.test:8443"),
    ("//other.test/x", "other.test"),
    ("/login?token=canary", "another path of its own"),
    ("https://[::1", "a malformed address"),
    ("https://x:canary/", "a malformed address"),
    ("", "nowhere"),
    ("https://\x1bevil.test/", "\\x1bevil.test"),
]


@pytest.mark.parametrize(("location", "target"), TARGETS, ids=[repr(row[0]) for row in TARGETS])
@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_named_by_its_host_only(status: int, location: str, target: str) -> None:
    receipt = answer(status, headers={"Location": location})
    assert receipt.answer is Answer.KEPT
    assert receipt.detail == f"api.test redirects to {target} (HTTP {status})"
    assert receipt.fix is not None
    assert "VERSIONER_API_URL" in receipt.fix
