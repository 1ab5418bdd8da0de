"""Where the core comes from: PATH, a zipapp with its SHA-256, a pinned and hashed install; and what goes wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab import packages
from tests.gitlab.conftest import MakeRunner
from tests.gitlab.jobs import Runner, job
from tests.support.raw_server import RawServer, hang, reply
from tests.support.recorder import Recorder

WARNING = re.compile(r"versioner-ci: warning: [ -~]+: nothing is reported\n")
ZERO = "0" * 64


@pytest.fixture(scope="session")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("zipapp") / "versioner-ci.pyz"
    return path, packages.zipapp(path)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("packages") / "wheels"
    return folder, packages.wheels(folder)


def deployment(**inputs: str) -> dict[str, Any]:
    return job(inputs=inputs, environment="production")


def pip_of(folder: Path) -> Mapping[str, str]:
    """pip as an air-gapped machine has it set up."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


def left_in(runner: Runner) -> list[Path]:
    return list(Path(runner.env["TMPDIR"]).glob("versioner-ci-core-*"))


def test_a_zipapp_is_used_where_nothing_is_on_the_path(
    shell: str, runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]
) -> None:
    path, sha256 = zipapp
    of_runner = runner(shell, core=False)
    definition = deployment(zipapp=str(path), zipapp_sha256=sha256.upper())
    begun = of_runner.begin(definition)
    assert begun.code == 0
    assert len(left_in(of_runner)) == 1
    assert of_runner.end(definition, "success").code == 0
    assert tracker.states() == ["started", "completed"]
    assert tracker.events[1].body["started_at"] == tracker.events[0].body["started_at"]
    assert left_in(of_runner) == []


def test_what_is_on_the_path_comes_first(runner: MakeRunner, tracker: Recorder) -> None:
    assert WARNING.search(runner().run(deployment(zipapp="missing.pyz", zipapp_sha256=ZERO)).err) is None
    assert tracker.states() == ["started", "completed"]


@pytest.mark.slow
def test_a_zipapp_is_loaded_from_an_address_once(
    runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]
) -> None:
    path, sha256 = zipapp
    with RawServer(reply(200, path.read_bytes())) as server:
        runner(core=False).run(deployment(zipapp=f"{server.url}/versioner-ci.pyz", zipapp_sha256=sha256))
        assert server.connections == 1
    assert tracker.states() == ["started", "completed"]


@pytest.mark.slow
def test_a_rejection_by_a_zipapp_stops_the_job(runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]) -> None:
    tracker.reject()
    assert runner(core=False).run(deployment(zipapp=str(zipapp[0]), zipapp_sha256=zipapp[1]), "failed").code == 5
    assert tracker.events == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"zipapp": "HERE", "zipapp_sha256": ZERO}, f"not {ZERO}: it is not used"),
        ({"zipapp": "HERE"}, "zipapp_sha256 must be the SHA-256"),
        ({"zipapp": "missing.pyz", "zipapp_sha256": ZERO}, "FileNotFoundError"),
        ({"zipapp": "http://example.com/core.pyz", "zipapp_sha256": ZERO}, "neither a path nor an https address"),
        ({"zipapp": "file:///etc/passwd", "zipapp_sha256": ZERO}, "neither a path nor an https address"),
        ({"zipapp": "$(touch pwned)'\";touch pwned", "zipapp_sha256": ZERO}, "FileNotFoundError"),
        ({"zipapp": "HERE", "zipapp_sha256": "$(touch pwned)"}, "zipapp_sha256 must be the SHA-256"),
        ({"requirements": "versioner-ci==1.0"}, "a line without version and hash: versioner-ci==1.0"),
        ({"requirements": "-i https://evil.example"}, "a line without version and hash"),
        ({"requirements": f"-r other.txt --hash=sha256:{ZERO}"}, "a line without version and hash"),
        ({"requirements": f"a @ https://evil.example/a.whl --hash=sha256:{ZERO}"}, "a line without version and hash"),
        ({"requirements": f"a==1 --config-settings=x=y --hash=sha256:{ZERO}"}, "a line without version and hash"),
        ({"requirements": f"a==1;$(touch pwned) --hash=sha256:{ZERO}"}, "a line without version and hash"),
        ({"requirements": f"no_such_package==1 --hash=sha256:{ZERO}"}, "pip could not install versioner-ci: ERROR: No"),
        ({}, "none of the inputs zipapp and requirements is set"),
    ],
)  # fmt: skip
def test_a_core_that_cannot_be_had_is_one_warning(
    inputs: dict[str, str], said: str, runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str], tmp_path: Path
) -> None:
    given = {name: value.replace("HERE", str(zipapp[0])) for name, value in inputs.items()}
    of_runner = runner(core=False, **pip_of(tmp_path))
    begun = of_runner.begin(deployment(**given))
    assert begun.code == 0
    assert said in begun.err
    assert WARNING.fullmatch(begun.err)
    assert tracker.requests == []
    assert not list(of_runner.cwd.iterdir())
    assert of_runner.begin(deployment(**given, gate="required")).code == 5


@pytest.mark.slow
def test_pip_installs_what_is_pinned_once_a_job(
    shell: str, runner: MakeRunner, tracker: Recorder, wheels: tuple[Path, str], tmp_path: Path
) -> None:
    folder, requirements = wheels
    of_runner = runner(shell, core=False, PIP_TARGET="/nonexistent", PIP_USER="1", **pip_of(folder))
    definition = deployment(requirements=requirements)
    assert of_runner.begin(definition).err.startswith("versioner-ci: deployment started: backend: accepted")
    without = replace(of_runner, changes=pip_of(tmp_path / "nowhere"))
    assert without.end(definition, "failed").code == 0
    assert tracker.states() == ["started", "failed"]
    assert left_in(of_runner) == []
    assert not list(of_runner.cwd.iterdir())


@pytest.mark.slow
def test_pip_refuses_a_package_with_another_hash(
    runner: MakeRunner, tracker: Recorder, wheels: tuple[Path, str]
) -> None:
    folder, requirements = wheels
    changed = re.sub(r"(versioner_ci==\S+ \\\n +--hash=sha256:)[0-9a-f]{8}", r"\g<1>00000000", requirements)
    assert changed != requirements
    begun = runner(core=False, **pip_of(folder)).begin(deployment(requirements=changed))
    assert begun.code == 0
    assert "pip could not install versioner-ci" in begun.err
    assert tracker.requests == []


def test_pip_gets_the_cache_and_the_network_s_settings_and_no_others(runner: MakeRunner) -> None:
    pip = {"PIP_TARGET": "/nonexistent", "PIP_PROXY": "http://proxy.example:3128"}
    of_runner = runner(core=False, VERSIONER_INPUT_CACHE="true", **pip)
    spy = of_runner.tools / "spy"
    spy.write_text('#!/bin/sh\necho "ERROR: $PIP_CACHE_DIR, ${PIP_TARGET:-no target}, $PIP_PROXY"\nexit 1\n')
    spy.chmod(0o755)
    # A Python that takes the spy for itself where it starts pip.
    code = f"import sys; sys.executable = '{spy}'; sys.argv = sys.argv[1:]; exec(sys.argv[0])"
    (of_runner.tools / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} -I -c "{code}" "$3" "$4"\n')
    begun = of_runner.begin(deployment(requirements=f"a==1 --hash=sha256:{ZERO}"))
    assert f"ERROR: {of_runner.cwd}/.versioner-ci, no target, http://proxy.example:3128" in begun.err


@pytest.mark.slow
def test_a_folder_that_somebody_else_has_prepared_is_not_used(
    runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]
) -> None:
    of_runner = runner(core=False)
    trap = Path(of_runner.env["TMPDIR"]) / "versioner-ci-core-50123"
    trap.mkdir(mode=0o777)
    trap.chmod(0o777)
    (trap / f"{zipapp[1]}.pyz").write_text("raise SystemExit('pwned')")
    ran = of_runner.run(deployment(zipapp=str(zipapp[0]), zipapp_sha256=zipapp[1]))
    assert "pwned" not in ran.err
    assert tracker.states() == ["started", "completed"]


def test_a_python_that_is_too_old_counts_as_none(runner: MakeRunner, zipapp: tuple[Path, str]) -> None:
    of_runner = runner(core=False)
    (of_runner.tools / "python3").write_text('#!/bin/sh\n[ "$3" = "--version" ]\n')
    begun = of_runner.begin(deployment(zipapp=str(zipapp[0]), zipapp_sha256=zipapp[1]))
    assert begun.err == (
        "versioner-ci: warning: neither versioner-ci nor Python 3.10 or newer is in this image: nothing is reported\n"
    )


@pytest.mark.slow
def test_a_newer_python_beside_an_old_one_is_found(
    runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]
) -> None:
    of_runner = runner(core=False)
    (of_runner.tools / "python3").rename(of_runner.tools / "python3.12")
    (of_runner.tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (of_runner.tools / "python3").chmod(0o755)
    of_runner.run(deployment(zipapp=str(zipapp[0]), zipapp_sha256=zipapp[1]))
    assert tracker.states() == ["started", "completed"]


@pytest.mark.slow
def test_nothing_is_imported_from_the_working_folder(
    runner: MakeRunner, tracker: Recorder, zipapp: tuple[Path, str]
) -> None:
    of_runner = runner(core=False, PYTHONPATH=".")
    for name in ("hashlib", "requests", "versioner_ci", "sitecustomize"):
        (of_runner.cwd / f"{name}.py").write_text("raise SystemExit('pwned')")
    of_runner.run(deployment(zipapp=str(zipapp[0]), zipapp_sha256=zipapp[1]))
    assert tracker.states() == ["started", "completed"]


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_an_address_that_never_answers_costs_seconds_and_no_job(runner: MakeRunner) -> None:
    with RawServer(hang()) as server:
        begun = runner(core=False).begin(deployment(zipapp=f"{server.url}/core.pyz", zipapp_sha256=ZERO))
    assert (begun.code, "versioner-ci could not be had" in begun.err) == (0, True)
    assert begun.seconds < 15
