"""Where a call's events go, as a short mark: the steps of one job may have different trackers, keys and Slack teams."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from versioner_ci.settings import Config

_DIGITS = 6


def mark(config: Config, sinks: Sequence[str]) -> str:
    """24 bits of a hash over sinks, addresses and keys: enough to tell places apart, too few to find a key by."""
    slack = ("bot", config.slack_api_url, config.slack_token)
    webhook = ("webhook", config.slack_webhook_url)
    parts = {"backend": (config.backend_url, config.api_key), "slack": slack if config.has_slack_bot else webhook}
    text = "\0".join(str(part) for name in sinks for part in (name, *parts[name]))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
