"""git against hostile repositories, environments and search paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hosts.repository import GIT, NOTHING, Git, answers, git, program
from versioner_ci.git import find_program


@pytest.mark.parametrize("path", ["", "/nonexistent", ".", "relative/bin", ":::", "\0"])
def test_without_git_on_path_everything_is_unknown(repository: Path, env: dict[str, str], path: str) -> None:
    env["PATH"] = path or "/nonexistent"
    one = Git(str(repository), env)
    assert answers(one) == NOTHING
    assert (one.user_name, one.user_email) == (None, None)


@pytest.mark.parametrize("kind", ["folder", "not executable", "no program"])
def test_what_only_looks_like_git_is_passed_over(
    repository: Path, env: dict[str, str], tmp_path: Path, kind: str
) -> None:
    fake = tmp_path / "bin"
    if kind == "folder":
        (fake / "git").mkdir(parents=True)
    elif kind == "not executable":
        program(fake, "exit 0").chmod(0o644)
    else:
        program(fake, "exit 0").write_bytes(b"\x00\x01\x02")
    found = Git(str(repository), {**env, "PATH": f"{fake}{os.pathsep}{env['PATH']}"}).sha
    assert found is None if kind == "no program" else found == git(repository, "rev-parse", "HEAD")


def test_git_is_never_taken_from_the_working_directory(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(repository, f"touch {tmp_path}/stolen")
    (tmp_path / "link").symlink_to(repository)
    folders = ("", ".", str(repository), f"{repository}/", str(tmp_path / "link"), "../shop", env["PATH"])
    env["PATH"] = os.pathsep.join(folders)
    assert Git(str(repository), env).branch == "main"
    assert not (tmp_path / "stolen").exists()


def test_somebody_elses_repository_is_unknown(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin", f'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {GIT} "$@"')
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    assert answers(Git(str(repository), env)) == NOTHING
    (Path(env["HOME"]) / ".gitconfig").write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    assert Git(str(repository), env).branch == "main"


HOSTILE = """
[core]
    fsmonitor = touch {mark}
    pager = touch {mark}
    sshCommand = touch {mark}
    askPass = touch {mark}
    editor = touch {mark}
    hooksPath = {hooks}
[alias]
    rev-parse = !touch {mark}
    describe = !touch {mark}
[credential]
    helper = !touch {mark}
[diff]
    external = touch {mark}
[protocol "ext"]
    allow = always
[remote "origin"]
    url = ext::sh -c "touch {mark}"
    promisor = true
    partialCloneFilter = blob:none
[extensions]
    partialClone = origin
[log]
    showSignature = true
[gpg]
    program = touch {mark}
"""


def test_a_repositorys_own_settings_run_nothing(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    mark, hooks = tmp_path / "mark", tmp_path / "hooks"
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        program(hooks, f"touch {mark}").rename(hooks / name)
    git(repository, "tag", "-a", "v1", "-m", "one")
    (repository / ".git" / "config").write_text(
        "[core]\n\trepositoryformatversion = 1\n" + HOSTILE.format(mark=mark, hooks=hooks), encoding="utf-8"
    )
    sha = git(repository, "rev-parse", "HEAD")
    assert Git(str(repository), env).sha == sha
    (repository / ".git" / "objects" / sha[:2] / sha[2:]).unlink()
    for cwd in (repository, repository / ".git"):
        answers(Git(str(cwd), env))
    assert not mark.exists()


def test_gits_own_variables_do_not_matter(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    noise = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "remote.origin.url",
        "GIT_CONFIG_VALUE_0": "https://evil.example.com/a/b",
        "GIT_CONFIG_GLOBAL": str(tmp_path / "none"),
        "GIT_CONFIG_PARAMETERS": "'remote.origin.url=https://evil.example.com/a/b'",
        "GIT_EXEC_PATH": "/nonexistent",
        "GIT_NAMESPACE": "other",
        "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_TRACE": "2",
        "GIT_ASKPASS": f"touch {tmp_path}/asked",
        "VERSIONER_API_KEY": "canary",
    }
    assert answers(Git(str(repository), {**env, **noise})) == answers(Git(str(repository), env))


def test_no_secret_of_the_environment_reaches_git(repository: Path, env: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin", f"env > {tmp_path}/env")
    env |= {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}",
        "VERSIONER_API_KEY": "canary",
        "CI_JOB_TOKEN": "canary",
    }
    assert Git(str(repository), env, ("head",)).sha is None
    seen = (tmp_path / "env").read_text()
    assert "GIT_TERMINAL_PROMPT=0" in seen
    assert "canary" not in seen


def test_find_program_takes_the_first_on_path(tmp_path: Path) -> None:
    first, second = program(tmp_path / "1", "true"), program(tmp_path / "2", "true")
    path = os.pathsep.join(str(one.parent) for one in (first, second))
    assert find_program("/", {"PATH": path}) == str(first)
    assert find_program(str(first.parent), {"PATH": path}) == str(second)
