"""Slack in order: what is unsent is found by channel; where a message stands may be text of any length."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
_UNSENT = sa.text("state in ('new', 'sending')")


def upgrade() -> None:
    """Change an index and a column."""
    op.drop_index("ix_outbox_due", table_name="outbox")
    op.create_index(
        "ix_outbox_unsent", "outbox", ["channel", "seq"], unique=False, sqlite_where=_UNSENT, postgresql_where=_UNSENT
    )
    with op.batch_alter_table("slack_message") as table:
        table.alter_column("place", existing_type=sa.String(length=80), type_=sa.Text(), existing_nullable=False)
