"""What `serve` was told, one frozen record."""

from __future__ import annotations

from dataclasses import dataclass, field

STALE_AFTER = 6 * 3600.0
GIVE_UP_AFTER = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Times in seconds."""

    database_url: str
    host: str = "127.0.0.1"
    port: int = 8080
    is_open: bool = False
    """--no-auth: no key is asked for; for trying out, on loopback only."""
    stale_after: float = STALE_AFTER
    slack_token: str | None = field(default=None, repr=False)
    slack_api_url: str | None = None
    slack_lease: float = 20.0
    """For so long a message in flight is its sender's own."""
    give_up_after: float = GIVE_UP_AFTER
    """A message that Slack has not taken by then is given up, visibly."""
    trusted_proxies: str = "127.0.0.1"
    """Whose X-Forwarded-… headers count."""
    log_format: str = "logfmt"
    log_level: str = "info"
