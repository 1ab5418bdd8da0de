"""Where the core comes from: PATH, the user's cache, the library's own zipapp, a pinned and hashed install."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.gitlab import packages
from tests.jenkins.conftest import RunBuild
from tests.support.process import Repo
from tests.support.recorder import Recorder

CALL = "withVersioner(event: 'deployment', product: 'shop', environment: 'production', credentialsId: 'tracker-key'"
BUILD = f"node {{ {CALL}) {{ echo 'the body ran' }} }}"
BRINGING = "writeFile"


@pytest.fixture(scope="session")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    path = tmp_path_factory.mktemp("zipapp") / "versioner-ci.pyz"
    sha256 = packages.zipapp(path)
    return path.read_bytes(), sha256


@pytest.fixture
def release(library: Path, zipapp: tuple[bytes, str]) -> Path:
    """The library as a release tag carries it."""
    resources = library / "resources/io/versioner"
    (resources / "versioner-ci.pyz").write_bytes(zipapp[0])
    (resources / "versioner-ci.pyz.sha256").write_text(f"{zipapp[1]}  versioner-ci.pyz\n")
    return library


def cached(cli_env: dict[str, str]) -> list[Path]:
    return sorted(Path(cli_env["HOME"]).glob(".cache/versioner-ci-core/*"))


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_the_librarys_zipapp_is_brought_to_an_agent_once(
    mode: str, run_build: RunBuild, release: Path, tracker: Recorder, cli_env: dict[str, str], zipapp: tuple[bytes, str]
) -> None:
    build = run_build(BUILD, mode, core=False, library=release)
    build.fail()
    assert tracker.states() == ["started", "completed"]
    assert build.steps.count(BRINGING) == 1  # the ending finds it in the cache
    [path] = cached(cli_env)
    assert (path.name, path.read_bytes()) == (f"{zipapp[1]}.pyz", zipapp[0])
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    again = run_build(BUILD, mode, core=False, library=release, env={"BUILD_ID": "154"})
    assert BRINGING not in again.steps
    assert tracker.states() == ["started", "completed"] * 2


def test_the_zipapp_stays_out_of_what_the_controller_saves(
    run_build: RunBuild, release: Path, zipapp: tuple[bytes, str]
) -> None:
    build = run_build(BUILD, "restart", core=False, library=release)
    build.fail()
    [at] = [number for number, step in enumerate(build.steps) if step == BRINGING]
    assert build.steps[at - 1 : at + 1] == ["libraryResource", BRINGING]
    assert build.most_after_bringing < 300_000 < len(zipapp[0])


def test_without_a_release_no_step_of_the_library_fails(run_build: RunBuild, tracker: Recorder) -> None:
    """Jenkins shows each failed one in the build's graph, though it is caught."""
    build = run_build(BUILD)
    build.fail()
    assert tracker.states() == ["started", "completed"]
    assert build.failed_steps == []


def test_what_is_on_the_path_comes_first(run_build: RunBuild, release: Path, cli_env: dict[str, str]) -> None:
    build = run_build(BUILD, library=release)
    build.fail()
    assert BRINGING not in build.steps
    assert cached(cli_env) == []


def test_a_cached_zipapp_that_was_changed_is_replaced(
    run_build: RunBuild, release: Path, tracker: Recorder, cli_env: dict[str, str], zipapp: tuple[bytes, str]
) -> None:
    folder = Path(cli_env["HOME"]) / ".cache/versioner-ci-core"
    folder.mkdir(parents=True, mode=0o700)
    (folder / f"{zipapp[1]}.pyz").write_bytes(b"raise SystemExit('evil')")
    run_build(BUILD, core=False, library=release).fail()
    assert tracker.states() == ["started", "completed"]
    assert (folder / f"{zipapp[1]}.pyz").read_bytes() == zipapp[0]


def test_a_library_whose_zipapp_is_not_what_it_says_is_not_used(
    run_build: RunBuild, release: Path, tracker: Recorder, cli_env: dict[str, str]
) -> None:
    (release / "resources/io/versioner/versioner-ci.pyz").write_bytes(b"raise SystemExit('evil')")
    build = run_build(BUILD, core=False, library=release)
    build.fail()
    assert re.fullmatch(
        r"versioner-ci: warning: the library's zipapp has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}: "
        r"it is not used: nothing is reported",
        build.ours[0],
    )
    assert "the body ran" in build.log
    assert (tracker.requests, cached(cli_env)) == ([], [])


def test_a_cache_that_others_can_write_to_is_not_used(
    run_build: RunBuild, release: Path, tracker: Recorder, cli_env: dict[str, str]
) -> None:
    folder = Path(cli_env["HOME"]) / ".cache/versioner-ci-core"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    run_build(BUILD, core=False, library=release).fail()
    assert tracker.states() == ["started", "completed"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("home", [None, "missing"])
def test_without_a_home_the_workspaces_own_folder_serves(
    home: str | None, run_build: RunBuild, release: Path, tracker: Recorder, tmp_path: Path
) -> None:
    path = str(tmp_path / home) if home else None
    run_build(BUILD, core=False, library=release, env={"HOME": path}).fail()
    assert tracker.states() == ["started", "completed"]
    assert len(list(tmp_path.glob("jenkins/workspace@tmp/versioner-ci-core/*.pyz"))) == 1
    assert not (tmp_path / "missing").exists()


def test_two_branches_that_need_it_at_once_both_get_it(
    run_build: RunBuild, release: Path, tracker: Recorder, cli_env: dict[str, str]
) -> None:
    branch = f"{{ node {{ {CALL}, version: '1.4') {{ echo 'x' }} }} }}"
    run_build(f"parallel(one: {branch}, two: {branch})", core=False, library=release, isParallel=True).fail()
    assert sorted(tracker.states()) == ["completed", "completed", "started", "started"]
    assert len(cached(cli_env)) == 1


def test_a_venv_with_a_pinned_install_is_made_once(
    run_build: RunBuild, tracker: Recorder, tmp_path: Path, cli_env: dict[str, str], repo: Repo
) -> None:
    lines = packages.wheels(tmp_path / "wheels")
    call = f"{CALL}, requirements: '''{lines.replace(chr(92), chr(92) * 2)}''')"
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PYTHONPATH": None}
    build = run_build(f"node {{ {call} {{ echo 'the body ran' }} }}", core=False, env=env)
    build.fail()
    assert tracker.states() == ["started", "completed"], build.text
    [folder] = cached(cli_env)
    assert folder.name.startswith("venv-")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "no versioner-ci on PATH, no zipapp in the library, and no option requirements"),
        (", requirements: 'versioner-ci==1.0'", "has a line without version and hash: versioner-ci==1.0"),
        (", requirements: '-i https://user:pw@evil.example'", "has a line without version and hash: -i https://evil"),
        (f", requirements: 'no_such==1 --hash=sha256:{'0' * 64}'", "pip could not install versioner-ci: ERROR: "),
    ],
)
def test_a_core_that_cannot_be_had_is_one_warning(
    given: str, said: str, run_build: RunBuild, tracker: Recorder, tmp_path: Path, cli_env: dict[str, str]
) -> None:
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PYTHONPATH": None}
    build = run_build(f"node {{ {CALL}{given}) {{ echo 'the body ran' }} }}", core=False, env=env)
    build.fail()
    assert len(build.ours) == 1
    assert said in build.ours[0]
    assert build.ours[0].endswith(": nothing is reported")
    assert "the body ran" in build.log
    assert (tracker.requests, [path.name for path in cached(cli_env)]) == ([], [])


def test_an_agent_that_cannot_take_the_zipapp_goes_on_to_the_next_source(
    run_build: RunBuild, release: Path, tracker: Recorder
) -> None:
    fault = {"step": "writeFile", "when": "before", "thrown": "io"}
    build = run_build(BUILD, core=False, library=release, faults=[fault])
    build.fail()
    assert "could not hand its zipapp to the agent: IOException: channel is closed" in build.text
    assert "the body ran" in build.log
    assert tracker.requests == []
