"""`versioner-ci run KIND -- CMD…`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from versioner_ci import config_file, early, hosts
from versioner_ci.cli import Invocation
from versioner_ci.errors import UsageError, VersionerError
from versioner_ci.options import Parser, add_settings, flags_of, kind_of
from versioner_ci.reporter import Reporter
from versioner_ci.session import Call, open_session
from versioner_ci.settings import Gate, given, is_switched_off
from versioner_ci.status import Kind, State
from versioner_ci.wrap import Run, Task, fault

_UNUSED = "unused "
_OF_REPORT = ("--error", "--error-code", "--error-file", "--occurred-at", "--reason", "--host-status", "--json")
"""What a run finds out by itself; typed all the same, they must not leave it unreported."""


def parser() -> Parser:
    """The options of `run`, all of which stand before `--`."""
    made = Parser(
        "run",
        usage="versioner-ci run KIND [options] -- CMD…",
        description="Run CMD and report its whole life; exits with CMD's own code.",
    )
    made.add_argument("kind", metavar="KIND", help="build or deployment")
    made.add_argument("--dry-run", action="store_true", help="print the exact requests, secrets masked; run nothing")
    for flag in _OF_REPORT:
        takes = {"action": "store_true"} if flag == "--json" else {}
        made.add_argument(flag, help=argparse.SUPPRESS, default=None, dest=f"{_UNUSED}{flag}", **takes)  # type: ignore[arg-type]
    add_settings(made)
    return made


def main(call: Invocation) -> int:
    """CMD's exit code, or the reporter's own where CMD never ran."""
    arguments, command = early.split(call.arguments)
    if not command:
        parser().read(arguments)
        raise UsageError("no command to run", fix="put it behind `--`, like `versioner-ci run build -- make`")
    if {"--dry-run", "--help", "-h"} & set(arguments):
        return _preview(call, arguments)
    try:
        return _run(call, Run(_task(call, arguments, command)))
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it was, CMD runs
        call.console.warn(fault(error))
        return early.rescue(call.arguments, call.env, call.signals)


def _run(call: Invocation, run: Run) -> int:
    if call.early is not None and call.early.error is not None:
        return run.say_not_started(call.early.error)
    if call.early is not None and call.early.child is not None:
        return run.take_over(call.early.child)
    return run.run()


def _task(call: Invocation, arguments: list[str], command: list[str]) -> Task:
    options, kind = _read(arguments)

    def open_reporter() -> Reporter:
        if isinstance(options, UsageError):
            raise options
        for flag in _unused(options):
            call.console.warn(f"{flag} has no effect: `run` finds that out by itself, and stdout is the command's")
        session = open_session(Call(flags=flags_of(options), env=call.env, cwd=call.cwd, began=call.began))
        call.console.follow(session.config, session.redactor)
        return Reporter(session)

    begun = call.early
    is_disabled = is_switched_off(call.env)
    return Task(
        kind=kind,
        command=command,
        env=call.env,
        token=begun.token if begun is not None else os.urandom(16).hex(),
        signals=call.signals,
        open_reporter=open_reporter,
        say=call.console.tell,
        warn=call.console.warn,
        note=call.console.note,
        is_required=kind is Kind.DEPLOYMENT and not is_disabled and early.asks_required(arguments, call.env),
        is_required_by_file=lambda: kind is Kind.DEPLOYMENT and _file_requires(call, arguments),
        is_disabled=is_disabled,
        handle_file=begun.handle_file if begun is not None else None,
    )


def _unused(options: argparse.Namespace) -> list[str]:
    return [name[len(_UNUSED) :] for name, value in vars(options).items() if name.startswith(_UNUSED) and value]


def _read(arguments: list[str]) -> tuple[argparse.Namespace | UsageError, Kind]:
    """The options, or what is wrong with them; the kind, or the one whose gate is the stricter."""
    try:
        options = parser().read(arguments)
        return options, kind_of(options.kind)
    except UsageError as error:
        return error, Kind.BUILD if arguments[:1] == [Kind.BUILD.value] else Kind.DEPLOYMENT


def _file_requires(call: Invocation, arguments: Sequence[str]) -> bool:
    """Whether the repository's file may say `required`, although a typed option was wrong."""
    if early.asked_for("--gate", arguments) is not None or is_switched_off(call.env):
        return False
    path = early.asked_for("--config", arguments) or given("config", {}, call.env)
    try:
        file = config_file.load(call.cwd, call.env, path=path, context=hosts.detect(call.env))
    except VersionerError:
        return False
    return file is not None and (file.is_gate_broken or file.values.get("gate") is Gate.REQUIRED)


def _preview(call: Invocation, arguments: list[str]) -> int:
    from versioner_ci.preview import preview  # noqa: PLC0415 - seldom

    options = parser().read(arguments)
    asked = Call(flags=flags_of(options), env=call.env, cwd=call.cwd, began=call.began, is_dry=True)
    session = open_session(asked)
    call.console.follow(session.config, session.redactor)
    call.console.json(preview(Reporter(session), kind_of(options.kind), State.STARTED), indent=2)
    call.console.note("dry run: the command is not run; its ending would be reported likewise")
    return 0
