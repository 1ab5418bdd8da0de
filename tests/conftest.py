"""For all tests: no network beyond loopback, the installed command as a process, a small git repository."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

import versioner_ci
from tests.support.process import Repo, Result, RunCli

GUARD = Path(__file__).parent / "loopback_only"
PACKAGE = Path(versioner_ci.__file__).parents[1]
COMMAND = Path(sys.executable).with_name("versioner-ci")

_FROM_THE_MACHINE = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START")
_GENERATED = [hypothesis.Phase.explicit, hypothesis.Phase.generate]

hypothesis.settings.register_profile("default", deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("ci", deadline=None, database=None, print_blob=True, derandomize=True)
hypothesis.settings.register_profile("mutants", deadline=None, database=None, derandomize=True, phases=_GENERATED)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "default")
)


_LONG = (
    *("tests/faults/", "tests/e2e/", "tests/gitlab/", "tests/actions/", "tests/jenkins/", "tests/release/"),
    *("tests/test_cli_", "tests/test_doctor_", "tests/test_demo"),
    *("tests/test_http", "tests/sinks/test_contract", "tests/sinks/test_backend", "tests/sinks/test_slack_network"),
    *("tests/test_spool_processes", "tests/test_reporter", "tests/test_courier", "tests/test_procs"),
    *("tests/hosts/test_git_", "tests/test_wrap", "tests/test_life", "tests/test_limits", "tests/test_schema"),
    *("tests/test_config_check", "tests/test_before", "tests/test_docs_messages", "tests/test_answers_words"),
    *("tests/server/", "tests/test_contributing"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives real processes, or servers that are slow on purpose, is not in the fast loop."""
    for item in items:
        if any(folder in item.path.as_posix() for folder in _LONG):
            item.add_marker(pytest.mark.slow)


def _guard() -> ModuleType:
    """The guard's hook in this process, once."""
    name = "tests_loopback_only"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, GUARD / "sitecustomize.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session", autouse=True)
def _clean_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    """This process and what it starts without `env=`: no proxies, no state of the developer's, no network."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"):  # a parent may ignore some, as nohup does
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    os.environ["PYTHONPATH"] = python_path()
    os.environ["TESTS_MAIN_PROCESS"] = str(os.getpid())
    _guard()


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    tried: list[str] = _guard().beyond
    tried.clear()
    yield
    if tried:
        pytest.fail("\n".join(tried))


def python_path() -> str:
    """PYTHONPATH for a child: the guard, and the package as this process has it."""
    return os.pathsep.join([str(GUARD), str(PACKAGE)])


@pytest.fixture
def cli_env(tmp_path: Path) -> dict[str, str]:
    """A clean environment for the command: no CI host, no settings, a home and a temporary folder of its own."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in _FROM_THE_MACHINE if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "PYTHONPATH": python_path(),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
    }


@pytest.fixture
def run_cli(cli_env: dict[str, str], tmp_path: Path) -> RunCli:
    """Run `versioner-ci` as it is installed and wait for it; what it started ends with it if it takes too long."""

    def run(
        *args: str,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        stdin: str | bytes = b"",
        timeout: float = 30.0,
    ) -> Result:
        changed = {**cli_env, **(env or {})}
        work = cwd or tmp_path / "work"
        work.mkdir(exist_ok=True)
        began = time.monotonic()
        process = subprocess.Popen(
            [str(COMMAND), *args],
            cwd=work,
            env={name: value for name, value in changed.items() if value is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate(timeout=5)
            pytest.fail(f"versioner-ci {' '.join(args)}: still running after {timeout} s\n{_text(out)}\n{_text(err)}")
        seconds = time.monotonic() - began
        code = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return Result(code=code, out=_text(out), err=_text(err), seconds=seconds)

    return run


@pytest.fixture
def cli(run_cli: RunCli) -> RunCli:
    """run_cli by its short name."""
    return run_cli


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


@pytest.fixture(scope="session")
def _repo_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "shop"
    path.mkdir()
    git = _git_in(path)
    git("init", "--quiet", "--initial-branch=main")
    git("remote", "add", "origin", "https://github.com/octo/shop.git")
    (path / "README.md").write_text("shop\n")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")
    return path


@pytest.fixture
def repo(_repo_template: Path, tmp_path: Path) -> Repo:
    """A small git repository of the test's own."""
    path = tmp_path / "shop"
    shutil.copytree(_repo_template, path)
    git = _git_in(path)
    return Repo(path=path, sha=git("rev-parse", "HEAD"), git=git)


def _git_in(path: Path) -> Callable[..., str]:
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
           for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}  # fmt: skip
    env = {"PATH": os.environ["PATH"], "HOME": str(path.parent), "GIT_CONFIG_NOSYSTEM": "1", **who}

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(path), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.rstrip("\n")

    return git
