"""The tracker's sink: the exact request, and what becomes of the answers; the table itself is in test_answers.py."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from tests.support import raw_server
from tests.support.raw_server import RawServer
from tests.support.recorder import Recorder
from versioner_ci import __version__
from versioner_ci.event import Event
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.sinks._sink import Answer, Item, Sink
from versioner_ci.sinks.backend import Backend, encode
from versioner_ci.status import Kind, State

KEY = "sk_1_canarycanary"
URL = "https://api.test"


def event(kind: Kind = Kind.DEPLOYMENT, state: State = State.STARTED, **fields: Any) -> Event:
    known = {
        "product": "shop",
        "version": "1.4.2",
        "environment": "production",
        "occurred_at": "2026-01-31T12:00:00.000000Z",
        "lifecycle_id": "5f0c",
        "key": "0e1f",
        "actor": "ada",
        "run_url": "https://ci.test/1",
    }
    return Event(kind=kind, state=state, **{**known, **fields})


def backend(url: str = URL, key: str | None = KEY) -> Backend:
    return Backend(url, key, Transport({}), Redactor([key]), "VERSIONER_API_URL", "VERSIONER_API_KEY")


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_it_is_a_sink() -> None:
    sink: Sink = backend()
    assert sink.name == "backend"


@pytest.mark.parametrize(("kind", "path"), [(Kind.BUILD, "build-events"), (Kind.DEPLOYMENT, "deployment-events")])
@pytest.mark.parametrize("url", [URL, URL + "/", URL + "//", f" {URL} "])
def test_each_kind_goes_to_its_address(api: responses.RequestsMock, kind: Kind, path: str, url: str) -> None:
    api.post(f"{URL}/{path}/", json={"id": "1"}, status=201)
    receipt = backend(url).send(Item(event=event(kind)), timeout=5)
    assert (receipt.answer, receipt.ids, receipt.detail) == (Answer.ACCEPTED, {"id": "1"}, "id 1")


def test_the_request_is_the_contracts(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/deployment-events/", json={}, status=201)
    backend().send(Item(event=event(skip_preflight=True, metadata={"team": "payments ✓"})), timeout=5)
    request = api.calls[0].request
    assert json.loads(request.body or b"") == {
        "product_name": "shop",
        "version": "1.4.2",
        "environment_name": "production",
        "status": "started",
        "deployed_by": "ada",
        "deploy_url": "https://ci.test/1",
        "skip_preflight_checks": True,
        "extra_metadata": {
            "team": "payments ✓",
            "vi_lifecycle_id": "5f0c",
            "vi_occurred_at": "2026-01-31T12:00:00.000000Z",
        },
    }
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Idempotency-Key"] == "0e1f"
    assert request.headers["User-Agent"] == f"versioner-ci/{__version__}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Accept-Encoding"] == "identity"


def test_without_a_key_no_authorization_is_sent(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/deployment-events/", json={}, status=401)
    receipt = backend(key=None).send(Item(event=event()), timeout=5)
    assert "Authorization" not in api.calls[0].request.headers
    assert (receipt.answer, receipt.fix) == (Answer.MISCONFIGURED, "set VERSIONER_API_KEY")


def test_a_retrys_body_is_the_first_trys(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/deployment-events/", status=503)
    for is_unsure in (False, True):
        backend().send(Item(event=event(), is_unsure=is_unsure), timeout=5)
    first, second = (call.request for call in api.calls)
    assert (first.body, first.headers["Idempotency-Key"]) == (second.body, second.headers["Idempotency-Key"])


ANSWERS = [
    (200, {"duplicate": True}, Answer.DUPLICATE),
    (400, {"detail": "no"}, Answer.REFUSED),
    (401, {}, Answer.MISCONFIGURED),
    (404, {}, Answer.MISCONFIGURED),
    (409, {"code": "FROZEN"}, Answer.REFUSED),
    (429, {}, Answer.TEMPORARY),
    (500, {}, Answer.TEMPORARY),
    (302, {}, Answer.KEPT),
]


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS, ids=[str(row[0]) for row in ANSWERS])
def test_an_answer_becomes_a_receipt(
    api: responses.RequestsMock,
    status: int,
    body: dict[str, Any],
    expected: Answer,
) -> None:
    api.post(f"{URL}/deployment-events/", json=body, status=status)
    receipt = backend().send(Item(event=event()), timeout=5)
    assert receipt.answer is expected
    assert "canary" not in repr(receipt)


def test_only_a_gated_start_can_be_rejected(api: responses.RequestsMock) -> None:
    body = {"detail": {"code": "FLOW_VIOLATION", "message": "staging first"}}
    api.post(f"{URL}/deployment-events/", json=body, status=428)
    receipt = backend().send(Item(event=event(), is_gated=True), timeout=5)
    assert receipt.answer is Answer.REJECTED
    assert receipt.rejection is not None
    assert receipt.rejection.reason == "staging first"
    assert backend().send(Item(event=event()), timeout=5).answer is Answer.REFUSED


def test_our_own_unsure_try_is_not_taken_for_a_rival(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/deployment-events/", json={"detail": {"code": "CONCURRENT_DEPLOYMENT"}}, status=409)
    assert backend().send(Item(event=event(), is_gated=True), timeout=5).answer is Answer.REJECTED
    assert backend().send(Item(event=event(), is_gated=True, is_unsure=True), timeout=5).answer is Answer.REFUSED


def test_too_large_an_event_is_told_by_its_size(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/deployment-events/", status=413)
    receipt = backend().send(Item(event=event(metadata={"x": "y" * 5000})), timeout=5)
    size = len(api.calls[0].request.body or b"")
    assert receipt.detail == f"event too large: {size} bytes (HTTP 413 from api.test)"


def test_the_preview_is_what_is_sent(api: responses.RequestsMock) -> None:
    api.post(f"{URL}/build-events/", json={}, status=201)
    item = Item(event=event(Kind.BUILD, State.FAILED, metadata={"error": "boom"}))
    (preview,) = backend().preview(item)
    backend().send(item, timeout=5)
    request = api.calls[0].request
    assert (preview["method"], preview["url"]) == (request.method, request.url)
    assert preview["body"] == json.loads(request.body or b"")
    assert preview["headers"].items() <= dict(request.headers).items()


# Against real sockets


def test_a_strict_tracker_takes_every_kind_and_state() -> None:
    with Recorder(key=KEY) as tracker:
        for kind in Kind:
            for state in State:
                sent = event(kind, state, key=f"{kind}-{state}", started_at="2026-01-31T12:00:00.000000Z")
                assert backend(tracker.url).send(Item(event=sent), timeout=5).answer is Answer.ACCEPTED
    assert len(tracker.events) == 10
    assert {request.answered for request in tracker.requests} == {201}


def test_a_lost_reply_is_unknown_and_its_retry_a_duplicate() -> None:
    with Recorder(key=KEY) as tracker:
        tracker.lose_replies()
        sink, item = backend(tracker.url), Item(event=event())
        assert sink.send(item, timeout=5).answer is Answer.UNKNOWN
        assert sink.send(item, timeout=5).answer is Answer.DUPLICATE
    assert (len(tracker.events), len(tracker.duplicates)) == (1, 1)


def test_the_trackers_complaint_names_fields_and_not_their_values() -> None:
    with Recorder(key=KEY) as tracker:
        receipt = backend(tracker.url).send(Item(event=event(started_at="canary")), timeout=5)
    assert receipt.answer is Answer.REFUSED
    complaint = "body.started_at: Input should be a UTC time with microseconds"
    assert receipt.detail == f"HTTP 422 from 127.0.0.1:{tracker.port}: {complaint}"


def test_a_wrong_key_is_told_by_its_end() -> None:
    with Recorder(key="sk_1_another") as tracker:
        receipt = backend(tracker.url).send(Item(event=event()), timeout=5)
    assert receipt.detail == f"key ending …nary refused by 127.0.0.1:{tracker.port} (HTTP 401): Invalid API key"
    assert receipt.fix == "check the key, from VERSIONER_API_KEY"


def test_a_tracker_that_went_down_refuses_and_comes_back() -> None:
    with Recorder(key=KEY) as tracker:
        sink = backend(tracker.url)
        assert sink.send(Item(event=event()), timeout=5).answer is Answer.ACCEPTED
        tracker.down()
        receipt = sink.send(Item(event=event(key="2")), timeout=5)
        assert (receipt.answer, receipt.detail) == (Answer.TEMPORARY, f"refused by 127.0.0.1:{tracker.port}")
        tracker.up()
        assert sink.send(Item(event=event(key="2")), timeout=5).answer is Answer.ACCEPTED


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (raw_server.hang(), Answer.UNKNOWN),
        (raw_server.lose_reply(), Answer.UNKNOWN),
        (raw_server.drip(b"HTTP/1.1 200 OK\r\n\r\n"), Answer.UNKNOWN),
        (raw_server.truncated(), Answer.UNKNOWN),
        (raw_server.page(200), Answer.KEPT),
        (raw_server.page(502), Answer.UNKNOWN),
        (raw_server.endless(), Answer.ACCEPTED),
        (raw_server.bomb(201, 6), Answer.ACCEPTED),
        (raw_server.bomb(422), Answer.REFUSED),
        (raw_server.raw(b"junk"), Answer.UNKNOWN),
    ],
    ids=["hang", "lost", "drip", "truncated", "page", "bad-gateway-page", "endless", "bomb-201", "bomb-422", "junk"],
)
def test_a_hostile_server_gets_a_receipt_in_time(behaviour: raw_server.Behaviour, expected: Answer) -> None:
    with RawServer(behaviour) as server:
        receipt = backend(server.url).send(Item(event=event()), timeout=0.8)
    assert receipt.answer is expected
    assert "canary" not in repr(receipt)
    assert "<html" not in receipt.detail


# Bodies


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\udcff", "\ufffd"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ({1, 2} - {2}, [1]),
        ((1, "\ud800"), [1, "\ufffd"]),
        (b"x", "b'x'"),
        ({("a",): 1}, {"('a',)": 1}),
        ({"\udcff": None}, {"\ufffd": None}),
    ],
    ids=ascii,
)
def test_what_json_cannot_hold_is_replaced(value: object, expected: object) -> None:
    assert json.loads(encode({"x": value, "same": "ä"})) == {"x": expected, "same": "ä"}


def test_nesting_without_end_is_cut() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = [deep]
    assert len(encode({"x": deep})) < 200


_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=10,
)


@given(_JSON)
def test_every_body_is_valid_utf_8_and_json(value: object) -> None:
    encoded = encode({"x": value})
    assert isinstance(json.loads(encoded.decode(), parse_constant=pytest.fail), Mapping)
