"""How long the zipapp takes to start, from its second run on, against the installed command."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench.gitlab import BIN, ROOT, Row
from tests.bench.measure import Runner

GOAL = 1.3
CALLS = (["--version"], ["report", "build", "started"])


def figures(
    folder: Path, runner: Callable[[str], Runner], tracker: Callable[[], AbstractContextManager[list[str]]]
) -> Iterator[Row]:
    """One row a call. Both are run by the same Python; the first pair, which unpacks, is not counted."""
    built = folder / "dist"
    subprocess.run([str(ROOT / "script" / "build"), "--out", str(built)], check=True, capture_output=True)
    zipapp = [str(BIN / "python"), str(built / "versioner-ci.pyz")]
    for call in CALLS:
        with tracker() as (url,):
            ratio, ours, theirs = runner(url).ratio([*zipapp, *call], [str(BIN / "versioner-ci"), *call])
        figure = f"{ratio:.2f} × ({ours * 1000:.0f} : {theirs * 1000:.0f} ms)"
        yield Row(f"zipapp : installed, {' '.join(call[:1])}", figure, f"{GOAL} ×", ratio <= GOAL)
