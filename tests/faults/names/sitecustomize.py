"""On the path of a child before the guard: a name service that fails as FAULT_NAMES says, all else as ever.

FAULT_NAMES: `unknown`, `stall`, `again` (for good), `again-once`, `many` (eight addresses),
`same` (eight times 127.0.0.1), `here` (127.0.0.1).
FAULT_NAMES_LOG: a file that gets a line for each name asked for and each address connected to.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

_HOW = os.environ.get("FAULT_NAMES", "here")
_LOG = os.environ.get("FAULT_NAMES_LOG", os.devnull)
_MANY = ("127.0.0.2", "::1", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8")
_is_first = True


def _guard() -> None:
    file = Path(__file__).parents[2] / "loopback_only/sitecustomize.py"
    spec = importlib.util.spec_from_file_location("loopback_only", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _note(line: str) -> None:
    with open(_LOG, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def _look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    global _is_first
    _note(f"name {host}")
    was_first, _is_first = _is_first, False
    if _HOW == "unknown":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if _HOW == "again" or (_HOW == "again-once" and was_first):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    if _HOW == "stall":
        time.sleep(30)
    here = "127.0.0.1"
    return [_row(address, port) for address in {"many": _MANY, "same": (here,) * 8}.get(_HOW, (here,))]


def _row(address: str, port: int) -> Any:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _note(f"connect {arguments[1][0]}")


_guard()
sys.addaudithook(_hook)
socket.getaddrinfo = _look_up  # type: ignore[assignment]
