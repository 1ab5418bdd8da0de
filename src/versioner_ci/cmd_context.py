"""`versioner-ci context`: what was detected, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci import hosts, settings
from versioner_ci.cli import Invocation
from versioner_ci.options import Parser, add_settings, flags_of
from versioner_ci.records import asdict
from versioner_ci.redact import last4
from versioner_ci.report import inert
from versioner_ci.session import Call, Session, open_session
from versioner_ci.settings import SETTINGS, Setting
from versioner_ci.settings_cascade import DEFAULT
from versioner_ci.settings_table import BY_NAME
from versioner_ci.settings_values import NOWHERE, Route
from versioner_ci.text import cut

ALWAYS = (
    "product",
    "version",
    "environment",
    "api_url",
    "api_key",
    "slack_token",
    "slack_channels",
    "gate",
    "timeout",
    "fail_on_error",
    "identity",
    "unstable",
)
"""Settings that are shown even where nothing sets them."""
_EARLY = ("host", "config")
_WIDEST_VALUE = 48


def parser() -> Parser:
    """The options of `context`."""
    made = Parser(
        "context",
        usage="versioner-ci context [options]",
        description="What was detected of this run, and where each setting comes from. Sends nothing.",
    )
    made.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    add_settings(made)
    return made


def main(call: Invocation) -> int:
    """The exit code of `context`."""
    options = parser().read(call.arguments)
    flags = flags_of(options)
    session = open_session(Call(flags=flags, env=call.env, cwd=call.cwd, began=call.began, is_dry=True))
    call.console.follow(session.config, session.redactor)
    for warning in session.warnings:
        call.console.warn(warning)
    facts, rows = facts_of(session), settings_of(session, flags)
    kept_in = str(session.place.root) if session.place.root is not None else None
    if options.json:
        body = {
            "host": {name: value for name, (value, _) in facts.items()},
            "origins": {name: origin for name, (_, origin) in facts.items()},
            "settings": rows,
            "kept_in": kept_in,
            "warnings": session.warnings,
        }
        call.console.json(body)
        return 0
    print_row = _table(call)
    call.console.data(f"CI host: {session.context.source_system}")
    for name, (value, origin) in facts.items():
        print_row(name, value, origin)
    call.console.data("settings:")
    for name, row in rows.items():
        print_row(name, routes_of(session) if name == "routes" else row["value"], row["origin"])
    call.console.data(f"what cannot be delivered is kept in {inert(str(kept_in or 'no folder'))}")
    return 0


def facts_of(session: Session) -> dict[str, tuple[Any, str]]:
    """What is known of the run, without what is not, and whether the host or git said so."""
    context = session.context
    said = asdict(hosts.detect(session.env, host=context.source_system))
    known = {name: value for name, value in asdict(context).items() if value not in (None, False, {})}
    return {name: (value, context.source_system if said.get(name) == value else "git") for name, value in known.items()}


def settings_of(session: Session, flags: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Setting → value (a secret's as its last four characters) and origin, of those that are set or matter."""
    config = session.config
    rows = {}
    for setting in SETTINGS:
        origin = config.origins.get(setting.name, DEFAULT)
        if setting.name in ALWAYS or origin != DEFAULT:
            rows[setting.name] = {"value": _value(session, setting, flags), "origin": origin}
    return rows


def _value(session: Session, setting: Setting, flags: Mapping[str, object]) -> Any:
    if setting.name in _EARLY:
        return settings.given(setting.name, flags, session.env)
    if setting.name in session.config.unusable:
        return "cannot be used"
    name = f"is_{setting.name}" if setting.name in {"disabled", "quiet", "verbose"} else setting.name
    return shown(getattr(session.config, name, None), is_secret=setting.is_secret)


def shown(value: object, *, is_secret: bool) -> Any:
    """A value as JSON may hold it; a secret only by its end."""
    if value is None:
        return None
    if is_secret:
        return last4(str(value))
    if isinstance(value, (tuple, set, frozenset)):
        return [item._asdict() if isinstance(item, Route) else str(item) for item in value if item != NOWHERE]
    return getattr(value, "value", value)


def routes_of(session: Session) -> list[str]:
    """Each entry of `notifications` as `deployment.* → #alerts`."""
    config = session.config
    given = " + ".join(config.slack_channels) or "the given channel"
    return [
        f"{route.event_type} → {route.channel_id or given}" if route != NOWHERE else "unusable: nothing is posted"
        for route in config.routes
    ]


def _table(call: Invocation) -> Any:
    def print_row(name: str, value: object, origin: str) -> None:
        said = cut(inert(_text(value) if value is not None else _unset(name)), _WIDEST_VALUE * 2)
        call.console.data(f"  {name:<18} {said:<{_WIDEST_VALUE}} {inert(origin)}")

    return print_row


def _unset(name: str) -> str:
    text = BY_NAME[name].default_text if name in BY_NAME else ""
    return f"not set ({text})" if text and name != "environment" else "not set"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value) or "none"
    return ", ".join(f"{k}={_text(v)}" for k, v in value.items()) if isinstance(value, dict) else str(value)
