"""What is built: the repository's files, its version, and the time of its commit, which everything made carries."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INIT = "src/versioner_ci/__init__.py"
_VERSION = re.compile(r'^__version__ = "(\d+\.\d+\.\d+)"$', re.MULTILINE)
_DATED = r"^## \[{}\] - \d{{4}}-\d{{2}}-\d{{2}}$"


class BuildError(Exception):
    """Nothing can be built; the text is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the repository or of something made from it."""

    content: bytes
    is_executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """All that is built from. `files` by their names with /, sorted; `epoch` in seconds."""

    version: str
    epoch: int
    commit: str
    files: dict[str, File]
    is_committed: bool

    def text(self, name: str) -> str:
        return self.files[name].content.decode("utf-8")


def read(root: Path) -> Source:
    """What git has, or would take, as it stands in `root`. Raises BuildError."""
    names = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    files = {name: _file(root / name) for name in sorted(set(names) - {""}) if (root / name).is_file()}
    epoch, commit = _git(root, "log", "-1", "--format=%ct %H").split()
    return Source(
        version=version_of(files[INIT].content.decode("utf-8")),
        epoch=int(epoch),
        commit=commit,
        files=files,
        is_committed=not _git(root, "status", "--porcelain").strip(),
    )


def version_of(text: str) -> str:
    """The one place where the version stands. Raises BuildError."""
    if found := _VERSION.search(text):
        return found[1]
    raise BuildError(f'{INIT} has no line like __version__ = "1.2.3"')


def check_release(source: Source) -> None:
    """Raises BuildError unless this may be released."""
    if not source.is_committed:
        raise BuildError("there are changes that are not committed: a release is one commit (git status)")
    if not re.search(_DATED.format(re.escape(source.version)), source.text("CHANGELOG.md"), re.MULTILINE):
        raise BuildError(f"CHANGELOG.md has no line like '## [{source.version}] - 2026-01-31'")


def _file(path: Path) -> File:
    if path.is_symlink():
        raise BuildError(f"{path.name} is a link; a release has none, so that it unpacks everywhere")
    return File(content=path.read_bytes(), is_executable=bool(path.stat().st_mode & 0o100))


def is_ignored(root: Path, folder: Path) -> bool:
    """Whether git takes nothing from this folder, which may not be there yet. Raises BuildError."""
    return _run_git(root, "check-ignore", "--quiet", str(folder / "any")).returncode == 0


def called(command: list[str], seconds: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs it to its end, whatever that is. Raises BuildError if there is none, or no beginning."""
    name = command[2] if command[1:2] == ["-m"] else Path(command[0]).name
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False, **options
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{name} did not end within {seconds:g} s") from None
    except OSError as error:
        raise BuildError(f"{name} cannot be started: {error.strerror}") from None


def _git(root: Path, *arguments: str) -> str:
    done = _run_git(root, *arguments)
    if done.returncode:
        raise BuildError(f"git {arguments[0]}: {(done.stderr.strip() or 'failed').splitlines()[0]}")
    return done.stdout


def _run_git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not (root / ".git").exists():
        raise BuildError("this is no git checkout: a build takes its files and its time from the commit")
    return called(["git", "-C", str(root), *arguments], 60)
