"""What the fixtures `run_cli` and `repo` give (tests/conftest.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Result:
    """How a process ended. `code` as a shell shows it: 128 + N after signal N."""

    code: int
    out: str
    err: str
    seconds: float


class RunCli(Protocol):
    """`env` is added to a clean environment; None takes a variable away."""

    def __call__(
        self,
        *args: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        stdin: str | bytes = b"",
        timeout: float = 30.0,
    ) -> Result: ...


@dataclass(frozen=True, kw_only=True)
class Repo:
    """A real repository: branch main, one commit, remote `https://github.com/octo/shop.git`."""

    path: Path
    sha: str
    git: Callable[..., str]
    """Run git in it, `repo.git("tag", "v1")`; what it printed, without the line's end."""
