"""Keys through a tracker's API; needs no extra."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from versioner_ci.times import stamp
from versioner_ci.tracker_client import Client
from versioner_ci.tracker_keys import NewKey


class RemoteKeys:
    """Raises UsageError for whatever the tracker refuses."""

    def __init__(self, url: str, env: Mapping[str, str]) -> None:
        self._client = Client(url, env)

    def create(self, wanted: NewKey) -> Mapping[str, Any]:
        """The new key, with its text."""
        body: dict[str, Any] = {"name": wanted.name, "scopes": list(wanted.scopes)}
        if wanted.days is not None:
            body["expires_at"] = stamp(time.time() + wanted.days * 86_400)
        made: Mapping[str, Any] = self._client.ask("POST", "/keys/", body)
        return made

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """All keys."""
        found: Sequence[Mapping[str, Any]] = self._client.ask("GET", "/keys/")
        return found

    def revoke(self, key_id: str) -> bool:
        """Whether there is such a key."""
        try:
            self._client.ask("DELETE", f"/keys/{quote(key_id, safe='')}")
        except LookupError:
            return False
        return True
