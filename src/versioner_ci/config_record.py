"""What a settings file says, as records that both the finding and the checking of it use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from versioner_ci.text import one_line

MAX_BYTES = 64 * 1024


class Problem(NamedTuple):
    """One thing that is wrong with the file; a warning, and in `doctor` an error."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{one_line(self.path)}{f' line {self.line}' if self.line else ''}: {self.message}"


class FileConfig(NamedTuple):
    """What a file says, checked: `values` holds only what is legal, by setting's name."""

    path: str
    """As shown: relative to the repository's root, or as it was given."""
    values: Mapping[str, Any] = MappingProxyType({})
    lines: Mapping[str, int] = MappingProxyType({})
    """Setting → line of its key, from 1."""
    problems: tuple[Problem, ...] = ()
    is_gate_broken: bool = False
    """It sets a gate that cannot be read."""

    def origin(self, setting: str) -> str:
        """`.versioner.yml line 3`."""
        line = self.lines.get(setting)
        return one_line(self.path) + (f" line {line}" if line else "")
