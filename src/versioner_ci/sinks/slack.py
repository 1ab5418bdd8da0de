"""Slack by bot token: one message per lifecycle and channel that moves on in place, and a reply when it ends badly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from versioner_ci.clock import Clock
from versioner_ci.event import Event
from versioner_ci.records import dataclass, field, replace
from versioner_ci.redact import Redactor, last4
from versioner_ci.reply import Reply
from versioner_ci.sinks import slack_message as messages
from versioner_ci.sinks._sink import Answer, Item, Receipt, Target
from versioner_ci.sinks.slack_client import API_URL, Poster, Said, Web, call
from versioner_ci.sinks.slack_errors import GONE, TOO_MUCH, UNTHREADABLE, bot_meaning
from versioner_ci.sinks.slack_judge import ACCEPTED, Blanks, Judgement, coded, unspoken
from versioner_ci.sinks.slack_message import Message
from versioner_ci.sinks.slack_preview import Recording
from versioner_ci.sinks.slack_text import unknown_mentions
from versioner_ci.text import cut, one_line

_PLACE = re.compile(r"([CGD][A-Z0-9]{2,30})=([0-9]{1,12}\.[0-9]{1,8})")
_WORST_FIRST = (Answer.MISCONFIGURED, Answer.UNKNOWN, Answer.TEMPORARY, Answer.KEPT, Answer.REFUSED, Answer.ACCEPTED)
_LEAST_TRY = 0.05
_CHECK_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The bot token and the name of the setting that it came from."""

    value: str = field(repr=False)
    origin: str = "SLACK_BOT_TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What auth.test says, for `doctor`. `scopes` is empty where Slack does not tell them."""

    judgement: Judgement
    team: str = ""
    bot: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        return self.judgement.answer is Answer.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """One channel's share: what is left to do there, and where its message now stands."""

    channel: str
    judgement: Judgement
    left: Target | None = None
    place: str | None = None
    warning: str | None = None


class Slack:
    """Posts with `chat.postMessage`, moves on with `chat.update`; never lists channels."""

    name = "slack"

    def __init__(
        self,
        token: Token,
        transport: Poster,
        redactor: Redactor,
        *,
        api_url: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._token = token
        self._transport = transport
        self._redactor = redactor
        self.api_url = api_url or API_URL
        self._clock = clock or Clock()
        self._web(self._countdown(0))  # in the main thread: its first use imports modules

    def send(self, item: Item, *, timeout: float) -> Receipt:
        """One try for each of item.targets, all together at most about `timeout` seconds."""
        left = self._countdown(timeout)
        delivery = _Delivery(self._web(left), messages.masked(item.event, self._redactor), item, self.judge)
        served: list[_Served] = []
        todo = list(item.targets)
        while todo and not (served and (served[-1].judgement.is_stop or left() <= _LEAST_TRY)):
            served.append(delivery.serve(todo.pop(0)))
        receipt = self._receipt(served, todo)
        called = tuple(word for target in item.targets for word in target.mentions if messages.is_trouble(item.event))
        return replace(receipt, warnings=(*unknown_mentions(called), *receipt.warnings))

    def preview(self, item: Item) -> list[dict[str, Any]]:
        """The requests that send() would make if Slack took each of them; the token is in the headers."""
        recording = Recording()
        Slack(self._token, recording, self._redactor, api_url=self.api_url).send(item, timeout=60.0)
        return recording.requests

    def check(self, *, timeout: float = _CHECK_TIMEOUT) -> Check:
        """Whether Slack knows the token, whose it is, and what it may do."""
        said = call(self._web(self._countdown(timeout)).auth_test)
        judgement = self.judge(said, "")
        if judgement.answer is not Answer.ACCEPTED or isinstance(said, Reply):
            return Check(judgement=judgement)
        scopes = next((value for name, value in said.headers.items() if name.lower() == "x-oauth-scopes"), "")
        team, bot = self._shown(said.data.get("team")), self._shown(said.data.get("user"))
        may = re.split(r"[\s,]+", self._shown(scopes, 1_000))
        return Check(judgement=judgement, team=team, bot=bot, scopes=tuple(filter(None, may)))

    def send_test(self, channel: str, *, timeout: float = _CHECK_TIMEOUT) -> Receipt:
        """A test message in one channel."""
        said = call(self._web(self._countdown(timeout)).chat_postMessage, channel=channel, text=messages.TEST_TEXT)
        return self._receipt([_Served(channel=channel, judgement=self.judge(said, channel), place=stands(said))], [])

    def judge(self, said: Said | Reply, channel: str) -> Judgement:
        """What Slack's word on one call means."""
        now = self._clock.wall()
        if isinstance(said, Reply):
            return unspoken(said, "SLACK_API_URL", now)
        if said.code is None:
            return ACCEPTED
        if said.status >= 500:
            return Judgement(answer=Answer.UNKNOWN, detail=f"Slack answered HTTP {said.status}", retry_once=True)
        code = "ratelimited" if said.status == 429 else self._shown(said.code)
        blanks = Blanks(setting=self._token.origin, channel=channel, needed=self._shown(said.data.get("needed")))
        judgement = coded(code, bot_meaning(code), said.headers, blanks, now)
        return judgement if judgement.answer is not Answer.MISCONFIGURED else self._about_token(judgement, code, said)

    def _about_token(self, judgement: Judgement, code: str, said: Said) -> Judgement:
        lacks, has = self._shown(said.data.get("needed")), self._shown(said.data.get("provided"))
        scope = f", needs {lacks}, has {has or 'none'}" if lacks else ""
        return replace(judgement, detail=f"token {last4(self._token.value)} from {self._token.origin}: {code}{scope}")

    def _web(self, left: Callable[[], float]) -> Web:
        return Web(self._transport, self._token.value, self.api_url, left)

    def _countdown(self, seconds: float) -> Callable[[], float]:
        end = self._clock.monotonic() + seconds
        return lambda: max(end - self._clock.monotonic(), _LEAST_TRY)

    def _shown(self, value: object, limit: int = 200) -> str:
        return cut(self._redactor(one_line(str(value))), limit) if value else ""

    def _receipt(self, served: list[_Served], rest: list[Target]) -> Receipt:
        judgements = [one.judgement for one in served]
        if rest and not any(judgement.is_open for judgement in judgements):
            judgements.append(Judgement(answer=Answer.TEMPORARY, detail=f"no time left for {rest[0].channel}"))
        worst = min(judgements, key=lambda one: _WORST_FIRST.index(one.answer), default=ACCEPTED)
        lost = [one for one in judgements if one.answer is Answer.REFUSED and worst.answer is not Answer.REFUSED]
        bad = [one for one in judgements if one.answer is not Answer.ACCEPTED and one not in lost]
        fixes = dict.fromkeys(one.fix for one in bad if one.fix)
        done = [one.channel for one in served if one.judgement.answer is Answer.ACCEPTED]
        posted = [f"posted in {', '.join(done)}"] if done else []
        shown = (*posted, *dict.fromkeys(one.detail for one in bad)) if bad else done
        return Receipt(
            answer=worst.answer,
            detail=self._redactor("; ".join(shown)),
            fix="; ".join(fixes) or None,
            retry_after=max((one.retry_after for one in bad if one.retry_after is not None), default=None),
            retry_once=any(one.retry_once for one in bad),
            retries=min((one.retries for one in bad if one.retries is not None), default=None),
            targets=(*(one.left for one in served if one.left), *rest),
            channels={one.channel: one.place for one in served if one.place},
            warnings=(
                *(one.warning for one in served if one.warning),
                *(f"not posted, {one.detail}{f' ({one.fix})' if one.fix else ''}" for one in lost),
            ),
        )


class _Delivery:
    """One event on its way into its channels."""

    def __init__(self, web: Web, event: Event, item: Item, judge: Callable[[Said | Reply, str], Judgement]) -> None:
        self._web = web
        self._event = event
        self._item = item
        self._judge = judge

    def serve(self, target: Target) -> _Served:
        place = _PLACE.fullmatch(self._item.channels.get(target.channel, ""))
        if place is None:
            return self._post(target)
        warning = None
        if not target.is_reply_due:
            said, warning = self._update(place)
            if isinstance(said, Said) and said.code in GONE:
                return self._post(target)
            judgement = self._judge(said, target.channel)
            if judgement.answer is not Answer.ACCEPTED or not messages.is_trouble(self._event):
                left = target if judgement.is_open else None
                return _Served(channel=target.channel, judgement=judgement, left=left, warning=warning)
        return self._reply(target, place, warning)

    def _post(self, target: Target, *, instead_of_reply: bool = False) -> _Served:
        def post(message: Message) -> Said | Reply:
            return self._new(target.channel, message)

        said, warning = spoken(
            post, messages.message(self._event, target.mentions), messages.plain(self._event, target.mentions)
        )
        judgement = self._judge(said, target.channel)
        left = target._replace(is_reply_due=instead_of_reply) if judgement.is_open else None
        place = None if instead_of_reply else stands(said)
        return _Served(channel=target.channel, judgement=judgement, left=left, place=place, warning=warning)

    def _update(self, place: re.Match[str]) -> tuple[Said | Reply, str | None]:
        def update(message: Message) -> Said | Reply:
            return call(self._web.chat_update, channel=place[1], ts=place[2], **message.arguments())

        return spoken(update, messages.update(self._event), messages.plain(self._event))

    def _reply(self, target: Target, place: re.Match[str], warning: str | None) -> _Served:
        def reply(message: Message) -> Said | Reply:
            return self._new(place[1], message, thread_ts=place[2], reply_broadcast=True)

        said, again = spoken(
            reply, messages.reply(self._event, target.mentions), messages.plain(self._event, target.mentions)
        )
        if isinstance(said, Said) and said.code in UNTHREADABLE:
            return self._post(target, instead_of_reply=True)
        judgement = self._judge(said, target.channel)
        left = target._replace(is_reply_due=True) if judgement.is_open else None
        return _Served(channel=target.channel, judgement=judgement, left=left, warning=warning or again)

    def _new(self, channel: str, message: Message, **thread: Any) -> Said | Reply:
        filled = {name: value for name, value in message.arguments().items() if value}
        post = self._web.chat_postMessage
        return call(post, channel=channel, unfurl_links=False, unfurl_media=False, **filled, **thread)


def spoken(send: Callable[[Message], Said | Reply], full: Message, short: Message) -> tuple[Said | Reply, str | None]:
    """The full message; if Slack refuses its form, once more as plain text, with a warning that says so."""
    said = send(full)
    if isinstance(said, Reply) or said.code not in TOO_MUCH:
        return said, None
    again = send(short)
    is_sent = isinstance(again, Said) and again.code is None
    return again, f"Slack refused the message's form ({said.code}): sent as plain text" if is_sent else None


def stands(said: Said | Reply) -> str | None:
    """Where the message stands: `C0123=1700000000.000100`; None if Slack does not say."""
    if isinstance(said, Reply) or said.code is not None:
        return None
    place = f"{said.data.get('channel')}={said.data.get('ts')}"
    return place if _PLACE.fullmatch(place) else None
