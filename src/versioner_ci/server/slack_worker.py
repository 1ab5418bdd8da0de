"""Sends what the outbox holds, in a few threads, as long as the server runs."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from versioner_ci.clock import Clock
from versioner_ci.server import slack_claim
from versioner_ci.server.db import Database, complaint
from versioner_ci.server.moments import micros
from versioner_ci.server.options import Options
from versioner_ci.server.slack_claim import Again, Claim, Lease
from versioner_ci.server.slack_send import Outcome, Sender

_THREADS = 4
_IDLE = 0.5
"""Seconds between two looks for what another process has written."""
_FIRST, _LONGEST = 1.0, 300.0
_AT_MOST = 3600.0
"""Seconds: however long Slack asks to wait, it is asked again by then."""
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
        self._work = threading.Semaphore(0)
        self._threads = [
            threading.Thread(target=self._run, name=f"slack-{number}", daemon=True) for number in range(_THREADS)
        ]

    def start(self) -> None:
        """Once."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something new."""
        for _ in self._threads:
            self._work.release()

    def stop(self) -> None:
        """What is being sent may take its time."""
        self._is_stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(self._timeout + 1)

    def _run(self) -> None:
        while not self._is_stopping.is_set():
            if not self._guarded(self._step):
                self._work.acquire(timeout=_IDLE * (0.75 + 0.5 * random.random()))  # noqa: S311 - no secret

    def _guarded(self, step: Callable[[], bool]) -> bool:
        try:
            return step()
        except SQLAlchemyError as error:
            _log.warning("the outbox cannot be read: %s", complaint(error))
        except Exception:  # noqa: BLE001 - the thread must live on
            _log.exception("a fault in the Slack worker")
        self._is_stopping.wait(_IDLE)
        return False

    def _step(self) -> bool:
        """Whether there was a message to send."""
        claimed = slack_claim.claim(self._database, self._lease, self._now())
        if claimed is None:
            return False
        self._settle(claimed, self._sender.send(claimed, self._timeout))
        return True

    def _settle(self, claimed: Claim, outcome: Outcome) -> None:
        now = self._now()
        if outcome.is_sent:
            slack_claim.sent(self._database, claimed, outcome.place, now)
            _log.info("posted in %s", claimed.channel, extra={"lifecycle": claimed.lifecycle_id})
            return
        is_over = now - claimed.created_at >= self._give_up_after
        if outcome.is_final or is_over:
            slack_claim.failed(self._database, claimed, outcome.error)
            _log.warning("not posted in %s, given up: %s", claimed.channel, outcome.error)
            return
        wait = pause(claimed.attempts, outcome.retry_after)
        again = Again(now + micros(wait), outcome.error, outcome.is_reply_due, outcome.place)
        slack_claim.later(self._database, claimed, again)
        _log.warning("not posted in %s, again in %.0f s: %s", claimed.channel, wait, outcome.error)

    def _now(self) -> int:
        return micros(self._clock.wall())


def pause(attempts: int, asked: float | None) -> float:
    """Seconds until the next try: what Slack asks, else 1, 2, 4 … 300."""
    if asked is not None:
        return min(asked, _AT_MOST)
    return min(_FIRST * 2.0 ** min(attempts - 1, 20), _LONGEST)
