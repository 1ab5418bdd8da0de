"""On the path of every Python that the tests start: the network ends at loopback.

In a child a connection beyond it ends the process at once, with exit code 97 and a line on stderr; in the tests' own
process it fails the test (conftest.py). A name below `.invalid` is unknown, as the standard says, without asking
anybody: a machine without a name service would answer otherwise.
"""

from __future__ import annotations

import os
import sys

EXIT_CODE = 97
_LOCAL_NAMES = frozenset({"", "localhost", "::", "::1", "0.0.0.0"})  # noqa: S104 - only compared

beyond: list[str] = []
"""What was tried, in the tests' own process."""


def is_loopback(host: object) -> bool:
    """Of a name, an address or None; anything else is told apart by the system call itself."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(text, str):
        return True
    text = text.lower().rstrip(".")
    return text in _LOCAL_NAMES or text.endswith(".localhost") or text.startswith(("127.", "::ffff:127."))


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if not isinstance(address, tuple):
            return
        host = address[0]
    else:
        return
    if isinstance(host, (str, bytes)) and str(host).lower().rstrip("'.").endswith(".invalid"):
        import socket  # noqa: PLC0415 - loaded: its event is being looked at

        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if not is_loopback(host):
        _refuse(f"network beyond loopback: {event} {host!r}")


def _refuse(what: str) -> None:
    if os.environ.get("TESTS_MAIN_PROCESS") == str(os.getpid()):
        beyond.append(what)
        raise PermissionError(what)
    os.write(2, f"{what}\n".encode())
    os._exit(EXIT_CODE)


sys.addaudithook(_hook)
