"""`script/demo` as a process: it shows the whole story, ends by itself and leaves nothing behind."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import Result
from versioner_ci.demo import DemoError, tracker

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 50


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path, int]:
    """What one run printed, its temporary folder, its process group."""
    folder = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [sys.executable, "-m", "script.demo_main", "--once"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "GITHUB_ACTIONS": "true", "VERSIONER_DISABLED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    return Result(code=process.returncode, out=out.decode(), err=err.decode(), seconds=0.0), folder, process.pid


def test_it_ends_well(demo: tuple[Result, Path, int]) -> None:
    result, _, _ = demo
    assert (result.code, result.err) == (0, "")


def test_it_shows_what_runs_where(demo: tuple[Result, Path, int]) -> None:
    matrix = demo[0].out.partition("What runs where")[2].partition("Slack, ")[0]
    assert re.search(r"^  product +production +staging +canary$", matrix, re.MULTILINE)
    assert re.search(r"^  shop +1\.4\.2 ↑  .+ ago, ada +1\.5\.0  .+ ago, ada +–$", matrix, re.MULTILINE)
    assert re.search(r"^ +→ 1\.5\.0 queued ", matrix, re.MULTILINE)
    assert re.search(r"^  search +– +→ 2\.0\.0 failed .+ → 2\.0\.0 aborted ", matrix, re.MULTILINE)


def test_it_shows_the_channel_as_it_now_stands(demo: tuple[Result, Path, int]) -> None:
    channel = demo[0].out.partition("as it now stands")[2]
    icons = re.findall(r"^  (\S+) (?:Build|Deployment) (\w+): (?:shop|search)", channel, re.MULTILINE)
    assert icons == [
        ("✅", "succeeded"),
        ("✅", "succeeded"),
        ("✅", "succeeded"),
        ("❌", "failed"),
        ("🛑", "aborted"),
        ("⏳", "queued"),
    ]
    assert channel.count("↳") == 2
    assert 'ERROR: column "price" exists already' in channel


def test_each_step_tells_its_exit_code(demo: tuple[Result, Path, int]) -> None:
    assert re.findall(r"exit code (\d+)", demo[0].out) == ["0", "0", "0", "3", "143", "0"]


def test_nothing_is_left_behind(demo: tuple[Result, Path, int]) -> None:
    _, folder, group = demo
    assert list(folder.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


def test_a_wrong_option_is_told() -> None:
    command = [sys.executable, "-m", "script.demo_main", "--twice"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: script/demo [--once]\n")


@pytest.mark.parametrize(("script", "module"), [("demo", "script.demo_main"), ("reference", "script.reference_main")])
def test_the_command_sets_itself_up_first(script: str, module: str) -> None:
    lines = [line for line in (ROOT / "script" / script).read_text().splitlines() if not line.startswith("#")]
    assert lines == ["set -eu", 'cd "$(dirname "$0")/.."', "./script/bootstrap",
                     f'exec .venv/bin/python -m {module} "$@"']  # fmt: skip


def test_a_tracker_that_cannot_start_says_why(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DemoError, match=rf"did not start: .*{port}"), tracker(tmp_path, os.environ, port, None):
            pass
