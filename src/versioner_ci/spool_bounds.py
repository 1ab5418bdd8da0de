"""How much is kept, and for how long: what goes beyond is dropped, oldest first, counted and said."""

from __future__ import annotations

from pathlib import Path

from versioner_ci import spool_files as files
from versioner_ci.records import dataclass
from versioner_ci.spool_name import Entry

MAX_FILES = 1_000
MAX_BYTES = 16 << 20
EVENT_BYTES = 256 << 10
"""The largest request."""
MAX_AGE = 72 * 3600.0
MAX_BAD_FILES = 200
MAX_BAD_BYTES = 4 << 20

_UNFINISHED_AGE = 3600.0
_FIRST_PLAUSIBLE = 1_577_836_800.0
"""2020: before that a clock was wrong, and says nothing about an age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """How many kept events were given up, by reason; and how many files were set aside as not ours."""

    too_old: int = 0
    too_many: int = 0
    too_large: int = 0
    foreign: int = 0

    @property
    def total(self) -> int:
        """Events that will not be delivered."""
        return self.too_old + self.too_many + self.too_large

    def reasons(self) -> dict[str, int]:
        """Reason as it is said → count, without the zeros."""
        said = {
            "older than 72 h": self.too_old,
            f"more than {MAX_FILES:,} files": self.too_many,
            f"more than {MAX_BYTES >> 20} MiB": self.too_large,
        }
        return {reason: count for reason, count in said.items() if count}

    def __add__(self, other: Dropped) -> Dropped:
        return Dropped(
            too_old=self.too_old + other.too_old,
            too_many=self.too_many + other.too_many,
            too_large=self.too_large + other.too_large,
            foreign=self.foreign + other.foreign,
        )


def drop_entries(entries: list[Entry], now: float, *, room: int = 0) -> Dropped:
    """Remove what is too old, too many (with `room` for new ones) or too large; never what is being sent."""
    sizes = {entry.path: files.size(entry.path) for entry in entries}
    count, size = len(entries) + room, sum(sizes.values()) + room * EVENT_BYTES
    counts = {"too_old": 0, "too_many": 0, "too_large": 0}
    for entry in sorted(entries, key=lambda entry: entry.seq):
        if entry.is_leased(now):
            continue
        if _is_too_old(entry.seq / 1e6, now):
            reason = "too_old"
        elif count > MAX_FILES:
            reason = "too_many"
        elif size > MAX_BYTES:
            reason = "too_large"
        else:
            continue
        counts[reason] += files.remove(entry.path)
        count, size = count - 1, size - sizes[entry.path]
    return Dropped(**counts)


def sweep_unfinished(root: Path, names: list[str], now: float) -> None:
    """Remove what a killed process had begun to write."""
    for name in names:
        if name.startswith(files.UNFINISHED) and now - files.changed(root / name) > _UNFINISHED_AGE:
            files.remove(root / name)


def sweep_folder(folder: Path, now: float, *, max_files: int | None = None, max_bytes: int | None = None) -> None:
    """Remove files of `folder` that are older than 72 h, and the oldest beyond the bounds."""
    found = sorted(((files.changed(folder / name), name) for name in files.listing(folder)), reverse=True)
    count = size = 0
    for changed, name in found:
        count, size = count + 1, size + files.size(folder / name)
        is_beyond = (max_files or count) < count or (max_bytes or size) < size
        if is_beyond or now - changed > MAX_AGE:
            files.remove(folder / name)


def _is_too_old(written: float, now: float) -> bool:
    return written >= _FIRST_PLAUSIBLE and now - written > MAX_AGE
