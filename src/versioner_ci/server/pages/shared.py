"""What many tabs ask for every two seconds is rendered once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from versioner_ci.clock import Clock
from versioner_ci.server.pages.render import Part

SECONDS = 1.0
"""For so long a part counts as new: what a tab shows may be older by this."""
PATIENCE = 2.0
"""Seconds that a request waits for another's part."""
_MOST = 64
"""Parts that are kept; there is one for each search."""


class Shared:
    """The newest part for each key; while one request renders it, the others wait for the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._parts: dict[tuple[str, ...], tuple[float, Part]] = {}

    def part(self, key: tuple[str, ...], make: Callable[[], Part]) -> Part:
        """One that was made less than SECONDS ago, or a new one. Raises what `make` raises."""
        if not self._lock.acquire(timeout=PATIENCE):  # a database that hangs: nobody waits in line for it
            return self._parts[key][1] if key in self._parts else make()
        try:
            until, known = self._parts.get(key, (0.0, None))
            if known is not None and self._clock.monotonic() < until:
                return known
            if len(self._parts) >= _MOST:
                self._parts.clear()
            made = make()
            self._parts[key] = (self._clock.monotonic() + SECONDS, made)
            return made
        finally:
            self._lock.release()
