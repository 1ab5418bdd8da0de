"""API keys `sk_<id>_<secret>`: made, kept as a SHA-256, compared in constant time. The secret is shown once."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from versioner_ci.identity import fresh_id
from versioner_ci.server.records import KeyRow
from versioner_ci.server.tables import ApiKey, Meta

WRITE, READ, ADMIN = "write", "read", "admin"
SCOPES = (WRITE, READ, ADMIN)
_FORM = re.compile(r"sk_([A-Za-z0-9]{1,40})_([A-Za-z0-9_]{16,200})", re.ASCII)
_FIRST = "first_key"


class NewKey(NamedTuple):
    """A key as it is shown, once."""

    text: str
    row: KeyRow


def parts(text: str) -> tuple[str, str] | None:
    """The id and the secret of a key's text; None if it is none."""
    found = _FORM.fullmatch(text)
    return (found[1], found[2]) if found else None


def digest(secret: str) -> str:
    """What is kept of a secret; it has 192 random bits, so that one round is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, kept: str) -> bool:
    """Whether the secret is the one whose digest is kept; takes the same time either way."""
    return hmac.compare_digest(digest(secret), kept)


def allows(scopes: frozenset[str], wanted: str) -> bool:
    """Admin may do everything, write and read only what they say."""
    return wanted in scopes or ADMIN in scopes


def create(
    connection: Connection, name: str, scopes: tuple[str, ...], now: int, expires_at: int | None = None
) -> NewKey:
    """A new key."""
    key_id, secret = secrets.token_hex(6), secrets.token_hex(24)
    row = KeyRow(
        id=fresh_id(),
        key_id=key_id,
        name=name,
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    values = {each: getattr(row, each) for each in KeyRow.__dataclass_fields__}
    connection.execute(insert(ApiKey), [{**values, "scopes": list(row.scopes), "secret_sha256": digest(secret)}])
    return NewKey(f"sk_{key_id}_{secret}", row)


def create_first(connection: Connection, now: int) -> NewKey | None:
    """The admin key of a new database, once in its life."""
    if connection.execute(select(Meta.key).where(Meta.key == _FIRST)).first() is not None:
        return None
    connection.execute(insert(Meta), [{"key": _FIRST, "value": "given"}])
    if connection.execute(select(ApiKey.id).limit(1)).first() is not None:
        return None
    return create(connection, "first admin key", (ADMIN,), now)


def revoke(connection: Connection, key_id: str, now: int) -> bool:
    """Whether there is such a key; it is of no more use from now on."""
    is_known = connection.execute(select(ApiKey.id).where(ApiKey.key_id == key_id)).first() is not None
    stale = update(ApiKey).where(ApiKey.key_id == key_id, ApiKey.revoked_at.is_(None))
    connection.execute(stale.values(revoked_at=now))
    return is_known


def used(connection: Connection, key_id: str, now: int) -> None:
    """Remember when a key was used."""
    connection.execute(update(ApiKey).where(ApiKey.key_id == key_id).values(last_used_at=now))
