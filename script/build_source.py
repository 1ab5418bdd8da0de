"""What is built: the repository's files, its version, and the time of its commit, which everything made carries."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    if not (root / ".git").exists():
        raise BuildError("this is no git checkout: a build takes its files and its time from the commit")
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


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise BuildError(f"git {arguments[0]}: {(done.stderr.strip() or 'failed').splitlines()[0]}")
    return done.stdout
