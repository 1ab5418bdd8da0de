"""Where lines go: data to stdout, messages to stderr, each whatever the terminal can show."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from versioner_ci import report, report_github
from versioner_ci.redact import Redactor
from versioner_ci.report import Tone, printed
from versioner_ci.result import Report
from versioner_ci.settings import SETTINGS, Config
from versioner_ci.settings_parse import ParseError, boolean
from versioner_ci.text import clean

_ILL_IN_JSON = re.compile(r"[\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|#(?=#)")
"""What JSON leaves as it is and a terminal or a CI host's runner does not; all of it stands in texts only."""


class Console:
    """Prints; a closed or narrow stream is no error. `redactor` is replaced once the secrets are known."""

    def __init__(self, out: TextIO | None, err: TextIO | None, env: Mapping[str, str]) -> None:
        self._out = out
        self._err = err
        self._env = env
        self._warned: set[str] = set()
        secrets = [name for setting in SETTINGS if setting.is_secret for name in setting.env]
        self.redactor = Redactor(env.get(name) for name in secrets)
        self.is_quiet = False
        self.is_verbose = _is_on(env.get("VERSIONER_VERBOSE", ""))
        self.has_json = False
        """The one JSON object that a call may print is printed."""
        for stream in (out, err):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    def follow(self, config: Config, redactor: Redactor) -> None:
        """What is to be masked and how much is to be said, once the settings are known."""
        self.redactor, self.is_quiet, self.is_verbose = redactor, config.is_quiet, config.is_verbose

    def data(self, text: str) -> None:
        """What a command was called for; several lines are welcome."""
        _write(self._out, self.redactor(text))

    def unmasked(self, text: str) -> None:
        """A secret that is shown this once: a new key."""
        _write(self._out, text)

    def json(self, body: Mapping[str, Any], *, indent: int | None = None) -> None:
        """What a command was called for, for programs: once a call, whatever else happens."""
        if not self.has_json:
            self.has_json = True
            is_utf8 = (getattr(self._out, "encoding", None) or "").lower().replace("-", "") == "utf8"
            _write(self._out, as_text(_masked(body, self.redactor), indent, is_ascii=indent is None or not is_utf8))

    def note(self, text: str) -> None:
        """One line of message."""
        if not self.is_quiet:
            self._say(text, Tone.NOTE)

    def detail(self, text: str) -> None:
        """One line for --verbose."""
        if self.is_verbose:
            self._say(text, Tone.NOTE)

    def warn(self, text: str) -> None:
        """One line of warning, once; on GitHub an annotation."""
        self._say_once(text, Tone.WARNING)

    def error(self, text: str) -> None:
        """One line on why the call ends, once; on GitHub an annotation."""
        self._say_once(text, Tone.ERROR)

    def trace(self, rows: Iterable[str]) -> None:
        """A traceback, for --verbose only."""
        for row in rows:
            self._say(row, Tone.NOTE)

    def notice(self, text: str) -> None:
        """One line on why nothing is sent; on GitHub an annotation."""
        if not self.is_quiet:
            self._say_once(text, Tone.NOTICE)

    def tell(self, result: Report, *, has_outputs: bool = True) -> None:
        """Everything that is to be said of a call, to people and to the CI host.

        `has_outputs`: a step's outputs on GitHub are this call's.
        """
        say = {Tone.NOTE: self.note, Tone.NOTICE: self.notice, Tone.WARNING: self.warn, Tone.ERROR: self.error}
        for text, tone in report.lines(result):
            say[tone](text)
        for outcome in result.outcomes:
            if outcome.debug:
                self.detail(f"{outcome.sink}: the answer begins: {outcome.debug}")
        report_github.write(result, self._env, self.redactor, has_outputs=has_outputs)

    def flush(self) -> None:
        """Bring out what is buffered; a reader that is gone is nobody's fault."""
        for stream in (self._out, self._err):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()  # type: ignore[union-attr]

    def _say_once(self, text: str, tone: Tone) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._say(text, tone)

    def _say(self, text: str, tone: Tone) -> None:
        masked = self.redactor(text)
        is_annotation = tone is not Tone.NOTE and report_github.is_github(self._env)
        _write(self._err, report_github.annotation(masked, tone) if is_annotation else printed(masked, tone))


def as_text(body: Mapping[str, Any], indent: int | None = None, *, is_ascii: bool = True) -> str:
    """JSON that is the same to a program, and harmless to whatever else reads the stream."""
    raw = json.dumps(body, indent=indent, ensure_ascii=is_ascii)
    return _ILL_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", raw)


def _masked(value: Any, redactor: Redactor) -> Any:
    """Masked text by text: what holds them together stays JSON, whatever a secret looks like."""
    if isinstance(value, str):
        return redactor(clean(value))
    if isinstance(value, Mapping):
        return {str(name): _masked(inner, redactor) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(inner, redactor) for inner in value]
    return value


def _is_on(word: str) -> bool:
    try:
        return bool(boolean(word)[0])
    except ParseError:
        return False


def _write(stream: TextIO | None, text: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.write(f"{text}\n")  # type: ignore[union-attr]
