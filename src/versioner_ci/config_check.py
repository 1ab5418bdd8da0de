"""A settings file's content against the table of settings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from versioner_ci import settings_parse as parse
from versioner_ci.config_record import MAX_BYTES, FileConfig, Problem
from versioner_ci.config_routes import KEYS as ROUTE_KEYS
from versioner_ci.config_routes import WrongError, called, route, text
from versioner_ci.config_yaml import BadFileError, Fault, Found, decoded
from versioner_ci.config_yaml import parse as parse_yaml
from versioner_ci.settings_table import BY_FILE_KEY, BY_NAME, SETTINGS, Setting, Shape
from versioner_ci.settings_values import NOWHERE, Gate, nearest

_FORBIDDEN = frozenset(
    (
        *("url", "urls", "uri", "endpoint", "host", "server", "proxy", "proxies", "webhook", "header", "headers"),
        *("cert", "certs", "certificate", "certificates", "ca", "bundle", "tls", "ssl", "verify", "insecure"),
        *("token", "tokens", "key", "keys", "apikey", "secret", "secrets", "password", "passwd"),
        *("auth", "authorization", "credential", "credentials"),
    )
)
_MOST_PROBLEMS = 20
_GATE_LINE = re.compile(rb"""^\s*["']?gate["']?\s*:""", re.MULTILINE)
_ROUTES_LINE = re.compile(rb"""^\s*["']?notifications["']?\s*:""", re.MULTILINE)


def checked(raw: bytes, path: str) -> FileConfig:
    """What is legal of a file's content, and a problem for everything else. Never raises."""
    try:
        content, faults = parse_yaml(decoded(_bounded(raw)))
    except BadFileError as error:
        problem = Problem(path, error.line, f"{error}; nothing in it is used")
        values = {"routes": (NOWHERE,)} if _ROUTES_LINE.search(raw) else {}
        is_gate_broken = _GATE_LINE.search(raw) is not None
        return FileConfig(path=path, values=values, problems=(problem,), is_gate_broken=is_gate_broken)
    check = _Check(faults)
    if content is not None and isinstance(content.value, dict):
        check.everything(content.value)
    elif content is not None and content.value is not None:
        check.faults.append(Fault(content.line, f"must hold keys and values, not {called(content.value)}"))
    return FileConfig(
        path=path,
        values=check.values,
        lines=check.lines,
        problems=_problems(path, check.faults),
        is_gate_broken=check.is_gate_broken,
    )


def _problems(path: str, faults: list[Fault]) -> tuple[Problem, ...]:
    """In the file's order, the first of them: nobody reads thousands."""
    ordered = [Problem(path, *fault) for fault in sorted(faults, key=lambda fault: fault.line or 0)]
    rest = len(ordered) - _MOST_PROBLEMS
    more = (Problem(path, None, f"{rest:,} more problems"),) if rest > 0 else ()
    return (*ordered[:_MOST_PROBLEMS], *more)


def _bounded(raw: bytes) -> bytes:
    if len(raw) > MAX_BYTES:
        raise BadFileError(None, f"is larger than {MAX_BYTES // 1024} KiB")
    return raw


class _Check:
    """Collects what is legal and what is not."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        self.values: dict[str, Any] = {}
        self.lines: dict[str, int] = {}
        self.is_gate_broken = False

    def everything(self, content: dict[str, Found]) -> None:
        for key, found in content.items():
            setting = BY_FILE_KEY.get(key)
            if setting is None:
                self.faults.append(Fault(found.line, unknown(key, BY_FILE_KEY)))
            elif found.value is not None:
                self._one(setting, key, found)

    def _one(self, setting: Setting, key: str, found: Found) -> None:
        try:
            value = self._value(setting, found)
        except (WrongError, parse.ParseError) as error:
            line = error.line if isinstance(error, WrongError) else found.line
            self.faults.append(Fault(line, f"{key}: {error}; ignored{_fix(error)}"))
            self.is_gate_broken = self.is_gate_broken or key == "gate"
            if setting.shape is not Shape.ROUTES:
                return
            value = (NOWHERE,)
        if value is Gate.OFF:
            self.faults.append(Fault(found.line, f"{key}: a file cannot weaken the gate; ignored (use VERSIONER_GATE)"))
            return
        self.values[setting.name] = value
        self.lines[setting.name] = found.line

    def _value(self, setting: Setting, found: Found) -> Any:
        if setting.shape is Shape.ROUTES:
            return self._routes(found)
        if setting.name == "environments":
            return self._names(found)
        if setting.shape is Shape.MAP:
            return {key: plain(inner) for key, inner in _mapping(found).items()}
        if setting.shape is Shape.TEXT:
            return self._parsed(setting, text(found), found.line)
        wanted = _SCALAR_TYPES[setting.shape]
        if isinstance(found.value, (list, dict)) or called(found.value) not in wanted:
            what = ", ".join(setting.choices) or wanted[0]
            raise WrongError(found.line, f"must be {what}, not {called(found.value)}")
        return setting.parse(found.value)[0]

    def _parsed(self, setting: Setting, raw: str, line: int) -> Any:
        value, note = setting.parse(raw)
        if note:
            self.faults.append(Fault(line, f"{setting.file_key} {note}"))
        return value

    def _names(self, found: Found) -> dict[str, str]:
        done: dict[str, str] = {}
        for word, inner in _mapping(found).items():
            try:
                done[word.strip()], note = parse.name(text(inner))
                if note:
                    self.faults.append(Fault(inner.line, f"environments: {parse.shown(word)} {note}"))
            except (WrongError, parse.ParseError) as error:
                self.faults.append(Fault(inner.line, f"environments: {parse.shown(word)} {error}; ignored"))
        return done

    def _routes(self, found: Found) -> tuple[Any, ...]:
        if not isinstance(found.value, list):
            raise WrongError(found.line, f"must be a list, not {called(found.value)}")
        routes = []
        for entry in found.value:
            try:
                given = _mapping(entry)
                strange = [key for key in given if key not in ROUTE_KEYS]
                self.faults += [Fault(given[key].line, unknown(key, ROUTE_KEYS)) for key in strange]
                checked_route, wrong = route(entry)
                routes.append(checked_route)
                self.faults += [
                    Fault(one.line, f"notifications: {one}; this mention is ignored{_fix(one)}") for one in wrong
                ]
            except (WrongError, parse.ParseError) as error:
                line = error.line if isinstance(error, WrongError) else entry.line
                self.faults.append(Fault(line, f"notifications: {error}; this entry is ignored{_fix(error)}"))
        return tuple(routes) if routes or not found.value else (NOWHERE,)


_SCALAR_TYPES = {
    Shape.NUMBER: ("a number",),
    Shape.SWITCH: ("true or false",),
    Shape.CHOICE: ("text", "true or false"),
}


def _fix(error: WrongError | parse.ParseError) -> str:
    return f" ({error.fix})" if error.fix else ""


def _mapping(found: Found) -> dict[str, Found]:
    if not isinstance(found.value, dict):
        raise WrongError(found.line, f"must be keys and values, not {called(found.value)}")
    return found.value


def plain(found: Found) -> Any:
    """A value without its lines."""
    if isinstance(found.value, dict):
        return {key: plain(inner) for key, inner in found.value.items()}
    return [plain(inner) for inner in found.value] if isinstance(found.value, list) else found.value


def unknown(key: str, legal: Iterable[str]) -> str:
    """Why a key is not read, and what to do: the environment for what no file may say, else the nearest legal key."""
    row = _row(key)
    words = set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key).lower()))
    if row is not None and not row.file_key:
        way = f"the environment: {row.env[0]}" if row.env else str(row.flag)
    elif words & _FORBIDDEN:
        way = "the environment"
    else:
        near = nearest(key, legal)
        fix = f"did you mean '{near}'?" if near else f"legal: {', '.join(legal)}"
        return f"unknown key {parse.shown(key)}; ignored ({fix})"
    return f"{parse.shown(key)} may not stand in a file that a pull request can change; ignored (use {way})"


def _row(key: str) -> Setting | None:
    """The setting that a key names, as it is called here or as a variable or an option."""
    if (found := BY_NAME.get(key.replace("-", "_"))) is not None:
        return found
    return next((row for row in SETTINGS if key.upper() in row.env or f"--{key}".replace("_", "-") == row.flag), None)
