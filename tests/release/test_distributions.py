"""The wheel as a user installs it: in a clean environment, without our sources."""

from __future__ import annotations

import re
import sys
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.release.built import ROOT, Built, run
from tests.support.recorder import Recorder
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of a virtual environment with the wheel; its dependencies are those of the release tree."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", built.wheel]
    done = run(command, env={"HOME": str(folder)}, cwd=folder, timeout=100)
    assert done.code == 0, done.err
    [packages] = folder.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(f"{built.tree / 'vendor'}\n")
    return folder / "bin"


def test_it_reports_from_a_clean_environment(
    installed: Path, reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    call = ("run", "build", "--product", "shop", "--version", "1", "--", "sh", "-c", "echo out; exit 3")
    ended = run([installed / "versioner-ci", *call], env=reporting, cwd=work)
    assert (ended.code, ended.out) == (3, "out\n"), ended.err
    assert tracker.types() == ["build.started", "build.failed"], ended.err


def test_it_says_which_version_it_is_and_where_it_is_from(installed: Path, env: dict[str, str], work: Path) -> None:
    assert run([installed / "versioner-ci", "--version"], env=env, cwd=work).out == f"versioner-ci {__version__}\n"
    code = "import versioner_ci; from versioner_ci import Reporter; print(versioner_ci.__file__, Reporter)"
    told = run([installed / "python", "-c", code], env=env, cwd=work)
    assert told.out.startswith(str(installed.parent)), told.err


def test_the_wheel_is_the_package_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith("/METADATA"))
        told = HeaderParser().parsestr(archive.read(metadata).decode())
    tops = {name.split("/")[0] for name in names}
    assert tops == {"versioner_ci", f"versioner_ci-{__version__}.dist-info"}
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "versioner_ci").rglob("*.py")}
    assert sources <= names
    assert {"versioner_ci/py.typed", "versioner_ci/__init__.pyi"} <= names
    assert (told["Version"], told["Requires-Python"], told["License-Expression"]) == (__version__, ">=3.10", "MIT")
    rows = [line for line in told.get_all("Requires-Dist", []) if "extra ==" not in line]
    needed = {re.split(r"[<>=]", line)[0].lower() for line in rows}
    assert needed == _locked_for_us()


def _locked_for_us() -> set[str]:
    """The rows of requirements/run.txt that stand there for versioner-ci itself."""
    rows = re.split(r"^(?=\w)", (ROOT / "requirements" / "run.txt").read_text(), flags=re.MULTILINE)
    return {row.partition("==")[0] for row in rows if "versioner-ci (pyproject.toml)" in row}


def test_every_module_that_the_package_imports_is_required(built: Built) -> None:
    """The lock is made from the same list: what is imported shows what neither names. The extra is not in it."""
    names = {"certifi", "platformdirs", "requests", "slack_sdk", "urllib3", "yaml"}
    package = built.tree / "src" / "versioner_ci"
    files = [path.read_text() for path in package.glob("**/*.py")
             if "server" not in path.relative_to(package).parts and path.name != "cmd_demo.py"]  # fmt: skip
    found = {name for text in files for name in re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE)}
    found |= {name for text in files for name in re.findall(r"""import_module\(["'](\w+)""", text)}
    assert found - {*sys.stdlib_module_names, "versioner_ci"} == names
    assert {{"pyyaml": "yaml", "slack-sdk": "slack_sdk"}.get(name, name) for name in _locked_for_us()} == names
