"""The tables of what goes to Slack: who wants what, what is still to be sent, and where messages stand."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from versioner_ci.server.tables import COUNTER, ID, NAME, STAMP, Base


class Preference(Base):
    """Which events go to which Slack channel."""

    __tablename__ = "preference"
    __table_args__ = (Index(None, "created_at", "id"),)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    event_type: Mapped[str] = mapped_column(String(40))
    """deployment.failed, deployment.*, *.failed or *"""
    channel_id: Mapped[str] = mapped_column(String(100))
    product_name: Mapped[str | None] = mapped_column(NAME)
    environment_name: Mapped[str | None] = mapped_column(NAME)
    mention: Mapped[list[str]] = mapped_column(JSON)
    """As Slack writes them: <@U0456> or <!subteam^S012>."""
    created_at: Mapped[int] = mapped_column(STAMP)


class Outbox(Base):
    """One step of one Slack message; written with its event, sent by a worker."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_chain", "chain_id", "channel", "seq"),
        Index("ix_outbox_seen", "state", "seq"),
        Index(
            "ix_outbox_unsent",
            "channel",
            "seq",
            sqlite_where=text("state in ('new', 'sending')"),
            postgresql_where=text("state in ('new', 'sending')"),
        ),
        {"sqlite_autoincrement": True},
    )
    seq: Mapped[int] = mapped_column(COUNTER, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    what: Mapped[str] = mapped_column(String(10))
    """event: a lifecycle's new state; quiet: the same, for a channel that only follows; stale: no ending heard"""
    chain_id: Mapped[str] = mapped_column(ID)
    lifecycle_id: Mapped[str] = mapped_column(ForeignKey("lifecycle.id"), index=True)
    event_id: Mapped[str | None] = mapped_column(ID, index=True)
    channel: Mapped[str] = mapped_column(String(100))
    mention: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    """new, sending, sent or failed"""
    is_reply_due: Mapped[bool] = mapped_column()
    """The message itself stands already: only the reply in its thread is missing."""
    owner: Mapped[str | None] = mapped_column(String(100))
    not_before: Mapped[int] = mapped_column(STAMP)
    """When the next try is due; while it is being sent: when its lease ends."""
    attempts: Mapped[int] = mapped_column(Integer)
    ts: Mapped[str | None] = mapped_column(String(40))
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(STAMP)
    sent_at: Mapped[int | None] = mapped_column(STAMP)


class SlackMessage(Base):
    """Where the message of a lifecycle (and of the pending that it adopted) stands."""

    __tablename__ = "slack_message"
    chain_id: Mapped[str] = mapped_column(ID, primary_key=True)
    channel: Mapped[str] = mapped_column(String(100), primary_key=True)
    """As the preference names it."""
    place: Mapped[str] = mapped_column(Text)
    """C0123=1700000000.000100: Slack's own id of the channel, and the message's time stamp."""


class SlackChannel(Base):
    """When the next message may go to a channel: one at a time, so that they stay in order, and about one a second."""

    __tablename__ = "slack_channel"
    channel: Mapped[str] = mapped_column(String(100), primary_key=True)
    next_at: Mapped[int] = mapped_column(STAMP)
    """While one is being sent: when its lease ends."""
