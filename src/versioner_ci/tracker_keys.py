"""What `keys` asks for, wherever the keys are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class NewKey(NamedTuple):
    """What a key is to be; `days` until it expires."""

    name: str
    scopes: tuple[str, ...]
    days: float | None


class Store(Protocol):
    """Where the keys are: a database, or a tracker's API. Rows are the API's JSON."""

    def create(self, wanted: NewKey) -> Mapping[str, Any]: ...

    def rows(self) -> Sequence[Mapping[str, Any]]: ...

    def revoke(self, key_id: str) -> bool: ...
