"""Time as an argument: wall clock, monotonic clock and sleep in one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Clock(NamedTuple):
    """`wall` is seconds since the epoch; `monotonic` only ever grows; both in seconds."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def boot_id() -> str | None:
    """Tells one boot of one machine from another: only within it do monotonic times compare."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip() or None
    except (OSError, ValueError):
        return None
