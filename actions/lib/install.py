"""A virtual environment from the hashes in `requirements/run.txt`, made once a runner: for branches, not releases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

SECONDS = 60
_OLD = 3600.0


class FailedError(Exception):
    """In words for people."""


def answer(root: str, env: Mapping[str, str]) -> dict[str, str]:
    """`python` or a `problem`."""
    try:
        return {"python": str(installed(Path(root), env))}
    except (FailedError, OSError, subprocess.SubprocessError) as error:
        return {"problem": f"the libraries could not be installed: {error}"}


def installed(root: Path, env: Mapping[str, str]) -> Path:
    """The Python of the virtual environment for this Python and these requirements; made if it is not there."""
    listed = root / "requirements" / "run.txt"
    parts = [listed.read_bytes(), sys.version.encode(), os.path.realpath(sys.executable).encode()]
    name = sha256(b"\0".join(parts)).hexdigest()[:16]
    place = _folder(env)
    found = python_of(place / name)
    if not found.exists():
        _sweep(place)
        new = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=place))
        try:
            _fill(new, listed)
            _put(new, place / name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return found


def python_of(folder: Path) -> Path:
    """A virtual environment's Python."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _folder(env: Mapping[str, str]) -> Path:
    """Where it lasts, if it may be written to; else it lasts as long as the job."""
    for name in ("RUNNER_TOOL_CACHE", "RUNNER_TEMP"):
        path = Path(env.get(name) or "")
        if path.is_absolute() and os.access(path, os.W_OK):
            (path / "versioner-ci-action").mkdir(exist_ok=True)
            return path / "versioner-ci-action"
    raise FailedError("neither RUNNER_TOOL_CACHE nor RUNNER_TEMP can be written to")


def _sweep(place: Path) -> None:
    """Away with what was begun and never finished."""
    for path in place.glob("*.*"):
        if time.time() - path.stat().st_mtime > _OLD:
            shutil.rmtree(path, ignore_errors=True)


def _fill(new: Path, listed: Path) -> None:
    until = time.monotonic() + SECONDS
    _run([sys.executable, "-I", "-m", "venv", str(new)], until)
    pip = [str(python_of(new)), "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    bounds = ["--timeout", "10", "--retries", "1"]
    _run([*pip, *bounds, "--only-binary", ":all:", "--require-hashes", "--requirement", str(listed)], until)


def _run(command: list[str], until: float) -> None:
    """Raises FailedError with what the command said last."""
    seconds = max(1.0, until - time.monotonic())
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        errors = [line for line in said if line.startswith("ERROR: ")] or said
        raise FailedError(f"{' '.join(command[2:4])}: {errors[-1][:300]}")


def _put(new: Path, path: Path) -> None:
    """A rename: whole or not at all. Another job may have been quicker; a broken one gives way."""
    if path.exists() and not python_of(path).exists():
        shutil.rmtree(path, ignore_errors=True)
    try:
        new.rename(path)
    except OSError:
        if not python_of(path).exists():
            raise
