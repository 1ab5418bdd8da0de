"""Asks a tracker over its API: for the commands that look at one and change it, not for the events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from versioner_ci.errors import UsageError, VersionerError
from versioner_ci.redact import last4
from versioner_ci.settings_parse import ParseError, is_plain_http, url
from versioner_ci.text import cut, one_line

_SECONDS = 15.0
_MOST_BYTES = 16 * 1024 * 1024


class Client:
    """`env` names the key (VERSIONER_API_KEY), proxies and certificates. Raises UsageError for a wrong address."""

    def __init__(self, address: str, env: Mapping[str, str]) -> None:
        try:
            self.url = str(url(address)[0])
        except ParseError as error:
            raise UsageError(f"--url {error}", fix=error.fix) from None
        if is_plain_http(self.url) and env.get("VERSIONER_ALLOW_HTTP", "").lower() not in {"1", "true", "yes", "on"}:
            raise UsageError(
                "plain http:// is not sent to another machine", fix="use https://, or VERSIONER_ALLOW_HTTP=1"
            )
        self._env = env
        self._key = env.get("VERSIONER_API_KEY", "").strip()
        self.host = one_line(urlsplit(self.url).netloc)

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, query: Mapping[str, str] | None = None
    ) -> Any:
        """The JSON of a 2xx answer; None of one without a body.

        Raises UsageError with the tracker's own words if it refuses, VersionerError if it cannot be asked, and
        LookupError for a 404.
        """
        import requests  # noqa: PLC0415 - costly: only once there is something to ask

        from versioner_ci import connect, proxies, tls  # noqa: PLC0415 - the same

        target = f"{self.url}{path}{f'?{urlencode(query)}' if query else ''}"
        parts = urlsplit(target)
        with requests.Session() as session:
            session.trust_env = False  # no netrc: the key counts
            session.mount("https://", connect.Adapter(lambda: tls.context(self._env)))
            proxy = proxies.proxy_for(parts, self._env)
            headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
            try:
                with session.request(
                    method,
                    target,
                    json=body,
                    headers=headers,
                    timeout=_SECONDS,
                    allow_redirects=False,
                    stream=True,
                    proxies={parts.scheme: proxy} if proxy else {},
                ) as response:
                    raw = response.raw.read(_MOST_BYTES, decode_content=True)
                    return self._read(response.status_code, raw)
            except (requests.RequestException, OSError) as error:
                said = cut(one_line(str(error)), 200)
                raise VersionerError(f"{self.host} cannot be asked: {said}", fix="is the tracker running?") from None

    def _read(self, status: int, raw: bytes) -> Any:
        if status == 404:
            raise LookupError("there is none such")
        if status == 204:
            return None
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            raise UsageError(f"{self.host} answered {status}, but not as a tracker does", fix="check --url") from None
        if 200 <= status < 300:
            return found
        shown = last4(self._key) if self._key else "none: VERSIONER_API_KEY is not set"
        key = f"key {shown}" if status in {401, 403} else None
        raise UsageError(f"{self.host} says: {_words(found)} (HTTP {status})", fix=key)


def _words(body: Any) -> str:
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, dict):
        detail = detail.get("message")
    elif isinstance(detail, list):
        detail = "; ".join(
            f"{each.get('loc', ['?'])[-1]}: {each.get('msg')}" for each in detail if isinstance(each, dict)
        )
    return cut(one_line(str(detail)), 300)
