"""The tables. Ids are UUIDs as text, times integers: microseconds since the epoch, UTC."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = String(36)
NAME = String(200)
STAMP = BigInteger
COUNTER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself only in a column that is called INTEGER."""


class Base(DeclarativeBase):
    """What SQLAlchemy's typed tables are made from."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Product(Base):
    """What is built and deployed."""

    __tablename__ = "product"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(NAME, unique=True)
    created_at: Mapped[int] = mapped_column(STAMP)


class Environment(Base):
    """Where it is deployed to; shown by `position`, which grows with each new one."""

    __tablename__ = "environment"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(NAME, unique=True)
    position: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(STAMP)


class Version(Base):
    """A product's version; its commit is that of its first build, else of its first deployment."""

    __tablename__ = "version"
    __table_args__ = (
        UniqueConstraint("product_id", "name"),
        Index(None, "first_seen_at", "id"),
        Index("ix_version_name", "name"),
    )
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    name: Mapped[str] = mapped_column(NAME)
    scm_sha: Mapped[str | None] = mapped_column(Text)
    scm_repository: Mapped[str | None] = mapped_column(Text)
    is_built: Mapped[bool] = mapped_column()
    """`scm_sha` is a build's: another build's must be the same."""
    first_seen_at: Mapped[int] = mapped_column(STAMP)


class Lifecycle(Base):
    """One build or deployment with one ending."""

    __tablename__ = "lifecycle"
    __table_args__ = (
        Index("ix_lifecycle_key", "key", "is_open", "opened_at"),
        Index("ix_lifecycle_slot", "slot", "is_open", "opened_at"),
        Index("ix_lifecycle_group", "group_key", "is_open", "opened_at"),
        Index("ix_lifecycle_history", "kind", "opened_at", "id"),
        Index("ix_lifecycle_place", "product_id", "environment_id", "kind", "opened_at", "id"),
        Index("ix_lifecycle_product", "product_id", "kind", "opened_at", "id"),
        Index("ix_lifecycle_environment", "environment_id", "kind", "opened_at", "id"),
        Index("ix_lifecycle_version", "version_id", "kind", "opened_at", "id"),
        Index("ix_lifecycle_state", "state", "kind", "opened_at", "id"),
        Index(
            "ix_lifecycle_open",
            "product_id",
            "environment_id",
            "state",
            "opened_at",
            sqlite_where=text("is_open = 1"),
            postgresql_where=text("is_open"),
        ),
        Index(
            "ix_lifecycle_waiting",
            "started_at",
            sqlite_where=text("is_open = 1 and is_stale = 0"),
            postgresql_where=text("is_open and not is_stale"),
        ),
    )
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    """build or deployment"""
    key: Mapped[str] = mapped_column(ID)
    """UUIDv5 of what its client calls it; without vi_lifecycle_id several in a row share one."""
    slot: Mapped[str] = mapped_column(ID)
    """UUIDv5 of kind, product, version and environment."""
    group_key: Mapped[str | None] = mapped_column(ID)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("version.id"))
    environment_id: Mapped[str | None] = mapped_column(ForeignKey("environment.id"))
    state: Mapped[str] = mapped_column(String(10))
    """pending, started, completed, failed or aborted, as last told; never guessed"""
    is_open: Mapped[bool] = mapped_column()
    """No ending was heard, it was neither adopted nor superseded, and no admin has closed it."""
    is_stale: Mapped[bool] = mapped_column()
    """Started, open for longer than --stale-after: "no ending heard"."""
    superseded_by: Mapped[str | None] = mapped_column(ID)
    """A pending: the later lifecycle of its product and environment; a start of its own clears it."""
    adopted_by: Mapped[str | None] = mapped_column(ID, index=True)
    """A pending from an earlier job: the lifecycle that goes on for it. Not shown by itself any more."""
    chain_id: Mapped[str] = mapped_column(ID)
    """Whose Slack messages it moves on: the adopted pending's, else its own id."""
    closed_by: Mapped[str | None] = mapped_column(ID)
    """The event of the whole group that ended it."""
    closed_name: Mapped[str | None] = mapped_column(NAME)
    """The admin key that closed it, though no ending was heard."""
    opened_at: Mapped[int] = mapped_column(STAMP)
    """When its first event that arrived had happened; never changes, history is ordered by it."""
    pending_at: Mapped[int | None] = mapped_column(STAMP)
    started_at: Mapped[int | None] = mapped_column(STAMP)
    ended_at: Mapped[int | None] = mapped_column(STAMP)
    last_event_at: Mapped[int] = mapped_column(STAMP)
    """When its newest event arrived."""
    source_system: Mapped[str | None] = mapped_column(Text)
    invoke_id: Mapped[str | None] = mapped_column(Text)
    build_number: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str | None] = mapped_column(Text)
    branch: Mapped[str | None] = mapped_column(Text)
    sha: Mapped[str | None] = mapped_column(Text)
    repository: Mapped[str | None] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    error_code: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    duration: Mapped[float | None] = mapped_column(Double)
    """Seconds, as the client measured them."""


class Event(Base):
    """One accepted event, as it came; `seq` is the order of arrival."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_kind", "kind", "seq"),
        Index("ix_event_product", "product_id", "kind", "seq"),
        Index("ix_event_environment", "environment_id", "kind", "seq"),
        Index("ix_event_lifecycle", "lifecycle_id", "seq"),
        Index("ix_event_version", "version_id", "kind", "seq"),
        {"sqlite_autoincrement": True},
    )
    seq: Mapped[int] = mapped_column(COUNTER, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(ID, unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    lifecycle_id: Mapped[str] = mapped_column(ForeignKey("lifecycle.id"))
    group_key: Mapped[str | None] = mapped_column(ID)
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("version.id"))
    environment_id: Mapped[str | None] = mapped_column(ForeignKey("environment.id"))
    occurred_at: Mapped[int] = mapped_column(STAMP)
    received_at: Mapped[int] = mapped_column(STAMP)
    is_late: Mapped[bool] = mapped_column()
    """It came after what it precedes, or after the ending: it moved nothing."""
    is_repeat: Mapped[bool] = mapped_column()
    """Its lifecycle had that state already."""
    payload: Mapped[str] = mapped_column(Text)
    """The body as JSON."""
    answer: Mapped[str] = mapped_column(Text)
    """The first answer as JSON, for a repeated key."""


class Current(Base):
    """What runs where: a row for each product and environment, kept with each event, so that no page reads history."""

    __tablename__ = "current"
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"), primary_key=True)
    environment_id: Mapped[str] = mapped_column(ForeignKey("environment.id"), primary_key=True)
    lifecycle_id: Mapped[str | None] = mapped_column(ForeignKey("lifecycle.id"))
    """The newest completed deployment; None as long as there is none."""
    version_id: Mapped[str | None] = mapped_column(ForeignKey("version.id"))
    completed_at: Mapped[int | None] = mapped_column(STAMP)
    last_lifecycle_id: Mapped[str] = mapped_column(ForeignKey("lifecycle.id"))
    """The newest deployment of all, whatever its state."""
    last_at: Mapped[int] = mapped_column(STAMP)


class ApiKey(Base):
    """A key; of its secret only the SHA-256 is kept."""

    __tablename__ = "api_key"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    key_id: Mapped[str] = mapped_column(String(40), unique=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(NAME)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    """of write, read, admin"""
    created_at: Mapped[int] = mapped_column(STAMP)
    expires_at: Mapped[int | None] = mapped_column(STAMP)
    revoked_at: Mapped[int | None] = mapped_column(STAMP)
    last_used_at: Mapped[int | None] = mapped_column(STAMP)


class Meta(Base):
    """Single facts about this database: whether the first key was given out."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
