"""What the release workflow runs: the notes, and the commit that a release's tag is on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.release.built import Built, clone, git, run
from tests.support.process import Result
from versioner_ci import __version__


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Without anything downloaded; its origin is a bare repository beside it."""
    clone(tmp_path / "clone")
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(tmp_path / "clone", "remote", "add", "origin", str(tmp_path / "origin.git"))
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


def test_links_of_the_notes_lead_to_that_version_and_nothing_is_interpreted(
    checkout: Path, env: dict[str, str]
) -> None:
    (checkout / "CHANGELOG.md").write_text(
        "## [1.1.0] - 2026-01-01\n\n- a `\\n` stays; [install](docs/install.md#the-zipapp), [a](LICENSE) and"
        " [b](gitlab/)\n- [there](https://example.com/x) [mail](mailto:a@b.c) [here](#added)\n\n## [1.0.0]\n"
    )
    host = {"GITHUB_REPOSITORY": "acme/versioner-ci", "GITHUB_SERVER_URL": "https://git.example.com"}
    shells = [[], *([[shell]] if (shell := shutil.which("dash")) else [])]
    for shell in shells:
        done = run([*shell, checkout / "script/release_notes", "1.1.0"], env={**env, **host}, cwd=checkout)
        base = "https://git.example.com/acme/versioner-ci/blob/v1.1.0"
        assert done.out.strip() == (
            f"- a `\\n` stays; [install]({base}/docs/install.md#the-zipapp), [a]({base}/LICENSE) and"
            f" [b]({base}/gitlab/)\n- [there](https://example.com/x) [mail](mailto:a@b.c) [here](#added)"
        )


def test_only_what_was_merged_is_released_and_by_its_own_tag(checkout: Path, env: dict[str, str]) -> None:
    git(checkout, "branch", "merged")
    check = [checkout / "script/release_check"]
    done = run([*check, f"release/v{__version__}", "merged"], env=env, cwd=checkout)
    assert (done.code, done.out, done.err) == (0, "", "")
    done = run([*check, "release/v9.9.9", "merged"], env=env, cwd=checkout)
    assert (done.code, done.err) == (
        1,
        f"::error::the tag release/v9.9.9 is not the version {__version__} of this commit\n",
    )
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "not merged")
    done = run([*check, f"release/v{__version__}", "merged"], env=env, cwd=checkout)
    assert (done.code, done.err) == (
        1,
        "::error::this commit is not in merged: a release is made of what was merged\n",
    )


def released(checkout: Path, env: dict[str, str], version: str) -> Result:
    """As the workflow does it: in a checkout without tags, one commit a version."""
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", version)
    git(checkout, "tag", "--force", f"v{version}")
    done = run([checkout / "script/release_tags", version], env=env, cwd=checkout)
    for tag in git(checkout, "tag").split():
        git(checkout, "tag", "--delete", tag)
    assert done.code == 0, done.err
    return done


def test_the_moving_tag_goes_to_the_newest_of_its_major_version_only(checkout: Path, env: dict[str, str]) -> None:
    origin = checkout.parent / "origin.git"
    is_latest = {}
    for version in ("0.9.0", "1.1.0", "1.2.0", "1.1.5", "1.10.0", "1.9.0", "2.0.0", "1.10.1"):
        is_latest[version] = released(checkout, env, version).out
    said = {version: out.strip() for version, out in is_latest.items()}
    assert [version for version in said if said[version] == "latest=true"] == [
        "0.9.0",
        "1.1.0",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    ]
    assert [version for version in said if said[version] == "latest=false"] == ["1.1.5", "1.9.0", "1.10.1"]
    at = {tag: git(origin, "log", "-1", "--format=%s", tag).strip() for tag in git(origin, "tag").split()}
    assert at == {**{f"v{version}": version for version in said}, "v1": "1.10.1", "v2": "2.0.0"}


def test_pushing_the_same_tag_again_does_no_harm(checkout: Path, env: dict[str, str]) -> None:
    git(checkout, "tag", "v1.0.0")
    for _ in range(2):
        done = run([checkout / "script/release_tags", "1.0.0"], env=env, cwd=checkout)
        assert (done.code, done.out) == (0, "latest=true\n"), done.err
