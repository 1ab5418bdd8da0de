"""One step of a job without a workflow: `node main.mjs`, and later `node post.mjs`, as the runner starts them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.actions.act import KEY
from tests.support.process import Result
from tests.support.raw_server import RawServer
from tests.test_report_github import parsed

VARIABLES = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_JOB": "deploy",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "17",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "1ecfd275763eff1d6b4844ea3168962458c9f27a",
    "INPUT_JOB-STATUS": "success",
    "RUNNER_ENVIRONMENT": "github-hosted",
    "VERSIONER_API_KEY": KEY,
}
FILES = ("GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")


@dataclass(kw_only=True)
class Step:
    """`inputs` by their names; a folder of its own is RUNNER_TEMP."""

    release: Path
    work: Path
    path: str
    env: dict[str, str]
    action: str = "track"
    inputs: dict[str, str] = field(default_factory=lambda: {"event": "deployment", "environment": "production"})

    def main(self, **more: str) -> Result:
        return self._ended(self.start("main", **more))

    def post(self, job_status: str = "success", **more: str) -> Result:
        state = {f"STATE_{name}": value for name, value in self.file("GITHUB_STATE").items()}
        return self._ended(self.start("post", **{**state, "INPUT_JOB-STATUS": job_status, **more}))

    def start(self, stage: str, **more: str) -> subprocess.Popen[str]:
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is missing: install Node.js 20 or newer")
        return subprocess.Popen(
            [node, str(self.release / f"actions/{self.action}/{stage}.mjs")],
            cwd=self.work,
            env={**self.variables(), **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def variables(self) -> dict[str, str]:
        temporary = self.work.parent / "runner"
        temporary.mkdir(exist_ok=True)
        files = {name: str(temporary / name) for name in FILES}
        given = {f"INPUT_{name.upper()}": value for name, value in self.inputs.items()}
        return {**VARIABLES, "RUNNER_TEMP": str(temporary), "PATH": self.path, **files, **given, **self.env}

    def file(self, name: str) -> dict[str, str]:
        """What a step has written for the runner, by name; the last of several counts."""
        path = Path(self.variables()[name])
        return parsed(path.read_text(encoding="utf-8")) if path.exists() else {}

    def signalled(self, stage: str, signum: signal.Signals, server: RawServer, **more: str) -> Result:
        """Start it, and signal its entry process alone, as the runner does, once the tracker has heard of it."""
        process = self.start(stage, **more)
        give_up = time.monotonic() + 30
        while not server.connections and time.monotonic() < give_up:
            time.sleep(0.05)
        process.send_signal(signum)
        return self._ended(process)

    def _ended(self, process: subprocess.Popen[str]) -> Result:
        began = time.monotonic()
        try:
            out, err = process.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return Result(code=code, out=out, err=err, seconds=time.monotonic() - began)


def annotations(result: Result, word: str) -> list[str]:
    mark = f"::{word} title=versioner-ci::"
    return [line.removeprefix(mark) for line in result.err.splitlines() if line.startswith(mark)]


Env = Mapping[str, str]
