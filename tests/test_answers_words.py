"""No answer, the server's words, and whatever comes: never an exception, a secret or a page."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.answers import KEY, NOW, answer, asked
from versioner_ci.answers import classify
from versioner_ci.reply import Failure, Kind, Reply
from versioner_ci.sinks._sink import Answer

# No answer

FAILURES = [
    (Kind.DNS_UNKNOWN, False, True, Answer.KEPT),
    (Kind.DNS, False, False, Answer.TEMPORARY),
    (Kind.REFUSED, False, False, Answer.TEMPORARY),
    (Kind.CONNECT, False, False, Answer.TEMPORARY),
    (Kind.TLS, False, True, Answer.KEPT),
    (Kind.NOT_TLS, False, True, Answer.KEPT),
    (Kind.TIMEOUT, True, False, Answer.UNKNOWN),
    (Kind.TIMEOUT, False, False, Answer.TEMPORARY),
    (Kind.RESET, True, False, Answer.UNKNOWN),
    (Kind.MALFORMED, True, False, Answer.UNKNOWN),
    (Kind.PROXY, False, False, Answer.TEMPORARY),
    (Kind.PROXY, False, True, Answer.KEPT),
    (Kind.OTHER, False, True, Answer.KEPT),
]


@pytest.mark.parametrize(("kind", "is_sent", "is_lasting", "expected"), FAILURES)
def test_no_answer(kind: Kind, is_sent: bool, is_lasting: bool, expected: Answer) -> None:
    failure = Failure(kind=kind, detail=f"api.test: {KEY}\n", is_sent=is_sent, is_lasting=is_lasting)
    receipt = classify(Reply(headers={}, failure=failure), asked(), now=NOW)
    assert receipt.answer is expected
    assert receipt.detail.startswith("api.test: ***")
    assert ("retry is safe" in receipt.detail) is is_sent


@pytest.mark.parametrize(
    ("kind", "retries"),
    [(Kind.REFUSED, 3), (Kind.PROXY, 3), (Kind.CONNECT, None), (Kind.DNS, None), (Kind.RESET, None)],
)
def test_a_dead_port_is_tried_three_times_more_and_not_for_the_whole_budget(kind: Kind, retries: int | None) -> None:
    failure = Failure(kind=kind, detail="api.test")
    assert classify(Reply(headers={}, failure=failure), asked(), now=NOW).retries == retries


def test_a_tls_failure_says_how_to_name_an_authority() -> None:
    failure = Failure(kind=Kind.TLS, detail="api.test: certificate verify failed", is_lasting=True)
    fix = classify(Reply(headers={}, failure=failure), asked(), now=NOW).fix
    assert fix is not None
    assert "SSL_CERT_FILE" in fix
    assert "REQUESTS_CA_BUNDLE" in fix


# Words

WORDS: list[tuple[str, Any, str]] = [
    ("text", {"detail": "bad version"}, "HTTP 422 from api.test: bad version"),
    (
        "fields",
        {
            "detail": [
                {"loc": ["body", "version"], "msg": "field required", "type": "missing", "input": "canary"},
                {"loc": ["body", "tags", 0], "msg": "no", "ctx": {"error": "canary"}},
            ]
        },
        "HTTP 422 from api.test: body.version: field required; body.tags.0: no",
    ),
    (
        "object",
        {"detail": {"error": "Bad", "message": "Bad version", "code": "E7"}},
        "HTTP 422 from api.test: Bad version (E7)",
    ),
    ("top-level", {"error": "Bad", "message": "Bad version", "code": "E7"}, "HTTP 422 from api.test: Bad version (E7)"),
    ("code-only", {"detail": {"code": "E7"}}, "HTTP 422 from api.test: E7"),
    ("problem", {"title": "Bad", "detail": "Bad version"}, "HTTP 422 from api.test: Bad version"),
    ("title", {"title": "Bad", "status": 422}, "HTTP 422 from api.test: Bad"),
    ("string", "bad", "HTTP 422 from api.test: bad"),
    ("list-of-strings", {"detail": ["one", "two"]}, "HTTP 422 from api.test: one; two"),
    ("number", {"detail": 7}, "HTTP 422 from api.test: 7"),
    ("null", {"detail": None}, "HTTP 422 from api.test"),
    (
        "odd-fields",
        {"detail": [{"loc": {"a": 1}, "msg": ["x"]}, 5, None, {"loc": "body", "msg": "x"}]},
        "HTTP 422 from api.test: invalid; body: x",
    ),
    ("many", {"detail": [{"loc": ["f"], "msg": "x"}] * 20}, "HTTP 422 from api.test: " + "f: x; " * 8 + "and 12 more"),
    (
        "lines",
        {"detail": "a\r\n::error::b\x1b[31m\u2028c"},
        "HTTP 422 from api.test: a\\r\\n::error::b\\x1b[31m\\x2028c",
    ),
    ("secret", {"detail": f"{KEY} is bad"}, "HTTP 422 from api.test: *** is bad"),
    ("surrogate", b'{"detail": "a\\ud800b"}', "HTTP 422 from api.test: a\ufffdb"),
]


@pytest.mark.parametrize(("body", "detail"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_the_servers_words_are_shown_on_one_line(body: Any, detail: str) -> None:
    assert answer(422, body).detail == detail


def test_the_servers_words_are_cut_to_300_characters() -> None:
    detail = answer(422, {"detail": "x" * 5000}).detail
    assert detail == "HTTP 422 from api.test: " + "x" * 299 + "…"


def test_half_a_secret_at_the_cut_is_not_shown() -> None:
    for lead in range(1960, 2001):
        shown = answer(422, {"detail": f"{KEY} " * 60 + "x" * (lead - 60 * (len(KEY) + 1)) + f" {KEY} "}).detail
        assert "canary" not in shown


def test_plain_text_is_shown_and_a_page_is_not() -> None:
    plain = answer(500, b"upstream died", {"Content-Type": "text/plain"})
    assert plain.detail == "HTTP 500 from api.test: upstream died"
    for body, kind in ((b"<html>x</html>", "text/html"), (b"<html>x</html>", "text/plain"), (b"x", "text/html")):
        receipt = answer(502, body, {"Content-Type": kind})
        assert receipt.detail == "HTTP 502 from api.test"


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
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "detail",
                    "error",
                    "message",
                    "code",
                    "details",
                    "rule_name",
                    "retry_after",
                    "loc",
                    "msg",
                    "id",
                    "duplicate",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_bodies = st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode())
_headers = st.dictionaries(
    st.sampled_from(["Content-Type", "Retry-After", "Date", "Location", "X-Request-Id", "Content-Encoding"]),
    st.text(max_size=30) | st.sampled_from(["application/json", "text/plain", "1e999", "//["]),
    max_size=4,
)


_common: dict[str, Any] = {"headers": {}, "is_gated": True, "is_whole": True}


@settings(max_examples=400, deadline=None)
@given(status=st.integers(100, 999), body=_bodies, headers=_headers, is_gated=st.booleans(), is_whole=st.booleans())
@example(status=409, body=b'{"detail": {"retry_after": 1' + b"0" * 400 + b"}}", **_common)
@example(status=422, body=b'{"detail": [{"loc": [' + b"[" * 900 + b"]" * 900 + b"]}]}", **_common)
@example(status=409, body=b'{"detail": {"code": ' + b"9" * 4000 + b"}}", **_common)
def test_every_reply_gives_a_receipt_of_one_line(
    status: int,
    body: bytes,
    headers: dict[str, str],
    is_gated: bool,
    is_whole: bool,
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
