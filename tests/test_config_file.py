"""Finding and reading `.versioner.yml`: from real folders, links, pipes and other surprises."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from versioner_ci.config_file import load
from versioner_ci.config_record import FileConfig, Problem
from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError

CONTEXT = CIContext(source_system="github")
FORK = CIContext(source_system="github", is_fork=True)
NAME = ".versioner.yml"
posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / ".github").mkdir()
    (root / "sub" / "folder").mkdir(parents=True)
    return root


def loaded(cwd: Path, env: dict[str, str] | None = None, path: str | None = None) -> FileConfig:
    config = load(cwd, env or {}, path=path, context=CONTEXT)
    assert config is not None
    return config


def said(config: FileConfig) -> str:
    assert config.values == {}
    assert len(config.problems) == 1
    return str(config.problems[0])


def test_no_file_is_none(repo: Path) -> None:
    assert load(repo, {}, path=None, context=CONTEXT) is None


def test_the_file_at_the_repositorys_root_is_found_from_below(repo: Path) -> None:
    (repo / NAME).write_text("# settings\nproduct: shop\n")
    config = loaded(repo / "sub" / "folder")
    assert config.values == {"product": "shop"}
    assert config.origin("product") == ".versioner.yml line 2"
    assert config.path == NAME


def test_one_in_the_working_directory_is_not_the_repositorys(repo: Path) -> None:
    (repo / "sub" / NAME).write_text("product: other")
    assert load(repo / "sub", {}, path=None, context=CONTEXT) is None


def test_the_file_in_dot_github_is_the_second_choice(repo: Path) -> None:
    (repo / ".github" / "versioner.yml").write_text("product: second")
    assert loaded(repo).values == {"product": "second"}
    (repo / NAME).write_text("product: first")
    assert loaded(repo).values == {"product": "first"}


def test_a_worktrees_git_file_marks_a_root_too(repo: Path) -> None:
    (repo / "sub" / ".git").write_text("gitdir: elsewhere")
    (repo / "sub" / NAME).write_text("product: worktree")
    assert loaded(repo / "sub" / "folder").values == {"product": "worktree"}


def test_without_a_repository_the_working_directory_counts(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("product: plain")
    assert loaded(tmp_path).values == {"product": "plain"}


def test_a_named_file_is_read_alone(repo: Path) -> None:
    (repo / NAME).write_text("product: usual\ntimeout: 3")
    (repo / "sub" / "other.yml").write_text("product: named")
    assert loaded(repo / "sub", path="other.yml").values == {"product": "named"}
    assert loaded(repo / "sub", {"VERSIONER_CONFIG": "other.yml"}).values == {"product": "named"}
    assert loaded(repo, path=str(repo / "sub" / "other.yml")).values == {"product": "named"}


def test_a_blank_name_names_nothing(repo: Path) -> None:
    (repo / NAME).write_text("product: usual")
    assert loaded(repo, {"VERSIONER_CONFIG": " "}, path="").values == {"product": "usual"}


def test_a_typed_file_that_is_missing_is_a_usage_error(repo: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(repo, {}, path="miss\ning.yml", context=CONTEXT)
    assert str(raised.value) == "--config miss\\ning.yml: cannot be read: No such file or directory"


def test_a_missing_file_named_by_the_environment_is_a_problem(repo: Path) -> None:
    env = {"VERSIONER_CONFIG": "missing.yml"}
    expected = "missing.yml: cannot be read: No such file or directory (named by VERSIONER_CONFIG)"
    assert said(loaded(repo, env)) == expected
    assert said(loaded(repo, env, path="missing.yml")) == expected


@pytest.mark.parametrize("path", [None, NAME])
def test_on_a_forks_run_nothing_is_read(repo: Path, path: str | None) -> None:
    (repo / NAME).write_text("product: evil")
    assert load(repo, {"VERSIONER_CONFIG": NAME}, path=path, context=FORK) is None


@pytest.mark.parametrize("name", [".versioner.yaml", ".github/versioner.yaml", "versioner.yml"])
def test_a_misspelt_name_is_said(repo: Path, name: str) -> None:
    (repo / name).write_text("product: shop")
    assert said(loaded(repo)) == f"{name}: is not read under this name; rename it to .versioner.yml"


def test_a_folder_of_that_name_is_a_problem(repo: Path) -> None:
    (repo / NAME).mkdir()
    assert said(loaded(repo)).startswith(".versioner.yml: ")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root reads everything: be nobody for a while."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@posix
def test_an_unreadable_file_is_a_problem(open_folder: Path) -> None:
    (open_folder / NAME).write_text("product: shop")
    (open_folder / NAME).chmod(0)
    with unprivileged():
        config = loaded(open_folder)
    assert said(config) == ".versioner.yml: cannot be read: Permission denied"


@posix
def test_a_named_pipe_does_not_block(repo: Path) -> None:
    os.mkfifo(repo / NAME)
    began = time.monotonic()
    assert said(loaded(repo)) == ".versioner.yml: is not a file"
    assert time.monotonic() - began < 5


@posix
def test_a_link_out_of_the_repository_is_not_followed(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("product: from outside")
    (repo / NAME).symlink_to(tmp_path / "secret")
    assert said(loaded(repo)) == ".versioner.yml: is a link that leads out of the repository; not followed"


@posix
def test_a_folder_that_links_out_is_not_followed_either(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "versioner.yml").write_text("product: from outside")
    (repo / ".github").rmdir()
    (repo / ".github").symlink_to(tmp_path / "other")
    assert "leads out of the repository" in said(loaded(repo))


@posix
def test_a_neighbour_whose_name_starts_alike_is_outside(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "repository").write_text("product: from outside")
    (repo / NAME).symlink_to(tmp_path / "repository")
    assert "leads out of the repository" in said(loaded(repo))


@posix
def test_a_link_into_dot_git_is_not_followed(repo: Path) -> None:
    (repo / ".git" / "config").write_text("product: credentials")
    (repo / NAME).symlink_to(".git/config")
    assert said(loaded(repo)) == ".versioner.yml: is a link into .git; not followed"


@posix
def test_a_link_within_the_repository_is_followed(repo: Path) -> None:
    (repo / "sub" / "real.yml").write_text("product: shop")
    (repo / NAME).symlink_to("sub/real.yml")
    assert loaded(repo).values == {"product": "shop"}


@posix
@pytest.mark.parametrize("target", ["nowhere", NAME], ids=["dangling", "itself"])
def test_a_link_to_nothing_is_a_problem(repo: Path, target: str) -> None:
    (repo / NAME).symlink_to(target)
    assert said(loaded(repo)).startswith(".versioner.yml: cannot be read: ")


@posix
def test_a_repository_that_is_reached_by_a_link_works(repo: Path, tmp_path: Path) -> None:
    (repo / NAME).write_text("product: shop")
    (tmp_path / "link").symlink_to(repo)
    assert loaded(tmp_path / "link" / "sub").values == {"product": "shop"}


def test_a_file_of_100_kb_is_not_used_and_said(repo: Path) -> None:
    (repo / NAME).write_text("product: shop\n" + "# padding\n" * 10_000)
    assert said(loaded(repo)) == ".versioner.yml: is larger than 64 KiB; nothing in it is used"


def test_a_large_file_that_sets_a_gate_breaks_the_gate(repo: Path) -> None:
    (repo / NAME).write_text("gate: required\n" + "# padding\n" * 10_000)
    assert loaded(repo).is_gate_broken


def test_a_file_of_just_64_kib_is_read(repo: Path) -> None:
    text = "product: shop\n#"
    (repo / NAME).write_text(text + "x" * (64 * 1024 - len(text)))
    assert loaded(repo).values == {"product": "shop"}


@pytest.mark.parametrize("text", ["", "\n \n", "# only a comment\n", "---\n", "~"])
def test_an_empty_file_says_nothing(repo: Path, text: str) -> None:
    (repo / NAME).write_text(text)
    config = loaded(repo)
    assert (config.values, config.problems) == ({}, ())


def test_a_working_directory_that_is_gone_is_no_crash(tmp_path: Path) -> None:
    assert load(tmp_path / "gone", {}, path=None, context=CONTEXT) is None


def test_a_problem_is_one_line_whatever_the_files_name() -> None:
    assert str(Problem("a\nb", 3, "x")) == "a\\nb line 3: x"
    assert str(Problem("a", None, "x")) == "a: x"


def test_an_origin_without_a_line_is_the_path() -> None:
    assert FileConfig(path="a.yml").origin("product") == "a.yml"
