"""Messages for the picture of Slack: a job on GitHub, as the real command tells it to a Slack on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from script import slack_page
from tests.support.fake_slack import FakeSlack
from tests.support.slack_model import Message

CHANNEL = "#deploys"
TIME = "14:02"
"""In all pictures: the real one would make each of them another one."""
_SECONDS = 60
_FROM_THE_MACHINE = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "ada",
    "GITHUB_JOB": "deploy",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "128",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "1ecfd275763eff1d6b4844ea3168962458c9f27a",
}
_FILE = """
product: shop
notifications:
  - event_type: "*"
  - event_type: "*.failed"
    mention: ["@U0456"]
"""
_BROKEN = "echo 'migrating' >&2; echo 'ERROR: column \"price\" exists already' >&2; exit 3"


class Call(NamedTuple):
    """One call of versioner-ci, and the exit code that it must have."""

    arguments: Sequence[str]
    code: int = 0


CALLS = (
    Call(("run", "build", "--version", "1.5.0", "--", "sh", "-c", "sleep 1")),
    Call(("run", "deployment", "--version", "1.5.0", "--environment", "staging", "--", "sh", "-c", _BROKEN), 3),
    Call(("report", "deployment", "started", "--version", "1.4.2", "--environment", "production")),
)


class FailedError(Exception):
    """Something went another way."""


def play(folder: Path) -> list[Message]:
    """What stands in the channel once all calls were made in this folder. Raises FailedError."""
    (folder / ".versioner.yml").write_text(_FILE, encoding="utf-8")
    with FakeSlack() as slack:
        slack.add_channel(CHANNEL, "C0DEPLOYS1")
        kept = {name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ}
        env = {
            **kept,
            **_GITHUB,
            "GITHUB_WORKSPACE": str(folder),
            "RUNNER_TEMP": str(folder),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "SLACK_API_URL": slack.url,
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_CHANNEL": CHANNEL,
        }
        for call in CALLS:
            done = subprocess.run(
                [sys.executable, "-m", "versioner_ci", *call.arguments],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
            if done.returncode != call.code:
                raise FailedError(f"exit code {done.returncode}, not {call.code}: {done.stderr.strip()}")
        return slack.messages(CHANNEL)


def document(messages: Sequence[Message]) -> str:
    """All of them as a page, each with its thread."""
    return slack_page.page(drawn for message in messages for drawn in _thread(message))


def _thread(message: Message) -> Iterator[str]:
    yield slack_page.message(_body(message), time=TIME, is_edited=message.edits > 0)
    for reply in message.replies:
        yield slack_page.message(_body(reply), time=TIME, is_reply=True)


def _body(message: Message) -> dict[str, object]:
    return {"text": message.text, "blocks": message.blocks, "attachments": message.attachments}
