from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.slack_rules import check_markup
from versioner_ci.settings_values import mention
from versioner_ci.sinks.slack_text import (
    code,
    code_block,
    cut_escaped,
    escape,
    line,
    link,
    mentions,
    tail_escaped,
    unknown_mentions,
    web_url,
)

ANY_TEXT = st.text(st.characters(), max_size=300) | st.text("&<>;ampltg`*_\n\r\x1b[31m \u200b\u202e", max_size=300)


@given(ANY_TEXT)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    seen = re.sub(r"&(amp|lt|gt);", lambda m: html.unescape(m[0]), escape(text))
    assert "<" not in escape(text)
    assert ">" not in escape(text)
    assert seen.replace("\ufffd", "") == re.sub(
        r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd\0\ud800-\udfff]", "", text
    )


@given(ANY_TEXT, st.integers(8, 80))
def test_a_cut_never_ends_inside_an_entity(text: str, limit: int) -> None:
    escaped = escape(text)
    short = cut_escaped(escaped, limit)
    assert len(short) <= limit
    check_markup(short, "cut")
    assert escaped.startswith(short.removesuffix("…")) or short == escaped


@given(ANY_TEXT, st.integers(12, 80))
def test_a_tail_never_begins_inside_an_entity(text: str, limit: int) -> None:
    escaped = escape(text)
    short = tail_escaped(escaped, limit)
    assert len(short) <= limit
    check_markup(short, "tail")
    assert escaped.endswith(short.removeprefix("…\n"))


@pytest.mark.parametrize("at", range(1, 12))
def test_every_cut_position_within_entities_is_safe(at: int) -> None:
    text = escape("<&>" * 20)
    check_markup(cut_escaped(text, at), "cut")
    check_markup(tail_escaped(text, at + 8), "tail")


@given(ANY_TEXT)
def test_a_block_of_code_cannot_be_left_by_what_stands_in_it(text: str) -> None:
    block = code_block(text, 200)
    assert len(block) <= 200
    if block:
        assert block.startswith("```\n")
        assert block.endswith("\n```")
        assert "```" not in block[3:-3]
        check_markup(block, "block")


@given(ANY_TEXT)
def test_inline_code_stays_on_one_line_and_in_its_backticks(text: str) -> None:
    span = code(text, 60)
    assert len(span) <= 60
    if span:
        assert "`" not in span[1:-1]
        assert "\n" not in span
        check_markup(span, "span")


def test_a_long_error_keeps_its_end_in_whole_lines() -> None:
    block = code_block("\n".join(f"line {number}" for number in range(200)), 100)
    assert block.startswith("```\n…\nline ")
    assert block.endswith("line 199\n```")


def test_single_backticks_of_a_shells_message_stay() -> None:
    assert "`foo': not found" in code_block("sh: `foo': not found", 100)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07click\x1b]8;;\x07", "click"),
        ("two\nlines", "two\\nlines"),
        ("a\u202eb\u200bc", "abc"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("a & b", "a &amp; b"),
        ("&lt;", "&amp;lt;"),
        ("```", "\u02cb\u02cb\u02cb"),
        ("  ", ""),
    ],
    ids=["colour", "terminal-link", "newline", "invisible", "ping", "ampersand", "entity", "fence", "blank"],
)
def test_outside_text_on_one_line(text: str, seen: str) -> None:
    assert line(text, 100) == seen


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://x/y",
        "https://user:pw@host/x",
        "https://h/a b",
        "https://h/a|b",
        "https://h/<x>",
        "https://",
        "http://[bad",
        "https://h/" + "x" * 3_000,
        "https://h/a\nb",
        "",
        None,
    ],
)
def test_an_address_that_slack_would_not_take_makes_no_link(url: str | None) -> None:
    assert web_url(url) is None
    assert link(url, "label") == "label"


def test_an_ampersand_in_a_link_is_escaped() -> None:
    assert link("https://h/?a=1&b=2", "x") == "<https://h/?a=1&amp;b=2|x>"


@pytest.mark.parametrize(
    ("word", "markup"),
    [
        ("<@U0456>", "<@U0456>"),
        ("<@W0456>", "<@W0456>"),
        ("@U0456", "<@U0456>"),
        ("@S012", "<!subteam^S012>"),
        ("<!subteam^S012>", "<!subteam^S012>"),
    ],
)
def test_a_mention_by_id_is_understood(word: str, markup: str) -> None:
    assert mention(word) == markup


@pytest.mark.parametrize(
    "word",
    [
        "@alice",
        "alice",
        "<@alice>",
        "<!subteam^oncall>",
        "<!date^1^x|y>",
        "<https://x|y>",
        "<@U0456> <!here>",
        "USERS",
        "C0123456",
        "<#C0123>",
        "",
        "<@U0456|<!here>>",
        "U0456ABC",
        "@here",
        "@channel",
        "@everyone",
        "<!here>",
        "<!channel>",
        "<!everyone>",
    ],
)
def test_a_mention_by_name_is_none_and_said_so(word: str) -> None:
    assert mention(word) is None
    assert len(unknown_mentions((word, word))) == 1


@given(ANY_TEXT)
def test_no_text_becomes_a_mention_that_slack_would_not_know(word: str) -> None:
    found = mention(word)
    assert found is None or re.fullmatch(r"<(@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+)>", found)


def test_each_mention_stands_once() -> None:
    assert mentions(("@U0456", "<@U0456>", "@alice", "@S012")) == "<@U0456> <!subteam^S012>"


def test_hundreds_of_mentions_stay_within_slacks_limit() -> None:
    assert len(mentions(tuple(f"@U{number:030d}" for number in range(500)))) <= 3_000


@pytest.mark.parametrize("text", ["a```b", "````", "x\n```\n<!channel>", "``` ```", "``" * 9])
def test_a_fence_in_the_error_does_not_end_the_block(text: str) -> None:
    assert "```" not in code_block(text, 500)[3:-3]


@given(st.text("<&>a", min_size=30, max_size=60), st.integers(12, 29))
def test_a_tail_shows_no_rest_of_an_entity(text: str, limit: int) -> None:
    kept = tail_escaped(escape(text), limit).removeprefix("…\n")
    assert text.endswith(html.unescape(kept))


@pytest.mark.parametrize("url", ["https://h/\u202egpj.exe", "https://h/\ud800", "https://h/\u200bx"])
def test_an_address_that_looks_like_another_makes_no_link(url: str) -> None:
    assert web_url(url) is None


def test_an_address_too_long_for_its_line_makes_no_link() -> None:
    assert link("https://h/" + "x" * 1_100, "label").startswith("<https://h/")
    assert link("https://h/" + "x" * 1_400, "label") == "label"
