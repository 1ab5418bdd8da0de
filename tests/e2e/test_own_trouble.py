"""The reporter's own trouble never stops the work: CMD runs, and its code is what comes out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import Start, wait_until
from tests.support.process import Repo, Result, RunCli
from tests.support.recorder import Recorder

BOTH = ["build", "deployment"]
DEPLOY = ("--environment", "production")
CMD = ("--", "sh", "-c", "echo worked; exit 7")


def works(result: Result) -> bool:
    return result.code == 7 and result.out == "worked\n" and "Traceback" not in result.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("build", "--no-such-option"), ("deployment", *DEPLOY, "--no-such-option"), ("deploymnt", *DEPLOY), ("",), (),
        ("deployment", "--environment"), ("deployment",), ("build", "one", "too", "many"),
        ("build", "--timeout", "soon"), ("build", "--metadata", "no-equals-sign"), ("build", "--host", "nowhere"),
        ("build", "--api-url", "ftp://x"), ("build", "--config", "/nowhere.yml"), ("build", "--lifecycle", "x"),
        ("build", "--slack-channel", "no channel"), ("build", "--spool-dir", "/proc/none/x"),
        ("deployment", *DEPLOY, "--gate", "maybe-not", "--gate", "off", "--timeout", "x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_words_before_the_dashes_are_warnings(cli: RunCli, repo: Repo, arguments: tuple[str, ...]) -> None:
    result = cli("run", *arguments, *CMD, cwd=repo.path)
    assert works(result), result
    assert "versioner-ci: warning: " in result.err


@pytest.mark.parametrize(
    "content",
    [
        "product: [",
        "a: &a [*a]",
        "x" * 100_000,
        "\0",
        "product: 5\nnonsense: 1",
        "!!python/object/apply:os.system [id]",
    ],
    ids=["torn", "alias", "huge", "nul", "wrong types", "code"],
)
@pytest.mark.parametrize("kind", BOTH)
def test_a_broken_settings_file_is_a_warning(cli: RunCli, repo: Repo, kind: str, content: str) -> None:
    (repo.path / ".versioner.yml").write_text(content)
    result = cli("run", kind, *DEPLOY, *CMD, cwd=repo.path)
    assert works(result), result
    assert "warning" in result.err


@pytest.mark.parametrize(
    "env",
    [
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"}, {"HOME": "/proc"},
        {"HOME": None, "XDG_STATE_HOME": "/proc"},
        {"VERSIONER_TIMEOUT": "soon"}, {"VERSIONER_API_URL": "nonsense"}, {"VERSIONER_API_KEY": "a\nb\n"},
        {"VERSIONER_HOST": "nowhere"}, {"VERSIONER_LIFECYCLE": "@/nowhere"}, {"VERSIONER_RUN": "\x1b x y"},
        {"PATH": "/usr/bin:/bin", "VERSIONER_METADATA": "{"}, {"GITHUB_ACTIONS": "true"},
        {"VERSIONER_PRODUCT": "\udcff\udcfe"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("kind", BOTH)
def test_a_strange_environment_stops_nothing(cli: RunCli, repo: Repo, kind: str, env: Mapping[str, str | None]) -> None:
    assert works(cli("run", kind, *DEPLOY, *CMD, cwd=repo.path, env=env))


def break_modules(folder: Path, *names: str) -> str:
    """A folder whose Python, at its start, makes these modules impossible to import."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {names!r}:\n"
        "            raise RuntimeError('broken installation')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    return str(folder)


@pytest.mark.parametrize(
    "module",
    ["requests", "urllib3", "certifi", "json", "argparse", "versioner_ci.cli", "versioner_ci.settings",
     "versioner_ci.cmd_run", "versioner_ci.wrap", "versioner_ci.life", "versioner_ci.sinks.backend",
     "versioner_ci.hosts.generic", "versioner_ci.git", "platformdirs"],
)  # fmt: skip
@pytest.mark.parametrize("kind", BOTH)
def test_a_broken_installation_runs_cmd_once(
    cli: RunCli, repo: Repo, cli_env: dict[str, str], tmp_path: Path, kind: str, module: str
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", module), cli_env["PYTHONPATH"]])
    result = cli("run", kind, *DEPLOY, *CMD, cwd=repo.path, env={"PYTHONPATH": path})
    assert works(result), result
    assert "warning" in result.err


@pytest.mark.parametrize("module", ["versioner_ci.cli", "versioner_ci.settings", "requests"])
def test_a_broken_installation_keeps_a_required_gate_shut(
    cli: RunCli, repo: Repo, cli_env: dict[str, str], tmp_path: Path, module: str
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", module), cli_env["PYTHONPATH"]])
    for arguments, env in (
        (("--gate", "required"), {}),
        (("--gate=required",), {}),
        ((), {"VERSIONER_GATE": "required"}),
    ):
        result = cli("run", "deployment", *DEPLOY, *arguments, *CMD, cwd=repo.path, env={"PYTHONPATH": path, **env})
        assert (result.code, result.out) == (5, "")


@pytest.mark.parametrize("module", ["versioner_ci.cli", "versioner_ci.settings"])
def test_switched_off_a_broken_installation_starts_cmd_past_any_gate(
    cli: RunCli, repo: Repo, cli_env: dict[str, str], tmp_path: Path, module: str
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", module), cli_env["PYTHONPATH"]])
    env = {"PYTHONPATH": path, "VERSIONER_GATE": "required"}
    for word, is_off in (("true", True), (" Yes ", True), ("no", False)):
        result = cli("run", "deployment", *DEPLOY, *CMD, cwd=repo.path, env={**env, "VERSIONER_DISABLED": word})
        assert works(result) if is_off else result.code == 5, result


def test_a_fault_behind_a_required_gate_leaves_no_start_without_ending(
    cli: RunCli, repo: Repo, tracker: Recorder, cli_env: dict[str, str], tmp_path: Path
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", "requests"), cli_env["PYTHONPATH"]])
    env = {"VERSIONER_TIMEOUT": "0.3", "PYTHONPATH": path}
    assert cli("run", "deployment", *DEPLOY, "--gate", "required", *CMD, cwd=repo.path, env=env).code == 5
    wait_until(lambda: cli("flush", cwd=repo.path).code == 0 and len(tracker.events) == 2, 20)
    assert tracker.states() == ["started", "aborted"]


@pytest.mark.parametrize("command", ["report", "doctor", "flush"])
def test_a_broken_installation_is_one_line_for_other_commands(
    cli: RunCli, repo: Repo, cli_env: dict[str, str], tmp_path: Path, command: str
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", "versioner_ci.cli"), cli_env["PYTHONPATH"]])
    result = cli(command, cwd=repo.path, env={"PYTHONPATH": path})
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "a fault of versioner-ci itself" in result.err


@pytest.mark.parametrize("kind", BOTH)
def test_signals_reach_cmd_though_the_installation_is_broken(
    start: Start, repo: Repo, cli_env: dict[str, str], tmp_path: Path, kind: str
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", "versioner_ci.cli"), cli_env["PYTHONPATH"]])
    script = "trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done"
    running = start("run", kind, *DEPLOY, "--", "sh", "-c", script, cwd=repo.path, env={"PYTHONPATH": path})
    running.until("ready")
    running.send(signal.SIGTERM)
    assert running.wait() == 6


def test_what_a_fault_left_in_the_spool_has_an_ending_too(
    cli: RunCli, repo: Repo, tracker: Recorder, cli_env: dict[str, str], tmp_path: Path
) -> None:
    path = os.pathsep.join([break_modules(tmp_path / "broken", "requests"), cli_env["PYTHONPATH"]])
    env = {"VERSIONER_TIMEOUT": "0.3"}
    for kind in BOTH:
        assert works(cli("run", kind, *DEPLOY, *CMD, cwd=repo.path, env={**env, "PYTHONPATH": path}))
    assert tracker.requests == []
    wait_until(lambda: cli("flush", cwd=repo.path).code == 0 and len(tracker.events) == 4, 20)
    flushed = tracker.types()
    assert sorted(flushed) == ["build.failed", "build.started", "deployment.failed", "deployment.started"]
    for kind in BOTH:
        assert [name for name in flushed if name.startswith(kind)] == [f"{kind}.started", f"{kind}.failed"]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("gate", [(), ("--gate", "required")], ids=["", "required"])
def test_switched_off_it_only_runs_cmd_and_says_so_once(
    cli: RunCli, repo: Repo, tracker: Recorder, kind: str, gate: tuple[str, ...]
) -> None:
    result = cli("run", kind, *DEPLOY, *gate, "--", "sh", "-c", "env | grep -c VERSIONER_RUN; exit 7", cwd=repo.path,
                 env={"VERSIONER_DISABLED": "1"})  # fmt: skip
    assert (result.code, result.out) == (7, "0\n")
    assert result.err == "versioner-ci: switched off by VERSIONER_DISABLED: nothing is sent\n"
    assert tracker.requests == []


def test_switched_off_wrong_settings_do_not_matter(cli: RunCli, repo: Repo) -> None:
    result = cli("run", "deploymnt", "--no-such-option", *CMD, cwd=repo.path, env={"VERSIONER_DISABLED": "1"})
    assert works(result)
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("off", ["", "0", "false", "no"])
def test_a_switch_that_says_no_is_not_off(cli: RunCli, repo: Repo, tracker: Recorder, off: str) -> None:
    assert works(cli("run", "build", *CMD, cwd=repo.path, env={"VERSIONER_DISABLED": off}))
    assert tracker.types() == ["build.started", "build.failed"]


@pytest.mark.parametrize("kind", BOTH)
def test_nothing_configured_is_one_line(cli: RunCli, repo: Repo, kind: str) -> None:
    env = {"VERSIONER_API_URL": None, "VERSIONER_API_KEY": None}
    result = cli("run", kind, *DEPLOY, *CMD, cwd=repo.path, env=env)
    assert works(result)
    assert result.err.count("\n") == 1
    assert "nothing is configured to report to" in result.err


@pytest.mark.parametrize(("cmd", "code"), [("true", 4), ("false", 1)], ids=["cmd-0", "cmd-1"])
@pytest.mark.parametrize("kind", BOTH)
def test_strict_is_4_only_where_cmd_was_0(
    cli: RunCli, repo: Repo, tracker: Recorder, kind: str, cmd: str, code: int
) -> None:
    tracker.down()
    strict = ("--fail-on-error", "--timeout", "0.5")
    assert cli("run", kind, *DEPLOY, *strict, "--", cmd, cwd=repo.path).code == code


def test_strict_is_content_with_a_start_that_went_out_with_its_ending(
    start: Start, repo: Repo, tracker: Recorder
) -> None:
    tracker.down()
    running = start("run", "build", "--fail-on-error", "--timeout", "1", "--", "sleep", "4", cwd=repo.path)
    time.sleep(2.5)
    tracker.up()
    assert running.wait() == 0
    assert tracker.types() == ["build.started", "build.completed"]
    assert "kept" not in running.err


@pytest.mark.parametrize("option", ["--json", "--error=x", "--error-code=3", "--error-file=/nowhere", "--reason=user"])
def test_an_option_of_report_s_has_no_effect_on_a_run(cli: RunCli, repo: Repo, tracker: Recorder, option: str) -> None:
    result = cli("run", "build", option, *CMD, cwd=repo.path)
    assert works(result), result
    assert f"versioner-ci: warning: {option.partition('=')[0]} has no effect: " in result.err
    started, failed = (event.body for event in tracker.wait_for(2))
    assert (started["status"], failed["status"], failed["extra_metadata"]["error_code"]) == ("started", "failed", "7")
