"""Says which Python runs the core, as `python -I -S prepare.py ROOT`: one line of JSON, `python` or a `problem`.

With `vendor/` it is this one. Without (a branch) it is that of a virtual environment: see install.py. A Python that is
too old says nothing.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Exit code 3: too old."""
    if sys.version_info < (3, 10):  # noqa: UP036 - that is what is found out here
        sys.exit(3)
    root = sys.argv[1]
    if os.path.isdir(os.path.join(root, "vendor")):  # noqa: PTH112, PTH118 - pathlib costs milliseconds
        said = {"python": sys.executable}
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - see above
        import install  # noqa: PLC0415 - on branches only

        said = install.answer(root, os.environ)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
