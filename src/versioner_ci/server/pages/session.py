"""Who looks at the pages: a signed cookie that names an API key, and a mark in each form that no other site knows."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer
from sqlalchemy import Connection, insert, select
from starlette.requests import Request
from starlette.responses import Response

from versioner_ci.server import keys
from versioner_ci.server.services import Services
from versioner_ci.server.tables import Meta

COOKIE = "versioner_session"
DAYS = 7
_SECONDS = DAYS * 86_400
_SECRET = "session_secret"  # noqa: S105 - its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks. `key_id` is "" with --no-auth."""

    key_id: str
    name: str
    scopes: frozenset[str]
    csrf: str

    def may(self, scope: str) -> bool:
        return keys.allows(self.scopes, scope)


class Sessions:
    """Signs and reads cookies; the secret is the database's, so that a cookie fits every replica."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._secret: str | None = None

    def begin(self, response: Response, key_id: str, *, is_secure: bool) -> None:
        """Set the cookie. The key itself is not in it."""
        signed = self._sign().dumps([key_id, secrets.token_urlsafe(16)])
        response.set_cookie(COOKIE, signed, max_age=_SECONDS, httponly=True, samesite="lax", secure=is_secure, path="/")

    def visitor(self, request: Request) -> Visitor | None:
        """None if nobody is signed in: no cookie, a forged or old one, a key that is revoked, expired or gone."""
        if self._services.options.is_open:
            return Visitor(key_id="", name="", scopes=frozenset(keys.SCOPES), csrf=self._mark("nobody"))
        cookie = request.cookies.get(COOKIE, "")
        try:
            key_id, nonce = self._sign().loads(cookie, max_age=_SECONDS)
        except (BadSignature, TypeError, ValueError):
            return None
        key = self._services.access.key_of(str(key_id))
        if key is None or not key.may(keys.READ):
            return None
        return Visitor(key_id=key.key_id, name=key.name, scopes=key.scopes, csrf=self._mark(f"{key_id} {nonce}"))

    def _mark(self, what: str) -> str:
        return Signer(self._known_secret(), salt="csrf").get_signature(what).decode()

    def _sign(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._known_secret(), salt="session")

    def _known_secret(self) -> str:
        if self._secret is None:
            self._secret = self._services.writer.call(_secret_of)
        return self._secret


def _secret_of(connection: Connection) -> str:
    """Made once for each database."""
    known = connection.scalar(select(Meta.value).where(Meta.key == _SECRET))
    if known is not None:
        return known
    made = secrets.token_hex(32)
    connection.execute(insert(Meta).values(key=_SECRET, value=made))
    return made


def has_mark(visitor: Visitor, sent: str) -> bool:
    """Whether the form is one that this visitor was shown."""
    return hmac.compare_digest(visitor.csrf.encode(), sent.encode("utf-8", "replace"))


def safe_next(wanted: str) -> str:
    """A page of this server; anything else is the first page."""
    parts = urlsplit(wanted) if wanted.isprintable() and "\\" not in wanted else None
    is_ours = parts is not None and not parts.scheme and not parts.netloc and wanted.startswith("/")
    return wanted if is_ours and not wanted.startswith("//") and len(wanted) <= 2000 else "/"
