"""The Slack message that says that no ending was heard. Nothing is guessed: it may still run."""

from __future__ import annotations

from typing import Any

from versioner_ci.redact import Redactor
from versioner_ci.server.records import LifecycleRow
from versioner_ci.sinks import slack_message as messages
from versioner_ci.sinks.slack_text import line, link, mentions, web_url

_COLOUR = "#d9a400"


def arguments(about: LifecycleRow, who: tuple[str, ...], redactor: Redactor, now: int) -> dict[str, Any]:
    """What chat.postMessage takes; `now` in microseconds."""
    what = " ".join(line(redactor(text), 80) for text in (about.product, about.version))
    where = f" → {line(redactor(about.environment), 80)}" if about.environment else ""
    headline = f"⚠️ No ending heard: {about.kind} of {what}{where}"
    called = mentions(who)
    ago = messages.human((now - (about.started_at or about.opened_at)) / 1_000_000)
    said = f"Started {ago or 'a while'} ago; its ending may have been lost, or it still runs."
    run = link(redactor(about.url), "Open the run") if web_url(about.url) and about.url else ""
    details = {"type": "section", "text": {"type": "mrkdwn", "text": f"{said} {run}".strip(), "verbatim": True}}
    text = f"{headline} {called}".strip()
    return {
        "text": text,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}],
        "attachments": [{"color": _COLOUR, "blocks": [details]}],
        "unfurl_links": False,
        "unfurl_media": False,
    }
