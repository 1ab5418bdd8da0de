"""script/build: the same bytes from the same commit; it says in one line why it cannot."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from script import build_dependencies, build_source, build_tree
from script.build_source import BuildError
from tests.release.built import NEW, ROOT, WHEELS, Built, build, git, pythons, run
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(150)


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): f"{path.stat().st_mode:o} {path.stat().st_mtime:.0f} {digest(path)}"
            for path in folder.rglob("*") if path.is_file()}  # fmt: skip


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.usefixtures("built")
def test_one_commit_makes_the_same_bytes_in_any_folder_on_any_python(checkout: Path, tmp_path: Path) -> None:
    first = build(checkout, tmp_path / "first")
    moved = checkout.rename(tmp_path / "moved")
    for path in moved.rglob("*.py"):
        os.utime(path)
    [*_, python] = pythons(*NEW).values()  # not the oldest: what hatchling needs there is not in our environment
    changed = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    second = build(moved, tmp_path / "second", python=python, **changed)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    assert {line.split()[1] for line in contents(tmp_path / "first").values()} == {"1700000000"}


def test_every_file_is_in_the_sums_and_has_them(built: Built) -> None:
    rows = [line.split("  ") for line in (built.folder / "SHA256SUMS").read_text().splitlines()]
    files = {path.name: digest(path) for path in built.folder.iterdir() if path.is_file()}
    del files["SHA256SUMS"]
    assert {name: sha256 for sha256, name in rows} == files
    assert sorted(files) == [
        f"versioner-ci-{__version__}-tree.tar.gz",
        f"versioner-ci-{__version__}.cdx.json",
        "versioner-ci.pyz",
        f"versioner_ci-{__version__}-py3-none-any.whl",
        f"versioner_ci-{__version__}.tar.gz",
    ]
    assert os.access(built.zipapp, os.X_OK)


@pytest.mark.usefixtures("built")
def test_a_release_is_one_commit_with_a_date_in_the_changelog(checkout: Path, tmp_path: Path) -> None:
    log = checkout / "CHANGELOG.md"
    log.write_text(log.read_text().replace(f"## [{__version__}] - ", f"## [{__version__}] - x"))
    done = build(checkout, tmp_path / "out", "--release")
    assert (done.code, done.err) == (
        1,
        "build: there are changes that are not committed: a release is one commit (git status)\n",
    )
    git(checkout, "commit", "--quiet", "--all", "--message", "no date")
    done = build(checkout, tmp_path / "out", "--release")
    assert (done.code, done.err) == (1, f"build: CHANGELOG.md has no line like '## [{__version__}] - 2026-01-31'\n")
    assert not (tmp_path / "out").exists()


def test_without_git_a_build_says_why_not(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "script", tmp_path / "script", ignore=shutil.ignore_patterns("__pycache__"))
    done = build(tmp_path, tmp_path / "out")
    assert done.code == 1
    assert done.err == "build: this is no git checkout: a build takes its files and its time from the commit\n"


@pytest.mark.usefixtures("built")
def test_without_network_a_build_says_so_in_one_line(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".tools")
    done = build(checkout, tmp_path / "out", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.code == 1
    assert done.err.startswith("build: the dependencies cannot be had: ")
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("built")
def test_a_dependency_with_another_hash_is_not_built_in(tmp_path: Path) -> None:
    pins = build_dependencies.pins((ROOT / "requirements/run.txt").read_text())
    [idna] = [pin for pin in pins if pin.name == "idna"]
    shutil.copytree(WHEELS, tmp_path / "wheels")
    [wheel] = build_dependencies.wheels([idna], tmp_path / "wheels")
    assert wheel.sha256 in idna.hashes
    with wheel.path.open("ab") as file:
        file.write(b"changed")
    assert build_dependencies._stored(idna, tmp_path / "wheels") is None


def test_a_dependency_for_some_systems_only_is_refused() -> None:
    row = f"colorama==0.4.6 ; sys_platform == 'win32' \\\n    --hash=sha256:{'0' * 64}\n"
    with pytest.raises(BuildError, match="colorama is for some systems only"):
        build_dependencies.pins(row)


def test_a_row_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(BuildError, match="a row that cannot be read"):
        build_dependencies.pins("idna==3.20\n    # via requests\n")


def test_of_two_pins_the_one_for_the_oldest_python_is_taken() -> None:
    pins = build_dependencies.pins((ROOT / "requirements/run.txt").read_text())
    assert len({pin.name for pin in pins}) == len(pins)
    assert all("3.11" not in pin.marker or "<" in pin.marker for pin in pins)
    assert {"requests", "pyyaml", "slack-sdk"} < {pin.name for pin in pins}


def test_requirements_that_no_variable_can_hold_are_refused() -> None:
    text = "".join(f"a{n}==1 \\\n    --hash=sha256:{'0' * 64}\n" for n in range(400))
    source = build_source.Source(
        version="1.0.0", epoch=0, commit="0" * 40, is_committed=True,
        files={"requirements/run.txt": build_source.File(content=text.encode())},
    )  # fmt: skip
    with pytest.raises(BuildError, match="may not hold more than 30,000"):
        build_tree.requirements(source, "0" * 64)


def test_a_template_without_its_inputs_is_refused() -> None:
    with pytest.raises(BuildError, match="no input zipapp_sha256 with an empty default"):
        build_tree.pinned("spec:\n  inputs:\n", "0" * 64, "a==1\n")


def test_the_bill_of_materials_names_what_is_inside(built: Built) -> None:
    bill = json.loads(next(built.folder.glob("*.cdx.json")).read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/versioner-ci@{__version__}"
    listed = {(part["name"], part["version"]) for part in bill["components"]}
    info = (path.name.removesuffix(".dist-info").rsplit("-", 1) for path in (built.tree / "vendor").glob("*.dist-info"))
    assert listed == {(name.replace("_", "-"), version) for name, version in info}
    assert all(part["licenses"] and part["hashes"][0]["alg"] == "SHA-256" for part in bill["components"])
    [own] = [row for row in bill["dependencies"] if row["ref"] == bill["metadata"]["component"]["bom-ref"]]
    assert {ref.removeprefix("pkg:pypi/").split("@")[0] for ref in own["dependsOn"]} == direct()
    [requests] = [row for row in bill["dependencies"] if row["ref"].startswith("pkg:pypi/requests@")]
    below = {ref.removeprefix("pkg:pypi/").split("@")[0] for ref in requests["dependsOn"]}
    assert below == {"certifi", "charset-normalizer", "idna", "urllib3"}


def direct() -> set[str]:
    """What the lock says that we need ourselves."""
    rows = re.split(r"^(?=\w)", (ROOT / "requirements/run.txt").read_text(), flags=re.MULTILINE)
    return {row.partition("==")[0] for row in rows if "versioner-ci (pyproject.toml)" in row}


@pytest.mark.usefixtures("built")
def test_another_content_of_the_same_commit_has_another_bill(checkout: Path, tmp_path: Path) -> None:
    serials = set()
    for text in ("", "# changed\n"):
        with (checkout / "src/versioner_ci/cli.py").open("a") as file:
            file.write(text)
        assert build(checkout, tmp_path / "out").code == 0
        serials.add(json.loads(next((tmp_path / "out").glob("*.cdx.json")).read_text())["serialNumber"])
    assert len(serials) == 2


def test_the_bill_of_materials_fits_its_schema(built: Built) -> None:
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - not where only the tests' own needs are installed
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    text = next(built.folder.glob("*.cdx.json")).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_sdist_makes_the_same_wheel(built: Built, env: dict[str, str], work: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(work, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # noqa: S202 - ours
    [unpacked] = work.iterdir()
    epoch = str(build_source.read(ROOT).epoch)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", work / "out"]
    done = run(command, env={**env, "SOURCE_DATE_EPOCH": epoch}, cwd=unpacked, timeout=60)
    assert done.code == 0, done.err
    assert (work / "out" / built.wheel.name).read_bytes() == built.wheel.read_bytes()
