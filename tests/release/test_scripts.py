"""What the release workflow runs: the notes, and the commit that a release's tag is on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.release.built import Built, clone, git, run
from versioner_ci import __version__


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    clone(tmp_path / "clone")
    return tmp_path / "clone"


def test_the_tag_holds_the_tree_on_top_of_its_source(built: Built, checkout: Path, env: dict[str, str]) -> None:
    archive = next(built.folder.glob("*-tree.tar.gz"))
    before = git(checkout, "status", "--porcelain", "--branch") + git(checkout, "ls-files", "-s")
    commits = []
    for _ in range(2):
        done = run([checkout / "script/release_commit", archive, __version__], env=env, cwd=checkout)
        assert done.code == 0, done.err
        commits.append(git(checkout, "rev-parse", f"v{__version__}").strip())
        git(checkout, "tag", "--delete", f"v{__version__}")
    assert commits[0] == commits[1]
    assert git(checkout, "rev-parse", f"{commits[0]}^") == git(checkout, "rev-parse", "HEAD")
    assert git(checkout, "status", "--porcelain", "--branch") + git(checkout, "ls-files", "-s") == before
    listed = git(checkout, "ls-tree", "-r", "--format=%(objectmode) %(path)", commits[0]).splitlines()
    files = {path for path in built.tree.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    modes = {path: 0o100755 if path.stat().st_mode & 0o100 else 0o100644 for path in files}
    assert set(listed) == {f"{mode:o} {path.relative_to(built.tree)}" for path, mode in modes.items()}
    exported = subprocess.run(
        ["git", "-C", checkout, "show", f"{commits[0]}:jenkins/resources/io/versioner/versioner-ci.pyz"],
        env=env, capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    assert exported.stdout == built.zipapp.read_bytes()


def test_the_notes_are_one_versions_part_of_the_changelog(checkout: Path, env: dict[str, str]) -> None:
    (checkout / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [1.10.0] - 2026-02-01\n\n- new\n\n"
        "## [1.1.0] - 2026-01-01\n\n### Added\n\n- old\n\n## [1.0.0]\n"
    )
    done = run([checkout / "script/release_notes", "1.1.0"], env=env, cwd=checkout)
    assert (done.code, done.out.strip()) == (0, "### Added\n\n- old")
    for missing in ("1.0.0", "2.0.0", "1.1"):
        done = run([checkout / "script/release_notes", missing], env=env, cwd=checkout)
        assert (done.code, done.err) == (1, f"release_notes: CHANGELOG.md says nothing of {missing}\n")
