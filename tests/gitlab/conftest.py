"""A tracker, and jobs in the shells that GitLab Runner uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gitlab.jobs import KEY, SHELLS, Runner, tools
from tests.support.recorder import Recorder

MakeRunner = Callable[..., Runner]


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as recorder:
        yield recorder


@pytest.fixture
def runner(cli_env: dict[str, str], tmp_path: Path, tracker: Recorder) -> MakeRunner:
    """`runner(shell="dash", core=True, python=True, NAME=value…)`: with the tracker's address, in an empty folder."""

    def make(shell: str = "dash", *, core: bool = True, python: bool = True, **changes: str) -> Runner:
        assert shell in SHELLS
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        path = tools(tmp_path / f"tools-{core}-{python}", core=core, python=python)
        env = {**cli_env, "VERSIONER_API_URL": tracker.url}
        return Runner(shell=shell, env=env, cwd=work, tools=path, changes=changes)

    return make


@pytest.fixture(params=["dash", *(pytest.param(name, marks=pytest.mark.slow) for name in ("busybox", "bash"))])
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)
