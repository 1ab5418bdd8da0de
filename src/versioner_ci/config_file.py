"""Finds and reads `.versioner.yml`; what it says may be anybody's, since a pull request can change it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from versioner_ci.config_record import MAX_BYTES, FileConfig, Problem
from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.text import one_line

NAMES = (".versioner.yml", ".github/versioner.yml")
MISSPELT = (".versioner.yaml", ".github/versioner.yaml", ".github/.versioner.yml", "versioner.yml")
_VARIABLE = "VERSIONER_CONFIG"
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""A named pipe must not block; not every system has each."""


class _UnreadableError(Exception):
    """There is a file, but it is not one to be read."""


def load(
    cwd: str | os.PathLike[str], env: Mapping[str, str], *, path: str | None, context: CIContext
) -> FileConfig | None:
    """The settings file of the repository around `cwd`, or the one named by `path` or VERSIONER_CONFIG alone.

    None: there is none, or the run is for a fork. Raises UsageError only if `path` cannot be read; nothing for content.
    """
    if context.is_fork:
        return None
    here = os.fspath(cwd)
    variable = env.get(_VARIABLE, "").strip()
    named = (path or "").strip() or variable
    if named:
        place = os.path.join(here, named)  # noqa: PTH118 - no pathlib on the hot path
        return _load_named(place, named, is_typed=named != variable)
    root = root_of(here)
    for name in NAMES:
        place = os.path.join(root, name)  # noqa: PTH118
        if os.path.lexists(place):
            return _load(place, name, root)
    wrong = next((name for name in MISSPELT if os.path.lexists(os.path.join(root, name))), None)  # noqa: PTH118
    return _only(wrong, f"is not read under this name; rename it to {NAMES[0]}") if wrong else None


def _load_named(place: str, shown: str, *, is_typed: bool) -> FileConfig:
    try:
        return _parsed(_read(place), shown)
    except _UnreadableError as error:
        if is_typed:
            raise UsageError(f"--config {one_line(shown)}: {error}") from None
        return _only(shown, f"{error} (named by {_VARIABLE})")


def _load(place: str, shown: str, root: str) -> FileConfig:
    try:
        return _parsed(_read(_inside(place, root)), shown)
    except _UnreadableError as error:
        return _only(shown, str(error))


def _only(shown: str, message: str) -> FileConfig:
    return FileConfig(path=shown, problems=(Problem(shown, None, message),))


def root_of(cwd: str) -> str:
    """The nearest folder upwards that holds .git (a folder, or a file in a worktree); without one, `cwd`."""
    folder = start = os.path.abspath(cwd)  # noqa: PTH100
    while not os.path.lexists(os.path.join(folder, ".git")):  # noqa: PTH118
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return start
        folder = parent
    return folder


def _inside(place: str, root: str) -> str:
    """Where it really is. A link that leads out of the repository, or into .git, could show other files' content."""
    real, base = os.path.realpath(place), os.path.realpath(root)
    if not real.startswith(os.path.join(base, "")):  # noqa: PTH118
        raise _UnreadableError("is a link that leads out of the repository; not followed")
    if f"{os.sep}.git{os.sep}" in real[len(base) :]:
        raise _UnreadableError("is a link into .git; not followed")
    return real


def _read(place: str) -> bytes:
    try:
        handle = os.open(place, os.O_RDONLY | _FLAGS)
    except (OSError, ValueError) as error:
        raise _UnreadableError(f"cannot be read: {getattr(error, 'strerror', None) or 'not a path'}") from None
    try:
        return _content(handle)
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}") from None
    finally:
        os.close(handle)


def _content(handle: int) -> bytes:
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise _UnreadableError("is not a file")
    raw = b""
    while len(raw) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(raw))):
        raw += more
    return raw


def _parsed(raw: bytes, shown: str) -> FileConfig:
    if not raw.strip():
        return FileConfig(path=shown)
    from versioner_ci.config_check import checked  # noqa: PLC0415 - it imports yaml, needed only where a file exists

    return checked(raw, shown)
