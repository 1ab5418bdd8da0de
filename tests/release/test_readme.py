"""A new user follows the README: makes a copy, and takes from it what each host's section says, word by word."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.actions.act import Workshop
from tests.gitlab.test_pipelines import GITLAB_CI_LOCAL
from tests.jenkins.conftest import RunBuild
from tests.release.built import ROOT, Built, clone, git, run
from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo
from tests.support.recorder import Recorder
from tests.test_docs_pages import Block, blocks_of, read
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(180)
TAG = f"v{__version__}"
ADDRESS = "https://git.example.com/OWNER/versioner-ci.git"


def block(tag: str) -> Block:
    """The README's only block with this tag."""
    [found] = [each for each in blocks_of(ROOT / "README.md") if each.tag == tag]
    return found


def section(title: str) -> str:
    return re.split(r"^## ", read(ROOT / "README.md").partition(f"\n## {title}\n")[2], flags=re.MULTILINE)[0]


@dataclass(frozen=True, kw_only=True)
class Copy:
    """The user's repository `versioner-ci` (bare), and what a host has of its tag."""

    bare: Path
    tag: Path


@pytest.fixture(scope="module")
def copy(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Made with the commands of *Your copy*; of the build what it leaves in dist/."""
    folder = tmp_path_factory.mktemp("copy")
    checkout, bare, tag = folder / "checkout", folder / "bare.git", folder / "tag"
    checkout.mkdir()
    clone(checkout)
    (checkout / "dist").mkdir()
    for path in built.folder.glob("*.tar.gz"):
        shutil.copy(path, checkout / "dist")
    git(folder, "init", "--quiet", "--bare", str(bare))
    [text] = [each.text for each in blocks_of(ROOT / "README.md") if ADDRESS in each.text]
    build, *rest = text.splitlines()
    assert build.split("#")[0].strip() == "./script/build"
    assert set(re.findall(r"\d+\.\d+\.\d+", text)) == {__version__}
    script = "set -eu\n" + "\n".join(rest).replace(ADDRESS, str(bare))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = run(["bash", "-c", script], env=env, cwd=checkout)
    assert done.code == 0, done.err
    git(folder, "clone", "--quiet", "--branch", TAG, str(bare), str(tag))
    return Copy(bare=bare, tag=tag)


@pytest.fixture
def project(repo: Repo) -> Repo:
    """The user's own, with a `deploy.sh`."""
    (repo.path / "deploy.sh").write_text("#!/bin/sh\necho 'deployed it'\n")
    (repo.path / "deploy.sh").chmod(0o755)
    repo.git("add", ".")
    return repo


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.add_channel("#deploys", "C0DEPLOYS1")
        yield fake


def test_the_copy_has_the_source_as_main_and_a_releases_tree_as_its_tag(copy: Copy, built: Built) -> None:
    assert git(copy.bare, "log", "-1", "--format=%s", TAG).strip().startswith(f"versioner-ci {__version__}")
    assert git(copy.bare, "rev-parse", f"{TAG}^") == git(copy.bare, "rev-parse", "refs/heads/main")
    there = {path.relative_to(copy.tag).as_posix() for path in copy.tag.rglob("*") if path.is_file()}
    made = {path.relative_to(built.tree).as_posix() for path in built.tree.rglob("*") if path.is_file()}
    assert {name for name in there if not name.startswith(".git/")} == {n for n in made if not n.endswith(".pyc")}


@pytest.mark.parametrize("way", ["tracker", "slack"])
def test_githubs_section_works(
    way: str, copy: Copy, project: Repo, tracker: Recorder, slack: FakeSlack, tmp_path: Path
) -> None:
    text, ours = block(".github/workflows/deploy.yml").text, f"OWNER/versioner-ci/actions/track@{TAG}"
    assert f"uses: {ours}\n" in text
    workflow, home = tmp_path / "deploy.yml", tmp_path / "home"
    workflow.write_text(text.replace(ours, "acme/versioner-ci/actions/track@v1"))
    home.mkdir(exist_ok=True)
    told = set(re.findall(r"`((?:VERSIONER|SLACK)_\w+)`", section("GitHub Actions")))
    secrets = {"VERSIONER_API_KEY": str(tracker.key)} if way == "tracker" else {"SLACK_BOT_TOKEN": slack.token}
    given = {"VERSIONER_API_URL": tracker.url} if way == "tracker" else {"SLACK_CHANNEL": "#deploys"}
    assert secrets.keys() | given.keys() <= told
    shop = Workshop(repo=project, release=copy.tag, home=home, env={"SLACK_API_URL": slack.url}, secrets=secrets)
    ran = shop.run(workflow.as_posix(), "push", *(f"--var={name}={value}" for name, value in given.items()))
    assert ran.code == 0, ran.log
    assert "deployed it" in ran.log
    assert ran.annotations("warning") == []
    assert tracker.types() == (["deployment.started", "deployment.completed"] if way == "tracker" else [])
    assert [message.text.split(":")[0] for message in slack.messages("#deploys")] == (
        [] if way == "tracker" else ["✅ Deployment succeeded"]
    )
    assert "Deployment in progress" in ran.log


def test_gitlabs_section_works(
    copy: Copy, built: Built, project: Repo, tracker: Recorder, reporting: dict[str, str]
) -> None:
    if not GITLAB_CI_LOCAL.is_file():
        pytest.skip("gitlab-ci-local is missing: run script/install_gitlab_tools")
    pipeline = yaml.safe_load(block(".gitlab-ci.yml").text)
    [include] = pipeline["include"]
    assert (include.pop("project"), include.pop("ref")) == ("OWNER/versioner-ci", TAG)
    include["local"] = include.pop("file")
    del pipeline["deploy"]["image"]
    (project.path / ".gitlab-ci.yml").write_text(yaml.safe_dump(pipeline))
    shutil.copytree(copy.tag / "gitlab", project.path / "gitlab")
    (project.path / "ci").mkdir()
    shutil.copy(built.zipapp, project.path / "ci")
    project.git("add", ".")
    variables = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": str(tracker.key)}
    assert all(f"`{name}`" in section("GitLab CI") for name in variables)
    options = [f"--variable={name}={value}" for name, value in {"GITLAB_CI": "true", **variables}.items()]
    folders = reporting["PATH"].split(os.pathsep)
    path = os.pathsep.join(each for each in folders if not Path(each, "versioner-ci").exists())
    env = {**reporting, "PATH": path, "PIP_NO_INDEX": "1"}
    done = run([GITLAB_CI_LOCAL, "--force-shell-executor", "--no-color", *options], env=env, cwd=project.path)
    assert done.code == 0, done.out + done.err
    assert tracker.types() == ["deployment.started", "deployment.completed"], done.out
    assert "deployed it" in done.out
    [seen] = re.findall(r"log says `([^`]+)`", section("GitLab CI"))
    assert seen in done.out + done.err


def test_jenkins_section_works(copy: Copy, run_build: RunBuild, tracker: Recorder, tmp_path: Path) -> None:
    text = section("Jenkins")
    [name] = re.findall(r"@Library\('([^']+)'\)", block("scripted").text)
    assert f"name `{name}`" in text
    assert f"*Default version* `{TAG}`" in text
    [folder] = re.findall(r"\*Library Path\* `(\w+)`", text)
    [credential] = re.findall(r"id `([\w-]+)`", text)
    (tmp_path / "jenkins/workspace/deploy.sh").write_text("#!/bin/sh\necho 'deployed it'\n")
    (tmp_path / "jenkins/workspace/deploy.sh").chmod(0o755)
    file = block("scripted").text.partition("\n")[2].replace("checkout scm", "echo 'checked out'")
    given = {"core": False, "library": copy.tag / folder, "credentials": {credential: tracker.key}}
    build = run_build(file, env={"PYTHONPATH": None, "PIP_NO_INDEX": "1"}, **given)
    build.fail()
    assert tracker.types() == ["deployment.started", "deployment.completed"], build.text
    assert "deployed it" in build.text
    [seen] = re.findall(r"log says `([^`]+)`", section("GitLab CI"))
    assert seen in build.text


@pytest.mark.parametrize("title", ["GitHub Actions", "GitLab CI", "Jenkins"])
def test_a_section_is_short_and_whole(title: str) -> None:
    text = section(title)
    assert len(text.splitlines()) <= 35
    assert re.findall(r"^(\d)\. ", text, re.MULTILINE) == ["1", "2", "3"]
    assert "[All of it](docs/" in text
