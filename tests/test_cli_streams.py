from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder

SHELLS = {
    "closed stdout": ">&-",
    "closed stderr": "2>&-",
    "all closed": "<&- >&- 2>&-",
    "full stdout": ">/dev/full",
    "full stderr": "2>/dev/full",
    "stdout gone": "| true",
}
LINES = {
    "--version": "--version",
    "--help": "--help",
    "report --help": "report --help",
    "statuses": "statuses",
    "context": "context --json",
    "doctor": "doctor --json",
    "report": "report build started --json",
}


@pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_stream_that_is_gone_or_full_changes_nothing(
    line: str, shell: str, cli_env: dict[str, str], repo: Repo
) -> None:
    with Recorder() as tracker:
        env = {**cli_env, "VERSIONER_API_URL": tracker.url}
        script = f"set -o pipefail; {COMMAND} {line} {shell}"
        done = subprocess.run(
            ["bash", "-c", script], env=env, cwd=repo.path, capture_output=True, timeout=30, check=False
        )
        assert len(tracker.events) == (1 if line.startswith("report build") else 0)
    assert (done.returncode, b"Traceback" in done.stderr + done.stdout) == (0, False), done.stderr


def test_nothing_of_ours_is_printed_into_a_file_that_took_a_closed_streams_number(
    cli_env: dict[str, str], repo: Repo, tmp_path: Path
) -> None:
    with Recorder() as tracker:
        env = {**cli_env, "VERSIONER_API_URL": tracker.url, "VERSIONER_SPOOL_DIR": str(tmp_path / "spool")}
        script = f"{COMMAND} report build started <&- >&- 2>&-"
        subprocess.run(["bash", "-c", script], env=env, cwd=repo.path, timeout=30, check=True)
    for path in (tmp_path / "spool").rglob("*"):
        assert not path.is_file() or b"versioner-ci: " not in path.read_bytes()


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
@pytest.mark.parametrize("encoding", [None, "latin-1", "ascii:strict"])
def test_emoji_are_written_out_where_they_cannot_be_shown(
    locale: str, encoding: str | None, cli: RunCli, repo: Repo
) -> None:
    env = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding}
    with Recorder() as tracker:
        more = {**env, "VERSIONER_API_URL": tracker.url}
        done = cli("report", "build", "started", "--product", "🚀 ü", "--json", env=more, cwd=repo.path)
        [event] = tracker.wait_for(1)
    assert (done.code, json.loads(done.out)["product"]) == (0, "🚀 ü")
    assert event.body["product_name"] == "🚀 ü"
    wrong = cli("report", "build", "🚀", env=env, cwd=repo.path)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)


@pytest.mark.parametrize("home", [None, "/nonexistent", ""], ids=["unset", "missing", "empty"])
def test_a_home_is_not_needed(home: str | None, cli: RunCli, repo: Repo) -> None:
    with Recorder() as tracker:
        done = cli("report", "build", "started", env={"HOME": home, "VERSIONER_API_URL": tracker.url}, cwd=repo.path)
        assert len(tracker.wait_for(1)) == 1
    assert done.code == 0


@pytest.mark.parametrize("line", ["report build started --product p --version 1", "context", "doctor", "flush"])
def test_a_working_directory_that_is_gone_is_no_crash(line: str, cli_env: dict[str, str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    with Recorder() as tracker:
        env = {**cli_env, "VERSIONER_API_URL": tracker.url, "VERSIONER_PRODUCT": "p", "VERSIONER_VERSION": "1"}
        script = f"rmdir ../gone; {COMMAND} {line}"
        done = subprocess.run(["sh", "-c", script], env=env, cwd=gone, capture_output=True, timeout=30, check=False)
    assert (done.returncode, b"fault" in done.stderr) == (0, False), done.stderr
