"""Run by Alembic, on the connection that migrate.py hands over."""

from __future__ import annotations

from alembic import context

from versioner_ci.server.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
