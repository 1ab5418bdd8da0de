"""What git adds to the host's facts, in real repositories."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hosts.captured import CASES, SECRET, load
from tests.hosts.repository import GIT, environment, git, make, program
from versioner_ci import hosts
from versioner_ci.context import CIContext


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return environment(home)


def complete(case: str, folder: Path, env: dict[str, str], **changes: str) -> CIContext:
    captured = load(case, **changes)
    return hosts.complete(hosts.detect(captured), {**captured, **env}, str(folder))


def local(folder: Path, env: dict[str, str], *, wants_identity: bool = False) -> CIContext:
    return hosts.complete(hosts.detect(env), env, str(folder), wants_identity=wants_identity)


def test_a_persons_checkout_says_everything_without_being_asked(tmp_path: Path, env: dict[str, str]) -> None:
    sha = make(tmp_path / "work", remote="https://robot:canary@github.com/acme/shop.git", branch="feature/x")
    assert local(tmp_path / "work", env) == CIContext(
        source_system="local",
        server_url="https://github.com",
        product="shop",
        version=sha[:12],
        scm_sha=sha,
        scm_branch="feature/x",
        scm_repository="acme/shop",
        scm_url="https://github.com/acme/shop",
        actor="jdoe",
    )


def test_a_tag_is_the_version_only_where_the_tag_is_checked_out(tmp_path: Path, env: dict[str, str]) -> None:
    sha = make(tmp_path / "work")
    git(tmp_path / "work", "tag", "-a", "v1.4.2", "-m", "release")
    assert local(tmp_path / "work", env).version == sha[:12]
    git(tmp_path / "work", "checkout", "-q", "v1.4.2")
    context = local(tmp_path / "work", env)
    assert (context.version, context.scm_branch, context.scm_sha) == ("v1.4.2", None, sha)


@pytest.mark.parametrize("remote", [None, "../elsewhere"])
def test_a_repository_without_a_server_is_called_like_its_folder(
    tmp_path: Path, env: dict[str, str], remote: str | None
) -> None:
    make(tmp_path / "my-shop", remote=remote)
    (tmp_path / "my-shop" / "deep").mkdir()
    context = local(tmp_path / "my-shop" / "deep", env)
    assert (context.product, context.scm_repository, context.server_url) == ("my-shop", None, None)


def test_without_a_repository_nothing_is_known_but_the_login(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path)
    assert local(tmp_path, env) == CIContext(source_system="local", actor="jdoe")
    assert local(tmp_path / "missing", env) == CIContext(source_system="local", actor="jdoe")


def test_name_and_address_are_asked_for_only_if_wanted(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work")
    git(tmp_path / "work", "config", "user.name", "Jane Doe")
    git(tmp_path / "work", "config", "user.email", "jane@example.com")
    without, full = local(tmp_path / "work", env), local(tmp_path / "work", env, wants_identity=True)
    assert (without.actor_name, without.actor_email) == (None, None)
    assert full == replace(without, actor_name="Jane Doe", actor_email="jane@example.com")


FULL = ["github_push", "gitlab_deployment", "jenkins_multibranch", "azure-devops_deployment", "bitbucket_deployment"]


@pytest.mark.parametrize("case", [*FULL, "circleci_parallel", "buildkite_pull_request", "azure-devops_pull_request"])
def test_git_is_not_started_where_the_host_says_all(tmp_path: Path, env: dict[str, str], case: str) -> None:
    program(tmp_path / "bin", f"touch {tmp_path}/started")
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    assert complete(case, tmp_path, env) == hosts.detect(load(case))
    assert not (tmp_path / "started").exists()


def test_git_is_started_only_for_what_is_missing(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work")
    program(tmp_path / "bin", f'echo "$@" >> {tmp_path}/calls; exec {GIT} "$@"')
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    context = complete("jenkins_multibranch", tmp_path / "work", env, GIT_URL="")
    assert context.scm_repository == "acme/shop"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 1
    assert calls[0].endswith("remote -v")


def test_a_scripted_checkout_on_jenkins_gets_its_commit_from_git(tmp_path: Path, env: dict[str, str]) -> None:
    sha = make(tmp_path / "work", remote="https://robot:canary@git.example.com/acme/shop.git")
    git(tmp_path / "work", "tag", "v9")
    git(tmp_path / "work", "checkout", "-q", "--detach")
    unset = dict.fromkeys(("GIT_COMMIT", "GIT_BRANCH", "GIT_LOCAL_BRANCH", "GIT_URL"), "")
    context = complete("jenkins_multibranch", tmp_path / "work", env, **unset)
    assert (context.scm_sha, context.version, context.scm_branch) == (sha, sha[:12], "main")
    assert (context.scm_repository, context.scm_url) == ("acme/shop", "https://git.example.com/acme/shop")
    assert context.server_url == "https://ci.example.com/jenkins"


def test_a_pull_requests_branch_is_never_gits(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work", branch="PR-24")
    context = complete("jenkins_pull_request", tmp_path / "work", env, CHANGE_BRANCH="", GIT_COMMIT="")
    assert context.scm_branch is None
    assert context.scm_sha is not None


def test_a_tags_run_has_no_branch_from_git(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work")
    context = complete("jenkins_multibranch", tmp_path / "work", env, TAG_NAME="v1", GIT_COMMIT="")
    assert (context.version, context.scm_branch) == ("v1", None)
    assert context.scm_sha == git(tmp_path / "work", "rev-parse", "HEAD")


def test_a_branch_that_the_host_does_not_say_is_gits(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work", branch="topic")
    unset = dict.fromkeys(("BRANCH_NAME", "GIT_BRANCH", "GIT_LOCAL_BRANCH"), "")
    context = complete("jenkins_multibranch", tmp_path / "work", env, **unset)
    assert context.scm_branch == "topic"
    assert context.version == context.scm_sha[:12] if context.scm_sha else None


def test_a_symbolic_commit_on_buildkite_is_looked_up(tmp_path: Path, env: dict[str, str]) -> None:
    sha = make(tmp_path / "work")
    assert complete("buildkite_pull_request", tmp_path / "work", env, BUILDKITE_COMMIT="HEAD").scm_sha == sha


def test_rundeck_gets_its_repository_from_git(tmp_path: Path, env: dict[str, str]) -> None:
    sha = make(tmp_path / "work")
    context = complete("rundeck_node", tmp_path / "work", env)
    assert (context.product, context.version, context.scm_branch) == ("shop", sha[:12], "main")
    assert context.server_url == "https://rundeck.example.com"


def test_a_ci_hosts_product_is_never_the_name_of_a_folder(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "workspace@2", remote=None)
    assert complete("rundeck_node", tmp_path / "workspace@2", env).product is None


@pytest.mark.parametrize(
    ("remote", "url"),
    [("git@gitlab.com:acme/shop.git", "https://gitlab.com/acme/shop"), ("git@github.com:other/thing.git", None)],
    ids=["the same repository", "another one"],
)
def test_travis_gets_its_repositorys_page_from_a_remote_of_the_same_name(
    tmp_path: Path, env: dict[str, str], remote: str, url: str | None
) -> None:
    make(tmp_path / "work", remote=remote)
    context = complete("travis_pull_request", tmp_path / "work", env)
    assert (context.scm_repository, context.scm_url) == ("acme/shop", url)


@pytest.mark.parametrize("case", CASES)
def test_without_git_the_hosts_facts_stay(tmp_path: Path, case: str) -> None:
    captured = load(case, PATH=str(tmp_path))
    assert hosts.complete(hosts.detect(captured), captured, str(tmp_path)) == hosts.detect(captured)


@pytest.mark.parametrize("case", CASES)
def test_a_remotes_password_is_in_no_field(tmp_path: Path, env: dict[str, str], case: str) -> None:
    make(tmp_path / "work", remote=f"https://robot:{SECRET}@git.example.com/acme/shop.git")
    assert SECRET not in str(complete(case, tmp_path / "work", env)).lower()


def test_asking_early_and_filling_late_is_the_same(tmp_path: Path, env: dict[str, str]) -> None:
    make(tmp_path / "work")
    context = hosts.detect(env)
    early = hosts.ask(context, env, str(tmp_path / "work"))
    assert hosts.fill(context, early) == local(tmp_path / "work", env)
    full = hosts.detect(load("github_push"))
    assert hosts.ask(full, env, str(tmp_path)) is None
    assert hosts.fill(full, None) == full
