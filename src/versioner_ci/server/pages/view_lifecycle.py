"""One build or deployment: its events in time, its facts, what went to Slack, and its neighbours."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from versioner_ci.server import records
from versioner_ci.server.pages.looks import Look, Stamp, look_of, moment
from versioner_ci.server.pages.view_history import Line, line, took
from versioner_ci.server.read import Reader, Slice
from versioner_ci.sinks.slack_text import web_url
from versioner_ci.status import State
from versioner_ci.terminal import span

_NEIGHBOURS = 8
_BEGUN = Look("started", "Started", "started")
"""In the past it is not in progress any more."""
_LATE = 5.0
"""Seconds on the way from which a delay is worth a word."""


class Step(NamedTuple):
    """One event; `mark` says why it moved nothing."""

    look: Look
    mark: str
    when: Stamp
    after: str
    delay: str


class Fact(NamedTuple):
    """A name and what it is: a text, a link or a time."""

    name: str
    text: str
    url: str | None = None
    when: Stamp | None = None
    is_code: bool = False


class Post(NamedTuple):
    """Where a Slack message stands."""

    channel: str
    wording: str
    tone: str
    when: Stamp | None
    error: str


class Life(NamedTuple):
    """All of the page."""

    id: str
    title: str
    kind: str
    product: str
    version: str
    environment: str | None
    actor: str | None
    look: Look
    took: str
    took_word: str
    url: str | None
    hint: str
    can_close: bool
    error: str | None
    error_code: str | None
    events: tuple[Step, ...]
    facts: tuple[Fact, ...]
    posts: tuple[Post, ...]
    others: tuple[Line, ...]
    others_title: str
    say: str


def life(reader: Reader, row: records.LifecycleRow, now: float, *, is_admin: bool) -> Life:
    """The page of one lifecycle."""
    look = look_of(row.kind, row.shown)
    told = f"{row.product} {row.version}{f' to {row.environment}' if row.environment else ''}"
    others, title = _neighbours(reader, row)
    return Life(
        id=row.id,
        title=told,
        kind=row.kind,
        product=row.product,
        version=row.version,
        environment=row.environment,
        actor=row.actor,
        look=look,
        took=took(row),
        took_word="in" if row.state == "completed" else "after",
        url=web_url(row.url),
        hint=_hint(row),
        can_close=is_admin and row.is_open,
        error=row.error if row.state in {"failed", "aborted"} else None,
        error_code=row.error_code,
        events=_steps(reader.timeline(row), now),
        facts=tuple(_facts(row, now)),
        posts=_posts(reader.notifications_of(row.id), now),
        others=tuple(line(each, now) for each in others),
        others_title=title,
        say=f"{told}: {look.wording}",
    )


def _hint(row: records.LifecycleRow) -> str:
    if row.shown == records.NO_ENDING:
        return "It started, and no ending was heard. Its machine may be gone; a real ending still counts."
    if row.shown == records.SUPERSEDED:
        return "It was queued, and a later one went before it."
    if row.shown == records.CLOSED:
        return f"Closed by {row.closed_name}: no ending was heard."
    return ""


def _steps(events: tuple[records.EventRow, ...], now: float) -> tuple[Step, ...]:
    steps: list[Step] = []
    before: int | None = None
    for event in events:
        gap = (event.occurred_at - before) / 1e6 if before is not None else None
        way = (event.received_at - event.occurred_at) / 1e6
        mark = "late, moved nothing" if event.is_late else "told again" if event.is_repeat else ""
        steps.append(
            Step(
                look=_BEGUN if event.state == State.STARTED.value else look_of(event.kind, event.state),
                mark=mark,
                when=moment(event.occurred_at, now),
                after=f"after {span(gap)}" if gap is not None else "",
                delay=span(way) if way >= _LATE else "",
            )
        )
        before = event.occurred_at
    return tuple(steps)


def _facts(row: records.LifecycleRow, now: float) -> list[Fact]:
    facts = [Fact("Product", row.product, f"/history?product={quote(row.product, safe='')}")]
    texts = (
        ("Version", row.version, None, True),
        ("Environment", row.environment, None, False),
        ("Commit", row.sha, None, True),
        ("Branch", row.branch, None, True),
        ("Repository", row.repository, None, False),
        ("Reason", row.reason, None, False),
        ("Reported by", row.source_system, None, False),
        ("Run", row.build_number or row.invoke_id, web_url(row.url), False),
    )
    facts += [Fact(name, text, url, is_code=is_code) for name, text, url, is_code in texts if text]
    times = (("Queued", row.pending_at), ("Started", row.started_at), ("Ended", row.ended_at))
    return [*facts, *(Fact(name, "", when=moment(at, now)) for name, at in times if at is not None)]


_POSTED = {"sent": ("sent", "completed"), "failed": ("given up", "failed"), "sending": ("on its way", "started")}


def _posts(rows: tuple[records.NotificationRow, ...], now: float) -> tuple[Post, ...]:
    """The last step for each channel."""
    posts = []
    for row in {row.channel: row for row in rows}.values():
        wording, tone = _POSTED.get(row.state, ("waiting", "started"))
        if row.state == "new" and row.attempts:
            wording, tone = f"tried {row.attempts}×, will be tried again", "stale"
        at = row.sent_at if row.state == "sent" else row.created_at
        when = moment(at, now) if at is not None else None
        posts.append(Post(row.channel, wording, tone, when, "" if row.state == "sent" else row.last_error or ""))
    return tuple(posts)


def _neighbours(reader: Reader, row: records.LifecycleRow) -> tuple[list[records.LifecycleRow], str]:
    """Of a deployment: the latest in its place. Of a build: the deployments of its version."""
    if row.environment is not None:
        filters = records.Filters(product=row.product, environment=row.environment)
        title = f"Latest in {row.environment}"
    else:
        filters = records.Filters(product=row.product, version=row.version)
        title = "Where this version went"
    found = reader.lifecycles("deployment", filters, Slice(None, _NEIGHBOURS + 1)).items
    return [other for other in found if other.id != row.id][:_NEIGHBOURS], title
