"""The sinks of a configuration; each is imported only where it is configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from versioner_ci.redact import Redactor
from versioner_ci.settings import Config
from versioner_ci.sinks._sink import Sink

if TYPE_CHECKING:
    from versioner_ci.http import Transport


def build(config: Config, env: Mapping[str, str], redactor: Redactor) -> tuple[Sink, ...]:
    """The sinks that events go to. One whose URL or secret is unusable is left out: `Config.unusable` says why.

    To be called in the main thread, since it imports; what it returns imports nothing more.
    """
    rows = [make for is_usable, make in _SINKS if is_usable(config)]
    if not rows:
        return ()
    from versioner_ci.http import Transport  # noqa: PLC0415 - requests: only once there is something to send

    transport = Transport(env, allow_http=config.allow_http)
    return tuple(make(config, transport, redactor) for make in rows)


def _backend(config: Config, transport: Transport, redactor: Redactor) -> Sink:
    from versioner_ci.sinks.backend import Backend  # noqa: PLC0415

    url = config.backend_url or ""
    transport.warm(url)
    return Backend(
        url,
        config.api_key,
        transport,
        redactor,
        origin_of_url=_origin(config, "api_url"),
        origin_of_key=_origin(config, "api_key"),
    )


def _slack(config: Config, transport: Transport, redactor: Redactor) -> Sink:
    from versioner_ci.sinks.slack import Slack, Token  # noqa: PLC0415 - slack_sdk costs 40 ms

    token = Token(value=config.slack_token or "", origin=_origin(config, "slack_token"))
    sink = Slack(token, transport, redactor, api_url=config.slack_api_url)
    transport.warm(sink.api_url)
    return sink


def _webhook(config: Config, transport: Transport, redactor: Redactor) -> Sink:
    from versioner_ci.sinks.webhook import Webhook  # noqa: PLC0415 - slack_sdk costs 40 ms

    url = config.slack_webhook_url or ""
    transport.warm(url)
    return Webhook(url, transport, redactor, origin=_origin(config, "slack_webhook_url"))


def _origin(config: Config, setting: str) -> str:
    return config.origins.get(setting, setting)


def _can(config: Config, *settings: str) -> bool:
    return not config.unusable.keys() & set(settings)


_SINKS: tuple[tuple[Callable[[Config], bool], Callable[[Config, Transport, Redactor], Sink]], ...] = (
    (lambda config: config.has_backend and _can(config, "api_url", "api_key"), _backend),
    (lambda config: config.has_slack_bot and _can(config, "slack_token", "slack_api_url"), _slack),
    (lambda config: config.has_slack_webhook and _can(config, "slack_webhook_url"), _webhook),
)
"""When a sink is configured and usable, and how it is made: a new sink is one file and one row."""
