"""What every sink does alike: an answer in every case, within the time, without a secret in it."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from tests.support import raw_server
from tests.support.slack_events import an_event, an_item
from tests.support.slack_model import Channel, Reply
from tests.support.slack_server import HOOK, Server
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.sinks._sink import Answer, Item, Sink, Target
from versioner_ci.sinks.backend import Backend
from versioner_ci.sinks.slack import Slack, Token
from versioner_ci.sinks.webhook import Webhook
from versioner_ci.status import Kind, State

CANARY = "canary-secret-4711-do-not-show"
SLOW = 0.5


@dataclass
class Canned:
    """A server that gives one answer to everything."""

    reply: Reply = (200, {}, "{}")
    delay: float = 0.0
    requests: list[str] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def serve(self, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        self.requests.append(f"{method} {headers} {raw!r}")
        self.stopped.wait(self.delay)
        return self.reply


@pytest.fixture
def canned() -> Iterator[Canned]:
    workspace = Canned()
    server = Server(("127.0.0.1", 0), workspace)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    workspace.channels["port"] = Channel(str(server.server_address[1]), "port")
    yield workspace
    workspace.stopped.set()
    server.shutdown()
    server.server_close()


def backend(origin: str) -> Sink:
    return Backend(
        url=origin,
        key=CANARY,
        transport=Transport({}),
        redactor=Redactor([CANARY]),
        origin_of_url="VERSIONER_API_URL",
        origin_of_key="VERSIONER_API_KEY",
    )


def slack(origin: str) -> Sink:
    return Slack(Token(value=CANARY), Transport({}), Redactor([CANARY]), api_url=f"{origin}/api/")


def webhook(origin: str) -> Sink:
    return Webhook(f"{origin}{HOOK}", Transport({}), Redactor([CANARY, f"{origin}{HOOK}"]))


SINKS: dict[str, Callable[[str], Sink]] = {"backend": backend, "slack": slack, "webhook": webhook}
ACCEPTANCE = {"backend": "{}", "slack": '{"ok": true, "channel": "C0123", "ts": "1700000000.000100"}', "webhook": "ok"}
NOBODY = {"backend": Answer.TEMPORARY, "slack": Answer.UNKNOWN, "webhook": Answer.UNKNOWN}
"""A 500: the tracker knows keys and counts a retry once, Slack may post twice."""


@pytest.fixture(params=SINKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sink(name: str, canned: Canned) -> Sink:
    return SINKS[name](f"http://127.0.0.1:{canned.channels['port'].id}")


def item(name: str, state: State = State.STARTED) -> Item:
    target = {"backend": (), "slack": (Target(channel="#x"),), "webhook": (Target(channel=""),)}[name]
    return replace(an_item(state), targets=target)


def echo(detail: str) -> str:
    said = {"detail": f"{detail} {CANARY}", "message": f"Authorization: Bearer {CANARY}"}
    return json.dumps({"ok": False, "error": "x", **said})


def test_acceptance(name: str, sink: Sink, canned: Canned) -> None:
    canned.reply = (200, {}, ACCEPTANCE[name])
    assert sink.send(item(name), timeout=5).answer is Answer.ACCEPTED
    assert len(canned.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (400, echo("bad"), Answer.REFUSED),
        (401, "<html>who are you?</html>", Answer.MISCONFIGURED),
        (403, "", Answer.MISCONFIGURED),
        (404, "<html>nothing here</html>", Answer.MISCONFIGURED),
        (409, echo("conflict"), Answer.REFUSED),
        (429, '{"ok": false, "error": "ratelimited"}', Answer.TEMPORARY),
        (500, echo("oops"), None),
        (503, "<html>later</html>", None),
        (200, "<html>please log in</html>", Answer.KEPT),
        (302, "", Answer.KEPT),
    ],
    ids=lambda value: str(value)[:6] if isinstance(value, int) else "",
)
def test_every_refusal_has_its_meaning(
    name: str,
    sink: Sink,
    canned: Canned,
    status: int,
    body: str,
    answer: Answer | None,
) -> None:
    canned.reply = (status, {"Location": f"https://elsewhere.example/?{CANARY}"} if status == 302 else {}, body)
    receipt = sink.send(item(name), timeout=5)
    assert receipt.answer is (answer or NOBODY[name])
    assert CANARY not in repr(receipt)
    assert "<html>" not in f"{receipt.detail} {receipt.fix}"
    assert len(canned.requests) == 1, "one try, no retry, no redirect followed"


def test_garbage_after_a_good_start_is_no_acceptance(name: str, sink: Sink, canned: Canned) -> None:
    canned.reply = (200, {"Content-Length": "99999"}, ACCEPTANCE[name])
    assert sink.send(item(name), timeout=SLOW).answer is Answer.UNKNOWN


def test_silence_ends_with_the_time_given(name: str, sink: Sink, canned: Canned) -> None:
    canned.delay = 30
    began = time.monotonic()
    receipt = sink.send(item(name), timeout=SLOW)
    assert time.monotonic() - began < SLOW + 1.5
    assert receipt.answer is Answer.UNKNOWN


def test_a_server_that_hangs_up_leaves_it_open(name: str, sink: Sink, canned: Canned) -> None:
    canned.reply = (None, {}, "")
    assert sink.send(item(name), timeout=5).answer is Answer.UNKNOWN


@pytest.mark.parametrize(
    "behaviour",
    [
        raw_server.reset(),
        raw_server.reset(raw_server.head(200)),
        raw_server.drip(raw_server.head(200)),
        raw_server.drip(),
        raw_server.truncated(),
        raw_server.lose_reply(),
        raw_server.header_flood(),
        raw_server.interim_flood(),
        raw_server.raw(b"220 mail.example ESMTP\r\n"),
    ],
    ids=["reset", "reset-later", "drip-body", "drip", "truncated", "lost", "headers", "1xx", "smtp"],
)
def test_a_broken_answer_leaves_it_open(name: str, behaviour: raw_server.Behaviour) -> None:
    with raw_server.RawServer(behaviour) as server:
        began = time.monotonic()
        receipt = SINKS[name](server.url).send(item(name), timeout=1)
        assert time.monotonic() - began < 3
    assert receipt.answer is Answer.UNKNOWN
    assert CANARY not in repr(receipt)
    assert len(receipt.detail) < 400


@pytest.mark.parametrize(
    "behaviour",
    [
        raw_server.endless(),
        raw_server.bomb(),
        raw_server.reply(200, b"\xff\xfe\x00"),
        raw_server.reply(200, b"[" * 60_000),
    ],
    ids=["endless", "bomb", "bytes", "nested"],
)
def test_a_body_that_cannot_be_read_goes_by_what_the_sink_needs_of_it(
    name: str,
    behaviour: raw_server.Behaviour,
) -> None:
    """The tracker's status says enough (faults 29 to 31); Slack answers 200 whatever it thinks."""
    with raw_server.RawServer(behaviour) as server:
        began = time.monotonic()
        receipt = SINKS[name](server.url).send(item(name), timeout=2)
        assert time.monotonic() - began < 4
    assert receipt.answer is (Answer.ACCEPTED if name == "backend" else Answer.KEPT)


def test_a_closed_port_is_temporary_and_named(name: str) -> None:
    with contextlib.closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        receipt = SINKS[name](f"http://127.0.0.1:{port}").send(item(name), timeout=5)
    assert receipt.answer is Answer.TEMPORARY
    assert f"127.0.0.1:{port}" in receipt.detail


def test_a_name_that_does_not_exist_is_kept_without_a_retry(name: str) -> None:
    receipt = SINKS[name]("https://no-such-host.invalid").send(item(name), timeout=5)
    assert receipt.answer in {Answer.KEPT, Answer.TEMPORARY}
    assert "no-such-host.invalid" in receipt.detail


def test_plain_http_to_another_machine_is_never_sent(name: str) -> None:
    receipt = SINKS[name]("http://192.0.2.1").send(item(name), timeout=SLOW)
    assert receipt.answer is Answer.KEPT
    assert "plain http://" in receipt.detail


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_every_event_type_can_be_sent(name: str, sink: Sink, canned: Canned, kind: Kind, state: State) -> None:
    canned.reply = (200, {}, ACCEPTANCE[name])
    metadata = {"error": "\ud800\0\x1b[31m", "duration_seconds": float("nan"), "reason": ["x"], "error_code": {}}
    receipt = sink.send(replace(item(name), event=an_event(state, kind, metadata=metadata)), timeout=5)
    assert receipt.answer is Answer.ACCEPTED


def test_a_preview_lists_the_requests_and_sends_none(name: str, sink: Sink, canned: Canned) -> None:
    requests = sink.preview(item(name))
    assert canned.requests == []
    assert [set(request) for request in requests] == [{"method", "url", "headers", "body"}]
    assert isinstance(requests[0]["body"], dict)


def test_nothing_is_written_to_stdout_stderr_or_a_log(
    name: str,
    sink: Sink,
    canned: Canned,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    for status, body in ((200, ACCEPTANCE[name]), (401, echo("no")), (500, "<html>"), (200, "<html>"), (None, "")):
        canned.reply = (status, {}, body)
        sink.send(item(name), timeout=5)
    assert capfd.readouterr() == ("", "")
    assert CANARY not in caplog.text
