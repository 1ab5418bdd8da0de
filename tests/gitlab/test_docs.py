"""docs/gitlab.md and the README tell what the files have, and each of its pipelines is one that GitLab would take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.gitlab.template import ROOT, body_of, filled, inputs_of, pipeline
from tests.gitlab.template import _Loader as Loader
from tests.gitlab.test_template import checked
from tests.test_docs_pages import blocks_of, read

PAGE = ROOT / "docs/gitlab.md"
PIPELINES = [block for page in (PAGE, ROOT / "README.md") for block in blocks_of(page) if block.tag == ".gitlab-ci.yml"]


def included(example: dict[str, Any]) -> list[dict[str, Any]]:
    """What the example includes, its inputs filled in; versioner.yml in any case."""
    parts = [filled("versioner.yml")]
    for entry in example.get("include", []):
        files = [entry["file"]] if isinstance(entry["file"], str) else entry["file"]
        for file in files:
            folder, _, name = file.partition("/")
            assert folder == "gitlab"
            inputs = entry.get("inputs", {})
            assert all(isinstance(value, str) for value in inputs.values()), inputs
            parts.append(filled(name, **inputs) if inputs_of(name) else body_of(name))
    return parts


def test_every_example_is_a_pipeline(tmp_path: Path) -> None:
    wholes = []
    for block in PIPELINES:
        example = yaml.load(block.text, Loader)  # noqa: S506 - a SafeLoader
        own = {name: value for name, value in example.items() if name != "include"}
        wholes.append(pipeline(*included(example), own))
        assert all("script" in wholes[-1][name] for name in own)
    assert checked(tmp_path, *wholes) == ""


def test_there_are_examples() -> None:
    assert len(PIPELINES) >= 7
    assert len(PIPELINES[0].text.splitlines()) <= 8


def test_every_input_is_told_with_its_default() -> None:
    rows = dict(re.findall(r"^\| ([\w, ]+) \| [^|]+ \| ([^|]+) \|$", read(PAGE), re.MULTILINE))
    told = {name: default for names, default in rows.items() for name in names.split(", ")}
    declared = inputs_of("versioner.yml")
    assert declared.keys() <= told.keys()
    for name in ("image", "cache_key"):
        assert told[name] == declared[name]["default"]
    assert all(name in read(PAGE) for name in inputs_of("report-for.yml"))


def test_every_job_to_extend_is_told_and_exists() -> None:
    told = {name for name in re.findall(r"`(\.?versioner[\w-]*)`", read(PAGE)) if name.startswith(".")}
    files = ("versioner.yml", "versioner-powershell.yml")
    there = {name for file in files for name in body_of(file) if name.startswith(".")}
    inner = {".versioner-hook", ".versioner-powershell-hook", ".versioner-alone", ".versioner-pending",
             ".versioner-powershell"}  # fmt: skip
    assert told == there - inner
