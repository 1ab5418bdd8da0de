"""The lifecycles of one CI job, in one locked 0600 file, so that its hooks agree on who they report."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from versioner_ci.records import asdict, dataclass, defaults, field, names, replace

try:
    import fcntl
except ImportError:  # Windows: no flock; hooks of one job run one after another there
    fcntl = None  # type: ignore[assignment]

MAX_AGE = 72 * 3600.0
_MOST_RECORDS = 200
_LOCK_SECONDS = 3.0
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A lifecycle as frozen at its first event, and how far it has come."""

    id: str
    group: str
    kind: str
    product: str
    version: str
    environment: str | None = None
    key: str | None = None
    invoke_id: str | None = None
    count: int = 0
    opened: float
    state: str | None = None
    """The newest state that was reported; None: taken from a handle, nothing reported yet."""
    started_at: str | None = None
    started_monotonic: float | None = None
    boot: str | None = None
    is_own: bool = True
    """Opened by this job, not taken over by a handle from another."""
    run: str | None = None
    """The token of the `run` that opened it, or took over its pending."""
    is_rejected: bool = False
    is_pending_accepted: bool = False
    channels: Mapping[str, str] = field(default_factory=dict)
    """Slack channel as configured → `C0123=ts`."""
    scm: Mapping[str, str] = field(default_factory=dict)
    """Commit, branch and repository of the first event that knew a commit."""
    destinations: str | None = None
    """The mark of where its newest start went; see destinations.py."""
    completed_at: str | None = None
    """Well until then, whatever comes: its ending is left to a call that reports to where it began."""
    told: tuple[str, ...] = ()
    """`slack:started`, …: what each sink has accepted."""
    error: str | None = None
    error_code: str | None = None

    @property
    def is_open(self) -> bool:
        return not self.is_rejected and self.state not in {"completed", "failed", "aborted"}


class JobState:
    """The file at `path`; None or an unwritable place keeps the records in memory only."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem: str | None = None
        self._memory: list[Record] = []
        self._threads = threading.Lock()

    def read(self) -> list[Record]:
        """The records, oldest first, without waiting for the lock."""
        if self.path is None:
            return list(self._memory)
        try:
            fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with open(fd, "rb") as file:
                return _parse(file.read(4 << 20))
        except OSError:
            return list(self._memory)

    @contextlib.contextmanager
    def changing(self) -> Iterator[list[Record]]:
        """The records under the file's lock; what is left in the list is saved."""
        with self._threads:
            fd = self._lock()
            records = list(self._memory) if fd is None else _parse(_read_all(fd))
            try:
                yield records
                self._memory = records
                if fd is not None and self.path is not None:
                    self._save(self.path, records)
            finally:
                if fd is not None:
                    os.close(fd)

    def update(self, lifecycle: str, **changes: Any) -> None:
        """Change one record's fields; one that is gone is left alone."""
        with self.changing() as records:
            for index, record in enumerate(records):
                if record.id == lifecycle:
                    records[index] = replace(record, **changes)

    def _lock(self) -> int | None:
        if self.path is None:
            return None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return _open_locked(self.path)
        except OSError as error:
            self.problem = _cannot(error)
            self.path = None
            return None

    def _save(self, path: Path, records: list[Record]) -> None:
        body = {"format": _FORMAT, "records": [_slim(record) for record in records[-_MOST_RECORDS:]]}
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
            with open(fd, "w", encoding="utf-8", errors="replace") as file:
                json.dump(body, file)
            temporary.replace(path)
        except OSError as error:
            self.problem = _cannot(error)


def _open_locked(path: Path) -> int:
    """Open and lock; a file that was replaced while we waited is opened anew."""
    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            _flock(fd, give_up)
            if os.name == "nt" or _is_same(fd, path) or time.monotonic() > give_up:
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _flock(fd: int, give_up: float) -> None:
    """Wait for the lock, but not for ever."""
    while fcntl is not None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                return
            time.sleep(0.005)
        except OSError:  # a file system without locks
            return
        else:
            return


def _is_same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except OSError:
        return False


def _read_all(fd: int) -> bytes:
    with open(os.dup(fd), "rb") as file:
        return file.read(4 << 20)


def _slim(record: Record) -> dict[str, Any]:
    """Without what is as a record has it anyway."""
    plain = defaults(Record)
    return {name: value for name, value in asdict(record).items() if name not in plain or value != plain[name]}


def _cannot(error: OSError) -> str:
    why = error.strerror or type(error).__name__
    return f"cannot keep this job's state ({why}): a later call cannot know that this one belongs to it"


def _parse(raw: bytes) -> list[Record]:
    """The records of a file; a torn or foreign one has none."""
    try:
        body = json.loads(raw or b"{}")
        rows = body.get("records", []) if body.get("format") == _FORMAT else []
        records = [_record(row) for row in rows]
        oldest = time.time() - MAX_AGE
        return [record for record in records if record.opened > oldest]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []


def _record(row: Mapping[str, Any]) -> Record:
    known = names(Record)
    record = Record(
        **{name: value for name, value in row.items() if name in known and name != "told"},
        told=tuple(row.get("told", ())),
    )
    texts = (record.id, record.group, record.kind, record.product, record.version)
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(found, dict) for found in (record.channels, record.scm)
    ):
        raise TypeError("not a record")
    return record
