"""What script/build has made, the Pythons of this machine, and processes that see nothing of the source."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from script import build_source
from tests.conftest import PACKAGE
from tests.support.process import Result

ROOT = Path(__file__).resolve().parents[2]
GUARD = ROOT / "tests" / "loopback_only"
WHEELS = ROOT / ".tools" / "wheels"
NEW = ("3.10", "3.11", "3.12", "3.13", "3.14")
OLD = ("2.7", "3.6", "3.7", "3.8", "3.9")


Zipapp = Callable[..., Result]


@dataclass(frozen=True, kw_only=True)
class Built:
    """The folder that `script/build` has made."""

    folder: Path

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def zipapp(self) -> Path:
        return self.folder / "versioner-ci.pyz"

    @property
    def wheel(self) -> Path:
        return next(self.folder.glob("*.whl"))

    @property
    def sdist(self) -> Path:
        return next(self.folder.glob("versioner_ci-*.tar.gz"))


def build(root: Path, out: Path, *options: str, python: str = sys.executable, **env: str) -> Result:
    """Runs the build of the checkout `root`, by any Python, with what our own virtual environment has."""
    command = [python, "-m", "script.build_main", "--out", str(out), *options]
    return run(command, cwd=root, env={**os.environ, "PYTHONPATH": _installed(), **env}, timeout=120)


def _installed() -> str:
    return next(path for path in sys.path if path.endswith("site-packages"))


def run(command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, timeout: float = 60) -> Result:
    """A process, waited for; nothing on its standard input."""
    began = time.monotonic()
    done = subprocess.run(
        [str(word) for word in command], env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", timeout=timeout, check=False,
    )  # fmt: skip
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Result(code=code, out=done.stdout, err=done.stderr, seconds=time.monotonic() - began)


def clone(folder: Path) -> None:
    """A checkout with what stands here, or what script/mutants has broken of it; committed at a time long past."""
    beside = PACKAGE.parent
    tops = {path.name for path in beside.iterdir()} if is_broken() else set()
    for name, file in build_source.read(ROOT).files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((beside / name).read_bytes() if name.split("/")[0] in tops else file.content)
        target.chmod(0o775 if file.is_executable else 0o660)
    git(folder, "init", "--quiet")
    git(folder, "add", "--force", ".")
    git(folder, "commit", "--quiet", "--message", "all")


def is_broken() -> bool:
    """Whether script/mutants runs these tests: on a package that lies beside the other folders that it has broken."""
    return PACKAGE != ROOT / "src"


def git(folder: Path, *arguments: str) -> str:
    """What git prints, run as Ada, with none of the machine's settings."""
    who = {f"GIT_{role}_{part}": "ada@example.com" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1", **who, **dates}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=True).stdout


@cache
def pythons(*versions: str) -> dict[str, str]:
    """Version → path of each of these that is here by its name; ours is always there. Nothing is started for it."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {version: sys.executable if version == own else _path_of(version) for version in versions}
    return {version: path for version, path in found.items() if path}


def _path_of(version: str) -> str | None:
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    there = sorted(str(path) for path in folder.glob(f"versions/{version}.*/bin/python"))
    on_path = os.pathsep.join(part for part in os.get_exec_path() if Path(part) != folder / "shims")
    return there[-1] if there else shutil.which(f"python{version}", path=on_path)


def folder_of(env: Mapping[str, str]) -> Path:
    """The one folder that a zipapp was unpacked into."""
    [path] = [path for path in Path(env["HOME"], ".cache", "versioner-ci").iterdir() if len(path.name) == 64]
    return path
