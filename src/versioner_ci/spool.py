"""Events on disk until every sink has given its final answer: one file per event and sink, claimed by renaming it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from versioner_ci import spool_bounds as bounds
from versioner_ci import spool_files as files
from versioner_ci import spool_record
from versioner_ci.clock import Clock
from versioner_ci.identity import uid
from versioner_ci.sinks._sink import Item
from versioner_ci.spool_bounds import Dropped
from versioner_ci.spool_files import ForeignError, SpoolError
from versioner_ci.spool_name import LONGEST_HOLD, Entry, held, in_order, parse
from versioner_ci.spool_record import Stored

__all__ = ["Dropped", "Entry", "Spool", "SpoolError", "Stored"]

BAD = "bad"
STATE = "state"
_FEW = bounds.MAX_BYTES // files.MAX_FILE
_HEX = frozenset("0123456789abcdef")


class Spool:
    """The folder `root`, 0700, made if missing; any number of processes and threads may share it.

    Pids and locks mean nothing across containers and on network disks: a rename alone decides who sends.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root = root
        self._clock = clock
        self._dropped = Dropped()

    def add(self, sink: str, item: Item, *, job: str | None, lease_until: float) -> Entry:
        """Write an event down before its first byte is sent; leased to the caller until `lease_until` (epoch).

        An event that an earlier call kept is claimed instead of doubled: read() then gives it as first written.
        Raises SpoolError where the disk does not take it.
        """
        try:
            files.make_private(self.root)
            content = spool_record.encode(sink, Stored(item=item, job=job))
            if len(content) > files.MAX_FILE:
                raise SpoolError(f"cannot spool (an event of {len(content)} bytes)")
            standing = self._all()
            return self._reclaimed(standing, sink, item, lease_until) or self._written(
                standing, self._named(standing, sink, item, lease_until), content
            )
        except OSError as error:
            raise SpoolError(f"cannot spool ({files.why(error)})") from error
        except ForeignError as error:
            raise SpoolError(f"cannot spool (the folder: {error})") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise SpoolError("cannot spool (the event cannot be written as JSON)") from error

    def entries(self, sink: str | None = None) -> list[Entry]:
        """What is kept now: the oldest lifecycle first, inside a lifecycle by rank. Names of others are passed over."""
        return in_order([entry for entry in self._all() if sink in {None, entry.sink}])

    def claim(self, entry: Entry, lease_until: float) -> Entry | None:
        """Lease a free, not-before or lapsed entry; None: somebody else has it, or has dealt with it.

        Whether a not-before has come is the caller's to decide (Entry.is_due).
        """
        return None if entry.is_leased(self._clock.wall()) else self.extend(entry, lease_until)

    def extend(self, entry: Entry, lease_until: float) -> Entry | None:
        """Lengthen the caller's own lease; None: it had lapsed, and somebody else has the entry."""
        return _renamed(entry, held(entry, "leased", self._near(lease_until)))

    def read(self, entry: Entry) -> Stored | None:
        """What a claimed entry holds; None: the file was torn or foreign, and is set aside now, or is gone."""
        try:
            stored = spool_record.decode(entry.sink, files.read(entry.path))
            if _hex(stored.item.event.key) == entry.key:
                return stored
        except OSError:
            return None
        except (ForeignError, ValueError):
            pass
        self._dropped += Dropped(foreign=int(self.set_aside(entry)))
        return None

    def done(self, entry: Entry) -> None:
        """Every answer is final: forget it, even if our lease had lapsed and somebody else has it now."""
        if files.remove(entry.path):
            return
        for other in self._all():
            if (other.seq, other.sink, other.key) == (entry.seq, entry.sink, entry.key):
                files.remove(other.path)

    def keep(self, entry: Entry, not_before: float | None = None) -> Entry | None:
        """End the lease; not to be tried before `not_before` (epoch). None: it was no longer ours."""
        return _renamed(
            entry, held(entry, "free") if not_before is None else held(entry, "later", self._near(not_before))
        )

    def set_aside(self, entry: Entry) -> bool:
        """Move it to bad/, never to be sent again by itself. Whether it was there to be moved."""
        return self._move_to_bad(entry.path)

    def rewrite(self, entry: Entry, item: Item) -> bool:
        """Replace what a claimed entry holds (Slack's progress). False: nothing changed, the old content stands."""
        try:
            job = spool_record.decode(entry.sink, files.read(entry.path)).job
            files.write(entry.path, spool_record.encode(entry.sink, Stored(item=item, job=job)))
        except (OSError, ForeignError, ValueError, TypeError, RecursionError):
            return False
        return True

    def prune(self) -> Dropped:
        """Hold the bounds, set aside what is not ours, tidy up.

        Returns what was given up since the last call, by add() too.
        """
        now = self._clock.wall()
        names = files.listing(self.root)
        bounds.sweep_unfinished(self.root, names, now)
        foreign = sum(self._move_to_bad(self.root / name) for name in names if self._is_foreign(name))
        bounds.sweep_folder(self.root / STATE, now)
        bounds.sweep_folder(self.root / BAD, now, max_files=bounds.MAX_BAD_FILES, max_bytes=bounds.MAX_BAD_BYTES)
        dropped = self._dropped + bounds.drop_entries(self._all(), now) + Dropped(foreign=foreign)
        self._dropped = Dropped()
        return dropped

    def _all(self) -> list[Entry]:
        parsed = (parse(self.root / name) for name in files.listing(self.root))
        return [entry for entry in parsed if entry is not None]

    def _reclaimed(self, standing: list[Entry], sink: str, item: Item, lease_until: float) -> Entry | None:
        key = _hex(item.event.key)
        for entry in standing:
            if (entry.sink, entry.key) == (sink, key):
                claimed = self.claim(entry, lease_until)
                if claimed is not None and self.read(claimed) is not None:
                    return claimed
        return None

    def _named(self, standing: list[Entry], sink: str, item: Item, lease_until: float) -> Entry:
        event = item.event
        order_id = _hex(event.lifecycle_id or event.group_id or event.key)
        newest = max((entry.seq for entry in standing if entry.order_id == order_id), default=0)
        entry = Entry(
            path=self.root / "new",
            seq=max(int(self._clock.wall() * 1e6), newest + 1),
            order_id=order_id,
            rank=event.state.rank,
            sink=sink,
            key=_hex(event.key),
        )
        named = held(entry, "leased", self._near(lease_until))
        if parse(named.path) is None:
            raise SpoolError(f"cannot spool (no file name for the sink '{sink}')")
        return named

    def _written(self, standing: list[Entry], entry: Entry, content: bytes) -> Entry:
        if len(standing) >= _FEW:
            self._dropped += bounds.drop_entries(standing, self._clock.wall(), room=1)
        files.write(entry.path, content)
        return entry

    def _near(self, until: float) -> float:
        return min(until, self._clock.wall() + LONGEST_HOLD)

    def _is_foreign(self, name: str) -> bool:
        return not name.startswith(".") and parse(self.root / name) is None and not files.is_folder(self.root / name)

    def _move_to_bad(self, path: Path) -> bool:
        bad = self.root / BAD
        try:
            files.make_private(bad)
        except (OSError, ForeignError):
            return False
        with contextlib.suppress(OSError, NotImplementedError):
            os.utime(path, follow_symlinks=False)  # its 72 h in bad/ begin now
        return files.rename(path, bad / path.name)


def _renamed(entry: Entry, target: Entry) -> Entry | None:
    return target if files.rename(entry.path, target.path) else None


def _hex(identity: str) -> str:
    """A UUID's 32 hex digits; of any other text, those of a UUID made from it."""
    digits = identity.replace("-", "").lower()
    return digits if len(digits) == 32 and _HEX.issuperset(digits) else uid(identity).replace("-", "")
