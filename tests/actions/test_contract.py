"""The actions' own files against the tables: inputs, outputs, help, entry points."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.actions.test_node import node
from versioner_ci.before import IDENTITY
from versioner_ci.cmd_report import REASONS, SHUT
from versioner_ci.options import _sources
from versioner_ci.report_github import outputs
from versioner_ci.settings_parse import ParseError, gate
from versioner_ci.settings_table import SETTINGS, Setting
from versioner_ci.settings_values import Gate
from versioner_ci.status import WORDS, Kind, State

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = {path.parent.name: yaml.safe_load(path.read_text("utf-8")) for path in ROOT.glob("actions/*/action.yml")}
OWN = {
    "track": {"event", "steps", "python", "job-status", "matrix", "job-index"},
    "report": {"event", "status", "error", "error-code", "error-file", "reason", "python", "matrix", "job-index"},
}
BY_VARIABLE = {row.env[0]: row for row in SETTINGS if row.env}
NOT_FOR_GITHUB = {"VERSIONER_UNSTABLE", "VERSIONER_HOST", "VERSIONER_DISABLED"}
each = pytest.mark.parametrize("name", sorted(OWN))


def declared(name: str) -> dict[str, dict[str, Any]]:
    """The inputs that are settings."""
    return {key: spec for key, spec in ACTIONS[name]["inputs"].items() if key not in OWN[name]}


def row_of(key: str) -> Setting:
    """The setting of an input, by the variable that the shim makes of it."""
    code = "import {variable} from './actions/lib/runner.mjs'; console.log(variable(process.argv[1]))"
    command = [node(), "--input-type=module", "-e", code, key]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True, timeout=20
    )
    return BY_VARIABLE[done.stdout.decode().strip()]


def test_there_are_two_actions() -> None:
    assert set(ACTIONS) == set(OWN)


@pytest.mark.parametrize("key", sorted(declared("track")))
def test_an_input_is_a_setting_with_the_same_help_and_default(key: str) -> None:
    row = row_of(key)
    for name in OWN:
        assert declared(name)[key] == {"description": row.help + _sources(row, row.flag or "")}
    assert row.flag == ("--metadata-json" if key == "metadata" else f"--{key}")


def test_every_setting_is_an_input_of_both_and_of_the_shim() -> None:
    shim = (ROOT / "actions/lib/runner.mjs").read_text("utf-8")
    listed = set(re.findall(r"'([a-z-]+)'", shim[shim.index("const SECRETS") : shim.index("const LONGEST_KEY")]))
    assert set(declared("track")) == set(declared("report")) == listed
    assert len(listed) == len(BY_VARIABLE) - len(NOT_FOR_GITHUB)


def test_what_is_kept_back_from_the_next_track_is_all_that_is_secret() -> None:
    shim = (ROOT / "actions/lib/runner.mjs").read_text("utf-8")
    [kept] = re.findall(r"^const SECRETS = \[(.*)\]$", shim, re.MULTILINE)
    assert set(re.findall(r"'(.*?)'", kept)) == {str(row.flag)[2:] for row in SETTINGS if row.is_secret}


def in_node(code: str) -> Any:
    """What an expression of the shim comes to; `runner` and `core` are its modules."""
    head = "import * as runner from './actions/lib/runner.mjs'; import * as core from './actions/lib/core.mjs'\n"
    command = [node(), "--input-type=module", "-e", f"{head}console.log(JSON.stringify({code}))"]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=20).stdout)


def test_the_next_track_is_told_all_names_of_what_says_who_is_reported() -> None:
    assert set(in_node("Object.keys(runner.identityOf({}))")) == IDENTITY


def test_the_shim_and_the_core_agree_on_what_starts_and_say_the_same() -> None:
    assert set(in_node("runner.STARTED")) == {row.word for row in WORDS if row.state is State.STARTED}
    assert in_node("core.SHUT") == SHUT


@each
def test_own_inputs_say_what_they_are(name: str) -> None:
    for key, spec in ACTIONS[name]["inputs"].items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", key)
        assert spec["description"][0].islower() or spec["description"].startswith(("Slack", "GitHub"))
    assert [key for key, spec in ACTIONS[name]["inputs"].items() if spec.get("required")] == (
        ["event"] if name == "track" else ["event", "status"]
    )


@each
def test_no_description_holds_an_expression(name: str) -> None:
    """The runner would try to evaluate it, and the whole action would be broken."""
    texts = [spec["description"] for part in ("inputs", "outputs") for spec in ACTIONS[name][part].values()]
    assert not [text for text in [*texts, ACTIONS[name]["description"]] if "${{" in text]


def test_only_what_the_runner_tells_has_a_default_here() -> None:
    defaults = {key: spec["default"] for key, spec in ACTIONS["track"]["inputs"].items() if "default" in spec}
    assert defaults == {
        "job-status": "${{ job.status }}",
        "matrix": "${{ toJSON(matrix) }}",
        "job-index": "${{ strategy.job-index }}",
    }


@each
def test_outputs_are_those_of_the_core(name: str) -> None:
    source = Path(str(sys.modules[outputs.__module__].__file__)).read_text("utf-8")
    body = source[source.index("def outputs") : source.index("def summary")]
    assert set(re.findall(r'^        "([a-z-]+)":', body, re.MULTILINE)) == ACTIONS[name]["outputs"].keys()


@each
def test_entry_files_are_there(name: str) -> None:
    runs = ACTIONS[name]["runs"]
    assert runs.pop("using") == "node24"
    assert runs == ({"main": "main.mjs", "post": "post.mjs"} if name == "track" else {"main": "main.mjs"})
    assert all((ROOT / "actions" / name / file).is_file() for file in runs.values())


def test_the_shim_and_the_core_agree_on_what_a_gate_is() -> None:
    words = ["on", "off", "required", "true", "no", "y", "0", "requird", "Required", "t", "F", "1", "yes", "n", "x"]
    code = "import {isRequired} from './actions/lib/runner.mjs'; const words = process.argv.slice(1)\n"
    code += "console.log(JSON.stringify(words.map((VERSIONER_GATE) => isRequired({ VERSIONER_GATE }))))"
    command = [node(), "--input-type=module", "-e", code, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=20)
    assert json.loads(done.stdout) == [_is_required(word) for word in words]


def _is_required(word: str) -> bool:
    try:
        return bool(gate(word)[0] is Gate.REQUIRED)
    except ParseError:
        return True


def test_words_in_descriptions_are_the_core_s() -> None:
    assert ACTIONS["report"]["inputs"]["reason"]["description"].endswith(", ".join(REASONS))
    assert all(state.value in ACTIONS["track"]["outputs"]["status"]["description"] for state in State)
    assert all(kind.value in ACTIONS["track"]["inputs"]["event"]["description"] for kind in Kind)


def test_the_schema_of_actions_and_the_audit_find_nothing() -> None:
    files = [str(path) for path in sorted(ROOT.glob("actions/*/action.yml"))]
    tools = Path(sys.executable).parent
    for command in (
        [str(tools / "check-jsonschema"), "--builtin-schema", "vendor.github-actions", *files],
        [str(tools / "zizmor"), "--offline", "--quiet", "--persona", "pedantic", str(ROOT / "actions")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
