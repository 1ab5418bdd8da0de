"""What only the extra `server` brings: a clear word where it is missing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from versioner_ci.errors import UsageError

_NEEDED = {
    *("fastapi", "starlette", "pydantic", "uvicorn", "httptools", "uvloop", "sqlalchemy", "alembic", "psycopg"),
    *("jinja2", "itsdangerous", "prometheus_client", "anyio"),
}


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """Around the imports. Raises UsageError that says how to install it."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _NEEDED:
            raise
        raise UsageError(
            f"the embedded tracker is not installed ({error.name} is missing)",
            fix="pip install 'versioner-ci[server]'",
        ) from None
