"""The tracker as users start it: `versioner-ci serve` in a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

COMMAND = Path(sys.executable).with_name("versioner-ci")
_SECONDS = 40.0


@dataclass(slots=True, kw_only=True)
class Tracker:
    """A running server. `key` is an admin's."""

    process: subprocess.Popen[bytes]
    url: str
    key: str
    database: str
    lines: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=20, **options)

    def get(self, path: str, **query: Any) -> Any:
        """The JSON of an answer that must be 200."""
        response = self.request("GET", path, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> requests.Response:
        named = {"Idempotency-Key": key} if key is not None else {}
        return self.request("POST", path, json=body, headers={**named, **headers})

    def deploy(self, status: str = "started", **fields: Any) -> dict[str, Any]:
        """A deployment's event that must be accepted."""
        response = self.post("/deployment-events/", deployment(status, **fields), key=str(uuid.uuid4()))
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def prefer(self, event_type: str, channel: str, **fields: Any) -> str:
        body = {"event_type": event_type, "channel_id": channel, **fields}
        response = self.post("/notification-preferences/", body)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        code = self.process.wait(_SECONDS)
        self.process.stdout.close() if self.process.stdout else None
        return code


def deployment(status: str = "started", **fields: Any) -> dict[str, Any]:
    """A body; a field that is None is left out."""
    body = {"product_name": "shop", "version": "1.4.2", "environment_name": "production", "status": status, **fields}
    return {name: value for name, value in body.items() if value is not None}


def start(database: str, *options: str, key: str = "", log: Path | None = None, **env: str) -> Tracker:
    """Start a server and wait until it listens; `key` where the database has been given one out before."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    with contextlib.ExitStack() as files:
        stderr = files.enter_context(log.open("ab")) if log is not None else subprocess.DEVNULL
        process = subprocess.Popen(
            [str(COMMAND), "serve", "--port", "0", "--database-url", database, *options],
            env={**kept, "LANG": "C.UTF-8", **env},
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    assert process.stdout is not None
    lines = []
    expected = 2 if key or "--no-auth" in options else 3
    while len(lines) < expected:
        line = process.stdout.readline().decode()
        assert line, f"the tracker did not start: {log.read_text() if log is not None else lines}"
        lines.append(line.rstrip("\n"))
    given = key or (lines[2].rpartition(" ")[2] if expected == 3 else "")
    tracker = Tracker(process=process, url=lines[0].rpartition(" ")[2], key=given, database=database, lines=lines)
    _wait(tracker)
    return tracker


@contextlib.contextmanager
def running(database: str, *options: str, key: str = "", log: Path | None = None, **env: str) -> Iterator[Tracker]:
    """The same until the block ends."""
    tracker = start(database, *options, key=key, log=log, **env)
    try:
        yield tracker
    finally:
        tracker.stop()


def wait_until(is_so: Any, seconds: float = 15.0) -> None:
    """Fails if it is not so in time."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def _wait(tracker: Tracker) -> None:
    def is_up() -> bool:
        assert tracker.process.poll() is None, "the tracker has ended"
        try:
            return requests.get(f"{tracker.url}/healthz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    wait_until(is_up, _SECONDS)
