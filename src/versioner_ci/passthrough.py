"""CMD's stderr where it is no terminal: passed through byte for byte, its end remembered.

Imports nothing heavy, as procs.py.
"""

from __future__ import annotations

import os
import select
import sys
import threading

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = termios = None  # type: ignore[assignment]

_TAIL_BYTES = 65_536
_CHUNK = 65_536


class Passthrough:
    """A thread copies the pipe `source` to our own stderr until all who can write to it are gone."""

    def __init__(self, source: int) -> None:
        self._source: int | None = source
        self._lock = threading.Lock()
        self._tail = bytearray()
        self._taken = self._passed = self._owed = 0
        self._over = threading.Event()
        threading.Thread(target=self._pump, args=(source,), name="stderr", daemon=True).start()

    def tail(self) -> bytes:
        """The last 64 KiB."""
        with self._lock:
            return bytes(self._tail[-_TAIL_BYTES:])

    def close_account(self) -> None:
        """CMD has ended: what is in the pipe now is the last that it wrote. A daemon may hold the pipe for ever."""
        with self._lock:
            self._owed = self._taken + _waiting_in(self._source)

    def wait(self, seconds: float) -> None:
        """Wait for the pipe's end, but not long."""
        self._over.wait(seconds)

    def drain(self) -> None:
        """Wait until our stderr has taken all that was in the pipe at CMD's end, however slowly it is read."""
        while self._passed < self._owed and not self._over.wait(0.02):
            pass

    def _pump(self, source: int) -> None:
        is_on = True
        while is_on:
            _wait_for(source, "POLLIN")
            chunk = self._take(source)
            is_on = bool(chunk) and _write_all(2, chunk)
            self._passed += len(chunk)
        with self._lock:
            self._source = None
            os.close(source)
        self._over.set()

    def _take(self, source: int) -> bytes:
        """Read and count in one step, so that what is owed is exact."""
        with self._lock:
            try:
                chunk = os.read(source, _CHUNK)
            except OSError:
                return b""
            self._taken += len(chunk)
            self._tail += chunk
            if len(self._tail) > 2 * _TAIL_BYTES:
                del self._tail[:-_TAIL_BYTES]
            return chunk


def _waiting_in(pipe: int | None) -> int:
    if pipe is None or fcntl is None:
        return 0
    try:
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def _wait_for(fd: int, event: str) -> None:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fd, getattr(select, event))
        poll.poll()


def _write_all(fd: int, data: bytes) -> bool:
    """False: nobody reads it any more, and CMD must learn that as it would without us."""
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            _wait_for(fd, "POLLOUT")
        except BrokenPipeError:
            return False
        except OSError:
            return True
    return True
