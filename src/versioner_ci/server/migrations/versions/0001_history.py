"""The first schema: products, versions, what was built and deployed, keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables in an empty database."""
    _meta()
    _api_key()
    _product()
    _environment()
    _version()
    _lifecycle()
    _event()
    _current()


def _meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_id", name="uq_api_key_key_id"),
    )


def _product() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_product"),
        sa.UniqueConstraint("name", name="uq_product_name"),
    )


def _environment() -> None:
    op.create_table(
        "environment",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_environment"),
        sa.UniqueConstraint("name", name="uq_environment_name"),
    )


def _version() -> None:
    op.create_table(
        "version",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("scm_sha", sa.Text(), nullable=True),
        sa.Column("scm_repository", sa.Text(), nullable=True),
        sa.Column("is_built", sa.Boolean(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_version_product_id"),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
        sa.UniqueConstraint("product_id", "name", name="uq_version_product_id_name"),
    )
    op.create_index("ix_version_first_seen_at_id", "version", ["first_seen_at", "id"], unique=False)


def _told() -> list[sa.Column[object]]:
    """What clients tell."""
    return [
        sa.Column("pending_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_event_at", sa.BigInteger(), nullable=False),
        sa.Column("source_system", sa.Text(), nullable=True),
        sa.Column("invoke_id", sa.Text(), nullable=True),
        sa.Column("build_number", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("sha", sa.Text(), nullable=True),
        sa.Column("repository", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("duration", sa.Double(), nullable=True),
    ]


def _lifecycle() -> None:
    op.create_table(
        "lifecycle",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.String(length=36), nullable=False),
        sa.Column("group_key", sa.String(length=36), nullable=True),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("environment_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.Column("superseded_by", sa.String(length=36), nullable=True),
        sa.Column("adopted_by", sa.String(length=36), nullable=True),
        sa.Column("chain_id", sa.String(length=36), nullable=False),
        sa.Column("closed_by", sa.String(length=36), nullable=True),
        sa.Column("closed_name", sa.String(length=200), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        *_told(),
        sa.ForeignKeyConstraint(["environment_id"], ["environment.id"], name="fk_lifecycle_environment_id"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_lifecycle_product_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_lifecycle_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_lifecycle"),
    )
    _lifecycle_indexes()


def _lifecycle_indexes() -> None:
    op.create_index("ix_lifecycle_adopted_by", "lifecycle", ["adopted_by"], unique=False)
    op.create_index(
        "ix_lifecycle_environment", "lifecycle", ["environment_id", "kind", "opened_at", "id"], unique=False
    )
    op.create_index("ix_lifecycle_group_key", "lifecycle", ["group_key"], unique=False)
    op.create_index("ix_lifecycle_history", "lifecycle", ["kind", "opened_at", "id"], unique=False)
    op.create_index("ix_lifecycle_key", "lifecycle", ["key", "is_open", "opened_at"], unique=False)
    op.create_index(
        "ix_lifecycle_open",
        "lifecycle",
        ["product_id", "environment_id", "state"],
        unique=False,
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix_lifecycle_product", "lifecycle", ["product_id", "kind", "opened_at", "id"], unique=False)
    op.create_index("ix_lifecycle_slot", "lifecycle", ["slot", "is_open", "opened_at"], unique=False)
    op.create_index("ix_lifecycle_state", "lifecycle", ["state", "kind", "opened_at", "id"], unique=False)
    op.create_index("ix_lifecycle_version", "lifecycle", ["version_id", "kind", "opened_at", "id"], unique=False)
    op.create_index(
        "ix_lifecycle_waiting",
        "lifecycle",
        ["started_at"],
        unique=False,
        sqlite_where=sa.text("is_open = 1 and is_stale = 0"),
        postgresql_where=sa.text("is_open and not is_stale"),
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("lifecycle_id", sa.String(length=36), nullable=False),
        sa.Column("group_key", sa.String(length=36), nullable=True),
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("environment_id", sa.String(length=36), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("is_repeat", sa.Boolean(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["environment_id"], ["environment.id"], name="fk_event_environment_id"),
        sa.ForeignKeyConstraint(["lifecycle_id"], ["lifecycle.id"], name="fk_event_lifecycle_id"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_event_product_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_event_version_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
        sa.UniqueConstraint("id", name="uq_event_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_event_idempotency_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_environment", "event", ["environment_id", "kind", "seq"], unique=False)
    op.create_index("ix_event_kind", "event", ["kind", "seq"], unique=False)
    op.create_index("ix_event_lifecycle", "event", ["lifecycle_id", "seq"], unique=False)
    op.create_index("ix_event_product", "event", ["product_id", "kind", "seq"], unique=False)


def _current() -> None:
    op.create_table(
        "current",
        sa.Column("product_id", sa.String(length=36), nullable=False),
        sa.Column("environment_id", sa.String(length=36), nullable=False),
        sa.Column("lifecycle_id", sa.String(length=36), nullable=True),
        sa.Column("version_id", sa.String(length=36), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_lifecycle_id", sa.String(length=36), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["environment_id"], ["environment.id"], name="fk_current_environment_id"),
        sa.ForeignKeyConstraint(["last_lifecycle_id"], ["lifecycle.id"], name="fk_current_last_lifecycle_id"),
        sa.ForeignKeyConstraint(["lifecycle_id"], ["lifecycle.id"], name="fk_current_lifecycle_id"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name="fk_current_product_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_current_version_id"),
        sa.PrimaryKeyConstraint("product_id", "environment_id", name="pk_current"),
    )
