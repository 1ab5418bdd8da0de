"""The tree of a release's tag: what GitHub, GitLab and Jenkins take from it works as it lies there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from script import build_source
from tests.gitlab.jobs import SHELLS, Runner, tools
from tests.gitlab.test_pipelines import GITLAB_CI_LOCAL
from tests.release.built import NEW, ROOT, WHEELS, Built, folder_of, pythons, run
from tests.support.process import Repo
from tests.support.recorder import Recorder
from tests.test_pins import pins, wrong_pins
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(180)
JENKINS = "jenkins/resources/io/versioner/versioner-ci.pyz"
TEMPLATE = "gitlab/versioner.yml"
every_python = pytest.mark.parametrize("python", pythons(*NEW).values(), ids=pythons(*NEW))
# What the launcher of the GitHub action does: sources and dependencies lie side by side.
LAUNCH = "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; from versioner_ci.__main__ import main; main()"

PIPELINE = """
include:
  - {local: gitlab/versioner.yml, inputs: {product: shop, zipapp: "HERE"}}

deploy:
  extends: .versioner-deployment
  environment: production
  script: echo deploying
"""


def names(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }


def inputs(built: Built) -> dict[str, dict[str, Any]]:
    head: dict[str, Any] = next(yaml.safe_load_all((built.tree / TEMPLATE).read_text()))
    found: dict[str, dict[str, Any]] = head["spec"]["inputs"]
    return found


def test_it_is_the_repository_and_what_is_made(built: Built) -> None:
    committed = build_source.read(ROOT).files
    assert committed.keys() <= names(built.tree)
    made = {name for name in names(built.tree) - committed.keys() if not name.startswith("vendor/")}
    assert made == {JENKINS}
    for name, file in committed.items():
        path = built.tree / name
        assert name in {TEMPLATE, f"{JENKINS}.sha256"} or path.read_bytes() == file.content, name
        assert bool(path.stat().st_mode & 0o100) == file.is_executable, name


def test_where_no_release_was_made_the_zipapps_checksum_is_none() -> None:
    assert build_source.read(ROOT).files[f"{JENKINS}.sha256"].content == b"-\n"


def test_every_pin_in_it_is_of_this_version_and_the_template_has_one(built: Built) -> None:
    assert wrong_pins(built.tree) == {}
    assert __version__ in list(pins((built.tree / TEMPLATE).read_text()))


def test_the_archive_holds_the_same_as_the_folder(built: Built) -> None:
    with tarfile.open(next(built.folder.glob("*-tree.tar.gz"))) as archive:
        members = archive.getmembers()
        contents = [file.read() for member in members if (file := archive.extractfile(member))]
    held = {member.name.partition("/")[2]: (member.mode, content)
            for member, content in zip(members, contents, strict=True)}  # fmt: skip
    assert held == {name: ((built.tree / name).stat().st_mode & 0o777, (built.tree / name).read_bytes())
                    for name in names(built.tree)}  # fmt: skip
    assert {member.name.partition("/")[0] for member in members} == {f"versioner-ci-{__version__}"}
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}


@every_python
def test_the_vendored_folder_is_all_that_the_sources_need(
    python: str, built: Built, reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    for folder in ("src", "vendor"):
        shutil.copytree(built.tree / folder, work / folder)
    command = [python, "-I", "-S", "-c", LAUNCH, work / "src", work / "vendor"]
    ended = run([*command, "report", "build", "started", "--product", "x", "--version", "1"], env=reporting, cwd=work)
    assert (ended.code, tracker.types()) == (0, ["build.started"]), ended.err


def test_the_vendored_folder_holds_sources_certificates_and_licences_only(built: Built) -> None:
    found = names(built.tree / "vendor")
    assert {"requests/__init__.py", "yaml/__init__.py", "certifi/cacert.pem", "slack_sdk/__init__.py"} <= found
    code = {name for name in found if ".dist-info/" not in name}
    assert {Path(name).suffix for name in code} == {".py", ".pem"}
    packages = {name.split("/")[0] for name in found if ".dist-info/" in name}
    assert len(packages) == 8
    assert all(any(name.startswith(f"{package}/licenses/") or f"{package}/LICENSE" in name for name in found)
               for package in packages)  # fmt: skip


def test_the_jenkins_resource_is_the_zipapp_with_its_checksum(built: Built) -> None:
    content = (built.tree / JENKINS).read_bytes()
    assert content == built.zipapp.read_bytes()
    assert (built.tree / f"{JENKINS}.sha256").read_text() == f"{hashlib.sha256(content).hexdigest()}\n"


def test_the_gitlab_template_pins_this_release(built: Built) -> None:
    own = inputs(built)
    assert own["zipapp_sha256"]["default"] == hashlib.sha256(built.zipapp.read_bytes()).hexdigest()
    assert re.fullmatch(own["zipapp_sha256"]["regex"], own["zipapp_sha256"]["default"])
    rows = own["requirements"]["default"].splitlines()
    wheel = hashlib.sha256(built.wheel.read_bytes()).hexdigest()
    assert rows[0] == f"versioner-ci=={__version__} --hash=sha256:{wheel}"
    locked = re.findall(r"^([\w.-]+==\S+)", (ROOT / "requirements/run.txt").read_text(), re.MULTILINE)
    assert [row.split()[0] for row in rows[1:]] == locked
    assert len(own["requirements"]["default"]) < 30_000
    text = (ROOT / TEMPLATE).read_text()
    blank = re.sub(r"        (?!#)\S+==.*\n", "", (built.tree / TEMPLATE).read_text())
    blank = blank.replace("default: |\n", 'default: ""\n')
    assert blank.replace(own["zipapp_sha256"]["default"], "") == text


@pytest.fixture
def job(built: Built) -> dict[str, Any]:
    """A deployment with the release's own inputs, as GitLab fills them in."""
    head, body = yaml.safe_load_all((built.tree / TEMPLATE).read_text().replace("!reference", ""))
    given = {name: spec["default"] for name, spec in head["spec"]["inputs"].items()}
    variables = {name: re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: given[match[1]], value)
                 for name, value in body[".versioner"]["variables"].items()}  # fmt: skip
    hooks = {name: body[".versioner-deployment"][name] for name in ("before_script", "after_script")}
    return {"environment": "production", "script": ["true"], "variables": variables, **hooks}


def runner(env: dict[str, str], work: Path, python: str, **changes: str) -> Runner:
    """A job in an image that has this Python, and no versioner-ci."""
    assert "dash" in SHELLS
    path = tools(work.parent / "tools", core=False, python=False)
    (path / "python3").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    (path / "python3").chmod(0o755)
    return Runner(shell="dash", env=env, cwd=work, tools=path, changes=changes)  # noqa: S604 - its name


def test_a_gitlab_job_runs_the_zipapp_that_the_template_knows(
    built: Built, job: dict[str, Any], reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    job["variables"]["VERSIONER_INPUT_ZIPAPP"] = str(built.zipapp)
    done = runner(reporting, work, sys.executable).run(job)
    assert (done.code, tracker.states()) == (0, ["started", "completed"]), done.err


def test_a_gitlab_job_runs_nothing_that_another_job_has_left_in_the_users_cache(
    built: Built, job: dict[str, Any], reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    assert run([sys.executable, built.zipapp, "statuses"], env=reporting, cwd=work).code == 0
    entry = folder_of(reporting) / "versioner_ci" / "__main__.py"
    planted = b"open('planted', 'w'); raise SystemExit(0)\n#"
    entry.write_bytes(planted.ljust(entry.stat().st_size, b"#"))
    job["variables"]["VERSIONER_INPUT_ZIPAPP"] = str(built.zipapp)
    done = runner(reporting, work, sys.executable, CI_JOB_ID="77").run(job)
    assert (done.code, tracker.states()) == (0, ["started", "completed"]), done.err
    assert not (work / "planted").exists()
    assert list(Path(reporting["TMPDIR"]).glob("versioner-ci-core-*")) == []


def test_a_gitlab_job_does_not_run_another_zipapp(
    built: Built, job: dict[str, Any], reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    other = work.parent / "other.pyz"
    other.write_bytes(built.zipapp.read_bytes() + b" ")
    job["variables"]["VERSIONER_INPUT_ZIPAPP"] = str(other)
    done = runner(reporting, work, sys.executable).begin(job)
    assert (done.code, tracker.requests) == (0, [])
    assert re.fullmatch(r"versioner-ci: warning: the zipapp has SHA-256 \w+, not \w+: it is not used: .*\n", done.err)


def test_a_gitlab_job_installs_what_the_template_pins(
    built: Built, job: dict[str, Any], reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    """By pip, from the wheels of the build. There PyYAML is that of Python 3.10: with others pip says what it lacks."""
    index = work.parent / "index"
    shutil.copytree(WHEELS, index)
    shutil.copy(built.wheel, index)
    [(version, python), *_] = pythons(*NEW).items()
    done = runner(reporting, work, python, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(index)).begin(job)
    assert done.code == 0
    if version == "3.10":
        assert tracker.states() == ["started"], done.err
    else:
        assert "No matching distribution found for pyyaml" in done.err


def test_a_pipeline_that_includes_the_release_reports_itself(
    built: Built, repo: Repo, reporting: dict[str, str], tracker: Recorder
) -> None:
    if not GITLAB_CI_LOCAL.is_file():
        pytest.skip("gitlab-ci-local is missing: run script/install_gitlab_tools")
    shutil.copytree(built.tree / "gitlab", repo.path / "gitlab")
    (repo.path / ".gitlab-ci.yml").write_text(PIPELINE.replace("HERE", str(built.zipapp)))
    repo.git("add", ".")
    given = {"GITLAB_CI": "true", "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": tracker.key}
    options = [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]
    command = [GITLAB_CI_LOCAL, "--force-shell-executor", "--no-color", *options]
    without_core = {**reporting, "PATH": os.pathsep.join(_without_core(reporting["PATH"]))}
    done = run(command, env=without_core, cwd=repo.path, timeout=60)
    assert done.code == 0, done.out + done.err
    assert tracker.types() == ["deployment.started", "deployment.completed"], done.out


def _without_core(path: str) -> list[str]:
    return [folder for folder in path.split(os.pathsep) if not Path(folder, "versioner-ci").exists()]
