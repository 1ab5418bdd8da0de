"""What git says of real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.hosts.repository import GIT, NOTHING, Git, answers, git, make, program
from versioner_ci.git import repository_of


def test_a_checkout_says_commit_branch_and_remote(repository: Path, env: dict[str, str]) -> None:
    sha = git(repository, "rev-parse", "HEAD")
    expected = (str(repository), sha, "main", "git@github.com:acme/shop.git", None)
    assert answers(Git(str(repository), env)) == expected


def test_a_sub_folder_belongs_to_its_repository(repository: Path, env: dict[str, str]) -> None:
    (repository / "a" / "b").mkdir(parents=True)
    assert Git(str(repository / "a" / "b"), env).root == str(repository)


def test_a_detached_head_has_no_branch_but_a_tag(repository: Path, env: dict[str, str]) -> None:
    git(repository, "tag", "v1.4.2")
    git(repository, "checkout", "-q", "--detach")
    one = Git(str(repository), env)
    assert (one.branch, one.tag, one.is_detached) == (None, "v1.4.2", True)
    assert one.sha == git(repository, "rev-parse", "HEAD")


def test_a_tag_of_an_earlier_commit_is_not_this_ones(repository: Path, env: dict[str, str]) -> None:
    git(repository, "tag", "v1")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    assert Git(str(repository), env).tag is None


def test_a_shallow_clone_says_the_same(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(tmp_path / "shallow"))
    one = Git(str(tmp_path / "shallow"), env)
    assert (one.sha, one.branch) == (git(repository, "rev-parse", "HEAD"), "main")
    assert one.remote == f"file://{repository}"
    assert one.tag is None


def test_a_worktree_says_its_own_branch(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    one = Git(str(tmp_path / "tree"), env)
    assert (one.branch, one.root) == ("other", str(tmp_path / "tree"))


def test_a_repository_without_a_commit_has_only_its_folder_and_remote(tmp_path: Path, env: dict[str, str]) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    git(tmp_path / "empty", "remote", "add", "origin", "https://example.com/a/b")
    expected = (str(tmp_path / "empty"), None, None, "https://example.com/a/b", None)
    assert answers(Git(str(tmp_path / "empty"), env)) == expected


@pytest.mark.parametrize("where", ["plain", "missing", "bare.git", "", "nul\0"])
def test_where_there_is_no_checkout_everything_is_unknown(tmp_path: Path, env: dict[str, str], where: str) -> None:
    (tmp_path / "plain").mkdir()
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    cwd = f"{tmp_path}/{where}" if where else ""
    if where:
        assert answers(Git(cwd, {**env, "GIT_CEILING_DIRECTORIES": str(tmp_path)})) == NOTHING
    else:
        Git(cwd, env)


def test_nothing_is_started_for_what_is_not_wanted(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin", f'echo "$@" >> {tmp_path}/calls; exec {GIT} "$@"')
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    assert Git(str(repository), env, ("tag",)).sha is None
    assert Git(str(repository), env, ()).branch is None
    one = Git(str(repository), env, ("head",))
    assert (one.sha, one.branch, one.root) == (git(repository, "rev-parse", "HEAD"), "main", str(repository))
    assert (tmp_path / "calls").read_text().count("rev-parse") == 1


def test_git_dir_and_work_tree_are_heeded(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    env |= {"GIT_DIR": str(repository / ".git"), "GIT_WORK_TREE": str(repository)}
    assert Git(str(tmp_path), env).branch == "main"


def test_a_ceiling_is_heeded(repository: Path, env: dict[str, str]) -> None:
    (repository / "sub").mkdir()
    assert Git(str(repository / "sub"), {**env, "GIT_CEILING_DIRECTORIES": str(repository)}).sha is None


@pytest.mark.parametrize(
    "name", ["$(id)", 'a";id;"', "<!channel>", "%0A", "x<<EOF", "feature/x", "ümläut-🚀", "-dash", "a\u2028b"]
)
def test_a_branch_may_have_any_name(tmp_path: Path, env: dict[str, str], name: str) -> None:
    make(tmp_path / "shop")
    git(tmp_path / "shop", "symbolic-ref", "HEAD", f"refs/heads/{name}")
    git(tmp_path / "shop", "commit", "-q", "-m", "first")
    assert Git(str(tmp_path / "shop"), env).branch == name


def test_invalid_bytes_become_the_replacement_character(repository: Path, env: dict[str, str]) -> None:
    config = repository / ".git" / "config"
    config.write_bytes(config.read_bytes() + b"[user]\n\tname = J\xffne\n\temail = j\xfe@example.com\n")
    (repository / ".git" / "HEAD").write_bytes(b"ref: refs/heads/br\xffnch\n")
    subprocess.run([GIT, "-C", repository, "update-ref", b"refs/heads/br\xffnch", "main"], check=True, env=env)
    one = Git(str(repository), env)
    assert (one.user_name, one.user_email, one.branch) == ("J\ufffdne", "j\ufffd@example.com", "br\ufffdnch")


def test_a_folder_whose_name_is_no_text_is_no_fault(tmp_path: Path, env: dict[str, str]) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    sha = make(Path(folder))
    assert Git(folder, env).sha == sha
    assert Git(folder, env).root == f"{tmp_path}/caf\ufffd"


def test_of_several_remotes_origin_counts_else_the_first(repository: Path, env: dict[str, str]) -> None:
    git(repository, "remote", "add", "aaa", "https://example.com/a/a")
    git(repository, "remote", "set-url", "--push", "origin", "https://example.com/push/only")
    assert Git(str(repository), env).remote == "git@github.com:acme/shop.git"
    git(repository, "remote", "rename", "origin", "zzz")
    assert Git(str(repository), env).remote == "https://example.com/a/a"


def test_a_shorthand_for_a_remote_is_written_out(repository: Path, env: dict[str, str]) -> None:
    git(repository, "remote", "set-url", "origin", "gh:acme/web")
    git(repository, "config", "url.https://github.com/.insteadOf", "gh:")
    assert Git(str(repository), env).remote == "https://github.com/acme/web"


def test_the_last_setting_of_a_user_counts(repository: Path, env: dict[str, str]) -> None:
    (Path(env["HOME"]) / ".gitconfig").write_text(
        "[user]\n\tname = Home\n\temail = home@example.com\n", encoding="utf-8"
    )
    git(repository, "config", "user.name", "Here")
    one = Git(str(repository), env)
    assert (one.user_name, one.user_email) == ("Here", "home@example.com")


def test_a_remote_is_known_by_server_and_name() -> None:
    assert repository_of("git@github.com:acme/shop.git") == ("https://github.com", "acme/shop")
    assert repository_of("/srv/git/shop") is None
