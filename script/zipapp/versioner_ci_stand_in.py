"""What a zipapp does that cannot work: says why, and runs CMD all the same. Written for every Python from 2.7 on."""

import errno
import os
import signal
import sys

_FAULT, _USAGE, _REJECTED, _NOT_EXECUTABLE, _NOT_FOUND = 1, 2, 5, 126, 127
_shown = repr if sys.version_info < (3,) else ascii
_NOT_STARTING = {"--dry-run", "--help", "-h"}
_TRUE = {"1", "true", "yes", "on", "y", "t"}


def leave(why):
    """Ends the process: with CMD in its place, with 5 if the gate is `required`, with 1 where there is no CMD.

    VERSIONER_DISABLED wins over both: CMD runs, and what has none exits with 0.
    """
    _say("warning: " + why)
    sys.exit(_instead(sys.argv[1:]))


def _instead(arguments):
    is_disabled = os.environ.get("VERSIONER_DISABLED", "").strip().lower() in _TRUE
    if arguments[:1] != ["run"]:
        return 0 if is_disabled else _FAULT
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, command = arguments[1:at], arguments[at + 1 :]
    if not command or _NOT_STARTING & set(options):
        return (0 if is_disabled else _FAULT) if command else _USAGE
    if not is_disabled and _asks_required(options):
        _say("warning: the gate is shut: the command was not started")
        return _REJECTED
    return _become(command)


def _asks_required(options):
    given = [options[at + 1] for at, option in enumerate(options[:-1]) if option == "--gate"]
    given += [option.partition("=")[2] for option in options if option.startswith("--gate=")]
    word = (given or [os.environ.get("VERSIONER_GATE", "")])[-1].strip().lower()
    return options[:1] != ["build"] and word not in {"", "off", "on"}


def _become(command):
    for name in ("SIGPIPE", "SIGXFSZ"):  # Python ignores them, and CMD would inherit that
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        _execute(command)
    except OSError as error:
        _say("warning: cannot start %s: %s" % (_shown(command[0]), error.strerror))
        return _NOT_FOUND if error.errno in {errno.ENOENT, errno.ENOTDIR} else _NOT_EXECUTABLE


def _execute(command):
    if os.name == "nt":
        import subprocess

        sys.exit(subprocess.call(command))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        os.execv("/bin/sh", ["/bin/sh"] + command)  # noqa: S606 - a script without its first line


def _say(text):
    try:
        sys.stderr.write("versioner-ci: %s\n" % text)
        sys.stderr.flush()
    except (OSError, IOError):
        pass
