"""What goes to Slack: preferences, the outbox, and where messages stand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    _preference()
    _slack_channel()
    _slack_message()
    _outbox()


def _preference() -> None:
    op.create_table(
        "preference",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("channel_id", sa.String(length=100), nullable=False),
        sa.Column("product_name", sa.String(length=200), nullable=True),
        sa.Column("environment_name", sa.String(length=200), nullable=True),
        sa.Column("mention", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_preference"),
    )
    op.create_index("ix_preference_created_at_id", "preference", ["created_at", "id"], unique=False)


def _slack_channel() -> None:
    op.create_table(
        "slack_channel",
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name="pk_slack_channel"),
    )


def _slack_message() -> None:
    op.create_table(
        "slack_message",
        sa.Column("chain_id", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "channel", name="pk_slack_message"),
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("chain_id", sa.String(length=36), nullable=False),
        sa.Column("lifecycle_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=True),
        sa.Column("channel", sa.String(length=100), nullable=False),
        sa.Column("mention", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("is_reply_due", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ts", sa.String(length=40), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["lifecycle_id"], ["lifecycle.id"], name="fk_outbox_lifecycle_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_chain", "outbox", ["chain_id", "channel", "seq"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["not_before", "seq"],
        unique=False,
        sqlite_where=sa.text("state in ('new', 'sending')"),
        postgresql_where=sa.text("state in ('new', 'sending')"),
    )
    op.create_index("ix_outbox_event_id", "outbox", ["event_id"], unique=False)
    op.create_index("ix_outbox_lifecycle_id", "outbox", ["lifecycle_id"], unique=False)
    op.create_index("ix_outbox_seen", "outbox", ["state", "seq"], unique=False)
