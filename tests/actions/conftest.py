"""A tracker, a Slack, and the actions as a release has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.actions.act import KEY, Workshop, toolbox
from tests.actions.release import release
from tests.actions.steps import Step
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


@pytest.fixture
def step(released: Path, tmp_path: Path, tracker: Recorder, cli_env: dict[str, str]) -> Step:
    """A step of `actions/track` in an empty workspace."""
    work = tmp_path / "workspace"
    work.mkdir()
    env = {name: value for name, value in cli_env.items() if name not in {"PATH", "PYTHONPATH"}}
    path = toolbox(tmp_path / "tools")
    return Step(release=released, work=work, path=str(path), env={**env, "VERSIONER_API_URL": tracker.url})
