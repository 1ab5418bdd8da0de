"""Masks secrets wherever text leaves the process."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

MASK = "***"
_SHORTEST_SECRET = 4

_SHAPES = r"""
      (?P<auth>\bauthorization\b["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token)\s+)?)[^\s"',;]+
    | (?P<hook>hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[^\s"'<>|]+
    | (?P<userinfo>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://)[^\s/"'<>]+@
    | \bxox[a-z]+-[A-Za-z0-9-]+
    | \bxapp-[A-Za-z0-9-]+
    | \bsk_[A-Za-z0-9]+_[A-Za-z0-9_]+
    | \bgh[a-z]_[A-Za-z0-9]{10,}
    | \bgithub_pat_[A-Za-z0-9_]+
    | \bglpat-[A-Za-z0-9_.-]+
    | \bAKIA[A-Z0-9]{12,}
    """
_MARKERS = ("authorization", "hooks.slack", "xox", "xapp-", "sk_", "github_pat_", "glpat-", "akia")


@functools.cache
def _shapes() -> re.Pattern[str]:
    return re.compile(_SHAPES, re.VERBOSE | re.IGNORECASE)


def _may_hold_a_secret(text: str) -> bool:
    """Quick and never wrongly false: most text needs no pattern, whose compilation alone takes milliseconds."""
    folded = text.lower()
    return any(marker in folded for marker in _MARKERS) or ("@" in text and "://" in text) or _has_github_token(folded)


def _has_github_token(folded: str) -> bool:
    at = folded.find("gh")
    while at >= 0:
        if folded[at + 3 : at + 4] == "_":
            return True
        at = folded.find("gh", at + 1)
    return False


def last4(secret: str) -> str:
    """A secret as it may be shown: its last four characters, none of a short one."""
    return f"…{secret[-4:]}" if len(secret) >= 12 else MASK


class Redactor:
    """Masks the exact secrets in use, and whatever has a well-known secret's shape."""

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        known = {s.strip() for s in secrets if s and len(s.strip()) >= _SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, text: str) -> str:
        if self._exact is not None:
            text = self._exact.sub(MASK, text)
        return _shapes().sub(_keep_lead, text) if _may_hold_a_secret(text) else text


def _keep_lead(match: re.Match[str]) -> str:
    lead = match["auth"] or match["hook"] or match["userinfo"] or ""
    return lead + MASK + ("@" if match["userinfo"] else "")
