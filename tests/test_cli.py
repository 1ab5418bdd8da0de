from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder
from versioner_ci import __version__
from versioner_ci.cli import COMMANDS

KEY = "sk_1_canaryCanaryCanaryCanary"
DEPLOYMENT = ("report", "deployment", "failed", "--environment", "p")

WRONG = {
    "an unknown command": (("repot",), "unknown command 'repot' (did you mean report?)"),
    "a wholly unknown command": (("xyz",), "unknown command 'xyz' (commands: report, run, flush, doctor, "),
    "an option first": (("--quiet",), "unknown option '--quiet' (a command comes first: report, "),
    "a misspelt --version": (("--versoin",), "unknown option '--versoin' (did you mean --version?)"),
    "an unknown kind": (("report", "deploy", "started"), "'deploy' is not a kind (did you mean deployment?)"),
    "no status": (("report", "build"), "STATUS is missing (a word like started, or --host-status WORD, or --needs"),
    "two statuses": (("report", "build", "failed", "--host-status", "x"), "give only one of STATUS, --host-status and"),
    "an unknown word": (("report", "build", "strated"), "unknown status 'strated' (did you mean started"),
    "another kind's word": (("report", "build", "deployed"), "'deployed' is a word for a deployment, not for a build"),
    "a misspelt option": ((*DEPLOYMENT, "--prodct", "x"), "unknown option --prodct (did you mean --product?)"),
    "an option without value": (("report", "build", "failed", "--version"), "--version needs a value (the product's, "),
    "empty text": (("report", "deployment", "failed", "--environment", ""), "--environment is empty"),
    "a time": (
        (*DEPLOYMENT, "--occurred-at", "yesterday"),
        "--occurred-at: not a time: 'yesterday' (write it like 2026-01-31T12:00:00Z)",
    ),
    "milliseconds": (
        (*DEPLOYMENT, "--occurred-at", "1769860800000000"),
        "--occurred-at: not a time: '1769860800000000' (it counts in seconds, like 1769860800)",
    ),
    "beyond all years": (
        (*DEPLOYMENT, "--occurred-at", "9999-12-31T23:59:59-14:00"),
        "--occurred-at: not a time: '9999-12-31T23:59:59-14:00' (write",
    ),
    "metadata": ((*DEPLOYMENT, "--metadata", "team"), "--metadata 'team' has no '=' (write it like team=payments)"),
    "metadata as JSON": ((*DEPLOYMENT, "--metadata-json", '{"a":'), "metadata is not JSON: "),
    "a metadata file": ((*DEPLOYMENT, "--metadata-json", "@none"), "cannot read the metadata file 'none': No such"),
    "a channel": ((*DEPLOYMENT, "--slack-channel", "<!here>"), "--slack-channel '<!here>' is not a Slack channel"),
    "an error file": ((*DEPLOYMENT, "--error-file", "none"), "--error-file: cannot read 'none': No such file"),
    "an error folder": ((*DEPLOYMENT, "--error-file", "."), "--error-file: cannot read '.': Is a directory"),
    "a needs file": (("report", "build", "--needs", "@none"), "--needs: cannot read 'none': No such file"),
    "a needs text": (("report", "build", "--needs", "[]"), "--needs: not the JSON of `toJSON(needs)`"),
    "a reason": ((*DEPLOYMENT, "--reason", "usr"), "--reason: unknown word 'usr' (did you mean user?)"),
    "a handle": ((*DEPLOYMENT, "--lifecycle", "abc"), "--lifecycle: not a lifecycle handle"),
    "a gate": ((*DEPLOYMENT, "--gate", "requird"), "--gate 'requird' is none of off, on, required (did you mean"),
    "a number": ((*DEPLOYMENT, "--timeout", "1h"), "--timeout '1h' is not a number of seconds (0.1 to 600)"),
    "a settings file": ((*DEPLOYMENT, "--config", "none.yml"), "--config none.yml: cannot be read: No such file"),
    "a host": ((*DEPLOYMENT, "--host", "githb"), "unknown host 'githb' (did you mean github?)"),
    "an address": ((*DEPLOYMENT, "--api-url", "foo"), "--api-url is not a web address"),
    "an unencrypted address": ((*DEPLOYMENT, "--api-url", "http://example.com"), "--api-url is unencrypted http://"),
    "no environment": (("report", "deployment", "failed"), "the deployment's environment is not known (give --"),
    "an argument for flush": (("flush", "now"), "one argument too many: 'now'"),
    "an argument for statuses": (("statuses", "now"), "one argument too many: 'now'"),
    "an option of context": (("context", "--jsn"), "unknown option --jsn (did you mean --json?)"),
    "no command to run": (("run", "build"), "no command to run (put it behind `--`"),
    "a terminal's escape": (("report", "build", "\x1b[31m\n::error::x"), r"unknown status '\x1b[31m\n::error::x'"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_bad_input_is_one_line_that_names_what_is_wrong(
    arguments: tuple[str, ...], said: str, cli: RunCli, repo: Repo
) -> None:
    done = cli(*arguments, env={"VERSIONER_API_KEY": KEY}, cwd=repo.path)
    assert done.code == 2
    assert done.err.startswith(f"versioner-ci: error: {said}"), done.err
    assert (done.err.count("\n"), done.out) == (1, "")


@pytest.mark.parametrize("text", ["", "  "], ids=["empty", "blank"])
@pytest.mark.parametrize("option", ["--error", "--error-code", "--error-file", "--reason", "--occurred-at"])
def test_an_unset_variable_of_a_pipeline_counts_as_not_given(option: str, text: str, cli: RunCli, repo: Repo) -> None:
    with Recorder() as tracker:
        done = cli(*DEPLOYMENT, option, text, env={"VERSIONER_API_URL": tracker.url}, cwd=repo.path)
        [event] = tracker.wait_for(1)
    assert done.code == 0, done.err
    assert not {"error", "error_code", "reason"} & event.body["extra_metadata"].keys() or text == "  "


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VERSIONER_HOST", "githb", "VERSIONER_HOST: unknown host 'githb' (did you mean github?): ignored"),
        ("VERSIONER_GATE", "requird", "VERSIONER_GATE 'requird' is none of off, on, required"),
        ("VERSIONER_TIMEOUT", "1h", "VERSIONER_TIMEOUT '1h' is not a number of seconds"),
        ("VERSIONER_LIFECYCLE", "abc", "VERSIONER_LIFECYCLE: not a lifecycle handle: ignored"),
        ("VERSIONER_CONFIG", "none.yml", "none.yml: cannot be read: No such file"),
        ("VERSIONER_METADATA", "{", "VERSIONER_METADATA: metadata is not JSON"),
        ("VERSIONER_SPOOL_DIR", "/proc/none", "cannot use /proc/none: ENOENT; using /"),
    ],
)
def test_what_a_variable_says_wrong_is_a_warning(name: str, value: str, said: str, cli: RunCli, repo: Repo) -> None:
    with Recorder() as tracker:
        env = {"VERSIONER_API_URL": tracker.url, name: value}
        done = cli("report", "build", "started", env=env, cwd=repo.path)
        assert len(tracker.wait_for(1)) == 1
    assert done.code == 0
    assert f"versioner-ci: warning: {said}" in done.err


def test_a_hosts_unknown_word_is_one_warning_and_nothing_is_guessed(cli: RunCli, repo: Repo) -> None:
    with Recorder() as tracker:
        done = cli("report", "build", "--host-status", "wierd", env={"VERSIONER_API_URL": tracker.url}, cwd=repo.path)
        assert tracker.requests == []
    assert done.code == 0
    assert done.err.count("\n") == 1
    assert done.err.startswith("versioner-ci: warning: --host-status: unknown status 'wierd'")
    assert done.err.endswith("nothing is reported\n")


def test_a_hosts_word_that_is_like_none_points_to_the_list(cli: RunCli, repo: Repo) -> None:
    done = cli("report", "build", "--host-status", "zzzqqq", env={"VERSIONER_API_KEY": KEY}, cwd=repo.path)
    assert done.err == (
        "versioner-ci: warning: --host-status: unknown status 'zzzqqq' (`versioner-ci statuses` lists all words): "
        "nothing is reported\n"
    )


@pytest.mark.parametrize("needs", ["{}", '{"a": {"result": "skipped"}}'])
def test_a_run_of_skipped_jobs_reports_nothing(needs: str, cli: RunCli, repo: Repo) -> None:
    done = cli("report", "build", "--needs", needs, env={"VERSIONER_API_KEY": KEY}, cwd=repo.path)
    assert (done.code, done.err) == (0, "versioner-ci: no needed job has run: nothing is reported\n")


@pytest.mark.parametrize("arguments", [("--version",), ("-V",)])
def test_the_programs_version_is_told_when_nothing_else_is_asked(arguments: tuple[str, ...], cli: RunCli) -> None:
    done = cli(*arguments)
    assert (done.code, done.out, done.err) == (0, f"versioner-ci {__version__}\n", "")


def test_behind_a_command_version_is_the_products(cli: RunCli, repo: Repo) -> None:
    with Recorder() as tracker:
        cli("report", "build", "started", "--version", "1.4.2", env={"VERSIONER_API_URL": tracker.url}, cwd=repo.path)
        assert tracker.wait_for(1)[0].body["version"] == "1.4.2"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",), ()])
def test_the_overview_names_every_command(arguments: tuple[str, ...], cli: RunCli) -> None:
    done = cli(*arguments)
    assert done.code == (0 if arguments else 2)
    assert all(f"  {name} " in done.out and command.help in done.out for name, command in COMMANDS.items())
    assert len(done.out.splitlines()) <= 24


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_both_ways(name: str, cli: RunCli) -> None:
    done = cli(name, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: versioner-ci {name} ")
    assert cli("help", name).out == done.out


def test_the_module_runs_as_a_program(cli_env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "versioner_ci", "statuses"]
    done = subprocess.run(command, env=cli_env, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.startswith("pending\n")


def test_statuses_are_the_one_table(cli: RunCli) -> None:
    text, rows = cli("statuses").out, json.loads(cli("statuses", "--json").out)
    assert "deploying (deployment only)" in text
    assert {"word": "building", "state": "started", "kind": "build", "host": False} in rows["words"]
    assert {"word": "unstable", "state": "completed", "kind": None, "host": True} in rows["words"]


# -- faults of our own ------------------------------------------------------------------------------------------------

BREAK = """
import os, sys
import versioner_ci.cmd_statuses as broken
def main(call):
    call.signals.is_raising = True
    if "--signal" in call.arguments:
        os.kill(os.getpid(), 15)
    raise RuntimeError("broken by " + call.env["VERSIONER_API_KEY"] + "\\n::error::x")
broken.main = main
from versioner_ci import cli
cli.main()
"""


def broken(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BREAK, "statuses", *arguments]
    full = {**env, "VERSIONER_API_KEY": KEY}
    return subprocess.run(command, env=full, capture_output=True, text=True, timeout=30, check=False)


def test_a_fault_of_our_own_is_one_masked_line(cli_env: dict[str, str]) -> None:
    done = broken(cli_env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "versioner-ci: error: a fault of versioner-ci itself: RuntimeError: broken by ***\\n::error::x "
        "(--verbose shows where)\n"
    )


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_only_verbose_shows_where_and_masked(how: str, cli_env: dict[str, str]) -> None:
    env = {**cli_env, **({"VERSIONER_VERBOSE": "1"} if how == "variable" else {})}
    done = broken(env, *(["--verbose"] if how == "flag" else []))
    assert (done.returncode, done.stdout) == (1, "")
    assert "versioner-ci: Traceback (most recent call last):" in done.stderr
    assert "canary" not in done.stderr.lower()
    assert all(row.startswith("versioner-ci: ") for row in done.stderr.splitlines())


@pytest.mark.parametrize(("more", "code"), [((), 1), (("--signal",), 143)], ids=["fault", "signal"])
def test_a_fault_is_one_json_object_too(more: tuple[str, ...], code: int, cli_env: dict[str, str]) -> None:
    done = broken(cli_env, "--json", *more)
    body = json.loads(done.stdout)
    assert (done.returncode, body["outcome"], body["ok"]) == (code, "nothing", False)
    assert body["error"].startswith("interrupted" if more else "a fault of versioner-ci itself")


def test_the_json_of_a_command_behind_run_is_its_own(cli: RunCli, repo: Repo) -> None:
    done = cli("run", "build", "--bogus", "--", "echo", "--json", cwd=repo.path)
    assert (done.code, done.out) == (0, "--json\n")
