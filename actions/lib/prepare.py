"""Says which Python has the core's libraries, as `python -I prepare.py ROOT`: JSON with `python`, or a `problem`.

For branches only: see install.py. A Python that is too old says nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Exit code 3: too old."""
    if sys.version_info < (3, 10):  # noqa: UP036 - that is what is found out here
        sys.exit(3)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - as launch.py does
    import install  # noqa: PLC0415 - in a Python that can read it

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _leave)
    print(json.dumps(install.answer(sys.argv[1], os.environ)))


def _leave(signum: int, _: object) -> None:
    """What has been begun is ended and cleared away on the way out."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    main()
