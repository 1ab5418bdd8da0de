"""The table of answers: every status and body gives a receipt, and never an exception, a secret or a page."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from versioner_ci.answers import Asked, classify
from versioner_ci.redact import Redactor
from versioner_ci.reply import Failure, Kind, Reply
from versioner_ci.sinks._sink import Answer, Receipt
from versioner_ci.times import stamp

NOW = 1_790_000_000.0
KEY = "sk_1_canarycanary"
JSON = {"Content-Type": "application/json"}


def asked(**options: Any) -> Asked:
    return Asked(redact=Redactor([KEY]), url_origin="VERSIONER_API_URL", key_origin="VERSIONER_API_KEY",
                 **{"key": KEY, "size": 300_000, **options})


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None, **options: Any) -> Receipt:
    flags = {name: options.pop(name) for name in ("is_gated", "is_unsure", "key") if name in options}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(status=status, headers={**JSON, **(headers or {})}, body=content, host="api.test", **options)
    return classify(reply, asked(**flags), now=NOW)


def gated(status: int, body: Any = b"", **options: Any) -> Receipt:
    return answer(status, body, is_gated=True, **options)


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


# The tracker's rules

def policy(**fields: Any) -> dict[str, Any]:
    return {"detail": {"error": "Rejected", "message": "No deploys on Friday", **fields}}


REJECTED: list[tuple[str, int, Any]] = [
    ("423", 423, b""),
    ("428", 428, b"<html>"),
    ("423-text", 423, {"detail": "frozen"}),
    ("409-code", 409, policy(code="NO_DEPLOY_WINDOW")),
    ("409-unknown-code", 409, policy(code="FULL_MOON")),
    ("409-error-only", 409, {"detail": {"error": "Blocked"}}),
    ("409-rule-only", 409, {"detail": {"details": {"rule_name": "friday"}}}),
    ("409-top-level", 409, {"code": "FLOW_VIOLATION", "message": "Not in staging yet"}),
    ("409-concurrent", 409, policy(code="CONCURRENT_DEPLOYMENT")),
    ("409-sentence", 409, {"detail": {"error": "Deploying this version would conflict with the freeze"}}),
    ("428-mismatch", 428, policy(code="idempotency_mismatch")),
]


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_a_rule_rejects_a_gated_start(status: int, body: Any) -> None:
    receipt = gated(status, body)
    assert receipt.answer is Answer.REJECTED
    assert receipt.rejection is not None
    assert receipt.rejection.reason


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in REJECTED], ids=[row[0] for row in REJECTED])
def test_the_same_anywhere_else_is_a_refusal(status: int, body: Any) -> None:
    receipt = answer(status, body)
    assert (receipt.answer, receipt.rejection) == (Answer.REFUSED, None)


NOT_POLICY: list[tuple[str, Any]] = [
    ("no-body", b""),
    ("no-code", {"detail": "version 1.2 belongs to another commit"}),
    ("message-only", {"detail": {"message": "version 1.2 belongs to another commit"}}),
    ("list", {"detail": [{"loc": ["body"], "msg": "x"}]}),
    *((code, policy(code=code)) for code in (
        "idempotency_mismatch", "IDEMPOTENCY-MISMATCH", "VERSION_CONFLICT", "version-conflict", "Version Conflict",
        "VERSION_EXISTS", "version_already_exists", "COMMIT_MISMATCH", "commit_conflict", "version_commit_conflict",
        "version_sha_mismatch", "build_version_exists", "scm_sha_mismatch", "DUPLICATE_VERSION", "conflicting_commit",
    )),
    ("error-as-code", {"error": "version_conflict", "message": "x"}),
]


@pytest.mark.parametrize("body", [row[1] for row in NOT_POLICY], ids=[row[0] for row in NOT_POLICY])
def test_a_409_that_is_no_rules_lets_the_work_go_on(body: Any) -> None:
    receipt = gated(409, body)
    assert (receipt.answer, receipt.rejection) == (Answer.REFUSED, None)
    assert receipt.detail.startswith("HTTP 409, a conflict but no rule's rejection")


def test_our_own_earlier_try_is_no_concurrent_deployment() -> None:
    body = policy(code="Concurrent-Deployment")
    assert gated(409, body, is_unsure=True).answer is Answer.REFUSED
    assert gated(409, body, is_unsure=False).answer is Answer.REJECTED
    assert gated(409, policy(code="FLOW_VIOLATION"), is_unsure=True).answer is Answer.REJECTED


@pytest.mark.parametrize(("asked_for", "wait"), [(None, 0.5), (0, 0.5), (0.1, 0.2), (0.7, 0.7), (60, 1.0), ("x", 0.5)])
@pytest.mark.parametrize("is_gated", [True, False])
def test_a_copy_in_flight_is_waited_for_shortly(asked_for: object, wait: float, is_gated: bool) -> None:
    receipt = answer(409, policy(code="IDEMPOTENCY-IN-FLIGHT", retry_after=asked_for), is_gated=is_gated)
    assert (receipt.answer, receipt.retry_after) == (Answer.TEMPORARY, wait)


def test_a_rejection_names_rule_reason_and_time() -> None:
    body = policy(code="NO_DEPLOY_WINDOW", retry_after=90, details={"rule_name": "no-fridays"})
    rejection = gated(409, body).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason, rejection.retry_after) == ("no-fridays", "No deploys on Friday", 90)


def test_a_known_code_stands_for_the_rule() -> None:
    rejection = gated(409, policy(code="flow-violation")).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason) == ("flow-violation", "No deploys on Friday")


UNRECOGNISED = [
    (423, b"", None, "blocked by an unrecognised rule"),
    (428, {"detail": "Approval missing"}, None, "blocked by an unrecognised rule: Approval missing"),
    (409, policy(code="FULL_MOON"), "FULL_MOON", "blocked by an unrecognised rule (FULL_MOON): No deploys on Friday"),
    (409, {"error": "moon"}, "moon", "blocked by an unrecognised rule: moon"),
]


@pytest.mark.parametrize(("status", "body", "rule", "reason"), UNRECOGNISED)
def test_an_unknown_rule_still_blocks_and_says_so(status: int, body: Any, rule: str | None, reason: str) -> None:
    rejection = gated(status, body).rejection
    assert rejection is not None
    assert (rejection.rule, rejection.reason) == (rule, reason)


WAITS = [(30, 30.0), ("30", 30.0), (stamp(NOW + 30), 30.0), (stamp(NOW - 30), 0.0), (True, None), (-1, None),
         ("later", None), (None, None), ({}, None), (1e400, None), ("Mon, 21 Sep 2026 14:13:50 GMT", 30.0)]


@pytest.mark.parametrize(("value", "seconds"), WAITS, ids=[str(row[0]) for row in WAITS])
@pytest.mark.parametrize("place", ["error", "details"])
def test_a_rejections_time_comes_from_the_body(value: object, seconds: float | None, place: str) -> None:
    fields = {"retry_after": value} if place == "error" else {"details": {"retry_after": value}}
    rejection = gated(409, policy(code="X", **fields)).rejection
    assert rejection is not None
    if value == 1e400:
        assert rejection.retry_after is not None
    else:
        assert rejection.retry_after == seconds


def test_a_rejections_time_comes_from_the_header_first() -> None:
    rejection = gated(423, policy(retry_after=90), headers={"Retry-After": "5"}).rejection
    assert rejection is not None
    assert rejection.retry_after == 5


# Other errors

@pytest.mark.parametrize("status", [400, 402, 406, 410, 411, 413, 415, 418, 422, 431, 451, 499])
def test_any_other_4xx_is_final(status: int) -> None:
    receipt = answer(status, {"detail": "no"})
    assert (receipt.answer, receipt.retry_after, receipt.retry_once) == (Answer.REFUSED, None, False)
    assert "no" in receipt.detail


def test_a_413_says_how_large_the_event_was() -> None:
    assert answer(413).detail == "event too large: 300000 bytes (HTTP 413)"


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


@pytest.mark.parametrize(("status", "expected"), [
    (408, Answer.TEMPORARY), (425, Answer.TEMPORARY), (429, Answer.TEMPORARY), (500, Answer.TEMPORARY),
    (501, Answer.TEMPORARY), (503, Answer.TEMPORARY), (599, Answer.TEMPORARY),
    (502, Answer.UNKNOWN), (504, Answer.UNKNOWN), (101, Answer.UNKNOWN), (103, Answer.UNKNOWN), (700, Answer.UNKNOWN),
])
def test_what_may_pass_is_tried_again(status: int, expected: Answer) -> None:
    assert answer(status).answer is expected


def test_a_5xx_names_status_and_request_id() -> None:
    receipt = answer(500, {"detail": "boom"}, {"X-Request-ID": "req-7\x1b[31m"})
    assert receipt.detail == "HTTP 500, request id req-7\\x1b[31m: boom"


@pytest.mark.parametrize(("value", "seconds", "words"), [
    ("2", 2.0, "asks to wait 2 s"), ("1e9", 1e9, "server asks to wait 31 y"), ("0", 0.0, None), ("-5", None, None),
    ("NaN", None, None), ("", None, None),
])
@pytest.mark.parametrize("status", [429, 503])
def test_the_time_that_a_server_asks_for_is_handed_on(
    status: int, value: str, seconds: float | None, words: str | None,
) -> None:
    receipt = answer(status, headers={"Retry-After": value})
    assert (receipt.answer, receipt.retry_after) == (Answer.TEMPORARY, seconds)
    assert (words or "HTTP") in receipt.detail
    assert ("wait" in receipt.detail) is (words is not None)


def test_a_wait_in_a_429s_body_counts_too() -> None:
    assert answer(429, {"detail": {"code": "rate_limited", "retry_after": 7}}).retry_after == 7


@pytest.mark.parametrize("body", [
    b"The plain HTTP request was sent to HTTPS port", b"Client sent an HTTP request to an HTTPS server.",
    b"You're speaking plain HTTP to an SSL-enabled server port.",
])
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


# No answer

FAILURES = [
    (Kind.DNS_UNKNOWN, False, True, Answer.KEPT), (Kind.DNS, False, False, Answer.TEMPORARY),
    (Kind.REFUSED, False, False, Answer.TEMPORARY), (Kind.CONNECT, False, False, Answer.TEMPORARY),
    (Kind.TLS, False, True, Answer.KEPT), (Kind.NOT_TLS, False, True, Answer.KEPT),
    (Kind.TIMEOUT, True, False, Answer.UNKNOWN), (Kind.TIMEOUT, False, False, Answer.TEMPORARY),
    (Kind.RESET, True, False, Answer.UNKNOWN), (Kind.MALFORMED, True, False, Answer.UNKNOWN),
    (Kind.PROXY, False, False, Answer.TEMPORARY), (Kind.PROXY, False, True, Answer.KEPT),
    (Kind.OTHER, False, True, Answer.KEPT),
]


@pytest.mark.parametrize(("kind", "is_sent", "is_lasting", "expected"), FAILURES)
def test_no_answer(kind: Kind, is_sent: bool, is_lasting: bool, expected: Answer) -> None:
    failure = Failure(kind=kind, detail=f"api.test: {KEY}\n", is_sent=is_sent, is_lasting=is_lasting)
    receipt = classify(Reply(headers={}, failure=failure), asked(), now=NOW)
    assert receipt.answer is expected
    assert receipt.detail.startswith("api.test: ***")
    assert ("retry is safe" in receipt.detail) is is_sent


def test_a_tls_failure_says_how_to_name_an_authority() -> None:
    failure = Failure(kind=Kind.TLS, detail="api.test: certificate verify failed", is_lasting=True)
    fix = classify(Reply(headers={}, failure=failure), asked(), now=NOW).fix
    assert fix is not None
    assert "SSL_CERT_FILE" in fix
    assert "REQUESTS_CA_BUNDLE" in fix


# Words

WORDS: list[tuple[str, Any, str]] = [
    ("text", {"detail": "bad version"}, "HTTP 422: bad version"),
    ("fields", {"detail": [{"loc": ["body", "version"], "msg": "field required", "type": "missing", "input": "canary"},
                           {"loc": ["body", "tags", 0], "msg": "no", "ctx": {"error": "canary"}}]},
     "HTTP 422: body.version: field required; body.tags.0: no"),
    ("object", {"detail": {"error": "Bad", "message": "Bad version", "code": "E7"}}, "HTTP 422: Bad version (E7)"),
    ("top-level", {"error": "Bad", "message": "Bad version", "code": "E7"}, "HTTP 422: Bad version (E7)"),
    ("code-only", {"detail": {"code": "E7"}}, "HTTP 422: E7"),
    ("problem", {"title": "Bad", "detail": "Bad version"}, "HTTP 422: Bad version"),
    ("title", {"title": "Bad", "status": 422}, "HTTP 422: Bad"),
    ("string", "bad", "HTTP 422: bad"),
    ("list-of-strings", {"detail": ["one", "two"]}, "HTTP 422: one; two"),
    ("number", {"detail": 7}, "HTTP 422: 7"),
    ("null", {"detail": None}, "HTTP 422"),
    ("odd-fields", {"detail": [{"loc": {"a": 1}, "msg": ["x"]}, 5, None, {"loc": "body", "msg": "x"}]},
     "HTTP 422: invalid; body: x"),
    ("many", {"detail": [{"loc": ["f"], "msg": "x"}] * 20}, "HTTP 422: " + "f: x; " * 8 + "and 12 more"),
    ("lines", {"detail": "a\r\n::error::b\x1b[31m\u2028c"}, "HTTP 422: a\\r\\n::error::b\\x1b[31m\\x2028c"),
    ("secret", {"detail": f"{KEY} is bad"}, "HTTP 422: *** is bad"),
    ("surrogate", b'{"detail": "a\\ud800b"}', "HTTP 422: a?b"),
]


@pytest.mark.parametrize(("body", "detail"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_the_servers_words_are_shown_on_one_line(body: Any, detail: str) -> None:
    assert answer(422, body).detail == detail


def test_the_servers_words_are_cut_to_300_characters() -> None:
    detail = answer(422, {"detail": "x" * 5000}).detail
    assert detail == "HTTP 422: " + "x" * 299 + "…"


def test_half_a_secret_at_the_cut_is_not_shown() -> None:
    for lead in range(1960, 2001):
        shown = answer(422, {"detail": f"{KEY} " * 60 + "x" * (lead - 60 * (len(KEY) + 1)) + f" {KEY} "}).detail
        assert "canary" not in shown


def test_plain_text_is_shown_and_a_page_is_not() -> None:
    assert answer(500, b"upstream died", {"Content-Type": "text/plain"}).detail == "HTTP 500: upstream died"
    for body, kind in ((b"<html>x</html>", "text/html"), (b"<html>x</html>", "text/plain"), (b"x", "text/html")):
        receipt = answer(502, body, {"Content-Type": kind})
        assert receipt.detail == "HTTP 502"


def test_a_page_is_only_for_debugging_and_only_its_beginning() -> None:
    page = f"<html>\r\n\x1b[31m{KEY} {'x ' * 500}".encode()
    debug = answer(502, page, {"Content-Type": "text/html"}).debug
    assert debug.startswith("<html> [31m*** x x x")
    assert len(debug) == 200
    assert answer(500, {"detail": "x"}).debug == ""


def test_hostile_text_costs_no_time() -> None:
    began = time.monotonic()
    for text in ("a" * 60_000, "a:" * 30_000, "://" * 20_000, "xox" * 20_000, "@" * 60_000):
        answer(422, {"detail": text})
        answer(502, text.encode(), {"Content-Type": "text/html"})
    assert time.monotonic() - began < 2


# Whatever comes

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["detail", "error", "message", "code", "details", "rule_name", "retry_after", "loc", "msg",
                         "id", "duplicate"]) | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
_bodies = st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode())
_headers = st.dictionaries(
    st.sampled_from(["Content-Type", "Retry-After", "Date", "Location", "X-Request-Id", "Content-Encoding"]),
    st.text(max_size=30) | st.sampled_from(["application/json", "text/plain", "1e999", "//["]), max_size=4,
)


_common: dict[str, Any] = {"headers": {}, "is_gated": True, "is_whole": True}


@settings(max_examples=400, deadline=None)
@given(status=st.integers(100, 999), body=_bodies, headers=_headers, is_gated=st.booleans(), is_whole=st.booleans())
@example(status=409, body=b'{"detail": {"retry_after": 1' + b"0" * 400 + b"}}", **_common)
@example(status=422, body=b'{"detail": [{"loc": [' + b"[" * 900 + b"]" * 900 + b"]}]}", **_common)
@example(status=409, body=b'{"detail": {"code": ' + b"9" * 4000 + b"}}", **_common)
def test_every_reply_gives_a_receipt_of_one_line(
    status: int, body: bytes, headers: dict[str, str], is_gated: bool, is_whole: bool,
) -> None:
    reply = Reply(status=status, headers=headers, body=body, is_whole=is_whole, host="api.test")
    receipt = classify(reply, asked(is_gated=is_gated), now=NOW)
    texts = [receipt.detail, receipt.fix or "", receipt.debug, *receipt.ids.values()]
    if receipt.rejection is not None:
        texts += [receipt.rejection.rule or "", receipt.rejection.reason]
    for text in texts:
        assert len(text) < 500
        assert text.isprintable() or not any(letter in text for letter in "\r\n\x1b\0\u2028")
        text.encode()
    assert (receipt.answer in {Answer.ACCEPTED, Answer.DUPLICATE}) <= (200 <= status < 300)
    assert (receipt.answer is Answer.REJECTED) <= (is_gated and status in {409, 423, 428})
