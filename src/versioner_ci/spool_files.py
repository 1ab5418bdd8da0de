"""Files and folders that nobody else may read, written so that a crash leaves the old or the new, never a half."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from versioner_ci.errors import VersionerError

MAX_FILE = 1 << 20
"""Bytes. An event's request is at most 256 KiB; four times that is no file of ours."""
UNFINISHED = ".new-"
"""How the name of a file begins that is being written."""

_IS_POSIX = os.name == "posix"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class SpoolError(VersionerError):
    """The disk does not take the event; it can still be sent, without a safety copy."""


class ForeignError(Exception):
    """A file or folder that is not what this program would have made."""


def why(error: OSError) -> str:
    """`ENOSPC`: the short name that one looks up; never a path."""
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


def user_id() -> int:
    """The effective user; 0 where there are no user ids."""
    return os.geteuid() if _IS_POSIX else 0


def make_private(folder: Path) -> bool:
    """Make `folder`, 0700, if it is missing; its parent must exist. Whether it was made now.

    Raises ForeignError if what stands there is a link, no folder, another user's or open to others; OSError.
    """
    try:
        folder.mkdir(mode=0o700)
        is_new = True
    except FileExistsError:
        is_new = False
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ForeignError("it is a link" if stat.S_ISLNK(found.st_mode) else "it is no folder")
    if _IS_POSIX and found.st_uid != user_id():
        raise ForeignError("it belongs to another user")
    if _IS_POSIX and found.st_mode & 0o077:
        raise ForeignError("others may read it (chmod 700 it)")
    return is_new


def write(path: Path, content: bytes) -> None:
    """Put `content` at `path`, 0600, on disk in full before the name exists. Raises OSError and leaves nothing then."""
    unfinished = path.with_name(UNFINISHED + os.urandom(8).hex())
    fd = os.open(unfinished, _CREATE, 0o600)
    try:
        try:
            _fill(fd, content)
        finally:
            os.close(fd)
        unfinished.replace(path)
    except BaseException:
        remove(unfinished)
        raise
    _sync_folder(path.parent)


def _fill(fd: int, content: bytes) -> None:
    if _IS_POSIX:
        os.fchmod(fd, 0o600)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    """Best effort: not every file system can."""
    if not _IS_POSIX:
        return
    try:
        fd = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        pass
    finally:
        os.close(fd)


def read(path: Path) -> bytes:
    """A private file's content. Raises ForeignError for a file that is not ours alone; FileNotFoundError; OSError."""
    try:
        fd = os.open(path, _READ)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO, errno.EACCES, errno.EPERM}:
            raise ForeignError("it is no regular file of ours") from None
        raise
    try:
        return _content(fd)
    finally:
        os.close(fd)


def _content(fd: int) -> bytes:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise ForeignError("it is no regular file of ours")
    if _IS_POSIX and (found.st_uid != user_id() or found.st_mode & 0o077):
        raise ForeignError("others own it or may read it")
    content = b""
    while chunk := os.read(fd, MAX_FILE + 1 - len(content)):
        content += chunk
    if len(content) > MAX_FILE:
        raise ForeignError("it is too large")
    return content


def rename(source: Path, target: Path) -> bool:
    """Whether it was renamed; no exception, since each caller knows what a failure means."""
    try:
        source.rename(target)
    except OSError:
        return False
    return True


def remove(path: Path) -> bool:
    """Whether it was removed."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def is_usable(folder: Path) -> bool:
    """Whether files can be made in it."""
    try:
        return folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    except (OSError, ValueError):
        return False


def changed(path: Path) -> float:
    """mtime, seconds since the epoch; 0 for what is not there."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def size(path: Path) -> int:
    """Bytes; 0 for what is not there."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that goes; links are removed, not followed."""
    for top, folders, names in os.walk(folder, topdown=False):
        for name in (*names, *folders):
            if not remove(Path(top, name)):
                with contextlib.suppress(OSError):
                    Path(top, name).rmdir()
    with contextlib.suppress(OSError):
        folder.rmdir()


def listing(folder: Path) -> list[str]:
    """The names in `folder`; none where it is missing or unreadable."""
    try:
        return os.listdir(folder)
    except OSError:
        return []
