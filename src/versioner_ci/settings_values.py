"""The types that settings have besides text, numbers and switches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from versioner_ci.errors import UsageError

MENTION = r"<!subteam\^S[A-Z0-9]+>|<@[UW][A-Z0-9]+>|@[UWS][A-Z0-9]+"
"""Who may be mentioned: a user's or a group's id. No name, and nothing that pings a whole channel."""
_MENTION = re.compile(MENTION)


class SettingError(UsageError):
    """A setting was typed wrong; `setting` is its name in the table."""

    def __init__(self, setting: str, message: str, *, fix: str | None = None) -> None:
        super().__init__(message, fix=fix)
        self.setting = setting


class Gate(Enum):
    """May the tracker's rules keep a deployment from starting? Ordered from weak to strong."""

    OFF = "off"
    ON = "on"
    REQUIRED = "required"

    @property
    def strength(self) -> int:
        """0 to 2: a repository's file may only raise it."""
        return list(Gate).index(self)


class Identity(Enum):
    """How much of the person who started the run is sent."""

    LOGIN = "login"
    FULL = "full"
    NONE = "none"


class Route(NamedTuple):
    """One entry of `notifications`: which events go to which Slack channel. An empty filter lets everything pass."""

    event_type: str
    """deployment.failed, deployment.*, *.failed or *."""
    channel_id: str | None = None
    """None: the given channel."""
    environments: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    """As Slack writes them: <@U0456> or <!subteam^S012>."""

    def renamed(self, environments: Mapping[str, str]) -> Route:
        """With the pipeline's words for environments turned into the tracker's names."""
        return self._replace(environments=unique(environments.get(name, name) for name in self.environments))


NOWHERE = Route(event_type="")
"""Stands for `notifications` of which nothing can be used. It fits no event, so that nothing is posted by mistake."""


def mention(word: str) -> str | None:
    """A mention as Slack writes it, `<@U…>` or `<!subteam^S…>`; None for what is none."""
    if not _MENTION.fullmatch(word):
        return None
    if word.startswith("@"):
        return f"<!subteam^{word[1:]}>" if word[1] == "S" else f"<@{word[1:]}>"
    return word


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order."""
    return tuple(dict.fromkeys(values))


def nearest(word: str, legal: Iterable[str]) -> str | None:
    """The legal word that a wrong one most likely stands for."""
    import difflib  # noqa: PLC0415 - only on the way to an error

    by_fold = {choice.lower().replace("-", "_"): choice for choice in legal}
    found = difflib.get_close_matches(word.lower().replace("-", "_")[:60], by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None
