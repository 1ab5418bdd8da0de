"""Messages as Slack would show them, drawn from their blocks: for screenshots and for eyes, not for sending.

https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Block = Mapping[str, Any]

_LINK = re.compile(r"&lt;(https?://[^|&]*(?:&amp;[^|&]*)*)\|(.*?)&gt;", re.DOTALL)
_CALL = re.compile(r"&lt;(@|#|!subteam\^)([A-Z0-9]+)&gt;")
_FENCED = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"(?<!\w)\*([^*\n]+)\*(?!\w)")

STYLE = """
:root { color-scheme: light; }
body { margin: 0; padding: 20px 24px; background: #fff; color: #1d1c1d; width: 640px;
  font: 15px/1.47 "Liberation Sans", Arial, "DejaVu Sans", sans-serif, "Noto Color Emoji"; }
.message { display: flex; gap: 10px; padding: 6px 0 10px; }
.reply { margin-left: 46px; }
.face { flex: none; width: 36px; height: 36px; border-radius: 6px; background: #2f5d8a; color: #fff;
  font: bold 17px/36px "Liberation Sans", Arial, sans-serif; text-align: center; }
.body { min-width: 0; flex: 1; }
.who { font-weight: bold; } .who small { font-weight: normal; color: #616061; margin-left: 6px; }
.who .app { background: #e8e8e8; color: #616061; border-radius: 2px; font: bold 10px/14px Arial, sans-serif;
  padding: 0 3px; margin-left: 4px; vertical-align: 1px; }
.header { font-size: 18px; font-weight: bold; margin: 2px 0; }
.section, .context { margin: 4px 0; } .context { color: #616061; font-size: 13px; }
.context span + span::before { content: ""; display: inline-block; width: 8px; }
.attachment { border-left: 4px solid; border-radius: 3px; padding: 2px 0 2px 12px; margin-top: 4px; }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; margin: 4px 0; padding: 8px;
  font: 12px/1.5 "Liberation Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
code { background: #f6f6f6; border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; color: #c01343;
  font: 12px "Liberation Mono", monospace; }
a { color: #1264a3; text-decoration: none; } a code { color: #1264a3; }
.call { background: #e8f5fa; color: #1264a3; border-radius: 3px; padding: 0 2px; }
.button { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 3px 12px; color: #1d1c1d;
  font-weight: bold; font-size: 13px; margin: 4px 0; }
.also { color: #616061; font-size: 13px; }
"""


def page(messages: Iterable[str]) -> str:
    """A whole document of drawn messages."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Slack</title><style>{STYLE}</style></head>'
        f"<body>{''.join(messages)}</body></html>"
    )


def message(body: Mapping[str, Any], *, time: str = "", is_reply: bool = False, is_edited: bool = False) -> str:
    """One message from the arguments of chat.postMessage: `text`, `blocks`, `attachments`."""
    drawn = "".join(_body(body))
    note = '<div class="also">also sent to the channel</div>' if is_reply else ""
    edited = " <small>(edited)</small>" if is_edited else ""
    return (
        f'<div class="message{" reply" if is_reply else ""}"><div class="face">v</div><div class="body">{note}'
        f'<div class="who">versioner-ci<span class="app">APP</span><small>{html.escape(time)}</small>{edited}</div>'
        f"{drawn}</div></div>"
    )


def _body(body: Mapping[str, Any]) -> Iterator[str]:
    blocks = body.get("blocks") or []
    yield from map(block, blocks) if blocks else iter([_section(mrkdwn(str(body.get("text", ""))))])
    for attachment in body.get("attachments") or []:
        inner = "".join(map(block, attachment.get("blocks") or []))
        colour = attachment.get("color", "")
        safe = colour if re.fullmatch(r"#[0-9A-Fa-f]{6}", colour) else "#dddddd"
        yield f'<div class="attachment" style="border-color: {safe}">{inner}</div>'


def block(given: Block) -> str:
    """One block as HTML. Raises ValueError for a type that is not drawn, so that none is left out unseen."""
    kind = given["type"]
    if kind == "header":
        return f'<div class="header">{text(given["text"])}</div>'
    if kind == "section":
        return _section(text(given["text"]))
    if kind == "context":
        return f'<div class="context">{"".join(f"<span>{text(each)}</span>" for each in given["elements"])}</div>'
    if kind == "actions":
        return "".join(f'<span class="button">{text(each["text"])}</span>' for each in given["elements"])
    raise ValueError(f"a block of type {kind} is not drawn")


def text(given: Mapping[str, Any]) -> str:
    """A text object as HTML."""
    return mrkdwn(given["text"]) if given["type"] == "mrkdwn" else plain(given["text"])


def plain(words: str) -> str:
    """Plain text: Slack has `&`, `<` and `>` escaped in it."""
    return html.escape(html.unescape(words))


def mrkdwn(markup: str) -> str:
    """Slack's markup as HTML; what is in code is left as it is."""
    parts: list[str] = []
    at = 0
    for fenced in _FENCED.finditer(markup):
        parts += [_inline(markup[at : fenced.start()]), f"<pre>{plain(fenced[1])}</pre>"]
        at = fenced.end()
    return "".join([*parts, _inline(markup[at:])])


def _inline(markup: str) -> str:
    # What Slack has escaped is escaped once more here: its own `<…>` are then told from outside text's `&lt;`.
    given = html.escape(markup, quote=True)
    given = _LINK.sub(r'<a href="\1">\2</a>', given)
    given = _CALL.sub(lambda call: f'<span class="call">@{call[2]}</span>', given)
    given = _SPAN.sub(r"<code>\1</code>", given)
    given = _BOLD.sub(r"<b>\1</b>", given)
    return re.sub(r"&amp;(amp|lt|gt);", r"&\1;", given).replace("\n", "<br>")


def _section(inner: str) -> str:
    return f'<div class="section">{inner}</div>'
