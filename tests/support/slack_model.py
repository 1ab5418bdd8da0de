"""What the fake Slack keeps and logs, and the arguments that its methods take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.slack_rules import BadMessageError

WEBHOOK = "webhook"
"""The method name of webhook calls, and the channel that they post to."""
Reply = tuple[int | None, Mapping[str, str], str]
"""Status (None: hang up), headers and body of an answer."""

_MESSAGE = {"channel", "text", "blocks", "attachments", "metadata", "link_names", "parse"}
_ARGUMENTS = {
    "auth.test": set[str](),
    "chat.postMessage": _MESSAGE | {"thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn"},
    "chat.update": _MESSAGE | {"ts", "reply_broadcast"},
    WEBHOOK: {"text", "blocks", "attachments", "unfurl_links", "unfurl_media"},
}
SCOPES = {"chat.postMessage": "chat:write", "chat.update": "chat:write"}


@dataclass
class Message:
    """A message as it now stands in a channel."""

    ts: str
    text: str = ""
    blocks: list[Any] = field(default_factory=list)
    attachments: list[Any] = field(default_factory=list)
    thread_ts: str | None = None
    is_broadcast: bool = False
    """A reply that is shown in the channel too."""
    edits: int = 0
    pings: list[str] = field(default_factory=list)
    """Mentions that notified somebody: in text or top-level blocks when it was posted, not when it was edited."""
    replies: list[Message] = field(default_factory=list)

    @property
    def colour(self) -> str | None:
        return self.attachments[0].get("color") if self.attachments else None

    @property
    def shown(self) -> str:
        """Everything that can be read in it, as JSON."""
        return json.dumps([self.text, self.blocks, self.attachments], ensure_ascii=False)


@dataclass
class Channel:
    """A channel; a private one that the bot is not in does not exist for it."""

    id: str
    name: str
    is_member: bool = True
    is_private: bool = False
    is_archived: bool = False
    messages: list[Message] = field(default_factory=list)


@dataclass
class Call:
    """One request, from its arrival on, and what was answered."""

    method: str
    args: Mapping[str, Any]
    headers: Mapping[str, str]
    at: float
    status: int | None = None
    """None: no answer was given, or not yet."""
    reply: str = ""

    @property
    def error(self) -> str | None:
        """The error code of an answer `ok: false`."""
        found = re.search(r'"error": "([^"]+)"', self.reply)
        return found[1] if found else None


@dataclass
class Fault:
    """What goes wrong with the next `times` calls that fit."""

    method: str | None = None
    channel: str | None = None
    times: int = 1
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    """None: no answer at all, the connection is closed."""
    delay: float = 0.0
    is_done: bool = False
    """The message is posted all the same: the answer lies."""
    passes: bool = False
    """Only the delay: the true answer follows."""


class RefusedError(Exception):
    """Slack says `ok: false`; `reply` is the whole answer."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.reply = {"ok": False, "error": error, **more}


def arguments(method: str, headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
    """The checked arguments of a call. Raises RefusedError or BadMessageError, as Slack would answer."""
    if method not in _ARGUMENTS:
        raise RefusedError("unknown_method", req_method=method)
    if not raw and method == "auth.test":
        return {}
    if not headers.get("Content-Type", "").startswith("application/json"):
        raise RefusedError("invalid_payload" if method == WEBHOOK else "invalid_post_type")
    try:
        args = json.loads(raw, object_pairs_hook=_no_doubles)
    except ValueError:
        raise RefusedError("invalid_payload" if method == WEBHOOK else "invalid_json") from None
    if not isinstance(args, dict):
        raise RefusedError("invalid_payload" if method == WEBHOOK else "json_not_object")
    unknown = args.keys() - _ARGUMENTS[method]
    if unknown or None in args.values():
        raise BadMessageError("invalid_arguments", f"unknown or null argument: {sorted(unknown)}")
    needed = {"chat.postMessage": {"channel"}, "chat.update": {"channel", "ts"}}.get(method, set())
    if not needed <= args.keys():
        raise BadMessageError("invalid_arguments", f"missing required field: {sorted(needed - args.keys())}")
    return args


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
