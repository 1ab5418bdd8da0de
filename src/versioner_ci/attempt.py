"""One event at one sink: tries within a budget, and what they came to."""

from __future__ import annotations

import os
from typing import NamedTuple

from versioner_ci import backoff
from versioner_ci.clock import Clock
from versioner_ci.records import replace
from versioner_ci.sinks._sink import Answer, Item, Receipt, Sink

_AGAIN = {Answer.TEMPORARY, Answer.UNKNOWN}
_LEAST_TRY = 0.05


class Deadline:
    """A point of the monotonic clock, for several steps in several threads."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self.at = clock.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds; negative once it is over."""
        return self.at - self._clock.monotonic()

    def within(self, seconds: float) -> Deadline:
        """The same, but at most so many seconds from now."""
        return Deadline(self._clock, min(seconds, self.remaining))


class Attempt(NamedTuple):
    """The last receipt, the item as it now stands, and when the server wants to see it again."""

    receipt: Receipt
    item: Item
    not_before: float | None = None
    """Seconds from now."""


def attempt(sink: Sink, item: Item, deadline: Deadline, clock: Clock, *, retries: int | None = None) -> Attempt:
    """Try, wait, try again, until there is a final answer or the budget (or `retries`) does not reach further."""
    delays = backoff.delays(_jitter)
    done = 0
    while True:
        receipt = _try(sink, item, deadline)
        item = _progress(item, receipt)
        if receipt.answer not in _AGAIN:
            return Attempt(receipt=receipt, item=item)
        asked = receipt.retry_after
        # Never sooner than our own schedule: `Retry-After: 0` from a server in trouble is no invitation to hammer it.
        delay = max(next(delays), 0.0 if asked is None else asked + _jitter() * 0.1)
        if done >= _most(receipt, retries) or delay + _LEAST_TRY > deadline.remaining:
            return Attempt(receipt=receipt, item=item, not_before=asked)
        clock.sleep(delay)
        done += 1


def _try(sink: Sink, item: Item, deadline: Deadline) -> Receipt:
    if deadline.remaining <= 0:
        return Receipt(answer=Answer.KEPT, detail="no time was left to send it")
    try:
        return sink.send(item, timeout=max(_LEAST_TRY, deadline.remaining))
    except Exception as error:  # noqa: BLE001 - one event that brings a sink down must not block all others
        return Receipt(answer=Answer.KEPT, detail=f"a fault of versioner-ci: {type(error).__name__}")


def _most(receipt: Receipt, retries: int | None) -> float:
    limits = (1 if receipt.retry_once else None, receipt.retries, retries)
    return min((limit for limit in limits if limit is not None), default=float("inf"))


def _progress(item: Item, receipt: Receipt) -> Item:
    is_unsure = item.is_unsure or receipt.answer is Answer.UNKNOWN
    if not item.targets:
        return replace(item, is_unsure=is_unsure)
    channels = {**item.channels, **receipt.channels}
    is_left = receipt.answer in {*_AGAIN, Answer.KEPT, Answer.MISCONFIGURED}
    targets = receipt.targets if is_left and receipt.targets else item.targets
    return replace(item, is_unsure=is_unsure, channels=channels, targets=targets)


def _jitter() -> float:
    """0 ≤ x < 1, without importing `random`, which costs more than all else here."""
    return int.from_bytes(os.urandom(2), "big") / 65536
