"""An event as a Slack message: a headline, one coloured attachment with the details, and a plain text.

Slack shows `text` above an attachment unless the message has blocks of its own: so the headline is a block, and each
fact stands there once. Mentions stand beside the headline, since those inside an attachment notify nobody.
https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from versioner_ci.event import Event
from versioner_ci.records import dataclass, replace
from versioner_ci.sinks import slack_links as links
from versioner_ci.sinks.slack_text import code, code_block, cut_escaped, line, link, mentions, web_url
from versioner_ci.status import LOOKS, State

Block = dict[str, Any]

TEST_TEXT = "👋 This is a test message of versioner-ci: it can post here."
MAX_HEADER = 150
MAX_BUTTON = 75
MAX_SECTION = 3_000
_SHORT_EXCERPT = 400
_PLAIN_EXCERPT = 300
_ABSURD = 1e12
"""Seconds, as in the tracker: nothing takes 30,000 years, and a number of 400 digits is no float."""
_SHOWN = (
    "product",
    "version",
    "environment",
    "build_number",
    "scm_sha",
    "scm_branch",
    "scm_url",
    "run_url",
    "actor",
    "actor_name",
)
_SHOWN_METADATA = ("error", "error_code", "reason")
_REASONS = {
    "user": "cancelled by a person",
    "timeout": "timed out",
    "superseded": "superseded by a newer run",
    "signal": "stopped by a signal",
    "skipped": "skipped",
    "rejected": "rejected by the tracker's rules",
    "exit_code": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What chat.postMessage, chat.update and a webhook take; `text` is for notifications only if there are blocks."""

    text: str
    blocks: tuple[Block, ...] = ()
    attachments: tuple[Block, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Empty arrays included: an edit then removes what stood there."""
        return {"text": self.text, "blocks": list(self.blocks), "attachments": list(self.attachments)}


def is_trouble(event: Event) -> bool:
    """Whether somebody must be told: a failure or an abort."""
    return event.state in {State.FAILED, State.ABORTED}


def masked(event: Event, mask: Callable[[str], str]) -> Event:
    """The event with secrets masked in whatever a message shows."""
    fields: dict[str, Any] = {name: mask(value) for name in _SHOWN if (value := getattr(event, name))}
    texts = {name: mask(str(value)) for name in _SHOWN_METADATA if (value := event.metadata.get(name))}
    return replace(event, **fields, metadata={**event.metadata, **texts})


def message(event: Event, who: tuple[str, ...] = ()) -> Message:
    """A new message: with everything, and on a failure or abort with the mentions."""
    return _message(event, _called(event, who), MAX_SECTION)


def update(event: Event) -> Message:
    """A message that moves on: a reply follows if somebody must be told, so its excerpt is short."""
    return _message(event, "", _SHORT_EXCERPT)


def reply(event: Event, who: tuple[str, ...] = ()) -> Message:
    """The reply in the thread (and channel) on a failure or abort: what a person needs to look into it."""
    look, called = LOOKS[event.kind, event.state], mentions(who)
    took = _duration(event)
    words = f"{look.icon} *{look.wording}*{f' after {took}' if took else ''}"
    details = (*_reason_block(event), *_excerpt(event, MAX_SECTION), *_button(event))
    return Message(
        text=_spaced(_headline(event), called),
        blocks=(_mrkdwn_section(_spaced(words, called)),),
        attachments=({"color": look.colour, "blocks": list(details)},) if details else (),
    )


def plain(event: Event, who: tuple[str, ...] = ()) -> Message:
    """The same in a short text without blocks, for when Slack refuses them."""
    error = line(str(event.metadata.get("error") or ""), _PLAIN_EXCERPT) if is_trouble(event) else ""
    return Message(
        text="\n".join(
            filter(
                None,
                (
                    _spaced(_headline(event), _called(event, who)),
                    error,
                    link(event.run_url, "Open the run") if web_url(event.run_url) else "",
                ),
            )
        )
    )


def human(seconds: object) -> str | None:
    """Seconds as people say them: `1 m 12 s`, `2 h 5 m`, `3 d 4 h`; None for what is no duration."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < _ABSURD:
        return None
    whole = round(seconds)
    if whole < 1:
        return "less than 1 s"
    for size, unit, small, small_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _message(event: Event, called: str, excerpt: int) -> Message:
    details = (*_context(event), *_reason_block(event), *_excerpt(event, excerpt), *_button(event))
    return Message(
        text=_spaced(_headline(event), called),
        blocks=(
            {"type": "header", "text": _plain_text(_headline(event, with_reason=False), MAX_HEADER)},
            *((_mrkdwn_section(called),) if called else ()),
        ),
        attachments=({"color": LOOKS[event.kind, event.state].colour, "blocks": list(details)},),
    )


def _headline(event: Event, *, with_reason: bool = True) -> str:
    look = LOOKS[event.kind, event.state]
    what = " ".join(filter(None, (line(event.product, 80), line(event.version, 80))))
    where = f" → {line(event.environment, 80)}" if event.environment else ""
    why = _reason(event) if with_reason else ""
    return f"{look.icon} {look.wording}: {what}{where}{f' ({why})' if why else ''}"


def _context(event: Event) -> tuple[Block, ...]:
    """By whom, from where, how long: one line in small print that reads as a sentence."""
    by = line(event.actor or event.actor_name or "", 100)
    took = _duration(event)
    number = line(str(event.metadata.get("error_code") or ""), 60) if event.state is State.FAILED else ""
    elements = (
        _plain_text(f"by {by}", 200) if by else None,
        _mrkdwn(source) if (source := _source(event)) else None,
        _plain_text(f"took {took}", 100) if took else None,
        _plain_text(f"error code {number}", 100) if number else None,
        _plain_text("unstable", 100) if event.metadata.get("unstable") is True else None,
    )
    shown = [element for element in elements if element]
    return ({"type": "context", "elements": shown or [_plain_text("reported by versioner-ci", 100)]},)


def _source(event: Event) -> str:
    branch = link(links.branch(event), code(event.scm_branch or "", 200))
    commit = link(links.commit(event), code((event.scm_sha or "")[:7], 60))
    return " at ".join(filter(None, (f"on {branch}" if branch else "", commit)))


def _reason_block(event: Event) -> tuple[Block, ...]:
    why = _reason(event)
    return ({"type": "section", "text": _plain_text(f"Reason: {why}", MAX_SECTION)},) if why else ()


def _excerpt(event: Event, limit: int) -> tuple[Block, ...]:
    block = code_block(str(event.metadata.get("error") or ""), limit) if is_trouble(event) else ""
    return (_mrkdwn_section(block),) if block else ()


def _button(event: Event) -> tuple[Block, ...]:
    url = web_url(event.run_url)
    if url is None:
        return ()
    label = f"Open run #{line(event.build_number, 40).removeprefix('#')}" if event.build_number else "Open the run"
    button = {"type": "button", "text": _plain_text(label, MAX_BUTTON), "url": url, "action_id": "open_run"}
    return ({"type": "actions", "elements": [button]},)


def _reason(event: Event) -> str:
    word = str(event.metadata.get("reason") or "") if event.state.is_ending else ""
    return _REASONS.get(word, line(word, 200))


def _duration(event: Event) -> str | None:
    return human(event.metadata.get("duration_seconds")) if event.state.is_ending else None


def _called(event: Event, who: tuple[str, ...]) -> str:
    return mentions(who) if is_trouble(event) else ""


def _plain_text(escaped: str, limit: int) -> Block:
    return {"type": "plain_text", "text": cut_escaped(escaped, limit), "emoji": False}


def _mrkdwn(markup: str) -> Block:
    """`verbatim`: Slack makes no links and no mentions of its own out of it."""
    return {"type": "mrkdwn", "text": markup, "verbatim": True}


def _mrkdwn_section(markup: str) -> Block:
    return {"type": "section", "text": _mrkdwn(markup)}


def _spaced(*parts: str) -> str:
    return " ".join(filter(None, parts))
