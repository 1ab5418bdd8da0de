"""The JSON Schema of `.versioner.yml` for editors, generated from the table of settings.

`python -m versioner_ci.schema` prints it.
"""

from __future__ import annotations

import json
from typing import Any

from versioner_ci.config_routes import EVENT_TYPES
from versioner_ci.limits import MAX_NAME
from versioner_ci.settings_table import SETTINGS, Setting, Shape
from versioner_ci.settings_values import MENTION, Gate

_DIALECT = "http://json-schema.org/draft-07/schema#"
_CHANNEL = r"^\s*#?[\w.-]{1,80}\s*$"


def render() -> str:
    """The schema as the text of `docs/versioner.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Draft 7; every key optional, no other keys."""
    return {
        "$schema": _DIALECT,
        "title": ".versioner.yml",
        "description": "Settings of versioner-ci that a repository may hold. Addresses and secrets are no part of it.",
        "type": "object",
        "additionalProperties": False,
        "properties": {str(row.file_key): _described(row) for row in SETTINGS if row.file_key},
    }


def _described(row: Setting) -> dict[str, Any]:
    text = row.help[0].upper() + row.help[1:] + "."
    default = {"default": _json(row.default)} if row.default not in (None, (), {}) else {}
    return {"description": text, **_type(row), **default}


def _type(row: Setting) -> dict[str, Any]:
    low, high = row.bounds or (None, None)
    by_shape: dict[Shape, dict[str, Any]] = {
        Shape.CHOICE: {"type": "string", "enum": list(row.choices)},
        Shape.NUMBER: {"type": "number", "minimum": low, "maximum": high},
        Shape.SWITCH: {"type": "boolean"},
        Shape.ROUTES: {"type": "array", "items": _entry()},
        Shape.MAP: {"type": "object", "additionalProperties": _name() if row.name == "environments" else True},
    }
    return _gate(row) if row.name == "gate" else by_shape.get(row.shape, _name())


def _gate(row: Setting) -> dict[str, Any]:
    """Without `off`; with true, which is what `on` without quotes is in older YAML."""
    legal = [word for word in row.choices if word != Gate.OFF.value]
    return {"enum": [*legal, True], "description": f"A file may only strengthen this: {row.help}."}


def _entry() -> dict[str, Any]:
    mention = {"type": "string", "pattern": f"^(?:{MENTION})$"}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["event_type"],
        "properties": {
            "event_type": {
                "description": "Which events: one, or a pattern.",
                "type": "string",
                "enum": list(EVENT_TYPES),
            },
            "channel_id": {
                "description": "The Slack channel; without it, the given one.",
                "type": "string",
                "pattern": _CHANNEL,
            },
            "environments": _some("Only deployments to these (the tracker's names).", _name()),
            "products": _some("Only events of these products.", _name()),
            "mention": _some("Who is mentioned: a user's id (@U0456) or a group's (<!subteam^S012>).", mention),
        },
    }


def _some(description: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "oneOf": [item, {"type": "array", "items": item}]}


def _name() -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": r"\S"}


def _json(value: object) -> object:
    return getattr(value, "value", value)


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201 - the one thing that this module does as a program
