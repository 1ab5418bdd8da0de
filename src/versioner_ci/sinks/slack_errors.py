"""Slack's error codes: what each means for a delivery, and its exact fix.

The codes are those of https://docs.slack.dev/reference/methods/chat.postMessage, …/chat.update and
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

from versioner_ci.records import dataclass
from versioner_ci.sinks._sink import Answer


@dataclass(frozen=True, slots=True)
class Meaning:
    """`fix` may name {channel} and {needed}; `retry_once`: it may have had an effect."""

    answer: Answer
    fix: str | None = None
    retry_once: bool = False


_INSTALL = (
    "install the Slack app into the workspace again (OAuth & Permissions) and set {setting} to its Bot User "
    "OAuth Token, xoxb-…"
)
_INVITE = "invite the app to {channel}: type `/invite @versioner-ci` there; or, if it is public, add chat:write.public"
_CHANNEL = (
    "check the channel's id (C…, at the bottom of its details in Slack); if {channel} is private, invite the "
    "app to it: type `/invite @versioner-ci` there"
)
_ARCHIVED = "unarchive {channel} in Slack, or name another channel"
_ADMINS = "ask the workspace's admins to let the app post to {channel}, or name another channel"
_OURS = "this is a fault of versioner-ci: please report it"
_HOOK = "make a new webhook (Incoming Webhooks in the Slack app's settings) and set {setting} to it"

_REFUSED: dict[str, str] = {
    "channel_not_found": _CHANNEL,
    "not_in_channel": _INVITE,
    "no_permission": _INVITE,
    "is_archived": _ARCHIVED,
    "is_inactive": _ARCHIVED,
    "restricted_action": _ADMINS,
    "restricted_action_read_only_channel": _ADMINS,
    "restricted_action_thread_only_channel": _ADMINS,
    "restricted_action_non_threadable_channel": _ADMINS,
    "restricted_action_thread_locked": _ADMINS,
    "posting_to_general_channel_denied": _ADMINS,
    "ekm_access_denied": _ADMINS,
    "external_channel_migrating": "try again once Slack has moved {channel}",
    "team_not_found": "check that {channel} belongs to the workspace of {setting}",
    "user_not_found": _CHANNEL,
    "cannot_dm_bot": "name a channel, not a bot",
    "messages_tab_disabled": "allow messages in the Slack app's settings (App Home), or name a channel",
    "invalid_arguments": _OURS,
    "invalid_json": _OURS,
    "json_not_object": _OURS,
    "invalid_post_type": _OURS,
    "invalid_charset": _OURS,
    "invalid_arg_name": _OURS,
}

_MISCONFIGURED: dict[str, str] = {
    "invalid_auth": _INSTALL,
    "not_authed": _INSTALL,
    "token_revoked": _INSTALL,
    "token_expired": _INSTALL,
    "account_inactive": _INSTALL,
    "not_allowed_token_type": _INSTALL,
    "missing_scope": "add the bot scope {needed} to the Slack app (OAuth & Permissions), install it again and, if the "
    "token has changed, set {setting} to the new one",
    "org_login_required": "wait until Slack has moved the workspace to its Enterprise organisation",
    "team_added_to_org": "wait until Slack has moved the workspace to its Enterprise organisation",
    "team_access_not_granted": "let the Enterprise organisation's admins grant the app access to this workspace",
    "enterprise_is_restricted": "use a token of a workspace, not of the Enterprise organisation",
    "access_denied": "ask the workspace's admins to approve the Slack app",
    "accesslimited": "allow this network's addresses in the Slack app's settings (OAuth & Permissions)",
    "two_factor_setup_required": "set up two-factor authentication for the token's account",
    "unknown_method": "set SLACK_API_URL to https://slack.com/api/ or leave it unset",
    "method_deprecated": "install a newer versioner-ci",
    "deprecated_endpoint": "install a newer versioner-ci",
}

_UNKNOWN = (
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "update_failed",
    "rollup_error",
    "server_error",
)
_LIMITED = ("ratelimited", "rate_limited", "message_limit_exceeded")

_HOOK_REFUSED: dict[str, str] = {
    "invalid_payload": _OURS,
    "invalid_token": _HOOK,
    "no_service": _HOOK,
    "no_service_id": _HOOK,
    "no_team": _HOOK,
    "no_active_hooks": "switch the app's incoming webhooks on in its settings, or set {setting} to a new webhook",
    "team_disabled": "the webhook's workspace is disabled: set {setting} to a webhook of another one",
    "action_prohibited": "ask the workspace's admins to let the webhook post",
    "channel_not_found": _HOOK,
    "user_not_found": _HOOK,
    "channel_is_archived": "unarchive the webhook's channel in Slack, or set {setting} to a webhook of another channel",
    "posting_to_general_channel_denied": "set {setting} to a webhook of another channel: only admins post to this one",
}

_BOT: dict[str, Meaning] = {
    **{code: Meaning(Answer.REFUSED, fix) for code, fix in _REFUSED.items()},
    **{code: Meaning(Answer.MISCONFIGURED, fix) for code, fix in _MISCONFIGURED.items()},
    **{code: Meaning(Answer.UNKNOWN, None, retry_once=True) for code in _UNKNOWN},
    **{code: Meaning(Answer.TEMPORARY) for code in _LIMITED},
}
_WEBHOOK: dict[str, Meaning] = {
    **{code: Meaning(Answer.UNKNOWN, None, retry_once=True) for code in _UNKNOWN},
    **{code: Meaning(Answer.TEMPORARY) for code in _LIMITED},
    **{code: Meaning(Answer.REFUSED, fix) for code, fix in _HOOK_REFUSED.items()},
}

TOO_MUCH = frozenset(
    {
        "msg_too_long",
        "msg_blocks_too_long",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "no_text",
        "too_many_attachments",
        "missing_text_or_fallback_or_attachments",
    }
)
"""The message is at fault: a short plain text is tried once."""

GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "channel_not_found",
        "is_inactive",
        "is_archived",
        "not_in_channel",
        "block_mismatch",
        "streaming_state_conflict",
        "external_channel_migrating",
        "team_not_found",
    }
)
"""The message cannot be edited (any more): it is posted anew."""

UNTHREADABLE = frozenset(
    {
        "thread_not_found",
        "invalid_thread_ts",
        "message_not_found",
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
    }
)
"""The reply cannot go into the thread: it goes into the channel."""


def bot_meaning(code: str) -> Meaning:
    """What an answer `ok: false` of the Web API means; an unknown code is final."""
    return _BOT.get(code, Meaning(Answer.REFUSED))


def webhook_meaning(code: str) -> Meaning | None:
    """What the text of a webhook's error means; None if it is none of Slack's words."""
    return _WEBHOOK.get(code, Meaning(Answer.REFUSED) if code in TOO_MUCH else None)


def fix_of(meaning: Meaning, *, channel: str = "", needed: str = "", setting: str = "") -> str | None:
    """The fix with its blanks filled in."""
    if meaning.fix is None:
        return None
    return meaning.fix.format(channel=channel, needed=needed or "chat:write", setting=setting)
