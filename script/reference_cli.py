"""The reference page of the command line. argparse's own help differs between Python versions: it is not used."""

from __future__ import annotations

from argparse import SUPPRESS, Action
from importlib import import_module

from script.reference_markdown import code, codes, page, sentence, table
from versioner_ci.cli import COMMANDS
from versioner_ci.options import Parser
from versioner_ci.settings_table import BY_NAME, SETTINGS


def cli() -> str:
    """Every command with its options; those for settings once."""
    commands = [(f"[{name}](#{name})", command.help) for name, command in COMMANDS.items()]
    options = [
        (code(f"{flag} {arguments.get('metavar') or ''}".strip()), str(arguments["help"]))
        for row in SETTINGS
        for flag, arguments in row.options()
    ]
    return page(
        "# Command line",
        "`--help` after a command lists its options; `versioner-ci --version` prints the version. Messages go to "
        "stderr, data to stdout. [Exit codes](exit-codes.md).",
        table(("command", "what it does"), commands),
        *map(_command, COMMANDS),
        "## Options for settings",
        "Values, defaults and variables: [settings](./settings.md).",
        table(("option", "what it does"), options),
    )


def parser_of(name: str) -> Parser:
    """A command's parser."""
    parser: Parser = import_module(f"versioner_ci.{COMMANDS[name].module}").parser()
    return parser


def actions_of(parser: Parser) -> list[Action]:
    """What a parser takes, positional arguments too."""
    return [action for action in parser._actions if action.help != SUPPRESS]  # noqa: SLF001 - there is no public way


def _command(name: str) -> str:
    parser = parser_of(name)
    own = [action for action in actions_of(parser) if action.dest not in {*BY_NAME, "help"}]
    taken = [row.flag for row in SETTINGS if row.name in {action.dest for action in actions_of(parser)}]
    parts = [
        f"## {name}",
        f"```text\n{parser.usage or _usage(name, own, has_settings=bool(taken))}\n```",
        sentence(str(parser.description)),
    ]
    if own:
        parts.append(table(("option", "what it does"), ((code(_spelling(each)), _help(each)) for each in own)))
    if len(taken) == sum(row.flag is not None for row in SETTINGS):
        parts.append("Also all [options for settings](#options-for-settings).")
    elif taken:
        parts.append(f"Also, of the [options for settings](#options-for-settings), {codes(taken)}.")
    return "\n\n".join(parts)


def _usage(name: str, own: list[Action], *, has_settings: bool) -> str:
    places = [each for each in own if not each.option_strings]
    words = [f"[{_spelling(each)}]" if each.nargs == "?" else _spelling(each) for each in places]
    options = ["[options]"] if has_settings or len(own) > len(places) else []
    return " ".join(["versioner-ci", name, *words, *options, *(["--", "CMD…"] if name == "run" else [])])


def _spelling(action: Action) -> str:
    name = str(action.metavar or action.dest)
    if not action.option_strings:
        return name
    return ", ".join(option if action.nargs == 0 else f"{option} {name}" for option in action.option_strings)


def _help(action: Action) -> str:
    return str(action.help or "").replace("%%", "%")
