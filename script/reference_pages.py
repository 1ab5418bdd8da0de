"""The reference pages, made from the tables: hosts, words, settings, exit codes, the settings file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from script.reference_cli import cli
from script.reference_markdown import code, codes, page, sentence, table
from versioner_ci import hosts, schema
from versioner_ci.early import AROUND
from versioner_ci.errors import EXIT_CODES
from versioner_ci.outcome import Verdict
from versioner_ci.settings_table import SETTINGS, Setting, Shape
from versioner_ci.status import LOOKS, WORDS, State, Word
from versioner_ci.tls import BUNDLES

OTHER_VARIABLES = {
    AROUND: "set by `run` for its command: the runs around it, so that a run inside one joins it",
    "VERSIONER_LAST_HOOK": "set to 1 by a wrapper in a job's last hook: more time, and nothing is left for later",
    "HTTPS_PROXY": "the proxy for https addresses; in lower case it is read first",
    "HTTP_PROXY": "the proxy for http addresses; in upper case ignored where REQUEST_METHOD is set (CGI)",
    "ALL_PROXY": "the proxy where neither of these is set",
    "NO_PROXY": "hosts without a proxy: `*`, names with their sub-domains, addresses, networks, also with `:port`",
    **dict.fromkeys(BUNDLES, "more certificates to trust, besides certifi's and the operating system's"),
    "XDG_STATE_HOME": "outside CI: the folder below which events are kept",
    "TMPDIR": "a folder for temporary files, where no better place is known (also TEMP and TMP)",
    "GITHUB_OUTPUT": "on GitHub: the file that outputs are added to",
    "GITHUB_STEP_SUMMARY": "on GitHub: the file that the summary is added to",
}
"""Variables that are neither a setting's nor a CI host's."""

OUTCOMES = {
    Verdict.NOTHING: "nothing was to be sent",
    Verdict.ACCEPTED: "the sink took it",
    Verdict.DUPLICATE: "it was reported before; nothing is counted twice",
    Verdict.KEPT: "not delivered; kept for the next call",
    Verdict.LOST: "not delivered; what is kept is lost when this job ends",
    Verdict.REFUSED: "the sink does not take this event; set aside, not tried again",
    Verdict.REJECTED: "the tracker's rules do not let this deployment start",
}


def _hosts() -> str:
    found = hosts.discover()
    rows = [(code(host.name), _said(host), f"[documentation]({host.docs})") for host in found]
    sections = [f"## {host.name}\n\n{codes(host.variables)}." for host in found]
    return page(
        "# CI hosts",
        "Detected in this order; `--host NAME` skips the detection. Only the variables that are listed here are read. "
        "`versioner-ci context` shows what they say.",
        table(("`--host`", "what it is", "its variables"), rows),
        f"Read on every host: {codes(hosts.COMMON)}.",
        *sections,
    )


def _said(host: hosts.Host) -> str:
    """The first line of the host's module."""
    return (sys.modules[host.read.__module__].__doc__ or "").strip().splitlines()[0].rstrip(".")


def _statuses() -> str:
    events = [(code(f"{kind.value}.{state.value}"), look.icon, look.wording) for (kind, state), look in LOOKS.items()]
    words = [(code(state.value), _words(state, is_host=False), _words(state, is_host=True)) for state in State]
    return page(
        "# Events and status words",
        "## Events",
        table(("event type", "icon", "Slack wording"), events),
        "## Words",
        "Case and `-`, `_`, space do not matter. A tracker always gets the state's own word.",
        table(("state", "words", "CI hosts' words"), words),
    )


def _words(state: State, *, is_host: bool) -> str:
    rows = [row for row in WORDS if row.state is state and row.host is is_host]
    return ", ".join(f"{code(row.word)}{_only(row)}" for row in rows)


def _only(row: Word) -> str:
    return f" ({row.kind.value} only)" if row.kind else ""


def _settings() -> str:
    rows = [
        (f"[{_name(row)}](#{_name(row)})", code(row.flag), codes(row.env), code(row.file_key), _default(row))
        for row in SETTINGS
    ]
    others = [(code(name), text) for name, text in OTHER_VARIABLES.items()]
    return page(
        "# Settings",
        "Strongest first: flag, environment, file (`.versioner.yml`), what the CI host says, default. "
        "[How they work together](../settings.md).",
        table(("setting", "flag", "environment", "file key", "default"), rows),
        *(f"## {_name(row)}\n\n{sentence(row.help)}{_limits(row)}" for row in SETTINGS),
        "## Other variables",
        "Read too, or set for what is started; none of them is a setting.",
        table(("variable", "what it is for"), others),
    )


def _name(row: Setting) -> str:
    return row.name.replace("_", "-")


def _default(row: Setting) -> str:
    if row.default_text:
        return row.default_text
    value: Any = getattr(row.default, "value", row.default)
    if value is None or value in ((), {}):
        return "–"
    return "off" if value is False else f"{value:g}" if isinstance(value, float) else str(value)


def _limits(row: Setting) -> str:
    parts = (
        f"One of {codes(row.choices)}." if row.choices else "",
        f"From {row.bounds[0]:g} to {row.bounds[1]:g}." if row.bounds else "",
        "A variable may hold several, with commas or blanks between them." if row.shape is Shape.LIST else "",
        "A secret: masked wherever text leaves." if row.is_secret else "",
    )
    return "".join(f" {part}" for part in parts if part)


def _exit_codes() -> str:
    return page(
        "# Exit codes and outcomes",
        "## Exit codes",
        table(("code", "meaning"), EXIT_CODES),
        "`run` exits with its command's own code, 128 + N where signal N ended it. It exits with 127 where the command "
        "is not found, 126 where it cannot be executed, 5 where the gate kept it from starting, and 4 only where the "
        "command's own code was 0.",
        "## Outcomes",
        "`report --json` prints the worst sink's. From best to worst:",
        table(("outcome", "meaning"), ((code(verdict.value), OUTCOMES[verdict]) for verdict in Verdict)),
    )


def _schema() -> str:
    keys = schema.schema()["properties"]
    entry = keys["notifications"]["items"]
    return page(
        "# .versioner.yml",
        "All keys are optional; no others are read. The same as a [JSON Schema](../versioner.schema.json) for editors.",
        table(("key", "value", "what it is"), map(_key, keys.items())),
        "## An entry of notifications",
        f"{codes(entry['required'])} must be there.",
        table(("key", "value", "what it is"), map(_key, entry["properties"].items())),
    )


def _key(pair: tuple[str, dict[str, Any]]) -> tuple[str, str, str]:
    return code(pair[0]), _kind(pair[1]), str(pair[1]["description"]).replace("<", "\\<")


def _kind(value: dict[str, Any]) -> str:
    if "enum" in value:
        return codes("true" if word is True else word for word in value["enum"])
    if "oneOf" in value:
        return "text, or a list of texts"
    bounds = f" from {value['minimum']:g} to {value['maximum']:g}" if "minimum" in value else ""
    names = {"string": "text", "object": "keys and values", "array": "a list", "boolean": "`true` or `false`"}
    return names.get(value["type"], value["type"]) + bounds


PAGES: dict[str, Callable[[], str]] = {
    "hosts": _hosts,
    "statuses": _statuses,
    "settings": _settings,
    "cli": cli,
    "exit-codes": _exit_codes,
    "schema": _schema,
}
"""A page's name, without its suffix, and what makes it."""
