"""The one writer of a process: takes what has queued up meanwhile and commits it together."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from versioner_ci.clock import Clock
from versioner_ci.server import moments
from versioner_ci.server.book_rows import Names
from versioner_ci.server.db import Database
from versioner_ci.server.ingest import Accepted, Arrival, Ingest
from versioner_ci.server.payload import Incoming
from versioner_ci.server.problems import Problem

_MOST = 64
"""Events in one transaction."""
_WAITING = 2_000
"""Jobs that may wait: what comes then is to come again later, so that memory and waiting have an end."""
_TOO_LARGE = "54"
"""PostgreSQL's class of errors for a value that is beyond a limit: it is the event's fault."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Job:
    """Something to write, and who waits for it; `work` is an event or a function."""

    work: Arrival | Callable[[Connection], Any]
    future: Future[Any] | asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop | None
    """None: a thread waits, not a coroutine."""


class Writer:
    """Starts its thread with `start`; `stop` first writes all that was handed in."""

    def __init__(self, database: Database, clock: Clock, on_messages: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._on_messages = on_messages
        """Called after a commit that has something for Slack."""
        self._names = Names()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._held: list[_Job | None] = []
        """Taken from the queue, and next; the writer's own."""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.is_running = False

    def start(self) -> None:
        """Once."""
        self.is_running = True
        self._thread.start()

    def stop(self) -> None:
        """After this, what is handed in is refused."""
        if self.is_running:
            self.is_running = False
            self._queue.put(None)
            self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether its thread takes what is handed in."""
        return self._thread.is_alive()

    async def event(self, event: Incoming) -> Accepted:
        """Take an event in. Raises Problem, and SQLAlchemyError if the database cannot."""
        answer = await self._hand_in(Arrival(event, moments.micros(self._clock.wall())))
        if isinstance(answer, Problem):
            raise answer
        accepted: Accepted = answer
        return accepted

    async def change(self, function: Callable[[Connection], Result]) -> Result:
        """Run a function in a write transaction of its own; what it raises is raised here."""
        result = await self._hand_in(function)
        if isinstance(result, Problem):
            raise result
        done: Result = result
        return done

    def call(self, function: Callable[[Connection], Result]) -> Result:
        """The same for a thread, which waits."""
        self._check()
        future: Future[Any] = Future()
        self._queue.put(_Job(function, future, None))
        done: Result = future.result()
        if isinstance(done, Problem):
            raise done
        return done

    def _check(self) -> None:
        if not self.is_running:
            raise Problem(503, "stopping", "the tracker is stopping: try again", headers={"Retry-After": "1"})
        if self._queue.qsize() >= _WAITING:
            message = "the tracker has more to write than its database takes: try again"
            raise Problem(503, "busy", message, headers={"Retry-After": "2"})

    async def _hand_in(self, work: Arrival | Callable[[Connection], Any]) -> Any:
        self._check()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(_Job(work, future, loop))
        return await future

    def _run(self) -> None:
        while (job := self._held.pop() if self._held else self._queue.get()) is not None:
            if isinstance(job.work, Arrival):
                self._events([job], self._grow)
            else:
                self._function(job, job.work)

    def _grow(self, jobs: list[_Job]) -> None:
        """Add the events that follow in the queue; what is no event is done next, alone."""
        while len(jobs) < _MOST and not self._held:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                return
            if following is None or not isinstance(following.work, Arrival):
                self._held.append(following)
                return
            jobs.append(following)

    def _events(self, jobs: list[_Job], grow: Callable[[list[_Job]], None]) -> None:
        """Commit them together, with what `grow` adds once it is this process's turn to write."""
        try:
            answers = self._commit(jobs, grow)
        except Exception as error:  # noqa: BLE001 - whatever it is, its sender must hear of it
            is_lost = is_outage(error)
            if is_lost:
                grow(jobs)
            half = len(jobs) // 2
            if half == 0 or is_lost:
                _settle([(job, error) for job in jobs])
            else:  # one that cannot be written must not cost the others
                self._events(jobs[:half], _nothing)
                self._events(jobs[half:], _nothing)
            return
        _settle(list(zip(jobs, answers, strict=True)))

    def _commit(self, jobs: list[_Job], grow: Callable[[list[_Job]], None]) -> list[Accepted | Problem]:
        with self._database.write() as connection:
            grow(jobs)
            ingest = Ingest(connection, self._names)
            answers = ingest.take([job.work for job in jobs if isinstance(job.work, Arrival)])
        self._names = ingest.book.names
        if ingest.messages:
            self._on_messages()
        return answers

    def _function(self, job: _Job, function: Callable[[Connection], Any]) -> None:
        try:
            with self._database.write() as connection:
                result = function(connection)
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it
            _settle([(job, error)])
        else:
            _settle([(job, result)])


def _nothing(_jobs: list[_Job]) -> None:
    """Half of a batch is tried alone."""


def is_outage(error: Exception) -> bool:
    """Whether the database is at fault, whatever was to be written: another try would only cost time."""
    if isinstance(error, (OperationalError, InterfaceError)):
        return not str(getattr(error.orig, "sqlstate", None) or "").startswith(_TOO_LARGE)
    return isinstance(error, (PoolTimeoutError, OSError))


def _settle(done: Sequence[tuple[_Job, Any]]) -> None:
    """Wake the waiting coroutines, with one call for all."""
    loops = {job.loop for job, _ in done}
    for loop in loops:
        mine = [each for each in done if each[0].loop is loop]
        if loop is None:
            _deliver(mine)
        else:
            loop.call_soon_threadsafe(_deliver, mine)


def _deliver(done: Sequence[tuple[_Job, Any]]) -> None:
    for job, result in done:
        if job.future.done():  # its client has gone
            continue
        if isinstance(result, Exception) and not isinstance(result, Problem):
            job.future.set_exception(result)
        else:
            job.future.set_result(result)
