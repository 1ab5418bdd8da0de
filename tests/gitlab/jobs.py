"""A job as GitLab Runner's shells run it: before_script and script in one shell, after_script in another one."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab.template import filled, pipeline
from tests.support.process import Result

SHELLS: dict[str, tuple[str, ...]] = {"dash": ("dash",), "busybox": ("busybox", "sh"), "bash": ("bash",)}
COMMAND = Path(sys.executable).with_name("versioner-ci")
KEY = "sk_1_gitlab0123456789abcdef0123456789ab"
# As the runner begins its scripts; the job's own lines follow in one `eval` whose stdin is empty.
_BEGIN = "if set -o | grep pipefail >/dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n"
VARIABLES = {
    "CI": "true",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_SHA": "1ecfd275763eff1d6b4844ea3168962458c9f27a",
    "CI_DISPOSABLE_ENVIRONMENT": "true",
    "CI_JOB_ID": "50123",
    "CI_JOB_NAME": "deploy",
    "CI_JOB_URL": "https://gitlab.example.com/acme/shop/-/jobs/50123",
    "CI_PIPELINE_ID": "9001",
    "CI_PIPELINE_IID": "117",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PIPELINE_URL": "https://gitlab.example.com/acme/shop/-/pipelines/9001",
    "CI_PROJECT_PATH": "acme/shop",
    "CI_PROJECT_URL": "https://gitlab.example.com/acme/shop",
    "CI_SERVER_URL": "https://gitlab.example.com",
    "GITLAB_CI": "true",
    "GITLAB_USER_LOGIN": "ada",
    "VERSIONER_API_KEY": KEY,
}


def job(base: str = ".versioner-deployment", inputs: Mapping[str, str] | None = None, **keys: Any) -> dict[str, Any]:
    """A job that extends one of the template's; `environment` makes its variables, as GitLab does."""
    own = {"extends": base, "script": ["true"], **keys}
    found: dict[str, Any] = pipeline(filled("versioner.yml", **(inputs or {})), {"job": own})["job"]
    return found


@dataclass(frozen=True, kw_only=True)
class Ran:
    """`code` is the job's: that of before_script and script."""

    code: int
    main: Result
    after: Result

    @property
    def err(self) -> str:
        return self.main.err + self.after.err


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One runner: a shell, an environment, a working folder. `tools` is all of PATH."""

    shell: str
    env: Mapping[str, str]
    cwd: Path
    tools: Path
    changes: Mapping[str, str] = field(default_factory=dict)

    def variables(self, definition: Mapping[str, Any], status: str) -> dict[str, str]:
        own = {name: str(value) for name, value in definition.get("variables", {}).items()}
        environment = {"CI_ENVIRONMENT_NAME": definition["environment"]} if "environment" in definition else {}
        given = {**VARIABLES, **environment, **own, **self.env, **self.changes}
        return {**given, "CI_PROJECT_DIR": str(self.cwd), "PATH": str(self.tools), "CI_JOB_STATUS": status}

    def run(self, definition: Mapping[str, Any], status: str = "success") -> Ran:
        """The whole job; `status` is what after_script finds."""
        main = self.begin(definition)
        return Ran(code=main.code, main=main, after=self.end(definition, status))

    def begin(self, definition: Mapping[str, Any]) -> Result:
        lines = [*definition.get("before_script", []), *definition["script"]]
        return self._shell(lines, self.variables(definition, "running"))

    def end(self, definition: Mapping[str, Any], status: str) -> Result:
        return self._shell(definition.get("after_script", []), self.variables(definition, status))

    def _shell(self, lines: Sequence[str], env: Mapping[str, str]) -> Result:
        script = f"{_BEGIN}: | eval {shlex.quote(chr(10).join(lines))}\nexit 0\n"
        began = time.monotonic()
        process = subprocess.Popen(
            [found(SHELLS[self.shell][0]), *SHELLS[self.shell][1:], "-c", script],
            cwd=self.cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return Result(code=code, out=out, err=err, seconds=time.monotonic() - began)


def found(program: str) -> str:
    """Where the machine has it; without it the test is skipped, which counts as a failure in CI."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is missing: run script/install_gitlab_tools")
    return path


def tools(folder: Path, *, core: bool = True, python: bool = True, more: Mapping[str, str] | None = None) -> Path:
    """A folder to be all of PATH: grep, and what is asked for; `more` are scripts by name."""
    folder.mkdir(exist_ok=True)
    scripts = {"grep": f'exec {found("grep")} "$@"', **(more or {})}
    if core:
        scripts["versioner-ci"] = f'exec {COMMAND} "$@"'
    if python:
        scripts["python3"] = f'exec {sys.executable} "$@"'
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder
