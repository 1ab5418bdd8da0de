"""Starts the command from files: unpacked on the first run into a folder of the user's own, else out of the archive.

Out of a folder Python keeps what it has compiled; out of an archive it compiles everything anew, at each start.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator

CONTENT = "not built"
"""SHA-256 of all files; script/build writes it here."""
VERSION = "not built"
"""As in the package; script/build writes it here, too."""
LIST = "versioner_ci_files.txt"
"""In the archive: size and name of each file that is unpacked, one a line."""
_DAY = 86400


def main() -> None:
    """Run the command; never returns where the archive is damaged."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # nothing need be found, unpacked or loaded for it
        try:  # noqa: SIM105 - contextlib costs milliseconds
            os.write(1, f"versioner-ci {VERSION}\n".encode())
        except OSError:  # closed, full or gone
            pass
        return
    archive: str = __spec__.loader.archive
    try:
        folder = _unpacked(archive)
    except OSError:  # no home, a full or read-only disk, somebody else's folder: slower, nothing worse
        folder = None
    except Exception as error:  # noqa: BLE001 - zlib, zipfile, zipimport: each has its own
        _leave(error)
    run = None if folder is None else _out_of(folder)
    if run is None:
        try:
            _keep_certifi_from_unpacking(archive)
            run = _command()
        except Exception as error:  # noqa: BLE001 - as above
            _leave(error)
    run()


def _leave(error: Exception) -> None:
    """Never returns: whoever starts something by us gets that, and one line."""
    import versioner_ci_stand_in

    text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    versioner_ci_stand_in.leave(f"the zipapp is damaged, have it anew: nothing is reported ({text!a})")


def _out_of(folder: str) -> Callable[[], None] | None:
    """The command out of the cache; None if it is damaged there. Then the folder goes: the next start unpacks anew."""
    archive = sys.path[0]
    as_asked = sys.dont_write_bytecode, sys.pycache_prefix
    sys.path[0], sys.dont_write_bytecode, sys.pycache_prefix = folder, False, None
    try:
        run = _command()
    except Exception:  # noqa: BLE001 - SyntaxError, EOFError, ValueError: whatever half a file makes Python say
        _forget(folder)
        sys.path[0] = archive
        sys.dont_write_bytecode, sys.pycache_prefix = as_asked
        for name in [name for name in sys.modules if name.partition(".")[0] == "versioner_ci"]:
            del sys.modules[name]
        return None
    return lambda: run(lambda: _forget(folder))


def _command() -> Callable[..., None]:
    """The entry, and what it takes to run CMD when the rest is broken. Raises whatever a damaged file makes."""
    from versioner_ci import early  # noqa: F401 - broken, it breaks here
    from versioner_ci.__main__ import main as run

    return run


def _forget(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _unpacked(archive: str) -> str | None:
    """The folder with all files in it; None if there can be none. Raises OSError."""
    base = cache()
    if base is None:
        return None
    own = os.path.join(base, "versioner-ci")
    folder = os.path.join(own, CONTENT)
    wanted = dict(_listed(__spec__.loader.get_data(os.path.join(archive, LIST))))
    if not _is_private(own) or not _is_private(folder) or any(missing(folder, wanted)):
        import versioner_ci_unpack

        if not versioner_ci_unpack.fill(archive, own, CONTENT, wanted):
            return None
    if time.time() - os.stat(folder).st_mtime > _DAY:
        os.utime(folder)  # in use: not to be swept
    return folder


def cache() -> str | None:
    """The user's folder for such things, as the system has it; None if it is not the user's alone to write in."""
    home = os.path.expanduser("~")
    given = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", "")
    usual = ("Library", "Caches") if sys.platform == "darwin" else (".cache",)
    base = given if os.path.isabs(given) else os.path.join(home, *usual)
    if not os.path.isabs(base):
        return None
    if not os.path.isdir(base):
        if not given and not _is_ours(home):
            return None
        os.makedirs(base, 0o700)
    return base if _is_ours(base) else None


def missing(folder: str, wanted: dict[str, int]) -> Iterator[str]:
    """The files that are not there in full: never unpacked, cut short by a power failure, removed by a cleaner."""
    for name, size in wanted.items():
        try:
            if os.stat(f"{folder}/{name}").st_size == size:
                continue
        except OSError:
            pass
        yield name


def _listed(raw: bytes) -> Iterator[tuple[str, int]]:
    for line in raw.decode().splitlines():
        size, _, name = line.partition(" ")
        yield name, int(size)


def _is_ours(folder: str) -> bool:
    """Whether nobody else can put something into this folder."""
    found = os.stat(folder)
    if os.name == "nt" or not stat.S_ISDIR(found.st_mode):
        return stat.S_ISDIR(found.st_mode)
    if found.st_uid != os.geteuid() or found.st_mode & stat.S_IWOTH:
        return False
    return not found.st_mode & stat.S_IWGRP or _is_of_one(found.st_gid)


def _is_of_one(group: int) -> bool:
    """Whether it is the user's own group, as many systems make one for each user: ~/.cache is then often 0775."""
    import grp
    import pwd

    try:
        user, found = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == user and set(found.gr_mem) <= {user}


def _is_private(folder: str) -> bool:
    """Whether it is there, no link, and for our eyes only. Raises PermissionError if it is somebody else's."""
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        return False
    is_open = os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & 0o077)
    if is_open or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(folder)
    return True


def _keep_certifi_from_unpacking(archive: str) -> None:
    """Else certifi would put its bundle into a temporary file, and leave it there: the command ends without atexit."""
    import certifi.core

    certifi.core._CACERT_PATH = os.path.join(archive, "certifi", "cacert.pem")  # noqa: SLF001 - no file; tls.py knows
