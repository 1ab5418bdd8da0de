"""The settings that do not simply come from the strongest source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.settings_cascade import DEFAULT, Cascade
from versioner_ci.settings_metadata import from_variable, metadata_from
from versioner_ci.settings_parse import is_blank
from versioner_ci.settings_table import BY_NAME, SETTINGS
from versioner_ci.settings_values import Gate, SettingError

EARLY = ("host", "config")
"""Needed before the settings are resolved (`settings.given`): here only their origin is found."""


def metadata(cascade: Cascade, stdin: BinaryIO | None) -> dict[str, Any]:
    """The file's, under the environment's, under what was typed; each key from its strongest source."""
    merged: dict[str, Any] = {}
    origins: list[str] = []
    for found, origin in (_typed(cascade, stdin), _variable(cascade), _filed(cascade)):
        if found:
            merged = {**found, **merged}
            origins.append(origin)
    cascade.origins["metadata"] = ", ".join(origins) or DEFAULT
    return merged


def _typed(cascade: Cascade, stdin: BinaryIO | None) -> tuple[dict[str, Any], str]:
    row = BY_NAME["metadata_json"]
    pairs, document = cascade.given(BY_NAME["metadata"]), cascade.given(row)
    if document is not None and is_blank(document):
        cascade.warn(f"{row.flag} is empty and counts as not given")
        document = None
    if isinstance(pairs, str):
        pairs = [pairs]
    if pairs is not None and not isinstance(pairs, (Mapping, list, tuple)):
        raise SettingError("metadata", f"metadata must be a map, not {type(pairs).__name__}")
    found = metadata_from(pairs or (), None if document is None else str(document), stdin=stdin)
    return found, "flag --metadata" if pairs else "flag --metadata-json"


def _variable(cascade: Cascade) -> tuple[dict[str, Any], str]:
    for name in BY_NAME["metadata_json"].env:
        raw = cascade.env.get(name, "")
        try:
            if not is_blank(raw):
                return from_variable(raw), name
        except UsageError as error:
            cascade.warn(f"{name}: {error}: ignored")
    return {}, ""


def _filed(cascade: Cascade) -> tuple[dict[str, Any], str]:
    file = cascade.file
    found: Mapping[str, Any] = file.values.get("metadata", {}) if file else {}
    return dict(found), file.origin("metadata") if file and found else ""


def gate(cascade: Cascade, value: Gate | None) -> Gate | None:
    """The stronger of the file's and what flag or environment say."""
    asked = cascade.file.values.get("gate") if cascade.file else None
    if cascade.file is None or not isinstance(asked, Gate) or value is None or asked.strength <= value.strength:
        return value
    given, origin = cascade.origins["gate"], cascade.file.origin("gate")
    cascade.warn(f"gate: '{value.value}' of {given} is weaker than '{asked.value}' of {origin}, which counts")
    cascade.origins["gate"] = origin
    return asked


def environment(values: Mapping[str, Any]) -> str | None:
    """The tracker's name for the pipeline's word."""
    word: str | None = values["environment"]
    names: Mapping[str, str] = values["environments"]
    return names.get(word, word) if word is not None else None


def typed_hints(cascade: Cascade, context: CIContext) -> tuple[str, ...]:
    """What works as typed, but better done otherwise."""
    hints: list[str] = []
    shown = [row for row in SETTINGS if row.is_secret and cascade.origins.get(row.name) == f"flag {row.flag}"]
    if shown:
        flags, names = ", ".join(str(row.flag) for row in shown), ", ".join(row.env[0] for row in shown)
        hints.append(f"other processes can read a command line: give {flags} by environment ({names})")
    row = BY_NAME["config"]
    named = [str(row.flag)] * (cascade.given(row) is not None) + [name for name in row.env if cascade.env.get(name)]
    if context.is_fork and named:
        hints.append(f"{named[0]} is not read: this run is for a fork's pull request")
    return tuple(hints)
