"""The command line's options, made from the settings table, and what argparse gets wrong put right."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Sequence
from typing import NoReturn

from versioner_ci.errors import UsageError
from versioner_ci.settings_parse import shown
from versioner_ci.settings_table import BY_NAME, SETTINGS, Setting, Shape
from versioner_ci.settings_values import nearest
from versioner_ci.status import Kind

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "what is reported",
        ("product", "version", "environment", "key", "lifecycle", "metadata", "metadata_json", "identity", "unstable"),
    ),
    ("the release tracker", ("api_url", "api_key", "gate", "gate_wait", "skip_preflight")),
    ("Slack", ("slack_token", "slack_channels", "slack_webhook_url", "slack_api_url")),
    ("delivery", ("timeout", "fail_on_error", "spool_dir", "allow_http")),
    ("this call", ("config", "host", "quiet", "verbose")),
)
"""Heading of the help → settings; one that stands nowhere comes under the last."""
MISSING = {
    "KIND": "build or deployment, like `versioner-ci report deployment started`",
    "--version": "the product's, like --version 1.4.2; `versioner-ci --version` alone shows this program's",
}
_REQUIRED = re.compile(r"the following arguments are required: (?P<what>[^,]+)")
_VALUELESS = re.compile(r"argument (?P<what>\S+): expected (?:one|at least one) argument")
_VALUED = re.compile(r"argument (?P<what>\S+): ignored explicit argument")
_WIDTH = 100


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest right thing."""

    late: str | None = None
    """A positional that may also stand behind the options: argparse gives up on it too early."""

    def __init__(self, command: str, **options: object) -> None:
        super().__init__(
            prog=f"versioner-ci {command}".strip(),
            allow_abbrev=False,
            formatter_class=_Formatter,
            **options,  # type: ignore[arg-type]
        )

    def error(self, message: str) -> NoReturn:
        """Raises UsageError instead of printing the usage and leaving."""
        if match := _REQUIRED.match(message):
            raise UsageError(f"{match['what']} is missing", fix=MISSING.get(match["what"], self._see))
        if match := _VALUELESS.match(message):
            name = match["what"].rpartition("/")[2]
            fix = MISSING.get(name, f"write {name}=VALUE for one that begins with '-'")
            raise UsageError(f"{name} needs a value", fix=fix)
        if match := _VALUED.match(message):
            raise UsageError(f"{match['what'].rpartition('/')[2]} takes no value", fix=self._see)
        raise UsageError(message, fix=self._see)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The parsed arguments. Raises UsageError that names the nearest option for an unknown one."""
        known, unknown = self.parse_known_args(list(arguments))
        if len(unknown) == 1 and not unknown[0].startswith("-") and self.late and getattr(known, self.late) is None:
            setattr(known, self.late, unknown.pop())
        if unknown:
            self._refuse(unknown[0])
        return known

    @property
    def _see(self) -> str:
        return f"see `{self.prog} --help`"

    def _print_message(self, message: str, file: object = None) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream that is closed, or full
            super()._print_message(message, file)  # type: ignore[arg-type]

    def _refuse(self, argument: str) -> NoReturn:
        word = argument.partition("=")[0]
        if not word.startswith("-"):
            raise UsageError(f"one argument too many: {shown(word)}", fix=self._see)
        near = nearest(word, [option for action in self._actions for option in action.option_strings])
        raise UsageError(f"unknown option {word[:60]}", fix=f"did you mean {near}?" if near else self._see)


class _Formatter(argparse.HelpFormatter):
    """Help of one width on every machine, so that it can be compared; the usage names no option twice."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=_WIDTH)


def add_settings(parser: Parser) -> None:
    """An option for each setting that has a flag, in groups; values stay text until the settings are resolved."""
    listed = {name for _, names in GROUPS for name in names}
    rest = tuple(setting.name for setting in SETTINGS if setting.name not in listed)
    for heading, names in (*GROUPS[:-1], (GROUPS[-1][0], (*GROUPS[-1][1], *rest))):
        group = parser.add_argument_group(heading)
        for setting in map(BY_NAME.__getitem__, names):
            for flag, arguments in setting.options():
                arguments["help"] = f"{arguments['help']}{_sources(setting, flag)}".replace("%", "%%")
                group.add_argument(flag, **arguments)


def flags_of(arguments: argparse.Namespace) -> dict[str, object]:
    """The typed settings by name."""
    return {name: value for name, value in vars(arguments).items() if name in BY_NAME and value is not None}


def kind_of(word: str) -> Kind:
    """Raises UsageError for a word that is neither kind."""
    for kind in Kind:
        if word.strip().lower() == kind.value:
            return kind
    if not word.strip():
        raise UsageError("KIND is missing", fix="build or deployment")
    near = nearest(word, [kind.value for kind in Kind])
    raise UsageError(f"{shown(word)} is not a kind", fix=f"did you mean {near}?" if near else "build or deployment")


def _sources(setting: Setting, flag: str) -> str:
    """` [VERSIONER_TIMEOUT; default: 10]`: the variables beside the option, and what counts without."""
    if flag != setting.flag:
        return ""
    default = setting.default_text
    if not default and setting.default and setting.shape is not Shape.SWITCH:
        default = f"{getattr(setting.default, 'value', setting.default):{'g' if setting.shape is Shape.NUMBER else ''}}"
    parts = [*([" or ".join(setting.env)] if setting.env else []), *([f"default: {default}"] if default else [])]
    return f" [{'; '.join(parts)}]" if parts else ""
