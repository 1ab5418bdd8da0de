"""Indexes for what is asked: events of a version, one place's history, a group's newest, what waits longest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Only indexes: an older tracker that still runs goes on."""
    op.create_index("ix_event_version", "event", ["version_id", "kind", "seq"], unique=False)
    op.create_index("ix_version_name", "version", ["name"], unique=False)
    place = ["product_id", "environment_id", "kind", "opened_at", "id"]
    op.create_index("ix_lifecycle_place", "lifecycle", place, unique=False)
    op.drop_index("ix_lifecycle_group_key", "lifecycle")
    op.create_index("ix_lifecycle_group", "lifecycle", ["group_key", "is_open", "opened_at"], unique=False)
    op.drop_index("ix_lifecycle_open", "lifecycle")
    op.create_index(
        "ix_lifecycle_open",
        "lifecycle",
        ["product_id", "environment_id", "state", "opened_at"],
        unique=False,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )
