"""`--error-file`: the end of a file, or of a pipe, in bounded time."""

from __future__ import annotations

import os
import select
import stat
import time

from versioner_ci.errors import UsageError
from versioner_ci.redact import Redactor
from versioner_ci.settings_parse import shown
from versioner_ci.tail import error_text

_MOST = 1 << 20
_SECONDS = 2.0
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A named pipe that nobody writes to must not block."""


def read_error(path: str, redactor: Redactor) -> str | None:
    """The last 20 lines, masked before they are cut. Raises UsageError."""
    try:
        fd = os.open(path, _FLAGS)
        try:
            return error_text(_end_of(fd), redactor)
        finally:
            os.close(fd)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise UsageError(f"--error-file: cannot read {shown(path)}: {why}") from None


def _end_of(fd: int) -> bytes:
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.lseek(fd, max(0, os.lseek(fd, 0, os.SEEK_END) - _MOST), os.SEEK_SET)
        return os.read(fd, _MOST)
    give_up, end = time.monotonic() + _SECONDS, b""
    while (left := give_up - time.monotonic()) > 0:
        if not select.select([fd], [], [], left)[0] or not (chunk := os.read(fd, 65_536)):
            break
        end = (end + chunk)[-_MOST:]
    return end
