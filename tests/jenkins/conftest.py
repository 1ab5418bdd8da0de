"""A tracker, a Slack, and Jenkinsfiles that really run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND
from tests.jenkins.controller import LIBRARY, Build, Controller, start, whitelist
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo
from tests.support.recorder import Recorder

KEY = "sk_1_jenkins0123456789abcdef012345678"
MODES = ("plain", "cps", "restart", "sandbox", "cps-sandbox")
VARIABLES = {
    "BUILD_ID": "153",
    "BUILD_NUMBER": "153",
    "BUILD_TAG": "jenkins-shop-main-153",
    "BUILD_URL": "https://ci.example.com/job/shop/job/main/153/",
    "BUILD_USER_ID": "ada",
    "JENKINS_URL": "https://ci.example.com/",
    "JOB_NAME": "shop/main",
    "BRANCH_NAME": "main",
}
RunBuild = Callable[..., Build]


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    running = start(tmp_path_factory.mktemp("controller") / "errors")
    yield running
    running.stop()


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """Plain Groovy; as Jenkins runs it; with a restart of the controller at each step; in the sandbox; in both."""
    return str(request.param)


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
def library(tmp_path: Path) -> Path:
    """A copy of the library for a test to change."""
    return Path(shutil.copytree(LIBRARY, tmp_path / "library"))


def tools(folder: Path, *, core: bool = True, python: bool = True) -> Path:
    """A folder to be first on PATH with what an agent has, and no other versioner-ci or Python behind it."""
    if folder.exists():
        return folder
    folder.mkdir()
    names = [
        "sh",
        "cat",
        "env",
        "git",
        "sleep",
        "printf",
        "touch",
        "ls",
        "grep",
        "true",
        "dash",
        "test",
        "kill",
        "mktemp",
        "rm",
    ]
    for name in names:
        found = shutil.which(name)
        if found is not None:
            (folder / name).symlink_to(found)
    if core:
        (folder / "versioner-ci").symlink_to(COMMAND)
    if python:
        import sys  # noqa: PLC0415

        script = folder / "python3"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        script.chmod(0o755)
    return folder


@pytest.fixture
def run_build(
    controller: Controller, cli_env: dict[str, str], tmp_path: Path, tracker: Recorder, repo: Repo
) -> RunBuild:
    """`run_build(jenkinsfile, mode="cps", faults=[…], is_trusted=…, env={…}, …)`: its `node` is in a git checkout.

    The sandbox is for untrusted libraries; in the other modes this one is trusted unless told otherwise.
    """
    root = tmp_path / "jenkins"
    root.mkdir()
    shutil.copytree(repo.path, root / "workspace")

    def run(jenkinsfile: str, mode: str = "cps", *, faults: Sequence[dict[str, Any]] = (), **more: Any) -> Build:
        may_forbid = more.pop("may_forbid", False)
        has = {"core": more.pop("core", True), "python": more.pop("python", True)}
        path = tools(tmp_path / f"tools-{has['core']}-{has['python']}", **has)
        env = {**cli_env, **VARIABLES, "VERSIONER_API_URL": tracker.url, "PATH": str(path), **more.pop("env", {})}
        order = {
            "jenkinsfile": jenkinsfile,
            "mode": mode,
            "faults": list(faults),
            "env": {name: value for name, value in env.items() if value is not None},
            "root": str(root),
            "library": str(more.pop("library", LIBRARY)),
            "isTrusted": more.pop("is_trusted", "sandbox" not in mode),
            "credentials": {"tracker-key": KEY, **more.pop("credentials", {})},
            "whitelist": whitelist(),
            **more,
        }
        build = controller.run(order)
        assert may_forbid or not build.forbidden, (
            f"the sandbox forbids what the library does: {sorted(build.forbidden)}"
        )
        return build

    return run
