"""`doctor`: tracker, gate and Slack, as far as can be told without sending."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from versioner_ci.doctor import Check, bad, ok, warn
from versioner_ci.doctor_variables import export, mended_url
from versioner_ci.redact import last4
from versioner_ci.session import Session
from versioner_ci.settings import DEFAULT_API_URL, Config, Gate
from versioner_ci.settings_cascade import DEFAULT
from versioner_ci.settings_parse import is_plain_http
from versioner_ci.settings_values import NOWHERE

_KEY = re.compile(r"sk_[A-Za-z0-9]+_[A-Za-z0-9_]+")
_LEAST_SECRET = 22
"""128 random bits take that many characters."""
_FOREIGN = (
    ("xox", "a Slack token"),
    ("xapp-", "a Slack token"),
    ("gh", "a GitHub token"),
    ("glpat-", "a GitLab token"),
)
_KINDS = (
    ("xoxp-", "a user's token"),
    ("xoxe", "a refresh token"),
    ("xapp-", "an app-level token"),
    ("sk_", "a tracker's key"),
)
_EVENTS = re.compile(r"/(?:build|deployment)-events\Z")
_HOOK = re.compile(r"https://hooks\.slack(?:-gov)?\.com/services/\S+")
_WORKFLOW = re.compile(r"https://hooks\.slack(?:-gov)?\.com/(?:workflows|triggers)/")


def checks(session: Session) -> Iterator[Check]:
    """Rows for where events go."""
    config = session.config
    if config.is_disabled:
        yield warn("off switch", "VERSIONER_DISABLED is set: nothing is ever sent", "unset VERSIONER_DISABLED")
    if session.context.is_fork:
        yield warn("fork", "a fork's pull request: it gets no secrets, and the settings file is not read")
    elif not (config.has_backend or config.has_slack_bot or config.has_slack_webhook or _is_begun(config)):
        yield bad(
            "tracker",
            "no key, no address, and no Slack: there is nowhere to report to",
            export("VERSIONER_API_KEY", "api_key"),
        )
    yield from _tracker(config)
    yield from _gate(config)
    yield from _slack(config, is_fork=session.context.is_fork)


def _is_begun(config: Config) -> bool:
    """Slack is half set up: what is missing has a row of its own."""
    return config.slack_token is not None or bool(config.slack_channels) or "slack_token" in config.unusable


def _tracker(config: Config) -> Iterator[Check]:
    if not config.has_backend:
        return
    url, origin = config.backend_url, config.origins.get("api_url", DEFAULT)
    if url is not None and _EVENTS.search(url):
        yield bad(
            "tracker",
            f"{url} ({origin}) must end before that: events' paths are added",
            f"export VERSIONER_API_URL={shlex.quote(mended_url(url))}",
        )
    elif url is not None:
        yield ok("tracker", f"{url} ({'the hosted one, since a key is set' if origin == DEFAULT else origin})")
    if "api_key" not in config.unusable:
        yield _key(config.api_key, config.origins.get("api_key", DEFAULT), url or DEFAULT_API_URL)


def _key(key: str | None, origin: str, url: str) -> Check:
    name = origin if origin.startswith("VERSIONER_") else "VERSIONER_API_KEY"
    if key is None:
        is_near = not is_plain_http(url) and url.startswith("http://")
        said = "no key: only a tracker that was started without keys takes events"
        return (
            warn("key", said)
            if is_near
            else bad("key", "no key: the tracker would refuse every event", export(name, "api_key"))
        )
    if "<" in key:
        return bad("key", f"{origin} still holds the placeholder: put the key itself there", export(name, "api_key"))
    if _KEY.fullmatch(key):
        secret = key.split("_", 2)[2]
        said = f"{last4(key)} ({origin})"
        return ok("key", said) if len(secret) >= _LEAST_SECRET else warn("key", f"{said}, rather short: is it whole?")
    if key[0] in "\"'" or key[-1] in "\"'":
        return bad("key", f"{origin} has quotes in it", f'export {name}="$(printf %s "${name}" | tr -d "\\"\'")"')
    whose = next((word for lead, word in _FOREIGN if key.startswith(lead)), None)
    if whose is not None:
        return bad("key", f"{origin} holds {whose}, not a key of the tracker", export(name, "api_key"))
    return warn("key", f"{last4(key)} ({origin}) does not look like sk_<id>_<secret>: is it whole?")


def _gate(config: Config) -> Iterator[Check]:
    origin = config.origins.get("gate", DEFAULT)
    if config.gate is Gate.REQUIRED and not config.has_backend:
        yield bad(
            "gate",
            f"required ({origin}), but there is no tracker: no deployment can start",
            export("VERSIONER_API_KEY", "api_key"),
        )
    elif config.gate is not None:
        yield ok("gate", f"{config.gate.value} ({origin})")
    elif config.has_backend:
        yield ok("gate", "on for deployments (default): the tracker's rules may keep one from starting")


def _slack(config: Config, *, is_fork: bool) -> Iterator[Check]:
    if config.slack_token is not None:
        yield _token(config)
    if config.slack_webhook_url is not None:
        yield _webhook(config)
    if config.has_slack_bot and "slack_token" not in config.unusable:
        yield from _channels(config)
    elif config.slack_token is not None and not config.has_slack_webhook and not is_fork:
        yield bad(
            "channel",
            f"{config.origins['slack_token']} is set, but no channel: Slack gets nothing",
            export("SLACK_CHANNEL", "slack_channels"),
        )
    elif config.slack_channels and not (config.has_slack_bot or config.has_slack_webhook or is_fork):
        yield bad(
            "Slack",
            f"a channel is set ({config.origins['slack_channels']}), but no token: Slack gets nothing",
            export("SLACK_BOT_TOKEN", "slack_token"),
        )
    elif config.routes and not (config.has_slack_bot or config.has_slack_webhook):
        yield warn(
            "Slack",
            f"{config.origins['routes']} has notifications, but no token is set: Slack gets nothing",
            export("SLACK_BOT_TOKEN", "slack_token"),
        )
    elif not (config.has_slack_bot or config.has_slack_webhook):
        yield ok("Slack", "not set up (fine where the tracker itself posts to Slack)")


def _token(config: Config) -> Check:
    token, origin = config.slack_token or "", config.origins.get("slack_token", DEFAULT)
    fix = export(origin if origin.startswith("SLACK_") else "SLACK_BOT_TOKEN", "slack_token")
    if "<" in token:
        return bad("Slack", f"{origin} still holds the placeholder: put the token itself there", fix)
    if token.startswith(("xoxb-", "xoxe.xoxb-")):
        return ok("Slack", f"bot token {last4(token)} ({origin})")
    kind = next((kind for lead, kind in _KINDS if token.startswith(lead)), "no Slack token")
    return bad("Slack", f"{origin} holds {kind}; it needs the Bot User OAuth Token, xoxb-", fix)


def _webhook(config: Config) -> Check:
    url, origin = config.slack_webhook_url or "", config.origins.get("slack_webhook_url", DEFAULT)
    if config.has_slack_bot:
        return warn("webhook", f"{origin} is not used, since there is a bot token with a channel", f"unset {origin}")
    if _WORKFLOW.match(url):
        return bad(
            "webhook",
            f"{origin} is a workflow's address, not an incoming webhook's",
            export("SLACK_WEBHOOK_URL", "slack_webhook_url"),
        )
    if "<" in url:
        return bad(
            "webhook",
            f"{origin} still holds the placeholder: put the address itself there",
            export("SLACK_WEBHOOK_URL", "slack_webhook_url"),
        )
    if any(route.channel_id for route in config.routes):
        return warn("webhook", f"set ({origin}); it posts to its own channel: channel_id has no effect")
    if _HOOK.fullmatch(url):
        return ok("webhook", f"set ({origin}); a message for each event, since a webhook cannot edit")
    return warn("webhook", f"{origin} is not an address of Slack's own; fine for what speaks like it")


def _channels(config: Config) -> Iterator[Check]:
    routed = dict.fromkeys(route.channel_id for route in config.routes if route.channel_id)
    if any(route.channel_id is None for route in config.routes) and not config.slack_channels:
        said = f"notifications without channel_id ({config.origins['routes']}), and no channel is given"
        yield bad("channel", said, export("SLACK_CHANNEL", "slack_channels"))
    if config.slack_channels:
        yield ok("channel", f"{', '.join(config.slack_channels)} ({config.origins['slack_channels']})")
    if config.routes and NOWHERE not in config.routes:
        said = f"{len(config.routes)} in {config.origins['routes']}"
        yield ok("notifications", f"{said}, to {', '.join(routed)}" if routed else said)
