"""A tracker, a Slack, and the actions as a release has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actions.act import KEY, Workshop
from tests.actions.release import release
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo
from tests.support.recorder import Recorder


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release"))


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as recorder:
        yield recorder


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def workshop(repo: Repo, released: Path, tmp_path: Path, tracker: Recorder) -> Workshop:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Workshop(repo=repo, release=released, home=home, env={"VERSIONER_API_URL": tracker.url})
