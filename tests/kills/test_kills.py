"""200 SIGKILLs over four processes at once: nothing is lost that was accepted, and each event is recorded once."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.faults import KEY, Fault, Running
from tests.support.process import Repo
from tests.support.recorder import Received, Recorder

pytestmark = [pytest.mark.kills, pytest.mark.timeout(500), pytest.mark.skipif(os.name == "nt", reason="SIGKILL")]

KILLS = 200
DELAY = 0.15
BUDGET = "2"
CLASSES = ("before the rename", "during the request", "after the answer")
SLOWED = """
import os, time
class Slowed:
    '''Marks each call in TESTS_STAGES and takes its time, so that a kill can hit the moment.'''
    def __init__(self, name):
        self.call, self.name, self.count = getattr(os, name), name, 0
    def __call__(self, *args, **options):
        self.count += 1
        if folder := os.environ.get("TESTS_STAGES"):
            os.close(os.open(f"{folder}/{self.name}{self.count}", os.O_CREAT | os.O_WRONLY))
            time.sleep(0.03)
        return self.call(*args, **options)
os.fsync, os.unlink = Slowed("fsync"), Slowed("unlink")
"""


@dataclass
class Trial:
    """What the four workers share."""

    fault: Fault
    tracker: Recorder
    hit: Counter[str] = field(default_factory=Counter)
    must: set[tuple[str, str]] = field(default_factory=set)
    """(product, state) of what was on disk, was received, or was reported to its end."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, state: str, product: str, env: dict[str, str] | None = None) -> Running:
        options = ("--product", product, "--version", "1", "--timeout", BUDGET)
        return self.fault.start("report", "build", state, *options, env=env)

    def received(self, product: str, state: str) -> Received | None:
        requests = tuple(self.tracker.requests)
        wanted = (product, state)
        return next((r for r in requests if (r.body.get("product_name"), r.state) == wanted), None)

    def is_kept(self, product: str, state: str) -> bool:
        mark = f'"product": "{product}"'.encode(), f'"state": "{state}"'.encode()
        for path in self.fault.entries():
            try:
                content = path.read_bytes()
            except FileNotFoundError:  # another process has claimed or delivered it just now
                continue
            if all(part in content for part in mark):
                return True
        return False


def kill_one(trial: Trial, number: int) -> None:
    """Report an event and kill the reporter, each time at another kind of moment."""
    chance = random.Random(number)  # noqa: S311 - a lottery
    product, aim = f"p{number}", CLASSES[number % 3]
    stages = trial.fault.folder / "stages" / product
    stages.mkdir(parents=True)
    running = trial.start("started", product, env={"TESTS_STAGES": str(stages)})
    if aim == CLASSES[0] and number % 2:
        time.sleep(chance.uniform(0.05, 0.4))
    elif aim == CLASSES[0]:
        await_stage(running, (stages / "fsync1").exists)
        time.sleep(chance.uniform(0, 0.03))
    elif aim == CLASSES[1]:
        await_stage(running, lambda: trial.received(product, "started") is not None)
        time.sleep(chance.uniform(0, DELAY * 0.8))
    else:
        await_stage(running, (stages / "unlink1").exists)
        time.sleep(chance.uniform(0, 0.04))
    running.process.send_signal(signal.SIGKILL)
    killed_at = time.time()
    is_killed = running.wait(is_searched=False).code == 137
    note(trial, product, is_killed=is_killed, is_answered=(stages / "unlink1").exists(), killed_at=killed_at)


def note(trial: Trial, product: str, *, is_killed: bool, is_answered: bool, killed_at: float) -> None:
    received = trial.received(product, "started")
    # Once more: between the first look and the second another process may have delivered it.
    is_there = bool(received or trial.is_kept(product, "started") or trial.received(product, "started"))
    with trial.lock:
        if is_there or not is_killed:
            trial.must.add((product, "started"))
        if not is_killed:
            trial.hit["not killed"] += 1
        elif not is_there:
            trial.hit[CLASSES[0]] += 1
        elif is_answered:
            trial.hit[CLASSES[2]] += 1
        elif received is not None and received.at <= killed_at < received.at + DELAY:
            trial.hit[CLASSES[1]] += 1
        else:
            trial.hit["elsewhere"] += 1


def end_one(trial: Trial, number: int) -> None:
    """A later hook of the same job, unharmed: what it has returned from may not be lost either."""
    product = f"p{number}"
    result = trial.start("completed", product).wait(is_searched=False)
    assert result.code == 0, result.err
    assert "not delivered; lost" not in result.err, result.err
    trial.must.add((product, "completed"))


def flush_and_kill(trial: Trial, number: int) -> None:
    running = trial.fault.start("flush", "--timeout", BUDGET)
    time.sleep(random.Random(number).uniform(0.2, 1.0))  # noqa: S311
    running.process.send_signal(signal.SIGKILL)
    running.wait(is_searched=False)


def await_stage(running: Running, is_reached: Callable[[], bool]) -> None:
    while running.process.poll() is None and not is_reached():
        time.sleep(0.002)


def work(trial: Trial, numbers: range) -> None:
    for number in numbers:
        kill_one(trial, number)
        if number % 4 == 1:
            end_one(trial, number)
        if number % 25 == 3:
            flush_and_kill(trial, number)


def test_fault_37_nothing_is_lost_or_doubled_by_200_kills(cli_env: dict[str, str], repo: Repo, tmp_path: Path) -> None:
    fault = Fault(cli_env, repo, tmp_path)
    fault.env |= fault.patched(SLOWED)
    lost: set[str] = set()

    def is_unlucky(request: Received) -> bool:
        """Every fifth event's first reply is lost, though the tracker has recorded the event."""
        name = f"{request.body.get('product_name')}{request.state}"
        if int(request.body["product_name"][1:]) % 5 or name in lost:
            return False
        lost.add(name)
        return True

    with Recorder(key=KEY, delay=DELAY) as tracker:
        fault.env["VERSIONER_API_URL"] = tracker.url
        tracker.lose_replies(10_000, when=is_unlucky)
        trial = Trial(fault, tracker)
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(work, trial, range(first, KILLS, 4)) for first in range(4)]:
                done.result()
        sys.stdout.write(f"\nkills: {', '.join(f'{count} {name}' for name, count in trial.hit.most_common())}\n")
        deliver_the_rest(fault)
        assert_all_is_well(trial)


def deliver_the_rest(fault: Fault) -> None:
    """Four flushes at a time, until the leases of those that were killed are over."""
    for _ in range(10):
        for flushing in [fault.start("flush") for _ in range(4)]:
            flushing.wait(70, is_searched=False)
        if not fault.entries():
            return
        time.sleep(0.5)
    pytest.fail(f"still kept: {fault.kept()}")


def assert_all_is_well(trial: Trial) -> None:
    recorded = [(event.body["product_name"], event.state) for event in trial.tracker.events]
    assert trial.must - set(recorded) == set(), "lost"
    assert [name for name, count in Counter(recorded).items() if count > 1] == [], "doubled"
    assert trial.fault.bad() == [], "torn"
    order: dict[str | None, list[str]] = {}
    for event in trial.tracker.events:
        order.setdefault(event.lifecycle, []).append(event.state)
    allowed = ["started"], ["completed"], ["started", "completed"]
    assert [states for states in order.values() if states not in allowed] == [], "out of order"
    assert {name: trial.hit[name] for name in CLASSES if trial.hit[name] < 30} == {}, "too few of a kind"
    assert sum(trial.hit[name] for name in (*CLASSES, "elsewhere")) >= KILLS * 0.9
