"""For the tests of faults: the command under a fault, a tracker and a Slack that can be broken at will."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.faults import KEY, SLACK_TOKEN, Fault
from tests.support.process import Repo
from tests.support.recorder import Recorder


@pytest.fixture
def fault(cli_env: dict[str, str], repo: Repo, tmp_path: Path) -> Iterator[Fault]:
    """Outside CI, a key set, a spool of its own; no tracker's URL yet."""
    fault = Fault(cli_env, repo, tmp_path)
    yield fault
    for running in fault.running:
        running.kill_all()


@pytest.fixture
def tracker(fault: Fault) -> Iterator[Recorder]:
    """A tracker that works, and `fault` reports to it."""
    with Recorder(key=KEY) as recorder:
        fault.env["VERSIONER_API_URL"] = recorder.url
        yield recorder


@pytest.fixture
def slack(fault: Fault) -> Iterator[FakeSlack]:
    """A Slack that works, with a channel #deploys, and `fault` reports to it."""
    with FakeSlack(token=SLACK_TOKEN) as workspace:
        workspace.add_channel("#deploys")
        fault.env |= {
            "SLACK_API_URL": workspace.url,
            "SLACK_BOT_TOKEN": SLACK_TOKEN,
            "SLACK_CHANNEL": "#deploys",
        }
        yield workspace
