"""Runs the core of this copy of the repository, as `python -I launch.py ARGUMENT…`.

Its libraries are in `vendor/` on release tags; else in the virtual environment that prepare.py made.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Never returns: the core leaves at once when it is done."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "vendor")]
    from versioner_ci.__main__ import main as core  # noqa: PLC0415 - found only now

    core()


if __name__ == "__main__":
    main()
