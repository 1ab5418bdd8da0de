"""Outside text and mentions as Slack's markup: nothing in it can ping, format, link or break the layout.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from versioner_ci.settings_values import mention
from versioner_ci.text import one_line, visible

MAX_URL = 3_000
_MAX_LINK = 1_200
_MAX_MENTIONS = 50
_ELLIPSIS = "…"
_GRAVE = "\u02cb"
"""Looks like a backtick and ends no code span."""
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_FENCE = re.compile("`{3,}")
_PARTIAL = re.compile(r"&[a-z]{0,3}\Z")
_WEB = re.compile(r"https?://[^\s<>|\"`\\\x00-\x20\x7f]+")
_BROKEN_START = re.compile(r"\A[a-z]{0,3};")


def escape(text: str) -> str:
    """`&`, `<` and `>` as Slack wants them, in this order, invisible controls removed."""
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def line(text: str, limit: int) -> str:
    """Outside text on one line, escaped, at most `limit` code points; no backtick in it opens a block of code."""
    plain = one_line(_ANSI.sub("", text)).strip()
    return cut_escaped(escape(plain.replace("`", _GRAVE)), limit)


def cut_escaped(text: str, limit: int) -> str:
    """The beginning of an escaped text, at most `limit` code points, never inside `&lt;`."""
    return text if len(text) <= limit else _PARTIAL.sub("", text[: limit - 1]) + _ELLIPSIS


def tail_escaped(text: str, limit: int) -> str:
    """The end of an escaped text, at most `limit` code points, whole lines if there are any."""
    if len(text) <= limit:
        return text
    start = len(text) - limit + 2
    kept = text[start:]
    if _PARTIAL.search(text[:start]):
        kept = _BROKEN_START.sub("", kept)
    first, newline, rest = kept.partition("\n")
    return f"{_ELLIPSIS}\n{rest if newline and rest.strip() and len(first) < limit // 2 else kept}"


def code(text: str, limit: int) -> str:
    """Outside text as inline code, in which Slack formats nothing; "" for a blank one."""
    inner = line(text, limit - 2)
    return f"`{inner}`" if inner else ""


def code_block(text: str, limit: int) -> str:
    """Outside text as a block of code, its last lines if it is too long; "" for a blank one."""
    plain = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    plain = _FENCE.sub(lambda run: _GRAVE * len(run[0]), plain)
    lines = [one_line(each).rstrip() for each in plain.split("\n")]
    inner = escape("\n".join(lines)).strip("\n")
    return f"```\n{tail_escaped(inner, limit - 8)}\n```" if inner.strip() else ""


def link(url: str | None, label: str) -> str:
    """A label (already Slack's markup) that opens `url`; the bare label if there is no usable URL."""
    safe = escape(web_url(url) or "")
    return f"<{safe}|{label}>" if safe and label and len(safe) <= _MAX_LINK else label


def web_url(url: str | None) -> str | None:
    """The URL if Slack takes it: http or https, a host, no userinfo, nothing that ends a link; else None."""
    if not url or len(url) > MAX_URL or visible(url) != url or not _WEB.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.hostname and parts.username is None else None


def unknown_mentions(words: tuple[str, ...]) -> tuple[str, ...]:
    """A warning for each configured mention that Slack would not understand."""
    return tuple(
        f"mention {one_line(word)[:60]!r} is left out: write <@U…> or <!subteam^S…>"
        for word in dict.fromkeys(words)
        if mention(word) is None
    )


def mentions(words: tuple[str, ...]) -> str:
    """The valid ones of the configured mentions, each once, at most 50."""
    return " ".join(list(dict.fromkeys(found for word in words if (found := mention(word))))[:_MAX_MENTIONS])
