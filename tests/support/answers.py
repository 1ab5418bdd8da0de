"""A tracker's replies, given to the table of answers as they are."""

from __future__ import annotations

import json
from typing import Any

from versioner_ci.answers import Asked, classify
from versioner_ci.redact import Redactor
from versioner_ci.reply import Reply
from versioner_ci.sinks._sink import Receipt

NOW = 1_790_000_000.0
KEY = "sk_1_canarycanary"
JSON = {"Content-Type": "application/json"}


def asked(**options: Any) -> Asked:
    """What was asked, with a key and the origins of the settings."""
    return Asked(
        redact=Redactor([KEY]),
        url_origin="VERSIONER_API_URL",
        key_origin="VERSIONER_API_KEY",
        **{"key": KEY, "size": 300_000, **options},
    )


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None, **options: Any) -> Receipt:
    """The receipt for such a reply; `options`: fields of Asked and of Reply."""
    flags = {name: options.pop(name) for name in ("is_gated", "is_unsure", "key") if name in options}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Reply(status=status, headers={**JSON, **(headers or {})}, body=content, host="api.test", **options)
    return classify(reply, asked(**flags), now=NOW)


def gated(status: int, body: Any = b"", **options: Any) -> Receipt:
    """The same, to a gated start."""
    return answer(status, body, is_gated=True, **options)
