"""A strict Slack on loopback: auth.test, chat.postMessage, chat.update and incoming webhooks.

    with FakeSlack() as slack:
        slack.add_channel("#deploys")               # the bot is a member; see Channel for other kinds
        slack.fail("internal_error", method="chat.postMessage", times=1)
        ...                                          # SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.token
        [message] = slack.messages("#deploys")       # as it stands now, edited ones included
        message.text, message.blocks, message.attachments, message.replies, message.edits

`python -m tests.support.fake_slack --port 0` runs it alone and prints what to export; GET /messages shows what stands.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from tests.support.slack_model import SCOPES, WEBHOOK, Call, Channel, Fault, Message, RefusedError, Reply, arguments
from tests.support.slack_rules import MENTION, BadMessageError, check_message
from tests.support.slack_server import HOOK, Server

__all__ = ["TOKEN", "WEBHOOK", "Call", "Channel", "FakeSlack", "Message"]

TOKEN = "-".join(("xoxb", "1234567890", "fakeSlackBotToken0001"))  # noqa: FLY002 - or scanners take it for a real one


class FakeSlack:
    """The workspace and its server; use as a context manager. All of it may be changed while it runs."""

    def __init__(self, *, port: int = 0, token: str = TOKEN) -> None:
        self.token = token
        self.scopes = {"chat:write", "chat:write.public"}
        self.bot = "versioner"
        self.calls: list[Call] = []
        self.channels: dict[str, Channel] = {}
        self.faults: list[Fault] = []
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._count = 0
        self._server = Server(("127.0.0.1", port), self)
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{self.origin}/api/"
        self.webhook_url = f"{self.origin}{HOOK}"
        self.add_channel(WEBHOOK, "C0WEBHOOK")

    def __enter__(self) -> FakeSlack:  # noqa: PYI034 - Self is not in typing before 3.11
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()

    # -- what a test sets up ------------------------------------------------------------------------------------------

    def add_channel(self, name: str, channel_id: str | None = None, **kind: bool) -> Channel:
        """A new channel; `kind`: is_member, is_private, is_archived."""
        channel = Channel(channel_id or f"C0{len(self.channels):04d}FAKE", name.removeprefix("#"))
        for flag, value in kind.items():
            setattr(channel, flag, value)
        self.channels[channel.id] = channel
        return channel

    def fail(
        self,
        error: str,
        *,
        method: str | None = None,
        channel: str | None = None,
        times: int = 1,
        is_done: bool = False,
        **more: Any,
    ) -> None:
        """The next calls that fit are answered `ok: false` with this code (webhooks: the code as text, HTTP 400)."""
        if method == WEBHOOK:
            self.faults.append(Fault(method, channel, times, more.pop("status", 400), {}, error, is_done=is_done))
            return
        body = json.dumps({"ok": False, "error": error, **more})
        self.faults.append(Fault(method, channel, times, 200, {}, body, is_done=is_done))

    def rate_limit(
        self, retry_after: object = 1, *, method: str | None = None, channel: str | None = None, times: int = 1
    ) -> None:
        """HTTP 429 with Retry-After."""
        body = "rate_limited" if method == WEBHOOK else '{"ok": false, "error": "ratelimited"}'
        self.faults.append(Fault(method, channel, times, 429, {"Retry-After": str(retry_after)}, body))

    def answer(self, status: int, body: str | None, **fault: Any) -> None:
        """Any answer at all (None: no answer, the connection is closed); more fields of Fault by name."""
        self.faults.append(Fault(status=status, body=body, **fault))

    def delay(
        self, seconds: float, *, method: str | None = None, channel: str | None = None, times: int = 1_000
    ) -> None:
        """The true answer, late."""
        self.faults.append(Fault(method, channel, times, delay=seconds, passes=True))

    def hang(self, *, method: str | None = None, times: int = 1_000, is_done: bool = False) -> None:
        """No answer for a minute."""
        self.faults.append(Fault(method, None, times, delay=60.0, is_done=is_done))

    def delete(self, channel: str, ts: str) -> None:
        """Somebody deletes a message."""
        found = self.channel(channel)
        found.messages = [message for message in found.messages if message.ts != ts]

    # -- what a test reads --------------------------------------------------------------------------------------------

    def channel(self, name: str) -> Channel:
        """By id, `#name` or name."""
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def messages(self, channel: str = WEBHOOK) -> list[Message]:
        """The channel's messages as they now stand, oldest first; replies hang on theirs."""
        return self.channel(channel).messages

    def methods(self) -> list[str]:
        """The methods called, in order."""
        return [call.method for call in self.calls]

    # -- Slack itself -------------------------------------------------------------------------------------------------

    def serve(self, method: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        """One call."""
        call = Call(method, {}, dict(headers), time.time())
        with self._lock:
            self.calls.append(call)
        try:
            call.args = args = arguments(method, headers, raw)
            fault = self._next_fault(method, args)
            if fault is not None:
                self._stopped.wait(fault.delay)
            if fault is not None and not fault.passes:
                if fault.is_done:
                    self._call(method, headers, args)
                answer: Reply = (None if fault.body is None else fault.status, fault.headers, fault.body or "")
            else:
                answer = self._success(method, self._call(method, headers, args))
        except (BadMessageError, RefusedError) as error:
            answer = self._refusal(method, error)
        call.status, call.reply = answer[0], answer[2]
        return answer

    def _success(self, method: str, reply: Mapping[str, Any]) -> Reply:
        if method == WEBHOOK:
            return 200, {}, "ok"
        return 200, {"X-OAuth-Scopes": ",".join(sorted(self.scopes))}, json.dumps({"ok": True, **reply})

    def _refusal(self, method: str, error: BadMessageError | RefusedError) -> Reply:
        if isinstance(error, BadMessageError):
            error = RefusedError(error.code, response_metadata={"messages": [f"[ERROR] {error.why}"]})
        reply = error.reply
        if method == WEBHOOK:
            status = {"no_service": 404, "channel_is_archived": 410}.get(reply["error"], 400)
            return status, {}, reply["error"]
        return 200, {}, json.dumps(reply)

    def _next_fault(self, method: str, args: Mapping[str, Any]) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                wanted = self._find(fault.channel) if fault.channel else None
                same = fault.channel is None or (wanted is not None and wanted is self._find(str(args.get("channel"))))
                if fault.times > 0 and fault.method in {None, method} and same:
                    fault.times -= 1
                    return fault
        return None

    def _call(self, method: str, headers: Mapping[str, str], args: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            if method != WEBHOOK:
                self._authorise(method, headers)
            if method == "auth.test":
                return {
                    "url": f"{self.origin}/",
                    "team": "Fake Team",
                    "user": self.bot,
                    "team_id": "T0FAKE",
                    "user_id": "U0FAKE",
                    "bot_id": "B0FAKE",
                }
            channel = self._writable(args)
            message = self._update(channel, args) if method == "chat.update" else self._post(channel, args)
            return {"channel": channel.id, "ts": message.ts, "message": {"text": message.text, "type": "message"}}

    def _authorise(self, method: str, headers: Mapping[str, str]) -> None:
        given = headers.get("Authorization", "")
        if not given:
            raise RefusedError("not_authed")
        if given != f"Bearer {self.token}":
            raise RefusedError("invalid_auth")
        needed = SCOPES.get(method)
        if needed and needed not in self.scopes:
            raise RefusedError("missing_scope", needed=needed, provided=",".join(sorted(self.scopes)))

    def _writable(self, args: Mapping[str, Any]) -> Channel:
        """The channel of the call: chat.update (which names a ts) knows channels by id only."""
        name = args.get("channel", WEBHOOK)
        channel = self.channels.get(name) if "ts" in args else self._find(name)
        if channel is None or (channel.is_private and not channel.is_member):
            raise RefusedError("channel_not_found")
        if channel.is_archived:
            raise RefusedError("channel_is_archived" if channel.name == WEBHOOK else "is_archived")
        if not channel.is_member and "chat:write.public" not in self.scopes:
            raise RefusedError("not_in_channel")
        check_message(args)
        return channel

    def _post(self, channel: Channel, args: Mapping[str, Any]) -> Message:
        thread = args.get("thread_ts")
        parent = next((message for message in channel.messages if message.ts == thread), None)
        if thread is not None and parent is None:
            raise RefusedError("thread_not_found")
        if args.get("reply_broadcast") and parent is None:
            raise BadMessageError("invalid_arguments", "reply_broadcast without thread_ts")
        self._count += 1
        message = Message(
            f"{1_700_000_000 + self._count}.{self._count:06d}",
            thread_ts=thread,
            is_broadcast=bool(args.get("reply_broadcast")),
        )
        _fill(message, args)
        message.pings = MENTION.findall(json.dumps([message.blocks or message.text], ensure_ascii=False))
        (channel.messages if parent is None else parent.replies).append(message)
        return message

    def _update(self, channel: Channel, args: Mapping[str, Any]) -> Message:
        every = [found for message in channel.messages for found in (message, *message.replies)]
        message = next((found for found in every if found.ts == args["ts"]), None)
        if message is None:
            raise RefusedError("message_not_found")
        _fill(message, args)
        message.edits += 1
        return message

    def _find(self, name: str | None) -> Channel | None:
        if name in self.channels:
            return self.channels[name]
        return next((c for c in self.channels.values() if c.name == (name or "").removeprefix("#")), None)


def _fill(message: Message, args: Mapping[str, Any]) -> None:
    """What a call leaves out, stays: an edit removes blocks only by an empty array."""
    message.text = args.get("text", message.text)
    message.blocks = args.get("blocks", message.blocks)
    message.attachments = args.get("attachments", message.attachments)


def main(arguments: list[str]) -> None:
    """`--port N`: runs until it is stopped; the channel #deploys exists."""
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 0
    with FakeSlack(port=port) as slack:
        slack.add_channel("#deploys")
        sys.stdout.write(
            f"SLACK_API_URL={slack.url}\nSLACK_BOT_TOKEN={slack.token}\nSLACK_CHANNEL=#deploys\n"
            f"SLACK_WEBHOOK_URL={slack.webhook_url}\nMESSAGES={slack.origin}/messages\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
