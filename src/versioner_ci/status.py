"""The one table of status words: what people, the API and CI hosts call a state."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from versioner_ci.errors import UsageError


class Kind(str, Enum):
    """What is reported: a build or a deployment."""

    BUILD = "build"
    DEPLOYMENT = "deployment"


class State(str, Enum):
    """The canonical word that is sent as `status`."""

    PENDING = "pending"
    STARTED = "started"
    COMPLETED = "completed"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def is_ending(self) -> bool:
        return self not in {State.PENDING, State.STARTED}

    @property
    def rank(self) -> int:
        """0 pending, 1 started, 2 any ending: a lifecycle never moves down."""
        return {State.PENDING: 0, State.STARTED: 1}.get(self, 2)


class Look(NamedTuple):
    """How an event type is shown: icon, Slack wording and colour (hex)."""

    icon: str
    wording: str
    colour: str


LOOKS: dict[tuple[Kind, State], Look] = {
    (Kind.DEPLOYMENT, State.PENDING): Look("⏳", "Deployment queued", "#9aa0a6"),
    (Kind.DEPLOYMENT, State.STARTED): Look("🚀", "Deployment in progress", "#1d72d2"),
    (Kind.DEPLOYMENT, State.COMPLETED): Look("✅", "Deployment succeeded", "#2e8540"),
    (Kind.DEPLOYMENT, State.FAILED): Look("❌", "Deployment failed", "#c9252d"),
    (Kind.DEPLOYMENT, State.ABORTED): Look("🛑", "Deployment aborted", "#6b4e9b"),
    (Kind.BUILD, State.PENDING): Look("⏳", "Build queued", "#9aa0a6"),
    (Kind.BUILD, State.STARTED): Look("🔨", "Build started", "#1d72d2"),
    (Kind.BUILD, State.COMPLETED): Look("✅", "Build succeeded", "#2e8540"),
    (Kind.BUILD, State.FAILED): Look("❌", "Build failed", "#c9252d"),
    (Kind.BUILD, State.ABORTED): Look("🛑", "Build aborted", "#6b4e9b"),
}


class Word(NamedTuple):
    """One row: `kind` None means both; `host` marks a CI host's own word."""

    word: str
    state: State
    kind: Kind | None = None
    host: bool = False


def _rows(state: State, words: str, kind: Kind | None = None, *, host: bool = False) -> tuple[Word, ...]:
    return tuple(Word(word, state, kind, host) for word in words.split())


WORDS: tuple[Word, ...] = (
    *_rows(State.PENDING, "pending queued scheduled"),
    *_rows(State.PENDING, "waiting created requested preparing waiting_for_resource manual on_hold", host=True),
    *_rows(State.STARTED, "started in_progress init"),
    *_rows(State.STARTED, "deploying", Kind.DEPLOYMENT),
    *_rows(State.STARTED, "building", Kind.BUILD),
    *_rows(State.STARTED, "running inprogress", host=True),
    *_rows(State.COMPLETED, "success completed complete finished"),
    *_rows(State.COMPLETED, "deployed", Kind.DEPLOYMENT),
    *_rows(State.COMPLETED, "built", Kind.BUILD),
    *_rows(
        State.COMPLETED,
        "succeeded successful passed neutral succeeded_with_issues unstable",
        host=True,
    ),
    *_rows(State.FAILED, "failed fail failure error"),
    *_rows(
        State.FAILED,
        "timed_out timedout startup_failure infrastructure_fail action_required broken",
        host=True,
    ),
    *_rows(State.ABORTED, "aborted abort cancelled cancel skipped"),
    *_rows(State.ABORTED, "canceled canceling not_built stale stopped interrupted killed", host=True),
)
_BY_WORD = {row.word: row for row in WORDS}
UNSTABLE = "unstable"


def canonical(word: str) -> str:
    """The spelling used in the table: case and `-`, `_`, space do not matter."""
    return re.sub(r"[-_\s]+", "_", word.strip()).lower()


def normalise(kind: Kind, word: str) -> State:
    """The state that a word means for a kind.

    Raises UsageError, naming the nearest legal words, for an unknown word or one of the other kind.
    """
    row = _BY_WORD.get(canonical(word))
    if row is not None and row.kind in {None, kind}:
        return row.state
    if row is not None:
        raise UsageError(
            f"'{word}' is a word for a {row.kind.value if row.kind else ''}, not for a {kind.value}",
            fix=f"use '{row.state.value}'",
        )
    raise UsageError(f"unknown status '{word[:60]}'", fix=f"did you mean {_nearest(kind, word)}?")


def _nearest(kind: Kind, word: str) -> str:
    return " or ".join(near(kind, word) or [state.value for state in State])


def near(kind: Kind, word: str) -> list[str]:
    """The legal words, three at most, that an unknown one may stand for."""
    import difflib  # noqa: PLC0415 - only on the way to an error

    legal = [row.word for row in WORDS if row.kind in {None, kind}]
    return difflib.get_close_matches(canonical(word)[:60], legal, n=3, cutoff=0.5)


def reason_of(word: str) -> str | None:
    """Why an ending happened, where the host's word itself says so (`extra_metadata.reason`)."""
    return {
        "timed_out": "timeout",
        "timedout": "timeout",
        "skipped": "skipped",
        "not_built": "superseded",
        "stale": "superseded",
    }.get(canonical(word))
