"""Stands in for the network in a dry run: what is sent is written down, and every call succeeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from versioner_ci.reply import Reply

_ANSWER = {"ok": True, "channel": "C0DRYRUN", "ts": "1700000000.000100"}


class Recording:
    """A transport that sends nothing."""

    def __init__(self, answer: bytes = json.dumps(_ANSWER).encode()) -> None:
        self.requests: list[dict[str, Any]] = []
        """method, url, headers and body (as JSON types) of each request."""
        self._answer = answer

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout: float) -> Reply:
        del timeout
        self.requests.append(
            {"method": "POST", "url": url, "headers": dict(headers), "body": json.loads(body) if body else None}
        )
        return Reply(host="nowhere", status=200, headers={}, body=self._answer)
