"""Slack by incoming webhook: one message per event, since a webhook cannot edit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from versioner_ci.clock import Clock
from versioner_ci.records import replace
from versioner_ci.redact import Redactor
from versioner_ci.reply import Reply
from versioner_ci.sinks import slack_message as messages
from versioner_ci.sinks._sink import Answer, Item, Receipt
from versioner_ci.sinks.slack_client import Hook, Poster, Unspoken
from versioner_ci.sinks.slack_errors import TOO_MUCH, webhook_meaning
from versioner_ci.sinks.slack_judge import ACCEPTED, Blanks, Judgement, coded, unspoken
from versioner_ci.sinks.slack_message import Message
from versioner_ci.sinks.slack_preview import Recording
from versioner_ci.sinks.slack_text import unknown_mentions

_WORD = re.compile(r"[a-z][a-z_]{2,60}")
_CHECK_TIMEOUT = 10.0


class Webhook:
    """Answers of a webhook are plain text: `ok`, or one of Slack's words for what is wrong."""

    name = "slack"

    def __init__(
        self,
        url: str,
        transport: Poster,
        redactor: Redactor,
        *,
        origin: str = "SLACK_WEBHOOK_URL",
        clock: Clock | None = None,
    ) -> None:
        self._url = url
        self._transport = transport
        self._redactor = redactor
        self._origin = origin
        self._clock = clock or Clock()
        Hook(transport, url, self._countdown(0))  # in the main thread: its first use imports modules

    def send(self, item: Item, *, timeout: float) -> Receipt:
        """One try of at most about `timeout` seconds; of several targets only the mentions differ: they are united."""
        event = messages.masked(item.event, self._redactor)
        who = tuple(dict.fromkeys(mention for target in item.targets for mention in target.mentions))
        hook = Hook(self._transport, self._url, self._countdown(timeout))
        word, judgement = self._post(hook, messages.message(event, who))
        warnings = unknown_mentions(who) if messages.is_trouble(event) else ()
        if word in TOO_MUCH:
            _, judgement = self._post(hook, messages.plain(event, who))
            if judgement.answer is Answer.ACCEPTED:
                warnings += (f"Slack refused the message's form ({word}): sent as plain text",)
        return replace(self._receipt(judgement), warnings=warnings, targets=item.targets if judgement.is_open else ())

    def preview(self, item: Item) -> list[dict[str, Any]]:
        """The request that send() would make; the URL is a secret."""
        recording = Recording(b"ok")
        Webhook(self._url, recording, self._redactor).send(item, timeout=60.0)
        return recording.requests

    def send_test(self, *, timeout: float = _CHECK_TIMEOUT) -> Receipt:
        """A test message."""
        hook = Hook(self._transport, self._url, self._countdown(timeout))
        return self._receipt(self._post(hook, Message(text=messages.TEST_TEXT))[1])

    def _post(self, hook: Hook, message: Message) -> tuple[str, Judgement]:
        """Slack's word ("" if there is none) and what it means."""
        now = self._clock.wall()
        filled = {name: value for name, value in message.arguments().items() if value}
        try:
            response = hook.send(unfurl_links=False, unfurl_media=False, **filled)
        except Unspoken as error:
            return "", unspoken(error.reply, self._origin, now)
        status, headers = response.status_code, response.headers
        word = response.body.strip()
        if status == 200 and word == "ok":
            return word, ACCEPTED
        meaning = webhook_meaning(word) if _WORD.fullmatch(word) else None
        if meaning is not None and (status < 500 or meaning.answer is Answer.UNKNOWN):
            return word, coded(word, meaning, headers, Blanks(setting=self._origin), now)
        return "", unspoken(Reply(host="the webhook's server", status=status, headers=headers), self._origin, now)

    def _receipt(self, judgement: Judgement) -> Receipt:
        return Receipt(
            answer=judgement.answer,
            detail=self._redactor(judgement.detail),
            fix=judgement.fix,
            retry_after=judgement.retry_after,
            retry_once=judgement.retry_once,
            retries=judgement.retries,
        )

    def _countdown(self, seconds: float) -> Callable[[], float]:
        end = self._clock.monotonic() + seconds
        return lambda: max(end - self._clock.monotonic(), 0.05)
