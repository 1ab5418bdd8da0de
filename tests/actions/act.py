"""Whole workflows, run by act on this machine: the actions as a release tag has them, a repository, a tracker."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.process import Repo

ROOT = Path(__file__).resolve().parents[2]
ACT = ROOT / ".tools/github/bin/act"
WORKFLOWS = Path(__file__).with_name("workflows")
KEY = "sk_1_github0123456789abcdef0123456789ab"
_TOOLS = ("node", "git", "sh", "bash", "cat", "env", "mkdir", "sleep", "test", "touch")
_SECONDS = 55


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A workflow's end: `code` is 0 if no job failed."""

    code: int
    log: str
    seconds: float

    def annotations(self, word: str) -> list[str]:
        """The texts of our annotations, in order."""
        return re.findall(rf"::{word} title=versioner-ci::(.*)", self.log)

    def commands(self) -> list[str]:
        """Every line that is a command to the runner, whoever wrote it; act shows those that it takes by a mark."""
        mark = re.compile(r"\|\s*(::|##\[)|[❗🚧💬💾❓]\s+::|⚙\s+::(?!set-output)")
        return [line for line in self.log.splitlines() if mark.search(line)]

    def seconds_of(self, stage: str) -> float:
        """How long `Main …` or `Post …` of the tracker took."""
        [text] = re.findall(rf"- {stage} acme/versioner-ci/actions/track@v1 \[([^\]]+)\]", self.log)
        parts = re.findall(r"([\d.]+)(ms|m|s|µs)", text)
        return sum(float(number) * {"m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6}[unit] for number, unit in parts)


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """`release` is what `acme/versioner-ci@v1` is; `env` is what every job has."""

    repo: Repo
    release: Path
    home: Path
    env: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=lambda: {"VERSIONER_API_KEY": KEY})

    def run(
        self,
        workflow: str,
        *more: str,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        tools: Path | None = None,
        interrupt_at: str | None = None,
    ) -> Ran:
        """Push the workflow of that name, or path; `interrupt_at`: cancel it once this text is in the log."""
        self._commit(Path(workflow) if "/" in workflow else WORKFLOWS / f"{workflow}.yml")
        given = {**self.env, **(env or {})}
        hidden = self.secrets if secrets is None else secrets
        command = [
            found(ACT),
            *(more or ("push",)),
            "-P",
            "ubuntu-latest=-self-hosted",
            "-W",
            ".github/workflows/w.yml",
        ]
        command += ["--local-repository", f"acme/versioner-ci@v1={self.release}"]
        command += [word for name, value in given.items() for word in ("--env", f"{name}={value}")]
        command += [word for name in hidden for word in ("-s", name)]
        path = tools or toolbox(self.home / "tools")
        process_env = {"HOME": str(self.home), "PATH": str(path), "LANG": "C.UTF-8", **hidden}
        return _watched(command, self.repo.path, process_env, interrupt_at)

    def _commit(self, workflow: Path) -> None:
        target = self.repo.path / ".github/workflows/w.yml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(workflow, target)
        self.repo.git("add", ".")
        if self.repo.git("status", "--porcelain"):
            self.repo.git("commit", "--quiet", "--message", "x\n\n::error::z $(touch pwned)")


def found(path: Path) -> str:
    """Where it is; without it the test is skipped, which counts as a failure in CI."""
    if not path.exists():
        pytest.skip(f"{path.name} is missing: run script/install_github_tools")
    return str(path)


def toolbox(folder: Path, *, python: str | None = sys.executable, core: bool = False) -> Path:
    """A folder to be all of PATH. `python`: what python3 is; `core`: with versioner-ci."""
    folder.mkdir(exist_ok=True)
    for name in _TOOLS:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is missing: run script/install_github_tools")
        if not (folder / name).exists():
            (folder / name).symlink_to(path)
    scripts = {"python3": python, "versioner-ci": Path(sys.executable).with_name("versioner-ci") if core else None}
    for name, target in scripts.items():
        if target is not None:
            (folder / name).write_text(f'#!/bin/sh\nexec {target} "$@"\n')
            (folder / name).chmod(0o755)
    return folder


def _watched(command: Sequence[str], cwd: Path, env: Mapping[str, str], interrupt_at: str | None) -> Ran:
    began, lines = time.monotonic(), []
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    guard = threading.Timer(_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    guard.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if interrupt_at is not None and interrupt_at in line:
                process.send_signal(signal.SIGINT)
                interrupt_at = None
        code = process.wait()
    finally:
        guard.cancel()
        process.stdout.close() if process.stdout is not None else None
    return Ran(code=code, log="".join(lines), seconds=time.monotonic() - began)
