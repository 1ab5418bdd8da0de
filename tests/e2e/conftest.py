"""A tracker, a Slack, CI hosts' environments, and commands that tests look at while they run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import COMMAND
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo
from tests.support.recorder import Recorder

KEY = "sk_1_secret"


@dataclass
class Running:
    """A command that was started; stdout and stderr go to files, so that nothing of it waits for a reader."""

    process: subprocess.Popen[bytes]
    out_file: Path
    err_file: Path
    began: float

    @property
    def out(self) -> str:
        return self.out_file.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self.err_file.read_text(errors="replace")

    def send(self, signum: int) -> float:
        """Sends a signal to the command itself, not to its group; when it was sent."""
        os.kill(self.process.pid, signum)
        return time.monotonic()

    def wait(self, timeout: float = 20.0) -> int:
        """Its exit code, as a shell shows it."""
        code = self.process.wait(timeout)
        return code if code >= 0 else 128 - code

    def until(self, text: str, timeout: float = 15.0) -> None:
        """Waits until it has printed this on stdout or stderr."""
        wait_until(lambda: text in self.out or text in self.err, timeout, lambda: f"{text!r} in {self.out}{self.err}")


class Start(Protocol):
    def __call__(
        self,
        *args: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        prefix: tuple[str, ...] = (),
    ) -> Running: ...


def wait_until(condition: Callable[[], object], timeout: float = 10.0, what: Callable[[], str] = str) -> None:
    """Fails the test if the condition does not come true."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"not within {timeout} s: {what()}")
        time.sleep(0.02)


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as recorder:
        yield recorder


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel("#deploys")
        yield fake


@pytest.fixture
def cli_env(cli_env: dict[str, str], tracker: Recorder) -> dict[str, str]:
    """With the tracker configured."""
    path = os.pathsep.join([str(COMMAND.parent), cli_env["PATH"]])
    return {**cli_env, "PATH": path, "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY}


@pytest.fixture
def slack_env(slack: FakeSlack) -> dict[str, str]:
    return {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#deploys"}


@pytest.fixture
def github(tmp_path: Path, repo: Repo) -> dict[str, str]:
    """One job of a GitHub run."""
    scratch = tmp_path / "runner"
    scratch.mkdir()
    return {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "4711",
        "GITHUB_REPOSITORY": "octo/shop", "GITHUB_SHA": repo.sha, "GITHUB_REF": "refs/heads/main",
        "GITHUB_JOB": "deploy",
        "GITHUB_RUN_ATTEMPT": "1", "GITHUB_RUN_NUMBER": "12", "GITHUB_ACTOR": "ada", "RUNNER_TEMP": str(scratch),
    }  # fmt: skip


@pytest.fixture
def start(cli_env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts `versioner-ci` in a session of its own; whatever of it is left at the end is killed."""
    begun: list[subprocess.Popen[bytes]] = []

    def starting(
        *args: str, env: Mapping[str, str | None] | None = None, cwd: Path | None = None, prefix: tuple[str, ...] = ()
    ) -> Running:
        changed = {**cli_env, **(env or {})}
        work = cwd or tmp_path / "work"
        work.mkdir(exist_ok=True)
        out, err = (tmp_path / f"{name}{len(begun)}" for name in ("out", "err"))
        began = time.monotonic()
        with out.open("wb") as out_stream, err.open("wb") as err_stream:
            process = subprocess.Popen(
                [*prefix, str(COMMAND), *args],
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=out_stream,
                stderr=err_stream,
                env={name: value for name, value in changed.items() if value is not None},
                start_new_session=True,
            )
        begun.append(process)
        return Running(process, out, err, began)

    yield starting
    for process in begun:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
