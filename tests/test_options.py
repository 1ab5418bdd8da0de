from __future__ import annotations

import importlib
import re

import pytest

from versioner_ci.cli import COMMANDS
from versioner_ci.errors import UsageError
from versioner_ci.options import GROUPS, Parser, add_settings, flags_of, kind_of
from versioner_ci.settings_table import BY_NAME, SETTINGS
from versioner_ci.status import Kind

OF_THE_TRACKER = {"serve", "keys", "matrix", "history", "demo"}
WITH_SETTINGS = [name for name in COMMANDS if name not in {"statuses", *OF_THE_TRACKER}]


def parser_of(command: str) -> Parser:
    made: Parser = importlib.import_module(f"versioner_ci.{COMMANDS[command].module}").parser()
    return made


def parser() -> Parser:
    made = Parser("test")
    made.add_argument("kind", metavar="KIND")
    made.add_argument("--json", action="store_true")
    add_settings(made)
    return made


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("command", WITH_SETTINGS)
@pytest.mark.parametrize("setting", [setting for setting in SETTINGS if setting.flag], ids=lambda setting: setting.name)
def test_every_setting_with_a_flag_is_in_the_help_with_its_variables(command: str, setting: object) -> None:
    row = BY_NAME[setting.name]  # type: ignore[attr-defined]
    text = squeezed(parser_of(command).format_help())
    assert f"{row.flag} " in text
    assert row.help in text
    assert all(name in text for name in row.env)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_readable_and_of_one_width(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = parser_of(command).format_help()
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith(f"usage: versioner-ci {command} ")
    assert parser_of(command).description


@pytest.mark.parametrize("command", WITH_SETTINGS)
def test_the_settings_stand_in_their_groups(command: str) -> None:
    headings = re.findall(r"^(\S.*):$", parser_of(command).format_help(), re.MULTILINE)
    assert headings[-len(GROUPS) :] == [heading for heading, _ in GROUPS]


def test_no_group_names_what_is_no_setting() -> None:
    listed = [name for _, names in GROUPS for name in names]
    assert len(listed) == len(set(listed))
    assert set(listed) <= BY_NAME.keys()


WRONG = {
    "a missing kind": ([], "KIND is missing (build or deployment, like `versioner-ci report deployment started`)"),
    "a misspelt option": (["build", "--enviroment", "x"], "unknown option --enviroment (did you mean --environment?)"),
    "underscores": (["build", "--api_url=x"], "unknown option --api_url (did you mean --api-url?)"),
    "a wholly unknown option": (["build", "--zzz"], "unknown option --zzz (see `versioner-ci test --help`)"),
    "an unknown option's value is not shown": (["build", "--apikye=sk_1_x"], "unknown option --apikye"),
    "an abbreviation": (["build", "--prod", "x"], "unknown option --prod (did you mean --product?)"),
    "one too many": (["build", "b\nc"], r"one argument too many: 'b\nc' (see `versioner-ci test --help`)"),
    "no value": (["build", "--product"], "--product needs a value (write --product=VALUE for one that begins"),
    "a value like an option": (["build", "--product", "-x"], "--product needs a value (write --product=VALUE"),
    "no version": (["build", "--version"], "--version needs a value (the product's, like --version 1.4.2; "),
    "a value too many": (["build", "--json=1"], "--json takes no value"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_names_what_is_wrong_and_the_nearest_right_thing(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser().read(arguments)
    assert str(caught.value).startswith(said)


def test_what_was_typed_arrives_by_the_settings_names() -> None:
    line = ["build", "--product", "a b", "--metadata", "a=1", "--metadata", "b=2", "--no-fail-on-error", "--json"]
    assert flags_of(parser().read(line)) == {"product": "a b", "metadata": ["a=1", "b=2"], "fail_on_error": False}


@pytest.mark.parametrize("word", ["build", " Build ", "BUILD"])
def test_a_kind_is_known_in_any_case(word: str) -> None:
    assert kind_of(word) is Kind.BUILD


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("deploy", "'deploy' is not a kind (did you mean deployment?)"),
        ("bild", "'bild' is not a kind (did you mean build?)"),
        ("release", "'release' is not a kind (build or deployment)"),
        ("", "KIND is missing (build or deployment)"),
        ("\x1b[31m", r"'\x1b[31m' is not a kind (build or deployment)"),
    ],
)
def test_a_word_that_is_no_kind_is_named_with_the_nearest(word: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        kind_of(word)
    assert str(caught.value) == said
