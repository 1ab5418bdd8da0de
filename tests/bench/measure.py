"""Times of whole processes, and pairs of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finished:
    """One process: wall-clock seconds, peak memory in MB, exit code."""

    seconds: float
    megabytes: float
    code: int


def once(command: Sequence[str], env: Mapping[str, str], cwd: str) -> Finished:
    """Run it with nothing on its streams. The memory is the kernel's count for that one process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Finished(time.perf_counter() - began, usage.ru_maxrss / 1024, process.returncode)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands in one environment and folder."""

    env: Mapping[str, str]
    cwd: str
    pairs: int

    def seconds(self, *command: str) -> float:
        return once(command, self.env, self.cwd).seconds

    def median(self, *command: str) -> float:
        return statistics.median(self.seconds(*command) for _ in range(self.pairs))

    def ratio(self, ours: Sequence[str], theirs: Sequence[str]) -> tuple[float, float, float]:
        """Median of the pairs' ratios, and both medians in seconds; the first pair is not counted."""
        pairs = [(self.seconds(*ours), self.seconds(*theirs)) for _ in range(self.pairs + 1)][1:]
        return (
            statistics.median(a / b for a, b in pairs),
            statistics.median(a for a, _ in pairs),
            statistics.median(b for _, b in pairs),
        )

    def added(
        self, ours: Sequence[str], bare: Sequence[str], theirs: Sequence[Sequence[str]]
    ) -> tuple[float, float, float]:
        """How much `ours` adds to `bare`, against the sum of `theirs`: median ratio, and both medians in seconds."""
        rows = [
            (self.seconds(*ours) - self.seconds(*bare), sum(self.seconds(*command) for command in theirs))
            for _ in range(self.pairs + 1)
        ][1:]
        return (
            statistics.median(a / b for a, b in rows),
            statistics.median(a for a, _ in rows),
            statistics.median(b for _, b in rows),
        )
