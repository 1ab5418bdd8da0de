"""The tracker: one POST for each event."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, Protocol

from versioner_ci import __version__, text
from versioner_ci.answers import Asked, classify
from versioner_ci.event import Event, payload
from versioner_ci.records import dataclass, field
from versioner_ci.redact import Redactor
from versioner_ci.reply import Reply
from versioner_ci.sinks._sink import Item, Receipt
from versioner_ci.status import Kind

_PATHS = {Kind.BUILD: "/build-events/", Kind.DEPLOYMENT: "/deployment-events/"}
_DEEPEST = 20


class Poster(Protocol):
    """http.Transport."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout: float) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Backend:
    """Sends events to the tracker's API. `origin_of_…`: the setting's source, for what messages advise."""

    url: str
    key: str | None = field(repr=False)
    transport: Poster
    redactor: Redactor
    origin_of_url: str
    origin_of_key: str

    name = "backend"

    def send(self, item: Item, *, timeout: float) -> Receipt:
        """One try."""
        body = encode(payload(item.event))
        reply = self.transport.post(self._url(item.event), self._headers(item.event), body, timeout=timeout)
        asked = Asked(
            redact=self.redactor,
            url_origin=self.origin_of_url,
            key_origin=self.origin_of_key,
            key=self.key,
            size=len(body),
            is_gated=item.is_gated,
            is_unsure=item.is_unsure,
        )
        return classify(reply, asked, now=time.time())

    def preview(self, item: Item) -> list[dict[str, Any]]:
        """The one request that send() makes."""
        body = json.loads(encode(payload(item.event)))
        return [{"method": "POST", "url": self._url(item.event), "headers": self._headers(item.event), "body": body}]

    def _url(self, event: Event) -> str:
        return self.url.strip().rstrip("/") + _PATHS[event.kind]

    def _headers(self, event: Event) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": event.key,
            "User-Agent": f"versioner-ci/{__version__}",
        }
        return {**headers, "Authorization": f"Bearer {self.key}"} if self.key else headers


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8, always valid: what JSON cannot hold is replaced."""
    try:
        return _dump(body)
    except (ValueError, TypeError, RecursionError):
        return _dump(_plain(body))


def _dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _plain(value: object, depth: int = 0) -> object:  # noqa: PLR0911 - one for each of JSON's types
    if isinstance(value, str):
        return text.clean(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth > _DEEPEST:
        return text.MARK
    if isinstance(value, Mapping):
        return {text.clean(str(name)): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner, depth + 1) for inner in value]
    return text.clean(str(value))
