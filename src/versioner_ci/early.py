"""CMD before and without the rest of the program: a build's starts at once, and any runs though all else be broken."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from versioner_ci import procs

HANDLE, AROUND = "VERSIONER_LIFECYCLE", "VERSIONER_RUN"
_NOT_STARTING = {"--dry-run", "--help", "-h"}
_OFF = {"1", "true", "yes", "on", "y", "t"}
_FAULT, _USAGE, _REJECTED = 1, 2, 5


class Early(NamedTuple):
    """A CMD that was started, or could not be (`error`), before the command line was read."""

    signals: procs.Signals
    token: str
    handle_file: str
    """CMD finds its lifecycle's handle there, once it is known; an empty file: it has none."""
    child: procs.Child | None
    error: OSError | None


def start(arguments: Sequence[str]) -> Early | None:
    """Start what stands behind `--`; None where nothing is to be started yet."""
    options, command = split(arguments)
    if not command or _NOT_STARTING & set(options) or os.environ.get("VERSIONER_DISABLED"):
        return None
    procs.open_streams()
    token = os.urandom(16).hex()
    path = os.path.join(_scratch(), f"versioner-ci-run-{token}")  # noqa: PTH118 - pathlib costs 4 ms
    around = f"{os.environ.get(AROUND, '')} {token}".strip()
    signals = procs.Signals()
    signals.listen()
    try:
        child = procs.spawn(command, {**os.environ, HANDLE: f"@{path}", AROUND: around})
    except OSError as error:
        return Early(signals, token, path, None, error)
    signals.adopt(child)
    return Early(signals, token, path, child, None)


def without_the_rest(arguments: Sequence[str], begun: Early | None, error: BaseException) -> int:
    """The exit code of a call for which the rest of the program could not be loaded."""
    _say(f"a fault of versioner-ci itself: {type(error).__name__} ({str(error)!a:.200})")
    if arguments[:1] != ["run"]:
        return _FAULT
    signals = begun.signals if begun is not None else procs.Signals()
    return rescue(arguments[1:], os.environ, signals)


def rescue(arguments: Sequence[str], env: Mapping[str, str], signals: procs.Signals) -> int:
    """Run CMD, or wait for it if it runs, after a fault of ours: CMD's exit code, 5 if the gate is `required`."""
    options, command = split(arguments)
    child = signals.child
    if child is None and (not command or _NOT_STARTING & set(options)):
        return _FAULT if command else _USAGE
    if child is None and asks_required(options, env):
        _say("the gate is shut: the command was not started")
        return _REJECTED
    try:
        child = child or _spawned(command, env, signals)
    except OSError as error:
        _say(f"cannot start {command[0]!a}: {error.strerror}")
        return procs.exit_code_of(error)
    while not child.wait(1.0):
        pass
    child.drain()
    return child.code or 0


def _spawned(command: Sequence[str], env: Mapping[str, str], signals: procs.Signals) -> procs.Child:
    signals.is_raising = False
    signals.listen()
    child = procs.spawn(command, dict(env))
    signals.adopt(child)
    return child


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options and CMD, which stands behind the first `--`."""
    given = list(arguments)
    at = given.index("--") if "--" in given else len(given)
    return given[:at], given[at + 1 :]


def asked_for(name: str, options: Sequence[str]) -> str | None:
    """An option's value, read without a parser."""
    given = [options[at + 1] for at, option in enumerate(options[:-1]) if option == name]
    given += [option.partition("=")[2] for option in options if option.startswith(f"{name}=")]
    return given[-1] if given else None


def asks_required(options: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether the gate may be `required`; read without the settings, which may be what is broken."""
    if env.get("VERSIONER_DISABLED", "").strip().lower() in _OFF:
        return False
    word = asked_for("--gate", options) or env.get("VERSIONER_GATE", "")
    return options[:1] != ["build"] and bool(word.strip()) and word.strip().lower() not in {"off", "on"}


def _say(text: str) -> None:
    try:
        os.write(2, f"versioner-ci: warning: {text}\n".encode("ascii", "backslashreplace"))
    except OSError:
        return


def _scratch() -> str:
    names = ("RUNNER_TEMP", "WORKSPACE_TMP", "TMPDIR", "TEMP", "TMP")
    folders = (os.environ.get(name) for name in names)
    return next((folder for folder in folders if folder and os.path.isdir(folder)), "/tmp")  # noqa: S108, PTH112
