"""Finds versioner-ci on a Jenkins agent where none is on PATH; prints where: a zipapp or a virtual environment.

Run by report.sh and report.ps1 with any Python from 3.10 on, so it needs nothing but the standard library. Exit codes:
0 found; 3 it cannot be had (one warning says why); 7 the zipapp of the library is wanted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from shutil import rmtree
from typing import NoReturn

SECONDS = 60  # of all work; an install has five less, to tidy up
OLD = 3600  # seconds: by then nobody fills a `tmp…` of ours any more
NO_CORE, WANTED = 3, 7
# What pip may be told by variables: where packages are, how to get there, never which or how they are checked.
NETWORK = "CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL"
NETWORK += " KEYRING_PROVIDER NO_CACHE_DIR NO_INDEX PROXY RETRIES TRUSTED_HOST"
LINE = r"[A-Za-z0-9][\w.-]*==[\w.!+]+(\s*;[\w\s.<>=!\"'()]+)?(\s+--hash=sha256:[0-9a-f]{64})+"


def given(name: str) -> str:
    """A variable of the library's, without white space around it."""
    return os.environ.get(f"VERSIONER_HOOK_{name}", "").strip()


def stop(why: str) -> NoReturn:
    """Says why versioner-ci cannot be had, and ends at once, from whichever thread."""
    why = re.sub(r"://[^/\s]*@", "://", why)
    sys.stderr.write(f"versioner-ci: warning: {re.sub(r'[^ -~]+', ' ', why)[:500]}: nothing is reported\n")
    sys.stderr.flush()
    os._exit(NO_CORE)


def private(folder: Path) -> Path:
    """The folder, made if need be. Raises OSError unless it is this user's alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    is_ours = os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o77)
    if not (stat.S_ISDIR(found.st_mode) and is_ours and os.access(folder, os.W_OK)):
        raise OSError(f"{folder} is not this user's alone")
    return folder


def cache() -> Path:
    """A folder that later builds find again; else one of this workspace's, else a fresh one."""
    roots = [os.environ.get("XDG_CACHE_HOME"), os.environ.get("LOCALAPPDATA") if os.name == "nt" else None]
    home = os.environ.get("HOME")
    candidates = [Path(root) for root in roots if root]
    candidates += [Path(home) / ".cache"] if home and Path(home).is_dir() else []
    candidates += [Path(folder) for folder in (os.environ.get("WORKSPACE_TMP"),) if folder]
    for folder in candidates:
        if folder.is_absolute():
            with contextlib.suppress(OSError):
                return swept(private(folder / "versioner-ci-core"))
    return Path(tempfile.mkdtemp(prefix="versioner-ci-core-"))


def swept(folder: Path) -> Path:
    """The folder without what a call that was killed has left there."""
    for path in folder.glob("tmp*"):
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime < time.time() - OLD:
                rmtree(path, ignore_errors=True)
                path.unlink(missing_ok=True)
    return folder


def zipapp(folder: Path, sha256: str, brought: str) -> Path:
    """The zipapp of this checksum, from the cache or just brought by the library; it is read and checked each time."""
    path = folder / f"{sha256}.pyz"
    content = taken(Path(brought)) if brought else b""
    if checksum(path) == sha256:
        return path
    if not brought:
        sys.exit(WANTED)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        stop(f"the library's zipapp has SHA-256 {found}, not {sha256}: it is not used")
    new, name = tempfile.mkstemp(dir=folder)
    with open(new, "wb") as file:
        file.write(content)
    Path(name).replace(path)
    return path


def taken(brought: Path) -> bytes:
    """What the library wrote to the agent; the file is gone then. Raises OSError."""
    try:
        return brought.read_bytes()
    finally:
        with contextlib.suppress(OSError):
            brought.unlink()


def checksum(path: Path) -> str:
    """Of a file, in hexadecimal; of none that can be read, an empty text."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def installed(folder: Path, lines: str, end: float) -> Path:
    """A virtual environment with exactly these requirements, each with its version and hash; `end` is monotonic."""
    rows = [row.strip() for row in lines.replace("\\\n", " ").splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    wrong = [row for row in rows if not re.fullmatch(LINE, row)]
    if wrong:
        stop(f"the option requirements has a line without version and hash: {wrong[0][:60]}")
    text = "\n".join(rows) + "\n"
    path = folder / name_of(text)
    if works(path, end):
        return path
    new = Path(tempfile.mkdtemp(dir=folder))
    try:
        install(new, text, end)
        return placed(new, path, end)
    except BaseException:
        rmtree(new, ignore_errors=True)
        raise


def name_of(text: str) -> str:
    """Of the environment with these requirements for this Python on this machine: a cache may be on a shared disk."""
    parts = [sys.version, sys.executable, platform.machine(), machine(), text]
    return "venv-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def machine() -> str:
    """What tells this one from others; a container may have nothing that outlasts it."""
    with contextlib.suppress(OSError, ValueError):
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    return "" if sys.platform == "linux" else platform.node()


def works(venv: Path, end: float) -> bool:
    """Whether versioner-ci is there and can be loaded: a disk may have been full, an interpreter been removed."""
    try:
        return run([str(python_in(venv)), "-I", "-c", "import versioner_ci"], dict(os.environ), end)[0] == 0
    except OSError:
        return False


def placed(new: Path, path: Path, end: float) -> Path:
    """Where the new environment is then, or the one that another build was quicker with. Raises OSError."""
    if works(path, end):
        rmtree(new, ignore_errors=True)
        return path
    if path.exists():
        old = Path(tempfile.mkdtemp(dir=path.parent))
        path.rename(old / path.name)
        rmtree(old, ignore_errors=True)
    with contextlib.suppress(OSError):
        new.rename(path)
    return path if path.is_dir() else new


def python_in(venv: Path) -> Path:
    """Its interpreter."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(venv: Path, requirements: str, end: float) -> None:
    """Fills the folder. Raises OSError or subprocess.TimeoutExpired."""
    env = {
        name: value for name, value in os.environ.items() if not name.startswith("PIP_") or name[4:] in NETWORK.split()
    }
    env.setdefault("PIP_DEFAULT_TIMEOUT", "10")
    env.setdefault("PIP_RETRIES", "1")
    listed = venv / "requirements.txt"
    listed.write_text(requirements, encoding="utf-8")
    if run([sys.executable, "-I", "-m", "venv", str(venv)], env, end)[0]:
        rmtree(venv, ignore_errors=True)
        stop("Python cannot make a virtual environment here (on Debian and Ubuntu install python3-venv)")
    pip = [str(python_in(venv)), "-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    code, said = run([*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(listed)], env, end)
    if code:
        rows = said.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
        rmtree(venv, ignore_errors=True)
        stop(f"pip could not install versioner-ci: {([r for r in rows if r.startswith('ERROR: ')] or rows)[-1]}")


def run(command: list[str], env: dict[str, str], end: float) -> tuple[int, bytes]:
    """Its exit code and what it said; at `end` it is killed. Raises OSError, subprocess.TimeoutExpired."""
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=max(end - time.monotonic(), 0))
        except BaseException:
            kill(process)
            raise
    return process.returncode, said


def kill(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started, on Windows without."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


def found(end: float) -> Path:
    """Where versioner-ci is; an install ends at this monotonic time."""
    sha256, lines = given("SHA256").lower().partition(" ")[0], given("REQUIREMENTS")
    brought = given("ZIPAPP")
    if re.fullmatch("[0-9a-f]{64}", sha256) and brought != "-":
        return zipapp(cache(), sha256, brought)
    if lines:
        return installed(cache(), lines, end)
    stop("no versioner-ci on PATH, no zipapp in the library, and no option requirements")


def main() -> None:
    """Prints where versioner-ci is."""
    watch = threading.Timer(SECONDS, stop, [f"versioner-ci could not be had within {SECONDS} s"])
    watch.daemon = True
    watch.start()
    try:
        sys.stdout.write(f"{found(time.monotonic() + SECONDS - 5)}\n")
        sys.stdout.flush()
    except subprocess.TimeoutExpired:
        stop(f"versioner-ci could not be installed within {SECONDS - 5} s")
    except Exception as error:  # noqa: BLE001 - one warning, and the job goes on
        stop(f"versioner-ci could not be had: {type(error).__name__}: {error}")
    os._exit(0)


if __name__ == "__main__":
    main()
