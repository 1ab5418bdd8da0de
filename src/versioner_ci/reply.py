"""What came of one HTTP request: a server's answer, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """Why there is no answer."""

    DNS_UNKNOWN = "unknown name"
    DNS = "name service"
    REFUSED = "refused"
    CONNECT = "no connection"
    TLS = "TLS"
    NOT_TLS = "TLS on one side only"
    TIMEOUT = "timeout"
    RESET = "reset"
    MALFORMED = "malformed HTTP"
    PROXY = "proxy"
    OTHER = "other"


RETRIES = {Kind.REFUSED: 3, Kind.PROXY: 3}
"""Nothing runs there: 2 s tell a restart from an outage, and the rest of the budget is left to the pipeline."""


class Failure(NamedTuple):
    """Why there is no answer."""

    kind: Kind
    detail: str
    """One line naming HOST[:PORT], without userinfo and query."""
    is_sent: bool = False
    """The request may have reached the server."""
    is_lasting: bool = False
    """Another try now would end the same way."""


class Reply(NamedTuple):
    """What came of one request; either `status` or `failure` is set."""

    headers: Mapping[str, str]
    """Names in any case."""
    status: int | None = None
    body: bytes = b""
    """As received, never decoded; at most 64 KiB."""
    is_whole: bool = True
    """False: the body broke off, or its length was not the one announced."""
    is_oversize: bool = False
    """There was more than 64 KiB of it."""
    failure: Failure | None = None
    host: str = ""
    """HOST[:PORT] as asked for, with ` via proxy HOST:PORT` where there is one."""
