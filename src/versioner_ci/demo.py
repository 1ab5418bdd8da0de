"""The sample pipeline of `versioner-ci demo`: a real tracker, and the real commands that report to it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from versioner_ci.cmd_matrix import rows
from versioner_ci.errors import VersionerError
from versioner_ci.terminal import table
from versioner_ci.tracker_client import Client

_SECONDS = 30.0
_COMMAND = (sys.executable, "-m", "versioner_ci")
_FROM_THE_MACHINE = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "TMPDIR")
_DONE = "echo compiling; sleep 0.2; echo done"
_HEALTHY = "echo rolling out; sleep 0.2; echo healthy"
_BROKEN = "echo 'ERROR: column \"price\" exists already' >&2; exit 3"
_LONG = "echo waiting for the canary; exec sleep 30"
Say = Callable[[str], None]


class Step(NamedTuple):
    """One call of versioner-ci. `is_stopped`: it gets SIGTERM once the tracker knows that it has started."""

    title: str
    arguments: tuple[str, ...]
    code: int = 0
    is_stopped: bool = False


def _deploy(product: str, version: str, environment: str, work: str) -> tuple[str, ...]:
    what = ("--product", product, "--version", version, "--environment", environment)
    return ("run", "deployment", *what, "--", "sh", "-c", work)


STEPS = (
    Step("A deployment", _deploy("shop", "1.4.2", "production", _HEALTHY)),
    Step("A build", ("run", "build", "--product", "shop", "--version", "1.5.0", "--", "sh", "-c", _DONE)),
    Step("A newer version elsewhere: production is behind now", _deploy("shop", "1.5.0", "staging", _HEALTHY)),
    Step("A deployment that fails", _deploy("search", "2.0.0", "staging", _BROKEN), code=3),
    Step(
        "A deployment that is cancelled (by SIGTERM, as CI hosts do it)",
        _deploy("search", "2.0.0", "canary", _LONG),
        code=143,
        is_stopped=True,
    ),
    Step(
        "A deployment that waits for its turn",
        ("report", "deployment", "pending", "--product", "shop", "--version", "1.5.0", "--environment", "production"),
    ),
)


class Slack(NamedTuple):
    """Where the tracker is to tell what happens."""

    channel: str
    token: str
    api_url: str | None = None


class DemoError(VersionerError):
    """The demonstration did not go as it should."""


@contextlib.contextmanager
def tracker(folder: Path, env: Mapping[str, str], port: int, slack: Slack | None) -> Iterator[Client]:
    """A tracker on SQLite in this folder until the block ends; it asks for no keys, and nobody else can reach it."""
    command = [*_COMMAND, "serve", "--no-auth", "--port", str(port), "--database-url", str(folder / "tracker.db")]
    known = _base(folder, env)
    if slack is not None:
        known["SLACK_BOT_TOKEN"] = slack.token
        known |= {"SLACK_API_URL": slack.api_url} if slack.api_url else {}
    log = folder / "tracker.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            env=known,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            text=True,
        )
    try:
        first = process.stdout.readline() if process.stdout is not None else ""
        if not first.startswith("tracker: "):
            process.wait(_SECONDS)
            raise DemoError(f"the tracker did not start: {log.read_text('utf-8', 'replace').strip()}")
        client = Client(first.split()[1], {})
        _wait(lambda: _is_up(client), process, "the tracker did not answer")
        if slack is not None:
            wish = {"event_type": "*", "channel_id": slack.channel}
            client.ask("POST", "/notification-preferences/", wish)
        yield client
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def play(folder: Path, env: Mapping[str, str], client: Client, say: Say) -> None:
    """All steps, each told with what it printed. Raises DemoError if one goes another way."""
    known = {**_base(folder, env), "VERSIONER_API_URL": client.url, "VERSIONER_API_KEY": "none-is-asked-for"}
    for number, step in enumerate(STEPS, 1):
        say(f"\n{number}. {step.title}\n   $ versioner-ci {shlex.join(step.arguments)}")
        for line in _run(step, folder, known, client).splitlines():
            say(f"   {line}")
        say(f"   exit code {step.code}")


def show(client: Client, say: Say) -> None:
    """What runs where."""
    found = client.ask("GET", "/matrix")
    say("\nWhat runs where (versioner-ci matrix)\n")
    for line in table(rows(found["products"], found, time.time())):
        say(f"  {line}")


def wait_for_slack(client: Client) -> None:
    """Until everything is sent: Slack takes one message a second."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        waiting = [client.ask("GET", "/notifications/", query={"state": state}) for state in ("new", "sending")]
        if not any(page["items"] for page in waiting):
            return
        time.sleep(0.1)
    raise DemoError("Slack was not told in time")


def _run(step: Step, folder: Path, env: Mapping[str, str], client: Client) -> str:
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [*_COMMAND, *step.arguments],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        if step.is_stopped:
            query = {"state": "started"}
            _wait(lambda: client.ask("GET", "/deployments/", query=query)["items"], process, "no start was heard")
            time.sleep(0.3)  # the command starts once the tracker has answered
            process.send_signal(signal.SIGTERM)
        printed = process.communicate(timeout=_SECONDS)[0].decode("utf-8", "replace")
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != step.code:
        raise DemoError(f"{step.title}: exit code {process.returncode}, not {step.code}: {printed.strip()}")
    return printed


def _wait(is_so: Callable[[], object], process: subprocess.Popen[str] | subprocess.Popen[bytes], what: str) -> None:
    end = time.monotonic() + _SECONDS
    while not is_so():
        if time.monotonic() > end or process.poll() is not None:
            raise DemoError(what)
        time.sleep(0.05)


def _is_up(client: Client) -> bool:
    try:
        return bool(client.ask("GET", "/readyz"))
    except VersionerError:
        return False


def _base(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    kept = {name: env[name] for name in _FROM_THE_MACHINE if name in env}
    own = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "USER": "ada", "LANG": "C.UTF-8"}
    return {**kept, **own, "GIT_CEILING_DIRECTORIES": os.path.dirname(folder)}  # noqa: PTH120 - a text is wanted
