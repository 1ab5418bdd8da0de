"""One message of the outbox to Slack: one try, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from versioner_ci.clock import Clock
from versioner_ci.event import Event
from versioner_ci.redact import Redactor
from versioner_ci.reply import Reply
from versioner_ci.server import read_history, slack_event, slack_stale
from versioner_ci.server.db import Database
from versioner_ci.server.moments import micros
from versioner_ci.server.outbox import EVENT, STALE
from versioner_ci.server.records import LifecycleRow
from versioner_ci.server.slack_claim import Claim
from versioner_ci.sinks import slack_message as messages
from versioner_ci.sinks._sink import Answer, Item, Target
from versioner_ci.sinks.slack import Slack, Token, spoken, stands
from versioner_ci.sinks.slack_client import Poster, Said, Web, call
from versioner_ci.sinks.slack_errors import GONE, UNTHREADABLE
from versioner_ci.text import cut, one_line

_ORIGIN = "SLACK_BOT_TOKEN"
_LEAST_TRY = 0.05


class Account(NamedTuple):
    """How Slack is reached."""

    token: str
    api_url: str | None
    transport: Poster
    redactor: Redactor


class Suspect(Enum):
    """What keeps a message from being taken: another one of its channel would fare no better, or perhaps would."""

    SLACK = "slack"
    """429, no connection, a wrong token."""
    EITHER = "either"
    """5xx, or an answer that was lost or broken."""
    MESSAGE = "message"


class Outcome(NamedTuple):
    """`place`: where the message stands now. `is_final`: it is not tried again."""

    is_sent: bool
    is_final: bool
    error: str = ""
    retry_after: float | None = None
    place: str | None = None
    is_reply_due: bool | None = None
    """None: as it was before this try."""
    suspect: Suspect = Suspect.SLACK


SENT = Outcome(is_sent=True, is_final=True)


class Sender:
    """Made once; safe to use from several threads."""

    def __init__(self, account: Account, database: Database, clock: Clock) -> None:
        self._account = account
        self._database = database
        self._clock = clock
        token = Token(value=account.token, origin=_ORIGIN)
        self._slack = Slack(token, account.transport, account.redactor, api_url=account.api_url)

    def send(self, claimed: Claim, timeout: float) -> Outcome:
        """One try. Raises SQLAlchemyError if the event cannot be read."""
        with self._database.read() as connection:
            about = read_history.lifecycle(connection, claimed.lifecycle_id)
            row = read_history.event(connection, claimed.event_id or "")
        if claimed.lease_end - micros(self._clock.wall()) < micros(timeout):
            return Outcome(is_sent=False, is_final=False, error="the database was too slow: its turn is over")
        if about is not None and claimed.what == STALE:
            return self._stale(claimed, about, timeout)
        if about is None or row is None:
            return Outcome(is_sent=False, is_final=True, error="its event is gone")
        event = slack_event.told(row, about)
        return (self._event if claimed.what == EVENT else self._quiet)(claimed, event, timeout)

    def _event(self, claimed: Claim, event: Event, timeout: float) -> Outcome:
        """Post, or move the message on; a failure also replies in its thread, with the mentions."""
        target = Target(channel=claimed.channel, mentions=claimed.mention, is_reply_due=claimed.is_reply_due)
        standing = {claimed.channel: claimed.place} if claimed.place else {}
        receipt = self._slack.send(Item(event=event, targets=(target,), channels=standing), timeout=timeout)
        place = receipt.channels.get(claimed.channel)
        if receipt.answer is Answer.ACCEPTED:
            return SENT._replace(place=place)
        left = receipt.targets[0] if receipt.targets else target
        fix = f" ({receipt.fix})" if receipt.fix else ""
        return Outcome(
            is_sent=False,
            is_final=receipt.answer is Answer.REFUSED,
            error=self.said(f"{receipt.detail}{fix}"),
            retry_after=receipt.retry_after,
            place=place,
            is_reply_due=left.is_reply_due,
            suspect=_suspect(receipt.answer),
        )

    def _quiet(self, claimed: Claim, event: Event, timeout: float) -> Outcome:
        """Only move on what stands there: nobody asked for this state in that channel."""
        channel, _, ts = (claimed.place or "").partition("=")
        if not ts:
            return SENT
        event, change = messages.masked(event, self._account.redactor), self._web(timeout).chat_update

        def update(message: messages.Message) -> Said | Reply:
            return call(change, channel=channel, ts=ts, **message.arguments())

        said, _ = spoken(update, messages.update(event), messages.plain(event))
        if not isinstance(said, Reply) and said.code in GONE:
            return SENT
        return self._judged(said, claimed)

    def _stale(self, claimed: Claim, about: LifecycleRow, timeout: float) -> Outcome:
        """A message of its own, in the thread of the lifecycle's where there is one that still stands."""
        if not about.is_stale:  # an ending came meanwhile
            return SENT
        channel, _, ts = (claimed.place or "").partition("=")
        arguments = slack_stale.arguments(about, claimed.mention, self._account.redactor, micros(self._clock.wall()))
        post = self._web(timeout).chat_postMessage
        if ts:
            said = call(post, channel=channel, **arguments, thread_ts=ts, reply_broadcast=True)
            if isinstance(said, Reply) or said.code not in GONE | UNTHREADABLE:
                return self._judged(said, claimed)
        said = call(post, channel=claimed.channel, **arguments)
        return self._judged(said, claimed, stands(said))

    def _judged(self, said: Said | Reply, claimed: Claim, place: str | None = None) -> Outcome:
        judgement = self._slack.judge(said, claimed.channel)
        if judgement.answer is Answer.ACCEPTED:
            return SENT._replace(place=place)
        fix = f" ({judgement.fix})" if judgement.fix else ""
        return Outcome(
            is_sent=False,
            is_final=judgement.answer is Answer.REFUSED,
            error=self.said(f"{judgement.detail}{fix}"),
            retry_after=judgement.retry_after,
            suspect=_suspect(judgement.answer),
        )

    def _web(self, timeout: float) -> Web:
        """`timeout` seconds from now for all of its calls together."""
        return Web(self._account.transport, self._account.token, self._slack.api_url, self._left(timeout))

    def _left(self, timeout: float) -> Callable[[], float]:
        end = self._clock.monotonic() + timeout
        return lambda: max(end - self._clock.monotonic(), _LEAST_TRY)

    def said(self, text: str) -> str:
        """On one line, masked and not too long: what may be shown."""
        return cut(one_line(self._account.redactor(text)), 500)


def _suspect(answer: Answer) -> Suspect:
    return Suspect.EITHER if answer is Answer.UNKNOWN else Suspect.SLACK
