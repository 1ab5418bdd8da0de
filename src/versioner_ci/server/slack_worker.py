"""Sends what the outbox holds, in a few threads, as long as the server runs."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.clock import Clock
from versioner_ci.server import slack_claim
from versioner_ci.server.db import Database, complaint
from versioner_ci.server.moments import micros
from versioner_ci.server.options import Options
from versioner_ci.server.slack_claim import Again, Claim, Lease
from versioner_ci.server.slack_send import Outcome, Sender, Suspect

_THREADS = 4
_IDLE = 0.5
"""Seconds between two looks for what another process has written."""
_BREATH = 0.02
"""Seconds from a wake-up to the look, so that what is written at the same time is seen by the same one."""
_FIRST, _LONGEST = 1.0, 300.0
_AT_MOST = 3600.0
"""Seconds: however long Slack asks to wait, it is asked again by then."""
_HOLDS = 20
"""Tries, in about an hour: a message that alone may be at fault holds its channel no longer."""
_log = logging.getLogger("versioner_ci.server.slack")


class SlackWorker:
    """`wake` makes it look at once; `stop` lets what is in flight end."""

    def __init__(self, database: Database, sender: Sender, options: Options, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._clock = clock
        self._timeout = min(10.0, options.slack_lease * 0.5)
        self._give_up_after = micros(options.give_up_after)
        self._lease = Lease(f"{socket.gethostname()[:60]}:{os.getpid()}", micros(options.slack_lease))
        self._is_stopping = threading.Event()
        self._work = threading.Event()
        self._turn = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, name=f"slack-{number}", daemon=True) for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._work.set()

    def stop(self) -> None:
        """What is being sent may take its time."""
        self._is_stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(self._timeout + 1)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            if not self._guarded(self.step):
                self._wait()

    def _wait(self) -> None:
        """One thread waits for something new, the others for their turn: under load each wake-up costs one look."""
        with self._turn:
            if self._is_stopping.is_set():
                return
            self._work.wait(_IDLE * (0.75 + 0.5 * random.random()))  # noqa: S311 - no secret
            self._is_stopping.wait(_BREATH)
            self._work.clear()  # before the look: what comes meanwhile is seen by the next one

    def _guarded(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except SQLAlchemyError as error:
            _log.warning("the outbox cannot be read: %s", complaint(error))
        except Exception:  # noqa: BLE001 - the thread must live on
            _log.exception("a fault in the Slack worker")
        self._is_stopping.wait(_IDLE)
        return False

    def step(self) -> bool:
        """One message, and what became of it; whether there was one. Raises SQLAlchemyError."""
        claimed = slack_claim.claim(self._database, self._lease, self._now)
        if claimed is None:
            return False
        self.wake()  # there may be more: another thread looks while this one sends
        self._settle(claimed, self._tried(claimed))
        return True

    def _tried(self, claimed: Claim) -> Outcome:
        """Whatever goes wrong with a message is its outcome: else it would be sent again with each lease, unheard."""
        try:
            return self._sender.send(claimed, self._timeout)
        except SQLAlchemyError as error:
            return Outcome(is_sent=False, is_final=False, error=f"its event cannot be read: {complaint(error)}")
        except Exception as error:  # noqa: BLE001 - the message alone is at fault
            if claimed.attempts == 1:
                _log.exception("a fault with the message in %s", claimed.channel, extra=_about(claimed))
            why = self._sender.said(f"a fault of the tracker: {type(error).__name__}: {error}")
            return Outcome(is_sent=False, is_final=False, error=why, suspect=Suspect.MESSAGE)

    def _settle(self, claimed: Claim, outcome: Outcome) -> None:
        """Written down before the lease ends, if the database lets it: what stands in Slack would be sent again."""
        verdict = self._verdict(claimed, outcome)
        while (is_ours := self._written(verdict)) is None:
            if self._now() >= claimed.lease_end:
                return
            self._clock.sleep(_IDLE)
        if is_ours:
            _log.log(verdict.level, verdict.text, claimed.channel, *verdict.words, extra=_about(claimed))
        else:
            late = "too late in %s: another sender has the message, it may stand twice"
            _log.warning(late, claimed.channel, extra=_about(claimed))

    def _written(self, verdict: _Verdict) -> bool | None:
        """None: the database does not take it now."""
        try:
            return verdict.write()
        except SQLAlchemyError as error:
            _log.warning("what became of a message cannot be written down: %s", complaint(error))
            return None

    def _verdict(self, claimed: Claim, outcome: Outcome) -> _Verdict:
        now, database = self._now(), self._database
        if outcome.is_sent:
            return _Verdict(
                lambda: slack_claim.sent(database, claimed, outcome.place, now), logging.INFO, "posted in %s"
            )
        if outcome.is_final or now - claimed.created_at >= self._give_up_after:
            return _Verdict(
                lambda: slack_claim.failed(database, claimed, outcome.error),
                logging.WARNING,
                "not posted in %s, given up: %s",
                (outcome.error,),
            )
        wait = pause(claimed.attempts, outcome.retry_after)
        again = Again(
            at=now + micros(wait),
            error=outcome.error,
            is_reply_due=claimed.is_reply_due if outcome.is_reply_due is None else outcome.is_reply_due,
            place=outcome.place,
            is_aside=is_aside(claimed.attempts, outcome.suspect),
        )
        return _Verdict(
            lambda: slack_claim.later(database, claimed, again),
            logging.WARNING,
            "not posted in %s, again in %.0f s: %s",
            (wait, outcome.error),
        )

    def _now(self) -> int:
        return micros(self._clock.wall())


class _Verdict(NamedTuple):
    """What is written down of a try, and what the log says of it once it is."""

    write: Callable[[], bool]
    level: int
    text: str
    words: tuple[object, ...] = ()


def pause(attempts: int, asked: float | None) -> float:
    """Seconds until the next try: what Slack asks, though never at once; else 1, 2, 4 … 300."""
    if asked is not None:
        return min(max(asked, _FIRST), _AT_MOST)
    return min(_FIRST * 2.0 ** min(attempts - 1, 20), _LONGEST)


def is_aside(attempts: int, suspect: Suspect) -> bool:
    """Whether the channel's other messages go on without it: their order counts for less than that they come."""
    return suspect is Suspect.MESSAGE or (suspect is Suspect.EITHER and attempts >= _HOLDS)


def _about(claimed: Claim) -> dict[str, object]:
    return {"fields": {"lifecycle": claimed.lifecycle_id}}
