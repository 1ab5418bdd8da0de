"""Events, items and sinks for tests of Slack."""

from __future__ import annotations

from typing import Any

from tests.support.fake_slack import FakeSlack
from versioner_ci.event import Event
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.sinks._sink import Item, Target
from versioner_ci.sinks.slack import Slack, Token
from versioner_ci.sinks.webhook import Webhook
from versioner_ci.status import Kind, State

DEPLOYS = "#deploys"


def an_event(state: State = State.STARTED, kind: Kind = Kind.DEPLOYMENT, **fields: Any) -> Event:
    """A deployment of shop 1.4.2 from GitHub, all facts known."""
    facts: dict[str, Any] = {
        "product": "shop",
        "version": "1.4.2",
        "environment": "production" if kind is Kind.DEPLOYMENT else None,
        "occurred_at": "2026-11-23T12:00:00.000000Z",
        "source_system": "github",
        "build_number": "412",
        "scm_sha": "3f2a1bc998877665544332211009988776655443",
        "scm_branch": "main",
        "scm_url": "https://github.com/acme/shop",
        "run_url": "https://github.com/acme/shop/actions/runs/1?a=1&b=2",
        "actor": "alice",
        "key": "0" * 32,
    }
    return Event(kind=kind, state=state, **{**facts, **fields})


def an_item(
    state: State = State.STARTED,
    *targets: Target,
    channels: dict[str, str] | None = None,
    **fields: Any,
) -> Item:
    """On its way to #deploys, unless targets are given."""
    return Item(event=an_event(state, **fields), targets=targets or (Target(channel=DEPLOYS),), channels=channels or {})


def a_bot(slack: FakeSlack, *secrets: str, api_url: str | None = None) -> Slack:
    """The sink with the fake's token, over the real transport."""
    redactor = Redactor([slack.token, *secrets])
    return Slack(Token(value=slack.token), Transport({}), redactor, api_url=api_url or slack.url)


def a_webhook(slack: FakeSlack, *secrets: str) -> Webhook:
    """The sink with the fake's webhook, over the real transport."""
    return Webhook(slack.webhook_url, Transport({}), Redactor([slack.webhook_url, *secrets]))
