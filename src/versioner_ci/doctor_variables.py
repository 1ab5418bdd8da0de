"""`doctor`: variables whose value cannot be read, is not read, or was meant for another name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from versioner_ci import hosts, identity
from versioner_ci.doctor import Check, bad, warn
from versioner_ci.errors import UsageError
from versioner_ci.settings_metadata import from_variable
from versioner_ci.settings_parse import ParseError, is_blank, is_plain_http
from versioner_ci.settings_table import SETTINGS, Setting, Shape
from versioner_ci.settings_values import nearest

PLACEHOLDERS = {
    "api_key": "'sk_<id>_<secret>'",
    "slack_token": "'xoxb-<token>'",
    "slack_channels": "C0123456789",
    "slack_webhook_url": "'https://hooks.slack.com/services/<path>'",
    "api_url": "https://api.versioner.io",
}
"""What stands in angle brackets only the user knows."""
_OWN = frozenset({"VERSIONER_RUN", "VERSIONER_LAST_HOOK"})
_QUOTED = re.compile(r"'([^']+)'")
_CHANNEL_ID = re.compile(r"use ([CDG][A-Z0-9]{6,})")
_EVENTS_PATH = re.compile(r"/(?:build|deployment)-events/?\Z")


def checks(env: Mapping[str, str], typed: frozenset[str], *, allows_http: bool) -> Iterator[Check]:
    """A row for each variable that is wrong, useless or unknown; a typed setting's are not read."""
    for setting in SETTINGS:
        if setting.name in typed:
            continue
        given = [name for name in setting.env if not is_blank(env.get(name, ""))]
        for name in given[:1]:
            yield from _value(setting, name, env[name], allows_http=allows_http)
        for other in given[1:]:
            if env[other].strip() != env[given[0]].strip():
                yield warn("variables", f"{other} is set, too, and is not read: {given[0]} counts", f"unset {other}")
    yield from _unknown(env)


def export(name: str, setting: str) -> str:
    """The command that sets a variable to a value of the right shape."""
    return f"export {name}={PLACEHOLDERS[setting]}"


def mended_url(raw: str) -> str:
    """An address as it was probably meant: https, without user, query and the part that belongs to an event."""
    scheme, sign, rest = "".join(raw.split()).partition("://")
    rest = (rest if sign else scheme).partition("?")[0].partition("#")[0]
    authority, slash, path = rest.partition("/")
    path = _EVENTS_PATH.sub("", f"{slash}{path}")
    return f"https://{authority.rpartition('@')[2]}{path}".rstrip("/")


def _value(setting: Setting, name: str, raw: str, *, allows_http: bool) -> Iterator[Check]:
    try:
        value, note = setting.parse(raw)
        _further(setting, value, allows_http=allows_http)
    except ParseError as error:
        fix = f" ({error.fix})" if error.fix and not _QUOTED.search(error.fix) else ""
        yield bad("variables", f"{name} {error}{fix}", _fix(setting, name, raw, error))
    except (UsageError, ValueError) as error:
        yield bad("variables", f"{name}: {error}", _near(str(error), name) or f"unset {name}")
    else:
        if note and setting.is_secret:
            yield warn("variables", f"{name} {note}", _stripped(name))
        elif note:
            yield warn("variables", f"{name} {note}", f"export {name}={shlex.quote(str(value))}")


def _further(setting: Setting, value: object, *, allows_http: bool) -> None:
    """What only the setting's user finds out. Raises ParseError, UsageError or ValueError."""
    if setting.shape is Shape.URL and not allows_http and is_plain_http(str(value)):
        raise ParseError("is unencrypted http:// to another machine", fix="or VERSIONER_ALLOW_HTTP=1")
    if setting.name == "host":
        hosts.detect({}, host=str(value))
    if setting.name == "lifecycle":
        identity.read_handle(str(value))
    if setting.name == "metadata_json":
        from_variable(str(value))


def _fix(setting: Setting, name: str, raw: str, error: ParseError) -> str:
    if setting.is_secret and setting.shape is not Shape.URL:
        return _stripped(name) if _is_fine(setting, "".join(raw.split())) else export(name, setting.name)
    if setting.shape is Shape.URL:
        meant = mended_url(raw)
        is_shown = not setting.is_secret and _is_fine(setting, meant)
        return f"export {name}={shlex.quote(meant)}" if is_shown else export(name, setting.name)
    if setting.name == "slack_channels":
        found = _CHANNEL_ID.search(error.fix or "")
        rest = ",".join(error.rest) if isinstance(error.rest, tuple) else None
        return (
            f"export {name}={shlex.quote(found[1])}"
            if found and not rest
            else (f"export {name}={shlex.quote(rest)}" if rest else export(name, setting.name))
        )
    if setting.shape is Shape.SWITCH and (word := nearest(raw.strip(), ("true", "false"))):
        return f"export {name}={word}"
    return _near(error.fix or "", name) or f"unset {name}"


def _near(text: str, name: str) -> str | None:
    found = re.search(r"did you mean '?([\w-]+)'?\?", text)
    return f"export {name}={found[1]}" if found else None


def _stripped(name: str) -> str:
    """Without showing it: blanks and line breaks taken out."""
    return f'export {name}="$(printf %s "${name}" | tr -d \'[:space:]\')"'


def _is_fine(setting: Setting, raw: str) -> bool:
    try:
        setting.parse(raw)
    except ParseError:
        return False
    return True


def _unknown(env: Mapping[str, str]) -> Iterator[Check]:
    known = {name for setting in SETTINGS for name in setting.env} | _OWN
    for name in sorted(env):
        if not name.startswith("VERSIONER_") or name in known or is_blank(env[name]):
            continue
        near = nearest(name, known - _OWN)
        if near is not None and near not in env:
            yield warn("variables", f"{name} is no setting; did you mean {near}?", f'export {near}="${name}"')
