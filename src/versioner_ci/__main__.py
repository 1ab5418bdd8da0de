"""The command's entry: the two things that must happen before the rest is loaded."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable


def main(when_broken: Callable[[], object] | None = None) -> None:
    """Answer `--version` at once, start an ungated CMD at once, and leave the rest to cli.py.

    `when_broken` is called if the rest cannot be loaded: the zipapp's cache is made anew then.
    """
    gc.disable()
    if sys.argv[1:] in (["--version"], ["-V"]):
        from versioner_ci import __version__  # noqa: PLC0415

        try:
            os.write(1, f"versioner-ci {__version__}\n".encode())
        except OSError:  # closed, full or gone
            return
        return
    early = None
    if sys.argv[1:3] == ["run", "build"]:
        from versioner_ci import early as starter  # noqa: PLC0415

        early = starter.start(sys.argv[3:])
    try:
        from versioner_ci import cli  # noqa: PLC0415 - CMD runs already

        if sys.argv[1:2] == ["run"]:
            from versioner_ci import cmd_run  # noqa: F401, PLC0415 - whatever is broken breaks here
    except Exception as error:  # noqa: BLE001 - the last resort: CMD runs, though nothing else does
        from versioner_ci import early as starter  # noqa: PLC0415

        if when_broken is not None:
            when_broken()
        os._exit(starter.without_the_rest(sys.argv[1:], early, error))
    cli.main(early)


if __name__ == "__main__":
    main()
