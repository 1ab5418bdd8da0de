"""Where a build puts what it makes, and how it ends when something it needs does not answer."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import pytest

from script import build_out, build_source
from script.build_source import BuildError, File
from tests.release.built import Built, build, run
from tests.support import raw_server
from tests.support.raw_server import RawServer
from versioner_ci import __version__

pytestmark = [pytest.mark.timeout(150), pytest.mark.usefixtures("built")]
MADE = {"SHA256SUMS": File(content=b"sums"), f"tree/{build_source.INIT}": File(content=b"")}


@pytest.mark.parametrize("name", ["1.jpg", "versioner_ci.py", "versioner-ci-notes.md", "tree"])
@pytest.mark.parametrize("sums", [True, False])
def test_a_folder_with_something_else_in_it_is_left_alone(
    checkout: Path, tmp_path: Path, name: str, sums: bool
) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / name).write_text("x")
    if sums:
        (out / "SHA256SUMS").write_text("of somebody else's")
    done = build(checkout, out)
    assert (done.code, done.err) == (1, f"build: {out} holds something else, {name}: name an empty folder\n")
    assert (out / name).read_text() == "x"


def test_somebody_elses_tree_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "tree" / "oak").mkdir(parents=True)
    assert build(checkout, tmp_path / "out").code == 1
    assert (tmp_path / "out" / "tree" / "oak").is_dir()


def test_what_older_builds_have_left_is_replaced(checkout: Path) -> None:
    for folder in (checkout / "dist", checkout / "dist.new"):  # other tools' and versions', and of one that was killed
        (folder / "tree").mkdir(parents=True)
        for name in (
            "versioner_ci-0.0.9-py3-none-any.whl",
            "versioner_ci-0.0.9.tar.gz",
            "versioner-ci.pyz",
            "NOTES.md",
        ):
            (folder / name).write_text("old")
    done = build(checkout, Path("dist"))
    assert done.code == 0, done.err
    assert not (checkout / "dist.new").exists()
    assert {path.name for path in (checkout / "dist").iterdir()} == {
        *("SHA256SUMS", "tree", "versioner-ci.pyz", f"versioner-ci-{__version__}-tree.tar.gz"),
        *(f"versioner-ci-{__version__}.cdx.json", f"versioner_ci-{__version__}.tar.gz"),
        f"versioner_ci-{__version__}-py3-none-any.whl",
    }
    assert (checkout / "dist" / "tree" / build_source.INIT).is_file()


def test_until_all_is_written_the_former_build_stays(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    build_out.put(MADE, out, 0)
    with pytest.raises(IsADirectoryError):
        build_out.put({**MADE, "SHA256SUMS": File(content=b"new"), "tree": File(content=b"")}, out, 0)
    assert (out / "SHA256SUMS").read_bytes() == b"sums"
    assert (out / "tree" / build_source.INIT).is_file()


@pytest.mark.parametrize("name", ["made", "docs/made", "."])
def test_a_folder_of_the_repository_would_be_in_the_next_release(checkout: Path, name: str) -> None:
    done = build(checkout, Path(name))
    said = f"build: {checkout / name} is part of the repository, and of the next build: "
    assert (done.code, done.err) == (1, f"{said}name another folder, or ignore it\n")
    assert name == "." or not (checkout / name).exists()


def test_without_git_installed_a_build_says_so(checkout: Path, tmp_path: Path) -> None:
    done = build(checkout, tmp_path / "out", PATH=str(tmp_path))
    assert (done.code, done.err) == (1, "build: git cannot be started: No such file or directory\n")


@pytest.mark.parametrize("is_module", [True, False])
def test_what_does_not_end_is_one_line(is_module: bool, tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(60)")
    command = [sys.executable, "-m", "sleeper"] if is_module else [sys.executable, "sleeper.py"]
    name = "sleeper" if is_module else Path(sys.executable).name
    with pytest.raises(BuildError, match=rf"^{name} did not end within 0\.5 s$"):
        build_source.called(command, 0.5, cwd=tmp_path)


def test_a_package_index_that_is_down_is_asked_twice_not_for_minutes(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".tools")
    began = time.monotonic()
    with RawServer(raw_server.reply(503)) as server:
        index = {"PIP_INDEX_URL": f"{server.url}/simple", "PIP_CONFIG_FILE": "/dev/null", "PIP_EXTRA_INDEX_URL": ""}
        done = build(checkout, tmp_path / "out", **index, NO_PROXY="127.0.0.1,localhost", PIP_NO_CACHE_DIR="1")
        targets = [request.target for request in server.requests]
    assert done.code == 1
    assert done.err.startswith("build: the dependencies cannot be had: ")
    assert done.err.count("\n") == 1
    assert targets.count(targets[0]) == 2
    assert time.monotonic() - began < 60


def test_the_index_takes_wheel_and_sdist(built: Built, env: dict[str, str], work: Path) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", built.wheel, built.sdist]
    done = run(command, env={**env, "NO_COLOR": "1", "COLUMNS": "500"}, cwd=work)
    assert (done.code, done.out.count("PASSED")) == (0, 2), done.out + done.err
