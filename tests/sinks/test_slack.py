from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.slack_events import DEPLOYS, a_bot, an_event, an_item
from versioner_ci.sinks._sink import Answer, Item, Receipt, Target
from versioner_ci.sinks.slack import Slack
from versioner_ci.status import State

TROUBLE = [State.FAILED, State.ABORTED]


def moved_on(item: Item, receipt: Receipt, state: State) -> Item:
    """The next event of the same lifecycle, as delivery makes it."""
    return replace(item, event=an_event(state), channels={**item.channels, **receipt.channels})


def begun(bot: Slack, *targets: Target) -> Item:
    item = an_item(State.STARTED, *targets)
    return moved_on(item, bot.send(item, timeout=5), State.COMPLETED)


# -- one message that moves on ----------------------------------------------------------------------------------------


def test_the_first_event_posts_and_tells_where_the_message_stands(slack: FakeSlack, bot: Slack) -> None:
    receipt = bot.send(an_item(), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert receipt == Receipt(
        answer=Answer.ACCEPTED, detail=DEPLOYS, channels={DEPLOYS: f"{slack.channel(DEPLOYS).id}={message.ts}"}
    )
    [call] = slack.calls
    assert call.args["unfurl_links"] is False
    assert call.args["unfurl_media"] is False
    assert not {"link_names", "parse"} & call.args.keys()


def test_later_events_move_the_message_on_in_place(slack: FakeSlack, bot: Slack) -> None:
    item = an_item(State.PENDING)
    receipt = bot.send(item, timeout=5)
    for state in (State.STARTED, State.COMPLETED):
        receipt = bot.send(item := moved_on(item, receipt, state), timeout=5)
        assert receipt == Receipt(answer=Answer.ACCEPTED, detail=DEPLOYS)
    [message] = slack.messages(DEPLOYS)
    assert message.edits == 2
    assert message.text == "✅ Deployment succeeded: shop 1.4.2 → production"
    assert message.colour == "#2e8540"
    assert message.replies == []
    assert slack.methods() == ["chat.postMessage", "chat.update", "chat.update"]


def test_an_update_names_the_channel_by_the_id_that_slack_gave(slack: FakeSlack, bot: Slack) -> None:
    bot.send(begun(bot), timeout=5)
    assert slack.calls[-1].args["channel"] == slack.channel(DEPLOYS).id


@pytest.mark.parametrize("state", TROUBLE, ids=lambda state: state.value)
def test_trouble_also_replies_in_thread_and_channel_with_mentions(slack: FakeSlack, bot: Slack, state: State) -> None:
    item = begun(bot, Target(channel=DEPLOYS, mentions=("<!subteam^S012>", "@U0456")))
    receipt = bot.send(replace(item, event=an_event(state, metadata={"error": "boom"})), timeout=5)
    [message] = slack.messages(DEPLOYS)
    [reply] = message.replies
    assert receipt.answer is Answer.ACCEPTED
    assert reply.is_broadcast
    assert reply.pings == ["<!subteam^S012>", "<@U0456>"]
    assert "boom" in reply.shown
    assert message.pings == []
    assert message.edits == 1


@pytest.mark.parametrize("state", TROUBLE, ids=lambda state: state.value)
def test_trouble_as_the_first_message_carries_the_mentions_itself(slack: FakeSlack, bot: Slack, state: State) -> None:
    bot.send(an_item(state, Target(channel=DEPLOYS, mentions=("<!subteam^S012>",))), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert message.pings == ["<!subteam^S012>"]
    assert message.replies == []


def test_a_rejection_turns_the_message_into_an_abort(slack: FakeSlack, bot: Slack) -> None:
    item = begun(bot)
    bot.send(replace(item, event=an_event(State.ABORTED, metadata={"reason": "rejected"})), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert "Deployment aborted" in message.text
    assert "rejected by the tracker's rules" in message.shown


def test_only_the_reply_is_sent_when_only_the_reply_is_due(slack: FakeSlack, bot: Slack) -> None:
    item = begun(bot)
    target = Target(channel=DEPLOYS, mentions=("<!subteam^S012>",), is_reply_due=True)
    receipt = bot.send(replace(item, event=an_event(State.FAILED), targets=(target,)), timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert slack.methods() == ["chat.postMessage", "chat.postMessage"]
    assert slack.messages(DEPLOYS)[0].replies[0].pings == ["<!subteam^S012>"]


def test_a_reply_that_is_due_to_a_message_nobody_knows_becomes_a_message(slack: FakeSlack, bot: Slack) -> None:
    target = Target(channel=DEPLOYS, mentions=("<!subteam^S012>",), is_reply_due=True)
    bot.send(an_item(State.FAILED, target), timeout=5)
    assert slack.messages(DEPLOYS)[0].pings == ["<!subteam^S012>"]


@pytest.mark.parametrize(
    "code",
    [
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "channel_not_found",
        "block_mismatch",
        "is_inactive",
    ],
)
def test_a_message_that_cannot_be_edited_is_posted_anew(slack: FakeSlack, bot: Slack, code: str) -> None:
    item = begun(bot)
    slack.fail(code, method="chat.update")
    receipt = bot.send(item, timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.channels[DEPLOYS].endswith(slack.messages(DEPLOYS)[1].ts)


def test_trouble_posted_anew_carries_the_mentions_and_needs_no_reply(slack: FakeSlack, bot: Slack) -> None:
    item = begun(bot, Target(channel=DEPLOYS, mentions=("<!subteam^S012>",)))
    slack.delete(DEPLOYS, slack.messages(DEPLOYS)[0].ts)
    bot.send(replace(item, event=an_event(State.FAILED)), timeout=5)
    [message] = slack.messages(DEPLOYS)
    assert message.pings == ["<!subteam^S012>"]
    assert message.replies == []


@pytest.mark.parametrize("place", ["", "nonsense", "C0123", "C0123=", "C0123=abc", "../x=1.2", "C0123=1.2\n"])
def test_a_place_that_is_none_means_a_new_message(slack: FakeSlack, bot: Slack, place: str) -> None:
    receipt = bot.send(an_item(State.COMPLETED, channels={DEPLOYS: place}), timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert slack.methods() == ["chat.postMessage"]


@pytest.mark.parametrize(
    "code", ["thread_not_found", "cannot_reply_to_message", "restricted_action_non_threadable_channel"]
)
def test_a_reply_that_cannot_go_into_the_thread_goes_into_the_channel(slack: FakeSlack, bot: Slack, code: str) -> None:
    item = begun(bot, Target(channel=DEPLOYS, mentions=("<!subteam^S012>",)))
    slack.fail(code, method="chat.postMessage")
    receipt = bot.send(replace(item, event=an_event(State.FAILED)), timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert receipt.channels == {}
    assert [message.pings for message in slack.messages(DEPLOYS)] == [[], ["<!subteam^S012>"]]


def test_unknown_mentions_are_left_out_and_said(slack: FakeSlack, bot: Slack) -> None:
    receipt = bot.send(an_item(State.FAILED, Target(channel=DEPLOYS, mentions=("@alice", "@U0456"))), timeout=5)
    assert slack.messages(DEPLOYS)[0].pings == ["<@U0456>"]
    assert receipt.warnings == ("mention '@alice' is left out: write <@U…> or <!subteam^S…>",)


# -- several channels -------------------------------------------------------------------------------------------------


def two(slack: FakeSlack) -> tuple[Target, Target]:
    slack.add_channel("#ops")
    return Target(channel=DEPLOYS), Target(channel="#ops", mentions=("<!subteam^S012>",))


def test_all_targets_are_served_in_order(slack: FakeSlack, bot: Slack) -> None:
    receipt = bot.send(an_item(State.FAILED, *two(slack)), timeout=5)
    assert receipt.answer is Answer.ACCEPTED
    assert list(receipt.channels) == [DEPLOYS, "#ops"]
    assert [slack.messages(name)[0].pings for name in (DEPLOYS, "#ops")] == [[], ["<!subteam^S012>"]]


def test_a_channel_that_fails_for_a_while_is_what_is_left_to_do(slack: FakeSlack, bot: Slack) -> None:
    targets = two(slack)
    slack.rate_limit(7, channel=DEPLOYS)
    item = an_item(State.STARTED, *targets)
    receipt = bot.send(item, timeout=5)
    assert (receipt.answer, receipt.retry_after, receipt.targets) == (Answer.TEMPORARY, 7.0, targets[:1])
    assert list(receipt.channels) == ["#ops"]
    bot.send(replace(item, targets=receipt.targets, channels=receipt.channels), timeout=5)
    assert [len(slack.messages(name)) for name in (DEPLOYS, "#ops")] == [1, 1]


def test_a_refused_channel_is_named_and_not_tried_again(slack: FakeSlack, bot: Slack) -> None:
    slack.add_channel("#old", is_archived=True)
    receipt = bot.send(an_item(State.STARTED, Target(channel="#old"), Target(channel=DEPLOYS)), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.REFUSED, ())
    assert receipt.detail == "posted in #deploys; #old: is_archived"
    assert receipt.fix == "unarchive #old in Slack, or name another channel"
    assert list(receipt.channels) == [DEPLOYS]


def test_a_refusal_beside_a_temporary_failure_is_a_warning(slack: FakeSlack, bot: Slack) -> None:
    slack.add_channel("#old", is_archived=True)
    slack.rate_limit(3, channel=DEPLOYS)
    receipt = bot.send(an_item(State.STARTED, Target(channel="#old"), Target(channel=DEPLOYS)), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.TEMPORARY, (Target(channel=DEPLOYS),))
    assert receipt.warnings == ("not posted, #old: is_archived (unarchive #old in Slack, or name another channel)",)


def test_a_wrong_token_stops_at_the_first_channel(slack: FakeSlack, bot: Slack) -> None:
    targets = two(slack)
    slack.token = "xoxb-other"
    receipt = bot.send(an_item(State.STARTED, *targets), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.MISCONFIGURED, targets)
    assert len(slack.calls) == 1


def test_a_failed_reply_leaves_only_the_reply_to_do(slack: FakeSlack, bot: Slack) -> None:
    item = begun(bot)
    slack.rate_limit(2, method="chat.postMessage")
    receipt = bot.send(replace(item, event=an_event(State.FAILED)), timeout=5)
    assert (receipt.answer, receipt.targets) == (Answer.TEMPORARY, (Target(channel=DEPLOYS, is_reply_due=True),))
    assert slack.messages(DEPLOYS)[0].text.startswith("❌")


def test_no_target_is_nothing_to_do(slack: FakeSlack, bot: Slack) -> None:
    assert bot.send(Item(event=an_event()), timeout=5) == Receipt(answer=Answer.ACCEPTED)
    assert slack.calls == []


# -- dry run and doctor -----------------------------------------------------------------------------------------------


def test_preview_shows_the_requests_of_send_and_sends_nothing(slack: FakeSlack, bot: Slack) -> None:
    item = begun(bot, Target(channel=DEPLOYS, mentions=("<!subteam^S012>",)))
    item = replace(item, event=an_event(State.FAILED, metadata={"error": "boom"}))
    before = len(slack.calls)
    requests = bot.preview(item)
    assert len(slack.calls) == before
    bot.send(item, timeout=5)
    sent = slack.calls[before:]
    assert [request["url"].rpartition("/")[2] for request in requests] == [call.method for call in sent]
    assert [request["body"] for request in requests] == [call.args for call in sent]
    assert {request["method"] for request in requests} == {"POST"}


def test_check_tells_team_bot_and_scopes(slack: FakeSlack, bot: Slack) -> None:
    check = bot.check()
    assert check.is_ok
    assert (check.team, check.bot, check.scopes) == ("Fake Team", "versioner", ("chat:write", "chat:write.public"))


def test_check_of_a_wrong_token_tells_the_fix(slack: FakeSlack, bot: Slack) -> None:
    slack.token = "xoxb-other"
    check = bot.check()
    assert not check.is_ok
    assert check.judgement.detail == "token …0001 from SLACK_BOT_TOKEN: invalid_auth"
    assert "Bot User OAuth Token" in str(check.judgement.fix)


def test_check_masks_what_slack_says(slack: FakeSlack) -> None:
    bot = a_bot(slack, "canary-0001")
    slack.fail("canary-0001", method="auth.test")
    assert "canary" not in repr(bot.check())
    slack.bot = "canary-0001"
    assert "canary" not in repr(bot.check())


def test_a_test_message_is_posted_or_says_what_to_do(slack: FakeSlack, bot: Slack) -> None:
    assert bot.send_test(DEPLOYS).answer is Answer.ACCEPTED
    assert "test message of versioner-ci" in slack.messages(DEPLOYS)[0].text
    receipt = bot.send_test("#nowhere")
    assert (receipt.answer, receipt.detail) == (Answer.REFUSED, "#nowhere: channel_not_found")
