"""Which proxy a URL is to be fetched through, by the variables that curl and requests read."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult

_PORTS = {"http": 80, "https": 443}


def proxy_for(url: SplitResult, env: Mapping[str, str]) -> str | None:
    """The proxy's URL (`host:port` means http://host:port), or None.

    `{http,https,all}_proxy` in lower case before upper case. HTTP_PROXY is ignored where REQUEST_METHOD is set: in a
    CGI script it is a header of the visitor's. `no_proxy`: `*`, hosts (their sub-domains too, with or without a
    leading dot), addresses, networks such as 10.0.0.0/8, each with an optional `:port`.
    """
    if _is_exempt(url, env.get("no_proxy") or env.get("NO_PROXY") or ""):
        return None
    proxy = env.get(f"{url.scheme}_proxy") or env.get("all_proxy")
    if not proxy and not (url.scheme == "http" and "REQUEST_METHOD" in env):
        proxy = env.get(f"{url.scheme.upper()}_PROXY")
    proxy = (proxy or env.get("ALL_PROXY") or "").strip()
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_exempt(url: SplitResult, listed: str) -> bool:
    host = (url.hostname or "").rstrip(".")
    port = url.port or _PORTS.get(url.scheme)
    entries = listed.replace(",", " ").split()
    return any(_fits(entry.lower(), host, port) for entry in entries)


def _fits(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    name, its_port = _split_port(entry)
    if its_port is not None and its_port != port:
        return False
    address = _address(host)
    if address is not None:
        return _holds(name, address)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        return name, int(port[1:]) if port[1:].isdigit() else None
    name, colon, port = entry.rpartition(":")
    if colon and ":" not in name and port.isdigit():
        return name, int(port)
    return entry, None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """`localhost` or an address of this machine's own."""
    address = _address(host)
    return address.is_loopback if address is not None else host.rstrip(".").lower() == "localhost"
