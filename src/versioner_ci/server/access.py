"""Who may do what: a bearer key with the right scope; without keys only this machine's own browser and commands."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import select

from versioner_ci.clock import Clock
from versioner_ci.server import keys, moments
from versioner_ci.server.db import Database
from versioner_ci.server.problems import Problem
from versioner_ci.server.tables import ApiKey

_REMEMBERED = 2.0
"""Seconds for which a key is not looked up again: so long a key that was revoked elsewhere still works."""
_MOST = 1_000
_USED_EVERY = moments.MINUTE
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_FORWARDED = frozenset({"forwarded", "via", "x-real-ip", "x-original-host", "true-client-ip", "cf-connecting-ip"})
_FORWARDED_START = "x-forwarded-"
_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})


class Caller(NamedTuple):
    """Who asks."""

    key_id: str
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return keys.allows(self.scopes, scope)


ANYBODY = Caller("", "anybody on this machine", frozenset(keys.SCOPES))


class _Known(NamedTuple):
    until: float
    caller: Caller
    sha256: str
    expires_at: int | None
    revoked_at: int | None


class Access:
    """Checks keys. `is_open`: none are asked for (--no-auth)."""

    def __init__(self, database: Database, clock: Clock, *, is_open: bool = False) -> None:
        self._database = database
        self._clock = clock
        self.is_open = is_open
        self._known: dict[str, _Known] = {}
        self._used: dict[str, int] = {}
        self._noted: dict[str, int] = {}

    def caller(self, authorization: str | None) -> Caller:
        """Whose key it is. Raises Problem 401. Reads the database now and then."""
        if self.is_open:
            return ANYBODY
        if authorization is None:
            raise _refused("key_missing", "send a key: Authorization: Bearer sk_…")
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _refused("key_missing", "send the key as Authorization: Bearer sk_…")
        return self.holder(text.strip())

    def check(self, authorization: str | None, scope: str) -> Caller:
        """The caller, who may do it. Raises Problem 401 or 403."""
        caller = self.caller(authorization)
        if not caller.may(scope):
            raise Problem(403, "scope_missing", f"this key has not the scope '{scope}'")
        return caller

    def holder(self, text: str) -> Caller:
        """Whose key this text is. Raises Problem 401."""
        found = keys.parts(text)
        if found is None:
            raise _refused("key_unknown", "this is no key of this tracker: it would be sk_…")
        key_id, secret = found
        known = self._look_up(key_id)
        if known is None or not keys.is_secret(secret, known.sha256):
            raise _refused("key_unknown", "this key is unknown")
        return self._valid(known)

    def key_of(self, key_id: str) -> Caller | None:
        """Whose key has this id, as long as it counts: for a session that began with the key itself."""
        known = self._look_up(key_id)
        try:
            return self._valid(known) if known is not None else None
        except Problem:
            return None

    def is_fresh(self, authorization: str | None) -> bool:
        """Whether a check needs no database."""
        found = keys.parts((authorization or "")[7:])
        known = self._known.get(found[0]) if found is not None else None
        return self.is_open or found is None or (known is not None and self._clock.monotonic() < known.until)

    def forget(self, key_id: str) -> None:
        """Look it up anew: it was revoked."""
        self._known.pop(key_id, None)

    def newly_used(self) -> dict[str, int]:
        """Key → when it was used, where that is not noted yet; at most once a minute each."""
        due = {key: at for key, at in self._used.copy().items() if at - self._noted.get(key, 0) >= _USED_EVERY}
        self._noted |= due
        return due

    def _valid(self, known: _Known) -> Caller:
        now = moments.micros(self._clock.wall())
        if known.revoked_at is not None:
            raise _refused("key_revoked", "this key was revoked")
        if known.expires_at is not None and known.expires_at <= now:
            raise _refused("key_expired", "this key has expired")
        self._used[known.caller.key_id] = now
        return known.caller

    def _look_up(self, key_id: str) -> _Known | None:
        now = self._clock.monotonic()
        known = self._known.get(key_id)
        if known is not None and now < known.until:
            return known
        with self._database.read() as connection:
            row = connection.execute(select(ApiKey).where(ApiKey.key_id == key_id)).one_or_none()
        if row is None:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        caller = Caller(key_id, row.name, frozenset(row.scopes))
        known = _Known(now + _REMEMBERED, caller, row.secret_sha256, row.expires_at, row.revoked_at)
        self._known[key_id] = known
        return known


def check_open(method: str, headers: Mapping[str, str]) -> None:
    """Without keys: only who typed this machine's own name, through no proxy; no other site changes anything.

    Raises Problem 403.
    """
    host = headers.get("host", "")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not is_loopback(name) or any(is_forwarded(header) for header in headers):
        message = "--no-auth serves this machine only: open it as http://127.0.0.1 or http://localhost"
        raise Problem(403, "no_auth_remote", message)
    if method not in _LOOKS and not is_own(headers):
        raise Problem(403, "no_auth_cross_site", "a page of another site may not change anything here")


def is_forwarded(header: str) -> bool:
    """Whether only a proxy sends a header of this lower-case name."""
    return header in _FORWARDED or header.startswith(_FORWARDED_START)


def is_own(headers: Mapping[str, str]) -> bool:
    """Whether no page of another site sends this, by what the browser itself says; programs say nothing."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == headers.get("host", "")
    except ValueError:
        return False


def is_loopback(name: str) -> bool:
    """Whether a host's name or address means this machine."""
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _refused(code: str, message: str) -> Problem:
    return Problem(401, code, message, headers=_CHALLENGE)
