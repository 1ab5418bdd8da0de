"""The tree of a release on GitHub and on Jenkins, run as these hosts run it, where no package can be had."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.actions.act import Ran, Workshop, toolbox
from tests.actions.steps import Step
from tests.jenkins.conftest import RunBuild
from tests.release.built import Built
from tests.support.process import Repo
from tests.support.raw_server import RawServer, reply
from tests.support.recorder import Recorder

pytestmark = pytest.mark.timeout(180)
RESOURCE = "resources/io/versioner/versioner-ci.pyz"
BODY = "withVersioner(event: 'deployment', product: 'shop', environment: 'production', credentialsId: 'tracker-key')"
BRINGING = "writeFile"


@pytest.fixture
def index() -> Iterator[RawServer]:
    """The only package index and the only proxy that there are: it has nothing, and knows who has asked."""
    with RawServer(reply(404)) as server:
        yield server


@pytest.fixture
def walled(index: RawServer) -> dict[str, str]:
    """Variables that lead everything there but what is for the tracker."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), index.url)
    direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1")
    return {**proxies, **direct, "PIP_INDEX_URL": f"{index.url}/simple", "VERSIONER_TIMEOUT": "40"}


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """`acme/versioner-ci@v1` is a copy of the release's tree."""

    workshop: Workshop
    tree: Path
    cache: Path

    def deploy(self, **env: str) -> Ran:
        return self.workshop.run("deploy", env={"RUNNER_TOOL_CACHE": str(self.cache), **env})


@pytest.fixture
def github(built: Built, repo: Repo, tmp_path: Path, tracker: Recorder, walled: dict[str, str]) -> GitHub:
    tree, cache, home = (tmp_path / name for name in ("tree", "cache", "home"))
    shutil.copytree(built.tree, tree)
    cache.mkdir()
    home.mkdir(exist_ok=True)
    env = {**walled, "VERSIONER_API_URL": tracker.url}
    secrets = {"VERSIONER_API_KEY": str(tracker.key)}
    return GitHub(
        workshop=Workshop(repo=repo, release=tree, home=home, env=env, secrets=secrets), tree=tree, cache=cache
    )


def test_githubs_action_reports_a_job_with_what_lies_in_the_tree(
    github: GitHub, tracker: Recorder, index: RawServer
) -> None:
    ran = github.deploy()
    assert ran.code == 0, ran.log
    assert tracker.types() == ["deployment.started", "deployment.completed"], ran.log
    assert len({event.metadata["vi_lifecycle_id"] for event in tracker.events}) == 1
    assert (tracker.events[0].body["product_name"], tracker.events[0].body["source_system"]) == ("shop", "github")
    assert ran.annotations("warning") == []
    assert (index.requests, list(github.cache.iterdir())) == ([], [])


def test_githubs_action_reports_a_failure_from_there_too(github: GitHub, tracker: Recorder, index: RawServer) -> None:
    ran = github.deploy(SHIP_CODE="3")
    assert (ran.code, tracker.types()) == (1, ["deployment.started", "deployment.failed"]), ran.log
    assert tracker.events[1].metadata["error"] == "step 'ship' failed"
    assert (index.requests, list(github.cache.iterdir())) == ([], [])


def test_without_its_vendor_folder_the_index_would_have_been_asked(
    github: GitHub, index: RawServer, tmp_path: Path
) -> None:
    """What the tests above do not see is something that can be seen."""
    shutil.rmtree(github.tree / "vendor")
    tools, work = toolbox(tmp_path / "tools"), tmp_path / "workspace"
    work.mkdir()
    env = {**github.workshop.env, "HOME": str(github.workshop.home), "RUNNER_TOOL_CACHE": str(github.cache)}
    ended = Step(release=github.tree, work=work, path=str(tools), env=env).main()
    assert any(request.target.startswith("/simple/") for request in index.requests)
    assert "::warning title=versioner-ci::the libraries could not be installed" in ended.err


@pytest.fixture
def library(built: Built, tmp_path: Path) -> Path:
    """What a release's tag gives to Jenkins under the Library Path `jenkins`."""
    return Path(shutil.copytree(built.tree / "jenkins", tmp_path / "library"))


@pytest.mark.parametrize(("mode", "ending"), [("cps", "completed"), ("sandbox", "failed")])
def test_jenkins_library_brings_the_releases_zipapp_and_runs_it(
    mode: str, ending: str, run_build: RunBuild, library: Path, built: Built,
    tracker: Recorder, index: RawServer, walled: dict[str, str], cli_env: dict[str, str],
) -> None:  # fmt: skip
    body = "echo 'deployed'" if ending == "completed" else "error 'no space left'"
    env = {**walled, "PYTHONPATH": None}
    given = {"core": False, "library": library, "env": env, "credentials": {"tracker-key": tracker.key}}
    build = run_build(f"node {{ {BODY} {{ {body} }} }}", mode, **given)
    assert (build.thrown is None) == (ending == "completed"), build.text
    assert tracker.types() == ["deployment.started", f"deployment.{ending}"], build.text
    assert tracker.events[0].body["source_system"] == "jenkins"
    assert tracker.events[1].metadata.get("error") == (None if ending == "completed" else "no space left")
    content = built.zipapp.read_bytes()
    [kept] = Path(cli_env["HOME"]).glob(".cache/versioner-ci-core/*")
    assert (kept.name, kept.read_bytes()) == (f"{hashlib.sha256(content).hexdigest()}.pyz", content)
    assert build.steps.count(BRINGING) == 1
    assert [line for line in build.ours if "warning" in line] == []
    assert index.requests == []


def test_a_resource_that_the_releases_checksum_does_not_fit_is_not_run(
    run_build: RunBuild, library: Path, tracker: Recorder, index: RawServer, walled: dict[str, str]
) -> None:
    with (library / RESOURCE).open("ab") as file:
        file.write(b" ")
    env = {**walled, "PYTHONPATH": None}
    given = {"core": False, "library": library, "env": env, "credentials": {"tracker-key": tracker.key}}
    build = run_build(f"node {{ {BODY} {{ echo 'deployed' }} }}", **given)
    build.fail()
    assert "deployed" in build.log
    assert re.search(r"the library's zipapp has SHA-256 \w+, not \w+: it is not used: nothing is reported", build.text)
    assert (tracker.requests, index.requests) == ([], [])
