"""What Slack refuses in a message: the limits and shapes of its Block Kit reference, stricter where Slack only ignores.

https://docs.slack.dev/reference/block-kit/blocks · https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_TEXT = 40_000
MAX_BLOCKS = 50
MAX_ATTACHMENTS = 100
MAX_URL = 3_000

MENTION = re.compile(r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|!here|!channel|!everyone)(?:\|[^<>]*)?>")
_MARKUP = re.compile(
    r"<(?:https?://[^<>|\s]+|@[UW][A-Z0-9]+|#C[A-Z0-9]+|!subteam\^S[A-Z0-9]+|!here|!channel|!everyone)(?:\|[^<>]+)?>"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class BadMessageError(Exception):
    """Slack would refuse it: its error code and a sentence like those of `response_metadata.messages`."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


def check_message(body: Mapping[str, Any]) -> None:
    """Raises BadMessageError unless Slack would take text, blocks and attachments of `body`."""
    text, blocks, attachments = body.get("text", ""), body.get("blocks", []), body.get("attachments", [])
    if not (text or blocks or attachments):
        raise BadMessageError("no_text", "one of text, blocks and attachments is needed")
    _must(isinstance(text, str), "invalid_arguments", "text is no string")
    if len(text) > MAX_TEXT:
        raise BadMessageError("msg_too_long", f"text has {len(text)} characters")
    check_markup(text, "invalid_arguments")
    _must(isinstance(blocks, list), "invalid_blocks_format", "blocks is no array")
    check_blocks(blocks)
    _must(isinstance(attachments, list), "invalid_attachments", "attachments is no array")
    if len(attachments) > MAX_ATTACHMENTS:
        raise BadMessageError("too_many_attachments", f"{len(attachments)} attachments")
    for attachment in attachments:
        _attachment(attachment)


def check_blocks(blocks: list[Any]) -> None:
    """Raises BadMessageError unless every block has a known type and that type's shape."""
    if len(blocks) > MAX_BLOCKS:
        raise BadMessageError("invalid_blocks", f"no more than {MAX_BLOCKS} items allowed")
    for block in blocks:
        is_known = isinstance(block, dict) and block.get("type") in _BLOCKS
        _must(is_known, "invalid_blocks", f"unsupported block {block!r}")
        _BLOCKS[block["type"]](block)


def check_markup(text: str, code: str) -> None:
    """Raises BadMessageError if `&`, `<` or `>` stands there unescaped (Slack would guess, and may ping)."""
    rest = _ENTITY.sub("", _MARKUP.sub("", text))
    _must(not re.search(r"[&<>]", rest), code, f"unescaped markup in {text[:200]!r}")
    _must(not re.search(r"[\ud800-\udfff\0]", text), code, "invalid Unicode")


def _attachment(attachment: Any) -> None:
    _keys(attachment, {"blocks"}, {"color", "fallback"}, "invalid_attachments")
    colour = attachment.get("color", "#000000")
    _must(bool(_COLOUR.fullmatch(colour)), "invalid_attachments", f"color {colour!r}")
    _must(bool(attachment["blocks"]), "invalid_attachments", "no blocks")
    check_blocks(attachment["blocks"])


def _header(block: Mapping[str, Any]) -> None:
    _keys(block, {"type", "text"}, {"block_id"})
    _text(block["text"], 150, {"plain_text"})


def _section(block: Mapping[str, Any]) -> None:
    _keys(block, {"type"}, {"text", "fields", "accessory", "block_id", "expand"})
    _must("text" in block or "fields" in block, "invalid_blocks", "section without text and fields")
    if "text" in block:
        _text(block["text"], 3_000)
    fields = block.get("fields", [None])
    _must(1 <= len(fields) <= 10, "invalid_blocks", f"section with {len(fields)} fields")
    for field in block.get("fields", ()):
        _text(field, 2_000)
    if "accessory" in block:
        _button(block["accessory"])


def _context(block: Mapping[str, Any]) -> None:
    _keys(block, {"type", "elements"}, {"block_id"})
    _must(1 <= len(block["elements"]) <= 10, "invalid_blocks", f"context with {len(block['elements'])} elements")
    for element in block["elements"]:
        _text(element, 3_000)


def _actions(block: Mapping[str, Any]) -> None:
    _keys(block, {"type", "elements"}, {"block_id"})
    _must(1 <= len(block["elements"]) <= 25, "invalid_blocks", f"actions with {len(block['elements'])} elements")
    for element in block["elements"]:
        _button(element)


def _divider(block: Mapping[str, Any]) -> None:
    _keys(block, {"type"}, {"block_id"})


def _button(button: Any) -> None:
    _keys(button, {"type", "text"}, {"url", "action_id", "value", "style", "accessibility_label"})
    _must(button["type"] == "button", "invalid_blocks", f"unsupported element {button['type']!r}")
    _text(button["text"], 75, {"plain_text"})
    url = button.get("url", "https://x")
    _must(bool(re.fullmatch(r"https?://[^\s<>]+", url)) and len(url) <= MAX_URL, "invalid_blocks", f"url {url[:99]!r}")
    _must(len(button.get("action_id", "x")) in range(1, 256), "invalid_blocks", "action_id")
    _must(button.get("style", "primary") in {"primary", "danger"}, "invalid_blocks", "style")


def _text(value: Any, limit: int, types: frozenset[str] | set[str] = frozenset({"plain_text", "mrkdwn"})) -> None:
    _must(isinstance(value, dict) and value.get("type") in types, "invalid_blocks", f"no text object: {value!r:.200}")
    _keys(value, {"type", "text"}, {"emoji"} if value["type"] == "plain_text" else {"verbatim"})
    text = value["text"]
    _must(
        isinstance(text, str) and 1 <= len(text) <= limit,
        "invalid_blocks",
        f"must be more than 0 and at most {limit} characters, has {len(text)}",
    )
    check_markup(text, "invalid_blocks")


def _keys(value: Any, needed: set[str], allowed: set[str], code: str = "invalid_blocks") -> None:
    _must(isinstance(value, dict), code, f"no object: {value!r:.200}")
    _must(needed <= value.keys(), code, f"missing {sorted(needed - value.keys())}")
    _must(value.keys() <= needed | allowed, code, f"unknown {sorted(value.keys() - needed - allowed)}")


def _must(truth: bool, code: str, why: str) -> None:
    if not truth:
        raise BadMessageError(code, why)


_BLOCKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
}
