"""The folder that a build is put into: whole or not at all, and nothing goes that no build has made."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from script.build_source import INIT, BuildError, File, is_ignored

SUMS = "SHA256SUMS"
TREE = "tree"
_MADE = re.compile(
    r"SHA256SUMS|NOTES\.md|versioner-ci\.pyz|versioner-ci-[\d.]+(-tree\.tar\.gz|\.cdx\.json)"
    r"|versioner_ci-[\d.]+(\.tar\.gz|-py3-none-any\.whl)"
)


def clear(root: Path, out: Path) -> None:
    """Removes what a build that was killed has left. Raises BuildError where `out` is no place for a build."""
    if out.resolve().is_relative_to(root.resolve()) and not is_ignored(root, out.resolve()):
        raise BuildError(f"{out} is part of the repository, and of the next build: name another folder, or ignore it")
    for folder in (out, _unfinished(out)):
        if wrong := next((path for path in _entries(folder) if not _is_made(path)), None):
            raise BuildError(f"{folder} holds something else, {wrong.name}: name an empty folder")
    _remove(_unfinished(out))


def put(files: Mapping[str, File], out: Path, epoch: int) -> None:
    """All of it beside `out`, then in its place. Raises OSError."""
    write(files, _unfinished(out), epoch)
    _remove(out)
    _unfinished(out).rename(out)


def write(files: Mapping[str, File], folder: Path, epoch: int) -> None:
    """Each file by its name, with the mode and the time that it has everywhere."""
    for name, file in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        path.chmod(0o755 if file.is_executable else 0o644)
        os.utime(path, (epoch, epoch))


def _unfinished(out: Path) -> Path:
    return out.with_name(f"{out.name}.new")


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def _is_made(path: Path) -> bool:
    if path.name == TREE:
        return path.is_dir() and not path.is_symlink() and ((path / INIT).is_file() or not any(path.iterdir()))
    return path.is_file() and _MADE.fullmatch(path.name) is not None


def _remove(folder: Path) -> None:
    for path in _entries(folder):
        if not _is_made(path):
            raise BuildError(f"{folder} holds something else, {path.name}: name an empty folder")
        shutil.rmtree(path) if path.name == TREE else path.unlink()
    if folder.exists():
        folder.rmdir()
