"""The sample pipeline of `script/demo`: a small repository, and the steps that the real command runs in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.fake_slack import FakeSlack
from tests.support.recorder import Recorder

COMMAND = Path(sys.executable).with_name("versioner-ci")
CHANNEL = "#deploys"
KEY = "sk_demo_0123456789abcdef"
_SECONDS = 30.0
_FROM_THE_MACHINE = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call of versioner-ci. `is_stopped`: it gets SIGTERM once the tracker knows that it has started."""

    title: str
    arguments: tuple[str, ...]
    code: int = 0
    """What it must exit with."""
    is_stopped: bool = False


def _deploy(environment: str) -> tuple[str, ...]:
    return ("run", "deployment", "--environment", environment, "--", "./deploy.sh", environment)


STEPS = (
    Step(title="A build", arguments=("run", "build", "--", "./build.sh")),
    Step(title="A deployment", arguments=_deploy("production")),
    Step(title="A deployment that fails", arguments=_deploy("staging"), code=3),
    Step(
        title="A deployment that is cancelled (by SIGTERM, as CI hosts do it)",
        arguments=_deploy("canary"),
        code=143,
        is_stopped=True,
    ),
    Step(
        title="A deployment that waits for its turn",
        arguments=("report", "deployment", "pending", "--environment", "europe"),
    ),
    Step(
        title="A deployment that the tracker's rules reject: its command does not run",
        arguments=_deploy("finance"),
        code=5,
    ),
)
SCRIPTS = {
    "build.sh": "#!/bin/sh\necho compiling\nsleep 0.2\necho done\n",
    "deploy.sh": """#!/bin/sh
echo "deploying to $1"
case $1 in
  staging) echo 'ERROR: column "price" exists already' >&2; exit 3 ;;
  canary) exec sleep 30 ;;
  *) sleep 0.2; echo healthy ;;
esac
""",
}


class FailedError(Exception):
    """The demonstration did not go as it should."""


def repository(folder: Path) -> Path:
    """A repository with one commit and a remote."""
    path = folder / "shop"
    path.mkdir()
    for name, text in SCRIPTS.items():
        (path / name).write_text(text, encoding="utf-8")
        (path / name).chmod(0o755)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    for arguments in (
        ("init", "--quiet"),
        ("symbolic-ref", "HEAD", "refs/heads/main"),
        ("remote", "add", "origin", "https://github.com/octo/shop.git"),
        ("add", "."),
        (*who, "commit", "--quiet", "--message", "Open the shop"),
    ):
        subprocess.run(["git", *arguments], cwd=path, env=_base(folder), check=True, timeout=_SECONDS)
    return path


def environment(folder: Path, tracker: Recorder, slack: FakeSlack) -> dict[str, str]:
    """What a CI job would have set: where to report to."""
    return {
        **_base(folder),
        "VERSIONER_API_URL": tracker.url,
        "VERSIONER_API_KEY": KEY,
        "SLACK_API_URL": slack.url,
        "SLACK_BOT_TOKEN": slack.token,
        "SLACK_CHANNEL": CHANNEL,
    }


def _base(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "USER": "ada",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def play(step: Step, where: Path, env: Mapping[str, str], tracker: Recorder) -> str:
    """Run one step; what it printed, stdout and stderr together. Raises FailedError if it went another way."""
    process = subprocess.Popen(
        [str(COMMAND), *step.arguments],
        cwd=where,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        if step.is_stopped:
            _wait_for_start(tracker, step, process)
            process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=_SECONDS)[0].decode("utf-8", "replace")
    except BaseException:
        process.kill()
        process.communicate(timeout=_SECONDS)
        raise
    if process.returncode != step.code:
        raise FailedError(f"{step.title}: exit code {process.returncode}, not {step.code}\n{printed}")
    return printed


def _wait_for_start(tracker: Recorder, step: Step, process: subprocess.Popen[bytes]) -> None:
    where = step.arguments[step.arguments.index("--environment") + 1]
    end = time.monotonic() + _SECONDS
    while not any(event.body.get("environment_name") == where for event in tracker.events):
        if time.monotonic() > end or process.poll() is not None:
            raise FailedError(f"{step.title}: the tracker heard of no start")
        time.sleep(0.05)
    time.sleep(0.3)  # CMD starts once the tracker has answered
