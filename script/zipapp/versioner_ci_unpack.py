"""Fills the cache folder of a zipapp, or mends it."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from contextlib import suppress

from versioner_ci_zipapp import missing

_UNUSED = 30 * 86400
"""Seconds after which another version's folder is removed; what is used is touched once a day."""
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def fill(archive: str, own: str, content: str, wanted: dict[str, int]) -> bool:
    """Unpack what is missing into `own`/`content`. False: another process is at it. Raises OSError, BadZipFile.

    Each file appears whole or not at all. One that was cut short is written again.
    """
    folder = os.path.join(own, content)
    for path in (own, folder):
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
    lock = _locked(own)
    if lock is None:
        return False
    try:
        with zipfile.ZipFile(archive) as files:
            for name in list(missing(folder, wanted)):
                _write(os.path.join(folder, *name.split("/")), files.read(name))
        _sweep(own, content)
    finally:
        if lock >= 0:
            os.close(lock)
    return True


def _locked(own: str) -> int | None:
    """A descriptor that holds the lock, -1 where there are none, None if another process holds it."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return -1
    lock = os.open(own, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    except OSError:
        os.close(lock)
        raise
    return lock


def _write(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    unfinished = f"{path}.new"
    with open(os.open(unfinished, _WRITE, 0o600), "wb") as file:
        file.write(content)
    os.replace(unfinished, path)


def _sweep(own: str, content: str) -> None:
    for entry in list(os.scandir(own)):
        if entry.name != content and time.time() - entry.stat(follow_symlinks=False).st_mtime > _UNUSED:
            shutil.rmtree(entry.path, ignore_errors=True)
