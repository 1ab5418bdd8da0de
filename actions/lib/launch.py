"""Runs the core of this copy of the repository, as `python -I launch.py ARGUMENTS`; exit code 3: too old a Python.

Its libraries are in `vendor/` on release tags, and `-S` is given then; else they are this Python's own, in a virtual
environment that install.py made. Old Pythons must be able to read this file.
"""

import os
import sys


def main():  # type: () -> None
    """Never returns: the core leaves at once when it is done."""
    if sys.version_info < (3, 10):
        sys.exit(3)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path += [os.path.join(root, "src"), os.path.join(root, "vendor")]
    from versioner_ci.__main__ import main as core

    core()


if __name__ == "__main__":
    main()
