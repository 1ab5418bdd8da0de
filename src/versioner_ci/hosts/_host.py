"""What every CI host's file is made of: its record, and how variables, refs and addresses are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from versioner_ci import text
from versioner_ci.context import CIContext

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?:[^/?#\s]*@)?(?P<host>[^/?#@\s\\]+)(?P<rest>(?:[/?#][^\s\x00-\x1f\x7f]*)?)",
    re.IGNORECASE,
)
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
_COMMIT = re.compile(r"[0-9a-fA-F]{1,64}")
SHORT = 12
"""How many characters of a commit make a version."""


class Variables:
    """A host's allow-list of variables, read once; unset and empty are the same, text is valid Unicode."""

    __slots__ = ("_values",)

    def __init__(self, env: Mapping[str, str], names: tuple[str, ...]) -> None:
        values = ((name, text.clean(env.get(name) or "").strip()) for name in names)
        self._values = {name: value for name, value in values if value}

    def __call__(self, *names: str) -> str | None:
        """The first of these variables that is set."""
        return next((self._values[name] for name in names if name in self._values), None)

    def is_true(self, name: str) -> bool:
        return self._values.get(name, "").lower() in {"true", "1", "yes"}


class Host(NamedTuple):
    """One CI host: a module in this folder exports it as HOST."""

    name: str
    """The word of `--host`, and the `source_system` that is sent."""
    docs: str
    """The vendor's page of variables."""
    variables: tuple[str, ...]
    """All that is ever read from the environment."""
    is_mine: Callable[[Variables], bool]
    read: Callable[[Variables], CIContext]

    def detect(self, env: Mapping[str, str]) -> CIContext | None:
        """The facts, or None where the environment is not this host's."""
        known = Variables(env, self.variables)
        return self.read(known) if self.is_mine(known) else None

    def facts(self, env: Mapping[str, str]) -> CIContext:
        """The facts, for a host that the user has named."""
        return self.read(Variables(env, self.variables))


def web(url: str | None) -> str | None:
    """An http(s) address without userinfo; None for anything that a browser would not open."""
    match = _ADDRESS.fullmatch(url or "")
    return f"{match['scheme'].lower()}://{match['host']}{match['rest']}" if match else None


def server(url: str | None) -> str | None:
    """A server's own address: no userinfo, no slash at the end."""
    address = web(url)
    return address.rstrip("/") if address else None


def origin(url: str | None) -> str | None:
    """Scheme, host and port of an address."""
    match = _ADDRESS.fullmatch(url or "")
    return f"{match['scheme'].lower()}://{match['host']}" if match else None


def below(base: str | None, *parts: str | None) -> str | None:
    """The address of path parts below a base, percent-encoded; None if any of them is unknown."""
    if base is None or None in parts:
        return None
    return "/".join([base.rstrip("/"), *(quoted(part) for part in parts if part)])


def quoted(part: str) -> str:
    """A path or query value, percent-encoded; slashes stay."""
    raw = part.encode("utf-8", "replace")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in raw)


def commit(value: str | None) -> str | None:
    """A commit id, full or short; None for a symbolic name such as HEAD."""
    return value if value and _COMMIT.fullmatch(value) else None


def branch_of(ref: str | None) -> str | None:
    """`refs/heads/x` and `x` are branch x; a tag, a pull request's ref and a detached HEAD are none."""
    if ref is None or ref in {"HEAD", "detached"}:
        return None
    name = ref.removeprefix("refs/heads/")
    return None if name.startswith("refs/") else name or None


def tag_of(ref: str | None) -> str | None:
    """`refs/tags/x` is tag x."""
    return ref.removeprefix("refs/tags/") or None if ref and ref.startswith("refs/tags/") else None


def leg_of(index: str | None, total: str | None) -> str | None:
    """One of several parallel copies of a job: `2/5`, as the host counts."""
    return f"{index}/{total or '?'}" if index and total != "1" else None


def extras(prefix: str, **values: str | None) -> dict[str, str]:
    """The vi_* keys of extra_metadata, without what is unknown."""
    return {f"vi_{prefix}_{name}": value for name, value in values.items() if value}
