"""No CI host: a person's machine, or a host that is not known; git in the working directory says the rest.

https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html
"""

from __future__ import annotations

from versioner_ci.context import CIContext
from versioner_ci.hosts._host import Host, Variables


def _read(v: Variables) -> CIContext:
    return CIContext(source_system="local", actor=v("USER", "LOGNAME", "USERNAME"))


HOST = Host(
    name="local",
    docs="https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html",
    variables=("LOGNAME", "USER", "USERNAME"),
    is_mine=lambda _: True,
    read=_read,
)
