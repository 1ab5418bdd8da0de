"""`script/slack_page`: messages drawn from their blocks, with outside text as text."""

from __future__ import annotations

from typing import Any

import pytest

from script import slack_page
from versioner_ci.event import Event
from versioner_ci.sinks import slack_message
from versioner_ci.status import LOOKS, Kind, State


def event(state: State, **metadata: Any) -> Event:
    return Event(
        kind=Kind.DEPLOYMENT, state=state, product="shop", version="1.4.2", environment="production",
        actor="alice", scm_sha="0123456789abcdef0123456789abcdef01234567", scm_branch="<!channel>&amp",
        scm_repository="octo/shop", run_url="https://ci.example.com/1", build_number="12", source_system="github",
        key="k", group_id="g", lifecycle_id="l", occurred_at="2026-11-23T14:02:00.000000Z", metadata=metadata,
    )  # fmt: skip


@pytest.mark.parametrize("state", list(State))
def test_every_message_can_be_drawn_in_its_colour(state: State) -> None:
    given = event(state, error="x < y", duration_seconds=72)
    for message in (slack_message.message(given, ("@U0456",)), slack_message.update(given), slack_message.reply(given)):
        drawn = slack_page.message(message.arguments())
        assert LOOKS[Kind.DEPLOYMENT, state].wording in drawn
        assert LOOKS[Kind.DEPLOYMENT, state].colour in drawn


def test_outside_text_stays_text() -> None:
    given = event(State.FAILED, error='<script>alert("x")</script> ``` & *bold* `code`')
    drawn = slack_page.message(slack_message.message(given).arguments())
    assert "<script" not in drawn
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in drawn
    assert "&lt;!channel&gt;&amp;amp" in drawn
    assert "*bold* `code`" in drawn


def test_links_calls_and_spans_are_drawn() -> None:
    drawn = slack_page.mrkdwn("<https://x.example/?a=1&amp;b=2|`main`> *now* <@U0456> a_b &lt;@U1&gt;")
    assert drawn == (
        '<a href="https://x.example/?a=1&amp;b=2"><code>main</code></a> <b>now</b> '
        '<span class="call">@U0456</span> a_b &lt;@U1&gt;'
    )


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://x" onclick="y', "data:text/html,x"])
def test_only_web_addresses_become_links(url: str) -> None:
    drawn = slack_page.mrkdwn(f"<{url}|here>")
    assert "javascript:" not in drawn.replace("&lt;javascript:", "")
    assert ' onclick="' not in drawn


def test_a_colour_is_a_colour() -> None:
    drawn = slack_page.message({"attachments": [{"color": '"><b>', "blocks": []}]})
    assert "<b>" not in drawn
    assert "#dddddd" in drawn


def test_a_block_that_cannot_be_drawn_is_not_left_out_unseen() -> None:
    with pytest.raises(ValueError, match="video"):
        slack_page.block({"type": "video"})


def test_a_message_without_blocks_is_its_text() -> None:
    drawn = slack_page.page([slack_page.message({"text": "one\ntwo"}, time="14:02", is_edited=True)])
    assert "one<br>two" in drawn
    assert "14:02" in drawn
    assert "(edited)" in drawn
