from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.slack_events import an_event
from tests.support.slack_rules import MENTION, check_message
from versioner_ci.event import Event
from versioner_ci.redact import Redactor
from versioner_ci.sinks import slack_message as messages
from versioner_ci.sinks.slack_message import Message
from versioner_ci.status import LOOKS, Kind, State

TROUBLE = [State.FAILED, State.ABORTED]
HOSTILE = st.text(st.characters(), max_size=400) | st.text("<!channel>@here&*_~`|\n\u202e", max_size=400)


def shown(message: Message) -> str:
    return json.dumps(message.arguments(), ensure_ascii=False)


def details(message: Message) -> list[dict[str, Any]]:
    [attachment] = message.attachments
    blocks: list[dict[str, Any]] = attachment["blocks"]
    return blocks


@pytest.mark.parametrize(("kind", "state"), LOOKS, ids=lambda value: value.value)
def test_every_event_type_has_its_icon_wording_and_colour(kind: Kind, state: State) -> None:
    message = messages.message(an_event(state, kind))
    look = LOOKS[kind, state]
    headline = f"{look.icon} {look.wording}: shop 1.4.2" + (" → production" if kind is Kind.DEPLOYMENT else "")
    assert message.text == headline
    assert message.blocks[0] == {"type": "header", "text": {"type": "plain_text", "text": headline, "emoji": False}}
    assert message.attachments[0]["color"] == look.colour
    check_message(message.arguments())


def test_a_message_shows_who_what_where_and_how_long() -> None:
    event = an_event(State.COMPLETED, metadata={"duration_seconds": 72.4})
    message = messages.message(event)
    context, actions = details(message)
    repository = "https://github.com/acme/shop"
    assert [element["text"] for element in context["elements"]] == [
        "by alice",
        f"on <{repository}/tree/main|`main`> at <{repository}/commit/{event.scm_sha}|`3f2a1bc`>",
        "took 1 m 12 s",
    ]
    [button] = actions["elements"]
    assert button["text"]["text"] == "Open run #412"
    assert button["url"] == "https://github.com/acme/shop/actions/runs/1?a=1&b=2"


def test_no_fact_stands_twice_where_it_is_seen() -> None:
    message = messages.message(an_event(State.FAILED, metadata={"error": "boom", "reason": "timeout"}))
    seen = json.dumps([message.blocks, message.attachments], ensure_ascii=False)
    assert [seen.count(fact) for fact in ("shop 1.4.2", "production", "alice", "timed out", "boom")] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("state", TROUBLE, ids=lambda state: state.value)
def test_a_first_message_of_trouble_carries_mentions_that_notify(state: State) -> None:
    message = messages.message(an_event(state), ("<!subteam^S012>", "@U0456"))
    assert "<!subteam^S012> <@U0456>" in message.text
    called = {"type": "mrkdwn", "text": "<!subteam^S012> <@U0456>", "verbatim": True}
    assert {"type": "section", "text": called} in message.blocks


@pytest.mark.parametrize("state", [State.PENDING, State.STARTED, State.COMPLETED], ids=lambda state: state.value)
def test_good_news_calls_nobody(state: State) -> None:
    assert not MENTION.findall(shown(messages.message(an_event(state), ("@U0456",))))


def test_an_update_calls_nobody_since_an_edit_notifies_nobody() -> None:
    assert not MENTION.findall(shown(messages.update(an_event(State.FAILED))))


def test_a_reply_has_the_mentions_and_the_error() -> None:
    error = "\n".join(f"line {number}" for number in range(20))
    reply = messages.reply(an_event(State.FAILED, metadata={"error": error, "duration_seconds": 5}), ("@S012",))
    assert reply.blocks[0]["text"]["text"] == "❌ *Deployment failed* after 5 s <!subteam^S012>"
    assert "line 0\\nline 1" in shown(reply)
    assert reply.text == "❌ Deployment failed: shop 1.4.2 → production <!subteam^S012>"
    check_message(reply.arguments())


def test_a_reply_without_details_has_no_empty_attachment() -> None:
    reply = messages.reply(an_event(State.ABORTED, run_url=None))
    assert reply.attachments == ()
    check_message(reply.arguments())


def test_the_error_of_an_update_is_short_since_the_reply_has_it_whole() -> None:
    error = "\n".join(f"line {number}" for number in range(300))
    assert len(shown(messages.update(an_event(State.FAILED, metadata={"error": error})))) < 2_000
    assert "line 299" in shown(messages.update(an_event(State.FAILED, metadata={"error": error})))


@pytest.mark.parametrize("state", [State.PENDING, State.STARTED, State.COMPLETED], ids=lambda state: state.value)
def test_an_error_left_over_from_before_is_not_shown_with_good_news(state: State) -> None:
    assert "boom" not in shown(messages.message(an_event(state, metadata={"error": "boom"})))


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("user", "cancelled by a person"),
        ("timeout", "timed out"),
        ("superseded", "superseded by a newer run"),
        ("signal", "stopped by a signal"),
        ("rejected", "rejected by the tracker's rules"),
        ("own <word>", "own &lt;word&gt;"),
    ],
)
def test_why_it_was_aborted_is_said(word: str, words: str) -> None:
    message = messages.message(an_event(State.ABORTED, metadata={"reason": word}))
    assert f"({words})" in message.text
    reason = {"type": "plain_text", "text": f"Reason: {words}", "emoji": False}
    assert reason in [block.get("text") for block in details(message)]


def test_a_rejection_looks_like_an_abort() -> None:
    message = messages.message(an_event(State.ABORTED, metadata={"reason": "rejected", "error": "freeze until Monday"}))
    assert message.attachments[0]["color"] == LOOKS[Kind.DEPLOYMENT, State.ABORTED].colour
    assert "freeze until Monday" in shown(message)


def test_an_exit_code_is_shown_once_and_its_reason_not_at_all() -> None:
    message = messages.message(an_event(State.FAILED, metadata={"reason": "exit_code", "error_code": "137"}))
    assert shown(message).count("137") == 1
    assert "exit_code" not in shown(message)


def test_an_unstable_build_is_marked() -> None:
    assert "unstable" in shown(messages.message(an_event(State.COMPLETED, Kind.BUILD, metadata={"unstable": True})))


def test_an_event_of_which_little_is_known_makes_a_valid_message() -> None:
    bare = Event(kind=Kind.BUILD, state=State.FAILED, product="shop", version="1", occurred_at="2026-11-23", key="k")
    for message in (messages.message(bare), messages.update(bare), messages.reply(bare), messages.plain(bare)):
        check_message(message.arguments())


@pytest.mark.parametrize(
    ("scm_url", "source", "branch", "commit"),
    [
        ("https://github.com/a/b", "jenkins", "/tree/x", "/commit/abc"),
        ("https://github.corp.example/a/b.git", "jenkins", "/tree/x", "/commit/abc"),
        ("https://code.corp.example/a/b", "github", "/tree/x", "/commit/abc"),
        ("https://gitlab.com/g/s/b/", "gitlab", "/-/tree/x", "/-/commit/abc"),
        ("https://code.corp.example/g/b", "gitlab", "/-/tree/x", "/-/commit/abc"),
        ("https://bitbucket.org/a/b", "bitbucket", "/branch/x", "/commits/abc"),
    ],
    ids=["github", "enterprise", "own-github", "gitlab", "own-gitlab", "bitbucket"],
)
def test_branch_and_commit_are_linked(scm_url: str, source: str, branch: str, commit: str) -> None:
    text = shown(messages.message(an_event(scm_url=scm_url, source_system=source, scm_branch="x", scm_sha="abc")))
    base = scm_url.rstrip("/").removesuffix(".git")
    assert f"<{base}{branch}|`x`>" in text
    assert f"<{base}{commit}|`abc`>" in text


@pytest.mark.parametrize(
    "scm_url",
    [
        None,
        "https://git.corp.example/a/b",
        "https://user:pw@github.com/a/b",
        "ssh://git@github.com/a/b",
        "https://notgithub.com/a/b",
    ],
)
def test_an_unknown_server_gets_no_link(scm_url: str | None) -> None:
    text = shown(messages.message(an_event(scm_url=scm_url, source_system="jenkins", run_url=None)))
    assert "on `main` at `3f2a1bc`" in text
    assert "://" not in text


@pytest.mark.parametrize(
    "branch", ["<!channel>", "*bold*", "`code`", "```", "a b", "x|y", "#1", "%0A", "é/ü", "a>b", "../../x"]
)
def test_a_hostile_branch_neither_pings_nor_breaks_its_link(branch: str) -> None:
    message = messages.message(an_event(scm_branch=branch))
    check_message(message.arguments())
    assert not MENTION.findall(shown(message))
    [element] = [e for e in details(message)[0]["elements"] if e["type"] == "mrkdwn"]
    found = re.fullmatch(r"on <https://github\.com/acme/shop/tree/([^|<>\s]+)\|`([^`]+)`> at <[^>]+>", element["text"])
    assert found, element


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://u:p@h/", "", None, "https://h/" + "x" * 4_000])
def test_an_unusable_run_url_makes_no_button(url: str | None) -> None:
    message = messages.message(an_event(run_url=url))
    assert all(block["type"] != "actions" for block in details(message))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "product",
                "version",
                "environment",
                "actor",
                "scm_branch",
                "scm_sha",
                "scm_url",
                "run_url",
                "build_number",
                "actor_name",
                "source_system",
            ]
        ),
        HOSTILE,
    ),
    HOSTILE,
    HOSTILE,
    st.sampled_from(list(State)),
)
def test_whatever_the_texts_are_slack_takes_the_message_and_nobody_is_pinged(
    fields: dict[str, Any],
    error: str,
    reason: str,
    state: State,
) -> None:
    event = an_event(state, metadata={"error": error, "reason": reason, "error_code": reason}, **fields)
    for message in (messages.message(event), messages.update(event), messages.reply(event), messages.plain(event)):
        check_message(message.arguments())
        assert not MENTION.findall(shown(message))


def test_the_longest_texts_stay_within_every_limit() -> None:
    names = ("product", "version", "environment", "actor", "scm_branch", "build_number")
    long: dict[str, Any] = dict.fromkeys(names, "<" * 100_000)
    metadata = {"error": "&\n" * 50_000, "error_code": "9" * 999, "reason": "é" * 9_999}
    event = an_event(State.FAILED, metadata=metadata, **long)
    for message in (messages.message(event, ("@U0456",)), messages.reply(event, ("@U0456",)), messages.plain(event)):
        check_message(message.arguments())
        assert len(shown(message)) < 16_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than 1 s"),
        (0.4, "less than 1 s"),
        (1, "1 s"),
        (59.6, "1 m"),
        (72.4, "1 m 12 s"),
        (3_600, "1 h"),
        (7_500, "2 h 5 m"),
        (100_000, "1 d 3 h"),
        (10**9, "11574 d 1 h"),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**399, None),
        (1e12, None),
        (True, None),
        ("72", None),
        (None, None),
    ],
)
def test_durations_as_people_say_them(seconds: object, text: str | None) -> None:
    assert messages.human(seconds) == text


def test_secrets_are_masked_in_everything_that_is_shown() -> None:
    canary = "canary-secret-0001"
    names = ("product", "version", "environment", "actor", "scm_branch", "build_number")
    fields: dict[str, Any] = dict.fromkeys(names, f"x-{canary}")
    event = an_event(
        State.FAILED,
        **fields,
        run_url=f"https://h/{canary}",
        scm_url=f"https://github.com/{canary}/x",
        metadata={"error": canary, "reason": canary, "error_code": canary},
    )
    masked = messages.masked(event, Redactor([canary]))
    for message in (messages.message(masked), messages.update(masked), messages.reply(masked), messages.plain(masked)):
        assert canary not in shown(message)


def test_the_plain_text_has_mentions_error_and_the_way_to_the_run() -> None:
    message = messages.plain(an_event(State.FAILED, metadata={"error": "boom\nbang"}), ("@S012",))
    assert message.text.split("\n") == [
        "❌ Deployment failed: shop 1.4.2 → production <!subteam^S012>",
        "boom\\nbang",
        "<https://github.com/acme/shop/actions/runs/1?a=1&amp;b=2|Open the run>",
    ]
    assert message.arguments() == {"text": message.text, "blocks": [], "attachments": []}


@pytest.mark.parametrize("state", [State.PENDING, State.STARTED], ids=lambda state: state.value)
def test_what_has_not_ended_has_neither_duration_nor_reason(state: State) -> None:
    text = shown(messages.message(an_event(state, metadata={"duration_seconds": 72, "reason": "user"})))
    assert "1 m 12 s" not in text
    assert "cancelled by a person" not in text
