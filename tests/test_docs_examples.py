"""Every example in the documents is one that works: shell, calls of the command, YAML, Python."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from script.reference_cli import actions_of, parser_of
from tests.test_docs_pages import PAGES, ROOT, Block, blocks, codes
from versioner_ci import config_check
from versioner_ci.cli import COMMANDS
from versioner_ci.context import CIContext
from versioner_ci.options import flags_of, kind_of
from versioner_ci.settings import resolve
from versioner_ci.status import normalise

NAME = "versioner-ci"
LANGUAGES = {"sh", "yaml", "python", "text", "groovy"}
_SCHEMA = json.loads((ROOT / "docs/versioner.schema.json").read_text(encoding="utf-8"))
SHELL = blocks("sh")
YAML = blocks("yaml")


def where(block: Block) -> str:
    return f"{block.page}: {block.text.strip().splitlines()[0][:40]}"


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a YAML document."""
    if isinstance(value, dict):
        yield from (text for inner in value.values() for text in texts_of(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in texts_of(inner))
    elif isinstance(value, str):
        yield value


def scripts() -> Iterator[tuple[str, str]]:
    """Where, and a shell script: blocks, and the command lines in YAML examples."""
    yield from ((where(block), block.text) for block in SHELL)
    for block in YAML:
        yield from ((where(block), f"{text}\n") for text in texts_of(yaml.safe_load(block.text)) if NAME + " " in text)


def calls(script: str) -> Iterator[list[str]]:
    """The arguments of each call of the command in a script; a comment begins with # behind a blank."""
    text = re.sub(r"(^|\s)#[^\n]*", r"\1", script.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("();<>|&\n"):
            if NAME in words:
                yield words[words.index(NAME) + 1 :]
            words = []
        else:
            words.append(word)


def check(arguments: list[str]) -> None:
    """What the command does with its arguments before it sends anything. Raises UsageError for wrong ones."""
    name, rest = arguments[0], arguments[1:]
    command: list[str] = []
    if name == "run":
        command = rest[rest.index("--") + 1 :]
        rest = rest[: rest.index("--")]
        assert command
    options = parser_of(name).read(rest)
    resolve(flags_of(options), {}, None, CIContext(source_system="local"))
    if "kind" in options:
        kind = kind_of(options.kind)
        if getattr(options, "status", None) is not None:
            normalise(kind, options.status)


def test_blocks_are_of_a_language_that_is_checked() -> None:
    found = {block.language for block in blocks(*LANGUAGES, "", "bash", "console", "json", "yml", "shell")}
    assert found <= LANGUAGES
    assert all(block.language for page in PAGES for block in blocks(""))


@pytest.mark.parametrize(("place", "script"), list(scripts()), ids=lambda value: value[:50].strip())
def test_a_shell_example_parses(place: str, script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script.encode(), capture_output=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, b""), place


@pytest.mark.parametrize(
    ("place", "arguments"), [(place, each) for place, script in scripts() for each in calls(script)], ids=str
)
def test_a_call_in_an_example_is_accepted(place: str, arguments: list[str]) -> None:
    assert arguments, place
    check(arguments)


def test_calls_are_found_in_every_shape() -> None:
    script = "A=1 versioner-ci doctor # don't versioner-ci no\nX=$(versioner-ci flush | jq .) && versioner-ci context\n"
    script += '# "\n'
    script += "versioner-ci run build \\\n  -- make all\n"
    assert list(calls(script)) == [["doctor"], ["flush"], ["context"], ["run", "build", "--", "make", "all"]]
    assert len([each for _, script in scripts() for each in calls(script)]) > 20


@pytest.mark.parametrize("block", YAML, ids=where)
def test_a_yaml_example_loads(block: Block) -> None:
    assert isinstance(yaml.safe_load(block.text), dict)


@pytest.mark.parametrize("block", [block for block in YAML if block.tag == ".versioner.yml"], ids=where)
def test_an_example_of_the_file_is_legal(block: Block) -> None:
    jsonschema.validate(yaml.safe_load(block.text), _SCHEMA)
    assert config_check.checked(block.text.encode(), ".versioner.yml").problems == ()


def test_the_slack_manifest_asks_for_what_is_needed_and_no_more() -> None:
    [block] = [block for block in YAML if block.tag == "slack-manifest"]
    manifest = yaml.safe_load(block.text)
    assert block.page == "README.md"
    assert manifest["oauth_config"] == {"scopes": {"bot": ["chat:write", "chat:write.public"]}}
    assert manifest.keys() == {"display_information", "features", "oauth_config", "settings"}
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    assert re.fullmatch(r"[a-z0-9._-]{1,80}", manifest["features"]["bot_user"]["display_name"])
    assert set(manifest["settings"].values()) == {False}


@pytest.mark.parametrize("block", blocks("python"), ids=where)
def test_a_python_example_compiles_and_its_imports_exist(block: Block) -> None:
    compile(block.text, block.page, "exec")
    for line in block.text.splitlines():
        if line.startswith(("import ", "from ")):
            exec(line, {})  # noqa: S102 - an import of our own documents


def test_every_option_that_is_named_exists() -> None:
    known = {option for name in COMMANDS for action in actions_of(parser_of(name)) for option in action.option_strings}
    known |= {"--version", "--once", "--check", "--release", "--out"}
    named = {(page.name, option) for page in PAGES for code in codes(page) for option in _options(code)}
    assert {pair for pair in named if pair[1] not in known} == set()


def _options(code: str) -> list[str]:
    is_ours = not code.startswith(("pip", "git", "uv", "/"))
    return re.findall(r"(?<![\w-])--[a-z][a-z-]*", code) if is_ours else []
