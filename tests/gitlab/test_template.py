"""The files as they stand: schema, inputs, shell, and what their parts have in common."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gitlab.jobs import found
from tests.gitlab.template import FILES, FOLDER, body_of, filled, inputs_of, pipeline

BIN = Path(sys.executable).parent
NAMES = [path.name for path in FILES]
EXAMPLE = {
    "stages": ["deploy"],
    "deploy": {"extends": [".versioner-deployment", ".versioner-cache"], "stage": "deploy", "script": ["./deploy.sh"],
               "environment": {"name": "production", "url": "https://shop.example.com"}},
    "windows": {"extends": ".versioner-powershell-build", "stage": "deploy", "script": ["./build.ps1"]},
}  # fmt: skip


def whole() -> dict[str, Any]:
    """All files in one pipeline."""
    return pipeline(
        filled("versioner.yml", pending="production"), body_of("default.yml"),
        body_of("versioner-powershell.yml"), filled("report-for.yml", job="deploy"), EXAMPLE,
    )  # fmt: skip


def scripts() -> Iterator[tuple[str, str]]:
    """Every distinct script of the pipeline, `where` first."""
    for name, job in whole().items():
        for key in ("before_script", "script", "after_script"):
            if isinstance(job, dict) and job.get(key):
                yield f"{name} {key}", "\n".join(job[key])


def shell_scripts() -> list[tuple[str, str]]:
    return [(where, text) for where, text in scripts() if "versioner_hook" in text]


def texts(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, "key"), str(key)
            yield from texts(value, (*path, str(key)))
    elif isinstance(node, list):
        for value in node:
            yield from texts(value, path)
    elif isinstance(node, str):
        yield path, node


def checked(folder: Path, *documents: Any) -> str:
    """What GitLab's own schema, as check-jsonschema ships it, finds wrong; nothing: ""."""
    files = [folder / f"{number}.json" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document))
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_the_files_are_those_that_are_documented() -> None:
    assert NAMES == ["default.yml", "report-for.yml", "versioner-powershell.yml", "versioner.yml"]


def test_the_pipeline_and_the_headers_are_what_gitlab_s_schema_wants(tmp_path: Path) -> None:
    headers = [{"spec": {"inputs": inputs_of(name)}} for name in NAMES if inputs_of(name)]
    assert len(headers) == 2
    assert checked(tmp_path, whole(), *headers) == ""


def test_the_schema_notices_what_is_wrong(tmp_path: Path) -> None:
    wrong = {"script": ["true"], "allow_failure": "perhaps"}
    assert "allow_failure" in checked(tmp_path, {**whole(), "deploy": wrong})


@pytest.mark.parametrize("name", NAMES)
def test_every_input_says_what_it_is(name: str) -> None:
    for spec in inputs_of(name).values():
        assert spec["type"] in {"string", "number", "boolean", "array"}
        assert re.fullmatch(r"[A-Z].*\.", spec["description"])
        assert "${{" not in spec["description"]
        if "default" in spec:
            assert isinstance(spec["default"], str)
            assert spec["default"] in spec.get("options", [spec["default"]])
            assert re.search(spec.get("regex", ""), spec["default"])
    assert [key for key, spec in inputs_of("report-for.yml").items() if "default" not in spec] == ["job"]


@pytest.mark.parametrize("name", NAMES)
def test_an_input_becomes_a_variable_and_never_a_script(name: str) -> None:
    keys = {"variables", "image", "cache", "rules", "needs"}
    seen = set()
    for path, text in texts(body_of(name)):
        for used in re.findall(r"\$\[\[ *inputs\.(\w+)", text):
            seen.add(used)
            assert keys & set(path) or path == ("key",), (path, text)
        assert "$[[" not in re.sub(r"\$\[\[ inputs\.\w+ \]\]", "", text)
    assert seen == inputs_of(name).keys()


def test_an_input_s_value_is_one_text_whatever_it_holds() -> None:
    hostile = "a: [b]\n'\"$(id)\\ ]] # x"
    variables = pipeline(filled("versioner.yml", product=hostile))[".versioner"]["variables"]
    assert variables["VERSIONER_INPUT_PRODUCT"] == hostile


def test_default_hands_on_every_input_that_a_job_would_have() -> None:
    given = whole()
    assert given["variables"] == given[".versioner"]["variables"]


@pytest.mark.parametrize(("where", "text"), shell_scripts(), ids=lambda value: value[:40])
def test_a_script_is_posix_shell(where: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "script.sh"
    file.write_text(f"#!/bin/sh\n{text}\n")
    command = [str(BIN / "shellcheck"), "--shell=sh", str(file)]
    done = subprocess.run(command, capture_output=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (0, b""), where
    for shell in ("dash", "busybox sh", "bash --posix"):
        program, *options = shlex.split(shell)
        command = [found(program), *options, "-n", str(file)]
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
        assert (done.returncode, done.stderr) == (0, b""), shell


def test_there_are_scripts_to_check() -> None:
    assert len(shell_scripts()) >= 10


@pytest.mark.parametrize(("where", "text"), shell_scripts()[1:], ids=lambda value: value[:40])
def test_a_hook_s_line_cannot_fail_a_job_by_itself(where: str, text: str) -> None:
    calls = [line.strip() for line in text.splitlines() if re.match(r"\s*(\S.*\) )?versioner_hook [a-z\"]", line)]
    assert calls, where
    for call in calls:
        guards = ("|| :", "|| : ;;", "|| [ $? -ne 5 ] || exit 5")
        assert call.endswith(guards), call
        assert call.endswith("exit 5") == (" started" in call and " build " not in call)


def programs() -> dict[str, str]:
    """The Python program that finds the core, as each file has it."""
    parts = {}
    for name in ("versioner.yml", "versioner-powershell.yml"):
        [block] = {text for _, text in texts(body_of(name)) if "import hashlib" in text}
        [parts[name]] = re.findall(r"find_?[cC]ore ?= ?'\n(.*?)\n *'\n", block, re.DOTALL)
    return parts


def test_both_shells_find_the_core_with_the_same_program() -> None:
    assert len(set(programs().values())) == 1


def test_the_program_is_one_that_every_shell_can_quote() -> None:
    program = programs()["versioner.yml"]
    compile(program, "find_core", "exec")
    assert "'" not in program
    assert program.isascii()


def test_no_registry_and_no_script_file_is_named() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!\(localhost|[|)])[a-z]+[.]", text), path.name
        assert "curl" not in text
        assert "sudo" not in text


def powershell() -> list[tuple[str, str]]:
    return [(where, text) for where, text in scripts() if "Invoke-VersionerHook" in text]


@pytest.mark.parametrize(("where", "text"), powershell(), ids=lambda value: value[:50])
def test_the_powershell_variant_is_well_formed(where: str, text: str) -> None:
    """Neither PowerShell nor its analyser runs here: quotes and brackets pair, each call is guarded."""
    bare = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", " ", text)
    for pair in ("()", "{}", "[]"):
        assert bare.count(pair[0]) == bare.count(pair[1]), where
    assert not re.search("['\"]", bare)
    if where != ".versioner-powershell-hook script":
        last = text.strip().splitlines()[-1]
        assert last.startswith("$null = "), last
        assert ("-eq 5) { exit 5 }" in text) == ("before_script" in where and "Hook build" not in text)


def test_the_powershell_variant_has_the_core_s_words_for_the_off_switch() -> None:
    [words] = {found for _, text in powershell() for found in re.findall(r"\((.*) -contains \$env:VERSIONER_DIS", text)}
    assert sorted(re.findall(r"'(\w+)'", words)) == ["1", "on", "t", "true", "y", "yes"]


def test_the_powershell_variant_has_the_same_jobs() -> None:
    assert len(powershell()) == 2 * 3 + 1 + 2  # three hidden jobs, the hook itself, and the example's job
    shell = [name for name in body_of("versioner.yml") if re.search(r"^\.versioner(-deployment|-build)?$", name)]
    names = {name.replace(".versioner", ".versioner-powershell") for name in shell}
    assert names <= body_of("versioner-powershell.yml").keys()


def test_the_parts_are_small_enough_to_be_copied_for_the_catalog() -> None:
    """`templates/NAME.yml` is a component: a name of letters, digits and hyphens, at most 1 MB."""
    for path in FILES:
        assert re.fullmatch(r"[a-z-]+\.yml", path.name)
        assert path.stat().st_size < 100_000
    assert FOLDER.is_dir()
