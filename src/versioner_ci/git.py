"""What git says of a working directory: its processes start at once and are read late, so they cost no time."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping

from versioner_ci.hosts._process import start
from versioner_ci.hosts._remote import repository_of

__all__ = ["LIMIT", "WANTED", "Git", "find_program", "repository_of"]

LIMIT = 2.0
"""Seconds that one git process may take."""
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_COMMANDS = {
    "head": ("rev-parse", "--show-toplevel", "HEAD", "--symbolic-full-name", "HEAD"),
    "remote": ("remote", "-v"),
    "tag": ("describe", "--tags", "--exact-match", "HEAD"),
    "user": ("config", "-z", "--get-regexp", r"^user\.(name|email)$"),
}
WANTED = tuple(_COMMANDS)

# A repository's own settings can name programs to run and servers to fetch from: none of them is used.
_SAFE = (
    *("--no-pager", "--no-optional-locks"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "core.sshCommand=false", "-c", "core.askPass=", "-c", "credential.helper="),
    *("-c", "protocol.allow=never", "-c", "safe.bareRepository=explicit", "-c", "log.showSignature=false"),
)
_SAFE_ENV = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_KEPT_ENV = re.compile(
    r"PATH|HOME|XDG_CONFIG_HOME|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|DEVELOPER_DIR"
    r"|GIT_DIR|GIT_WORK_TREE|GIT_CEILING_DIRECTORIES|GIT_SSL\w*"
    r"|SYSTEMROOT|SYSTEMDRIVE|COMSPEC|PATHEXT|TEMP|TMP|USERPROFILE|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA"
    r"|PROGRAMDATA|PROGRAMFILES|USERNAME",
    re.IGNORECASE if sys.platform == "win32" else 0,
)


class Git:
    """Starts one process per wanted word ("head", "remote", "tag", "user") and reads each on first use.

    Never raises and never prompts: without git, outside a repository, in somebody else's repository
    (safe.directory), or after LIMIT seconds the answer is None.
    """

    def __init__(
        self, cwd: str, env: Mapping[str, str], wanted: Iterable[str] = WANTED, *, limit: float = LIMIT
    ) -> None:
        words = tuple(wanted)
        program = find_program(cwd, env) if words else None
        kept = {name: value for name, value in env.items() if _KEPT_ENV.fullmatch(name)}
        self._running = {
            word: start([program, *_SAFE, "-C", cwd, *_COMMANDS[word]], {**kept, **_SAFE_ENV}, limit)
            for word in words
            if program
        }
        self._answers: dict[str, str] = {}

    @property
    def root(self) -> str | None:
        """The folder of the working tree."""
        return self._head(0) or None

    @property
    def sha(self) -> str | None:
        """The full id of the commit that is checked out."""
        value = self._head(1)
        return value if _SHA.fullmatch(value) else None

    @property
    def branch(self) -> str | None:
        """None while HEAD is detached."""
        value = self._head(2)
        return value.removeprefix("refs/heads/") or None if value.startswith("refs/heads/") else None

    @property
    def is_detached(self) -> bool:
        return self._head(2) == "HEAD"

    @property
    def tag(self) -> str | None:
        """A tag of exactly the commit that is checked out."""
        return self._answer("tag").strip() or None

    @property
    def remote(self) -> str | None:
        """The address of `origin`, else of the first remote; it may carry a password: see parse_remote."""
        rows = (line.partition("\t") for line in self._answer("remote").split("\n"))
        remotes = {name: url.rpartition(" (")[0] for name, _, url in rows if "(fetch)" in url}
        return remotes.get("origin") or next(iter(remotes.values()), None)

    @property
    def user_name(self) -> str | None:
        return self._setting("user.name")

    @property
    def user_email(self) -> str | None:
        return self._setting("user.email")

    def close(self) -> None:
        """Ends what nobody has read."""
        for word in tuple(self._running):
            process = self._running.pop(word)
            if process is not None:
                process.kill()

    def _head(self, line: int) -> str:
        return (self._answer("head").split("\n") + [""] * 3)[line]

    def _setting(self, name: str) -> str | None:
        rows = (row.partition("\n") for row in self._answer("user").split("\0"))
        return {key: value for key, _, value in rows}.get(name) or None

    def _answer(self, word: str) -> str:
        process = self._running.pop(word, None)
        if process is not None:
            self._answers[word] = process.read().decode("utf-8", "replace")
        return self._answers.get(word, "")


def find_program(cwd: str, env: Mapping[str, str], name: str = "git") -> str | None:
    """A program on PATH, but never in the working directory, nor in a folder that is relative to it."""
    file = f"{name}.exe" if sys.platform == "win32" else name
    folders = (env.get("PATH") or os.defpath).split(os.pathsep)
    try:
        here = os.path.realpath(cwd)
        safe = (f"{folder}{os.sep}{file}" for folder in folders if _is_safe(folder, here))
        return next((path for path in safe if _is_program(path)), None)
    except (OSError, ValueError):  # ValueError: a NUL in a name
        return None


def _is_safe(folder: str, here: str) -> bool:
    return os.path.isabs(folder) and os.path.realpath(folder) != here  # noqa: PTH117 - pathlib costs milliseconds


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - pathlib costs milliseconds
