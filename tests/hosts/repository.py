"""Real git repositories for the tests, apart from this machine's own settings."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from versioner_ci import git as subject

GIT = shutil.which("git") or "git"


def environment(home: Path, **changes: str) -> dict[str, str]:
    """What a person's shell has, with nothing of this machine's git settings."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "USER": "jdoe", **changes}


def git(folder: Path, *arguments: str) -> str:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Jane Doe",
        "GIT_AUTHOR_EMAIL": "jane@example.com",
        "GIT_COMMITTER_NAME": "Jane Doe",
        "GIT_COMMITTER_EMAIL": "jane@example.com",
        "GIT_AUTHOR_DATE": "2026-11-20T12:00:00Z",
        "GIT_COMMITTER_DATE": "2026-11-20T12:00:00Z",
    }
    command = [GIT, "-C", str(folder), "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()


def make(folder: Path, *, remote: str | None = "git@github.com:acme/shop.git", branch: str = "main") -> str:
    """A repository with one commit; returns the commit's id."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", branch)
    (folder / "file.txt").write_text("1\n", encoding="utf-8")
    git(folder, "add", "file.txt")
    git(folder, "commit", "-q", "-m", "first")
    if remote:
        git(folder, "remote", "add", "origin", remote)
    return git(folder, "rev-parse", "HEAD")


def program(folder: Path, script: str) -> Path:
    """A `git` of our own in a folder for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "git"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Git(subject.Git):
    """The same, remembered, so that each test can end what it has not read."""

    def __init__(
        self, cwd: str, env: Mapping[str, str], wanted: Iterable[str] = subject.WANTED, **limit: float
    ) -> None:
        super().__init__(cwd, env, wanted, **limit)
        _STARTED.append(self)


_STARTED: list[Git] = []
NOTHING = (None, None, None, None, None)


def end_all() -> None:
    while _STARTED:
        _STARTED.pop().close()


def answers(one: Git) -> tuple[str | None, ...]:
    return (one.root, one.sha, one.branch, one.remote, one.tag)
