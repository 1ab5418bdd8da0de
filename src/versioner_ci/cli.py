"""The commands. Only this module and the entry touch argv, the environment, the streams and the exit."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

from versioner_ci import __version__
from versioner_ci.console import Console
from versioner_ci.early import Early
from versioner_ci.errors import EXIT_FAULT, EXIT_OK, EXIT_USAGE, Interrupted, UsageError, VersionerError
from versioner_ci.procs import Signals, open_streams
from versioner_ci.report_json import as_json
from versioner_ci.result import Report
from versioner_ci.settings_parse import shown
from versioner_ci.settings_values import nearest

_HELP = ("-h", "--help", "help")


class Invocation(NamedTuple):
    """One call of the command line, as a command's function gets it."""

    arguments: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    console: Console
    signals: Signals
    began: float
    """By the monotonic clock."""
    early: Early | None = None


class Command(NamedTuple):
    """`module` has a function `main(invocation) -> exit code`, and `parser()` for help and reference."""

    module: str
    help: str


COMMANDS: dict[str, Command] = {
    "report": Command("cmd_report", "report one event"),
    "run": Command("cmd_run", "run a command and report its whole life"),
    "flush": Command("cmd_flush", "deliver what earlier calls could not"),
    "doctor": Command("cmd_doctor", "is it set up? sends nothing unless --send-test"),
    "context": Command("cmd_context", "what was detected, and from where"),
    "statuses": Command("cmd_statuses", "the table of status words"),
    "serve": Command("cmd_serve", "serve the embedded tracker: API, Slack routing, page"),
    "keys": Command("cmd_keys", "create, list and revoke the tracker's keys"),
    "matrix": Command("cmd_matrix", "what runs where, as the tracker knows it"),
    "history": Command("cmd_history", "builds and deployments, as the tracker knows them"),
    "demo": Command("cmd_demo", "a sample pipeline against an embedded tracker, start to finish"),
}


def main(early: Early | None = None) -> NoReturn:
    """Run the command that argv names and leave at once: nothing may hang at exit."""
    began = time.monotonic()
    open_streams()
    signals = early.signals if early is not None else Signals()
    env = dict(os.environ)
    console = Console(sys.stdout, sys.stderr, env)
    code = EXIT_FAULT
    try:
        if early is None:
            signals.is_raising = True
            signals.listen()
        invocation = Invocation(
            arguments=tuple(sys.argv[2:]),
            env=env,
            cwd=_cwd(),
            console=console,
            signals=signals,
            began=began,
            early=early,
        )
        code = dispatch(sys.argv[1:2], invocation)
    except Interrupted as stop:  # a second signal, while the first was told
        code = stop.exit_code
    finally:
        signals.is_raising = False
        console.flush()
        os._exit(code)


def dispatch(names: Sequence[str], invocation: Invocation) -> int:
    """The exit code of a command; no traceback, ever, but with --verbose a masked one."""
    console = invocation.console
    try:
        return _entered(names, invocation)
    except SystemExit as stop:  # argparse's --help
        return int(stop.code or 0)
    except Interrupted as stop:
        said = "interrupted"
        console.warn(said)
        code = stop.exit_code
    except VersionerError as error:
        said, code = str(error), error.exit_code
        console.error(said)
    except Exception as error:  # noqa: BLE001 - the last resort: one line, whatever it was
        said, code = f"a fault of versioner-ci itself: {type(error).__name__}: {error}", EXIT_FAULT
        console.error(f"{said} (--verbose shows where)" if not _is_verbose(invocation) else said)
        if _is_verbose(invocation):
            import traceback  # noqa: PLC0415 - seldom

            console.trace(traceback.format_exc().splitlines())
    if _wants_json(names, invocation):
        console.json(as_json(Report(), error=said))
    return code


def overview() -> str:
    """What `versioner-ci --help` prints."""
    rows = "\n".join(f"  {name:<10} {command.help}" for name, command in COMMANDS.items())
    return (
        f"versioner-ci {__version__}: tells a release tracker and Slack what a pipeline is doing\n\n"
        "  versioner-ci run deployment --environment production -- ./deploy.sh\n"
        "  versioner-ci report deployment pending --environment production\n\n"
        f"commands (each has --help):\n{rows}\n\n"
        "Settings come from options, the environment and .versioner.yml: start with `versioner-ci doctor`."
    )


def _entered(names: Sequence[str], invocation: Invocation) -> int:
    if not names:
        invocation.console.data(overview())
        return EXIT_USAGE
    if names[0] in _HELP:
        if invocation.arguments[:1] and invocation.arguments[0] not in _HELP:
            return _entry(invocation.arguments[0])(invocation._replace(arguments=("--help",)))
        invocation.console.data(overview())
        return EXIT_OK
    return _entry(names[0])(invocation)


def _entry(name: str) -> Callable[[Invocation], int]:
    if name not in COMMANDS:
        near = nearest(name, (*COMMANDS, "--help", "--version"))
        what = "unknown option" if name.startswith("-") else "unknown command"
        first = "a command comes first" if name.startswith("-") else "commands"
        fix = f"did you mean {near}?" if near else f"{first}: {', '.join(COMMANDS)}"
        raise UsageError(f"{what} {shown(name)}", fix=fix)
    entry: Callable[[Invocation], int] = import_module(f"versioner_ci.{COMMANDS[name].module}").main
    return entry


def _is_verbose(invocation: Invocation) -> bool:
    return invocation.console.is_verbose or "--verbose" in invocation.arguments


def _wants_json(names: Sequence[str], invocation: Invocation) -> bool:
    """`run` has no --json of its own: one behind `--` is CMD's."""
    return bool(names) and names[0] != "run" and "--json" in invocation.arguments


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - a string is all there is
    except OSError:
        return os.path.abspath(os.sep)  # noqa: PTH100
