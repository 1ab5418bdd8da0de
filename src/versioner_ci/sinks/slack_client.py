"""Slack's own client with its one network call replaced: redirects, limits, certificates and proxies as everywhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.request import Request

from slack_sdk.errors import SlackApiError
from slack_sdk.web.client import WebClient
from slack_sdk.web.slack_response import SlackResponse
from slack_sdk.webhook.client import WebhookClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from versioner_ci import __version__
from versioner_ci.records import dataclass, field
from versioner_ci.reply import Reply

API_URL = "https://slack.com/api/"
_AGENT = f"versioner-ci/{__version__}"
_NO_PROXY = "unused"
"""Keeps slack_sdk from reading the process's environment; the transport knows the proxies."""


class Poster(Protocol):
    """http.Transport, or what records its requests."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout: float) -> Reply: ...


class Unspoken(Exception):  # noqa: N818 - an answer that is not Slack's, or none
    """The reply is nothing that slack_sdk could read."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("no answer of Slack's")
        self.reply = reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What Slack said: `code` None is `ok: true`."""

    code: str | None
    status: int
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Web(WebClient):
    """The Web API through a transport; `left` gives the seconds that a call may take."""

    def __init__(self, transport: Poster, token: str, base_url: str, left: Callable[[], float]) -> None:
        super().__init__(
            token=token,
            base_url=base_url,
            proxy=_NO_PROXY,
            user_agent_prefix=_AGENT,
            logger=_quiet_logger(),
            retry_handlers=[],
        )
        self._transport = transport
        self._left = left

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        reply = _send(self._transport, url, req, self._left())
        if reply.status is None or not reply.is_whole or not _is_spoken(reply.body):
            raise Unspoken(reply)
        return {"status": reply.status, "headers": dict(reply.headers), "body": reply.body.decode("utf-8")}


class Hook(WebhookClient):
    """An incoming webhook through a transport."""

    def __init__(self, transport: Poster, url: str, left: Callable[[], float]) -> None:
        super().__init__(url=url, proxy=_NO_PROXY, user_agent_prefix=_AGENT, logger=_quiet_logger(), retry_handlers=[])
        self._transport = transport
        self._left = left

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        reply = _send(self._transport, url, req, self._left())
        if reply.status is None or not reply.is_whole:
            raise Unspoken(reply)
        return WebhookResponse(
            url="", status_code=reply.status, body=reply.body.decode("utf-8", "replace"), headers=dict(reply.headers)
        )


def call(method: Callable[..., SlackResponse], **arguments: Any) -> Said | Reply:
    """What Slack says to a method, or the reply that is none of Slack's."""
    try:
        response = method(**arguments)
    except SlackApiError as error:
        response = error.response
    except Unspoken as error:
        return error.reply
    data = response.data if isinstance(response.data, dict) else {}
    is_ok = data.get("ok") is True and response.status_code == 200
    code = None if is_ok else str(data.get("error") or "no error named")
    return Said(code=code, status=response.status_code, data=data, headers=response.headers)


def _send(transport: Poster, url: str, req: Request, timeout: float) -> Reply:
    body = req.data if isinstance(req.data, bytes) else b""
    return transport.post(url, dict(req.header_items()), body, timeout=timeout)


def _is_spoken(body: bytes) -> bool:
    """Whether it is an object with `ok`, as all of Slack's answers are."""
    try:
        data = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and isinstance(data.get("ok"), bool)


def _quiet_logger() -> logging.Logger:
    """A logger of our own: slack_sdk would write errors, and a webhook's URL, to stderr."""
    logger = logging.Logger("versioner_ci.slack", logging.CRITICAL + 1)  # noqa: LOG001 - none that others could turn on
    logger.addHandler(logging.NullHandler())
    return logger
