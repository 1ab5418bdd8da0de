"""A strict Slack with one channel, and our bot in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.slack_events import DEPLOYS, a_bot
from versioner_ci.sinks.slack import Slack


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel(DEPLOYS)
        yield fake


@pytest.fixture
def bot(slack: FakeSlack) -> Slack:
    return a_bot(slack)
