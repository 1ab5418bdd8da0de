"""A virtual environment from the hashes in `requirements/run.txt`, made once a runner: for branches, not releases."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

SECONDS = 60
MARK = ".versioner-ci-complete"
LIBRARIES = ("requests", "slack_sdk", "yaml")
_OLD = 3600.0
_ELSEWHERE = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_DRY_RUN", "PIP_PYTHON"})
"""pip's variables that would put the libraries into another place, or into none."""


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
    why: OSError | None = None
    for place in _folders(env):
        try:
            return _in(place, name, listed, env)
        except (PermissionError, FileExistsError, NotADirectoryError) as error:  # somebody else's: the next place
            why = error
    raise FailedError("neither RUNNER_TOOL_CACHE nor RUNNER_TEMP can be written to") from why


def _in(place: Path, name: str, listed: Path, env: Mapping[str, str]) -> Path:
    place.mkdir(exist_ok=True)
    if not _is_whole(place / name):
        _sweep(place)
        new = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=place))
        try:
            _fill(new, listed, env)
            new.chmod(0o755)  # mkdtemp's is for one user, and a machine's runners may be several
            _put(new, place / name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return python_of(place / name)


def _is_whole(folder: Path) -> bool:
    return (folder / MARK).exists() and os.access(python_of(folder), os.X_OK)


def python_of(folder: Path) -> Path:
    """A virtual environment's Python."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def _folders(env: Mapping[str, str]) -> Iterator[Path]:
    """Where it lasts, then where it lasts as long as the job."""
    for name in ("RUNNER_TOOL_CACHE", "RUNNER_TEMP"):
        path = Path(env.get(name) or "")
        if path.is_absolute() and os.access(path, os.W_OK):
            yield path / "versioner-ci-action"


def _sweep(place: Path) -> None:
    """Away with what was begun and never finished."""
    for path in place.glob("*.*"):
        with contextlib.suppress(FileNotFoundError):  # another job sweeps, too
            if time.time() - path.stat().st_mtime > _OLD:
                shutil.rmtree(path, ignore_errors=True)


def _fill(new: Path, listed: Path, env: Mapping[str, str]) -> None:
    until = time.monotonic() + SECONDS
    clean = {name: value for name, value in env.items() if name.upper() not in _ELSEWHERE}
    _run([sys.executable, "-I", "-m", "venv", str(new)], clean, until)
    python = [str(python_of(new)), "-I"]
    pip = [*python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    bounds = ["--timeout", "10", "--retries", "1"]
    _run([*pip, *bounds, "--only-binary", ":all:", "--require-hashes", "--requirement", str(listed)], clean, until)
    _run([*python, "-c", f"import {', '.join(LIBRARIES)}"], clean, until)
    (new / MARK).touch()


def _run(command: list[str], env: Mapping[str, str], until: float) -> None:
    """Raises FailedError with what the command said last. However it is left, nothing of it goes on."""
    is_group = os.name == "posix"
    with subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=is_group,
    ) as process:
        try:
            out, _ = process.communicate(timeout=max(1.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise FailedError(f"it took longer than {SECONDS} s") from None
        finally:
            if process.returncode is None:
                _kill(process, is_group=is_group)
    if process.returncode:
        said = [line for line in out.decode("utf-8", "replace").splitlines() if line.strip()]
        said = said or [f"exit code {process.returncode}"]
        errors = [line for line in said if line.startswith("ERROR: ")] or said
        raise FailedError(f"{' '.join(command[2:4])}: {errors[-1][:300]}")


def _kill(process: subprocess.Popen[bytes], *, is_group: bool) -> None:
    with contextlib.suppress(ProcessLookupError):
        if is_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _put(new: Path, path: Path) -> None:
    """A rename: whole or not at all. Another job may have been quicker; a broken one gives way."""
    if path.exists() and not _is_whole(path):
        shutil.rmtree(path, ignore_errors=True)
    try:
        new.rename(path)
    except OSError:
        if not _is_whole(path):
            raise
