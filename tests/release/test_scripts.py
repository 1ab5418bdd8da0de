"""What the release workflow runs: the notes, and the commit that a release's tag is on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from script import build_source
from tests.release.built import ROOT, Built, run
from versioner_ci import __version__


@pytest.fixture
def checkout(tmp_path: Path, env: dict[str, str]) -> Path:
    """A clone that has only what the scripts need."""
    path = tmp_path / "clone"
    for name, file in build_source.read(ROOT).files.items():
        if name.startswith("script/") or name in {"CHANGELOG.md", ".gitattributes", ".gitignore"}:
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(0o755 if file.is_executable else 0o644)
    for command in (["init", "-q"], ["add", "-f", "."], ["commit", "-q", "-m", "all"]):
        git(path, env, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *command)
    return path


def git(path: Path, env: dict[str, str], *arguments: str) -> str:
    command = ["git", "-C", str(path), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=True).stdout


def test_the_tag_holds_the_tree_on_top_of_its_source(built: Built, checkout: Path, env: dict[str, str]) -> None:
    archive = next(built.folder.glob("*-tree.tar.gz"))
    before = git(checkout, env, "status", "--porcelain", "--branch") + git(checkout, env, "ls-files", "-s")
    commits = []
    for _ in range(2):
        done = run([checkout / "script/release_commit", archive, __version__], env=env, cwd=checkout)
        assert done.code == 0, done.err
        commits.append(git(checkout, env, "rev-parse", f"v{__version__}").strip())
        git(checkout, env, "tag", "--delete", f"v{__version__}")
    assert commits[0] == commits[1]
    assert git(checkout, env, "rev-parse", f"{commits[0]}^") == git(checkout, env, "rev-parse", "HEAD")
    assert git(checkout, env, "status", "--porcelain", "--branch") + git(checkout, env, "ls-files", "-s") == before
    listed = git(checkout, env, "ls-tree", "-r", "--format=%(objectmode) %(path)", commits[0]).splitlines()
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
