"""The stand-in for a Jenkins controller: one process that runs Jenkinsfiles, asked in lines of JSON."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(os.environ.get("TESTS_JENKINS_LIBRARY") or ROOT / "jenkins")
"""script/mutants names a broken copy."""
PROJECT = ROOT / "tests/jenkins/project"
TOOLS = ROOT / ".tools/jenkins"
WHITELIST = ROOT / "tests/jenkins/whitelist.txt"
_SECONDS = 55
# Groovy 2.4 is older than Java's modules.
_OPENS = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in ("lang", "util", "io", "net", "util.concurrent")]


@dataclass(frozen=True, kw_only=True)
class Build:
    """What came of a Jenkinsfile."""

    log: list[str]
    steps: list[str]
    failed_steps: list[str]
    result: str
    returned: str | None
    thrown: Mapping[str, Any] | None
    forbidden: frozenset[str]
    used: frozenset[str]
    restarts: int
    saved: frozenset[str]
    """The library's classes that had instances in the program when it was saved."""
    most_after_bringing: int
    """Of the program's bytes at a step behind the one that brought the zipapp."""

    @property
    def text(self) -> str:
        return "\n".join(self.log)

    @property
    def calls(self) -> list[str]:
        """The library's own shell steps."""
        return [step for step in self.steps if step.startswith(("sh versioner-ci", "powershell versioner-ci"))]

    @property
    def ours(self) -> list[str]:
        """What the library and the core said."""
        return [line for line in self.log if line.startswith("versioner-ci: ")]

    def fail(self) -> None:
        assert self.thrown is None, f"{self.thrown}\n{self.text}"


@dataclass(kw_only=True)
class Controller:
    """A running harness."""

    process: subprocess.Popen[bytes]
    pending: bytes = field(default=b"")

    def run(self, order: Mapping[str, Any]) -> Build:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        found = json.loads(self._line())
        return Build(
            log=found["log"],
            steps=found["steps"],
            failed_steps=found["failedSteps"],
            result=found["result"],
            returned=found.get("returned"),
            thrown=found.get("thrown"),
            forbidden=frozenset(found["forbidden"]),
            used=frozenset(found["used"]),
            restarts=found["restarts"],
            saved=frozenset(found["saved"]),
            most_after_bringing=found["mostAfterBringing"],
        )

    def _line(self) -> bytes:
        assert self.process.stdout is not None
        end = time.monotonic() + _SECONDS
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            assert chunk, "the stand-in for Jenkins has ended, or hangs"
            self.pending += chunk
        line, self.pending = self.pending.split(b"\n", 1)
        return line

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


def start(errors: Path) -> Controller:
    """Starts one; without Java or the tools the test is skipped, which counts as a failure in CI."""
    java = shutil.which("java")
    if java is None or not (TOOLS / ".stamp").exists():
        pytest.skip("Java or .tools/jenkins is missing: run script/install_jenkins_tools")
    path = os.pathsep.join([str(compiled(java)), *map(str, jars())])
    command = [
        java,
        "-XX:TieredStopAtLevel=1",
        "-Xshare:auto",
        "-Xmx384m",
        *_OPENS,
        f"-Dproject={PROJECT}",
        "-cp",
        path,
    ]
    with errors.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "harness.Controller"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
    return Controller(process=process)


def jars() -> Sequence[Path]:
    return sorted((TOOLS / "lib").glob("*.jar"))


def compiled(java: str) -> Path:
    """The harness and the stubs as classes, in a folder named for their sources."""
    sources = sorted([*PROJECT.glob("stubs/**/*.groovy"), *PROJECT.glob("harness/*.groovy")])
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = TOOLS / f"classes-{digest}"
    if not folder.exists():
        new = TOOLS / f"new-{os.getpid()}"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        path = os.pathsep.join(map(str, jars()))
        compiler = [java, "-cp", path, "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(new)]
        subprocess.run([*compiler, *map(str, sources)], check=True, timeout=50, cwd=ROOT)
        with contextlib.suppress(OSError):  # another process was quicker
            new.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
    return folder


def whitelist() -> list[str]:
    lines = WHITELIST.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
