"""A tracker on loopback that records what it receives: the API of the real one, as strict as its contract.

    with Recorder(key="sk_1_secret") as tracker:
        ...                                       # send to tracker.url
        tracker.wait_for(1)
        assert tracker.events[0].body["status"] == "started"

By hand, for script/demo and script/bench: `python -m tests.support.recorder --port 0`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.support.recorder_api import KINDS, MOST_BYTES, Answer, Predicate, Received, Rule, ids, problems
from tests.support.recorder_server import Server

__all__ = ["Answer", "Received", "Recorder", "Rule"]


class Recorder:
    """The tracker. `key`: the one bearer key that is let in (None: any or none)."""

    def __init__(self, *, key: str | None = None, delay: float = 0.0, port: int = 0) -> None:
        self.key = key
        self.delay = delay
        """Seconds before each answer."""
        self.requests: list[Received] = []
        """Every request, in order of arrival, whatever it was answered."""
        self.events: list[Received] = []
        """The events that were accepted, each once."""
        self.duplicates: list[Received] = []
        """Accepted again: the key was known."""
        self.rules: list[Rule] = []
        self._script: list[tuple[Answer, Predicate | None, bool]] = []
        self._known: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self._change = threading.Condition()
        self._server = Server(self, port)
        self._server.server_activate()
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._start()

    def __enter__(self) -> Recorder:  # noqa: PYI034 - Self is of 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer_next(
        self,
        status: int = 503,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        times: int = 1,
        when: Predicate | None = None,
        delay: float = 0.0,
    ) -> None:
        """Answers the next `times` requests (that `when` is true of) so, and records no event for them."""
        answer = Answer(status=status, body=body, headers=headers or {}, delay=delay)
        self._script += [(answer, when, False)] * times

    def lose_replies(self, times: int = 1, *, when: Predicate | None = None) -> None:
        """Handles the next requests as ever, but closes the connection instead of answering."""
        self._script += [(Answer(is_lost=True), when, True)] * times

    def reject(self, **fields: Any) -> Rule:
        """Adds a Rule of these fields and returns it."""
        rule = Rule(**fields)
        self.rules.append(rule)
        return rule

    def lift(self, rule: Rule) -> None:
        """Takes a rule back."""
        self.rules.remove(rule)

    def wait_for(self, count: int, *, timeout: float = 10.0, when: Predicate | None = None) -> list[Received]:
        """Waits until `count` events (that `when` is true of) were accepted and returns these; fails the test else."""

        def matching() -> list[Received]:
            return [event for event in self.events if when is None or when(event)]

        with self._change:
            is_there = self._change.wait_for(lambda: len(matching()) >= count, timeout)
        assert is_there, f"{len(matching())} events of {count} after {timeout} s: {self.types()}"
        return matching()

    def types(self) -> list[str]:
        """The accepted events' types, in order: `["deployment.started", …]`."""
        return [event.type for event in self.events]

    def states(self) -> list[str]:
        """The accepted events' states, in order."""
        return [event.state for event in self.events]

    def down(self) -> None:
        """Refuses connections and breaks open ones; the port stays reserved for `up`."""
        self._stop()
        self._server = Server(self, self.port)

    def up(self) -> None:
        """Listens again after `down`."""
        self._server.server_activate()
        self._start()

    def close(self) -> None:
        """Stops for good."""
        self._stop()

    def _start(self) -> None:
        self._server.is_serving = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _stop(self) -> None:
        if self._server.is_serving:
            self._server.shutdown()
        self._server.server_close()
        self._server.break_connections()

    def respond(self, request: Received) -> Answer:
        """The answer to a request; records it. Called by the server's threads."""
        with self._change:
            scripted, is_handled = self._scripted(request)
            answer = scripted if scripted is not None and not is_handled else self._handle(request)
            sent = replace(answer, is_lost=True) if scripted is not None and is_handled else answer
            self.requests.append(replace(request, answered=None if sent.is_lost else sent.status))
            self._change.notify_all()
        return replace(sent, delay=sent.delay + self.delay)

    def _scripted(self, request: Received) -> tuple[Answer | None, bool]:
        for number, (answer, when, is_handled) in enumerate(self._script):
            if when is None or when(request):
                del self._script[number]
                return answer, is_handled
        return None, False

    def _handle(self, request: Received) -> Answer:  # noqa: PLR0911 - one for each answer
        if request.path not in KINDS:
            return Answer(status=404, body={"detail": "Not Found"})
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            return Answer(status=401, body={"detail": "Invalid API key"})
        if len(request.raw) > MOST_BYTES:
            return Answer(status=413, body={"detail": "Request body too large"})
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Answer(status=415, body={"detail": "Content-Type must be application/json"})
        if errors := list(problems(request)):
            return Answer(status=422, body={"detail": errors})
        if request.key in self._known:
            return self._repeat(request, request.key)
        for rule in self.rules:
            if rule.applies(request):
                return rule.answer()
        return self._accept(request)

    def _repeat(self, request: Received, key: str) -> Answer:
        before, reply = self._known[key]
        if before != _sameness(request):
            detail = {"error": "Conflict", "message": "The key was used before", "code": "idempotency_mismatch"}
            return Answer(status=409, body={"detail": detail})
        self.duplicates.append(replace(request, answered=200))
        return Answer(status=200, body={**reply, "duplicate": True})

    def _accept(self, request: Received) -> Answer:
        key = request.key or str(uuid.uuid4())
        reply = ids(request, key)
        self._known[key] = (_sameness(request), reply)
        self.events.append(replace(request, answered=201))
        return Answer(status=201, body=reply)


def _sameness(request: Received) -> tuple[Any, ...]:
    names = ("product_name", "version", "environment_name", "status")
    return (request.kind, *(request.body.get(name) for name in names))


def main() -> None:
    """Prints the URL, then with `--show` a line for each accepted event, until it is stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--reject", metavar="ENVIRONMENT", help="reject deployments to it")
    parser.add_argument("--show", action="store_true", help="print each accepted event's body as one line of JSON")
    options = parser.parse_args()
    with Recorder(key=options.key, delay=options.delay, port=options.port) as recorder:
        if options.reject:
            recorder.reject(environment=options.reject)
        print(recorder.url, flush=True)  # noqa: T201 - a command
        with contextlib.suppress(KeyboardInterrupt):
            _follow(recorder, is_shown=options.show)


def _follow(recorder: Recorder, *, is_shown: bool) -> None:
    seen = 0
    while True:
        with recorder._change:
            recorder._change.wait_for(lambda: len(recorder.events) > seen)  # noqa: B023
        for event in recorder.events[seen:]:
            if is_shown:
                print(json.dumps({"type": event.type, **event.body}), flush=True)  # noqa: T201
            seen += 1


if __name__ == "__main__":
    main()
