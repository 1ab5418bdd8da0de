"""A git remote's address: where the repository is, without the credentials that it may carry."""

from __future__ import annotations

import re
from typing import NamedTuple


class Remote(NamedTuple):
    """A git remote without its credentials."""

    server_url: str
    repository: str
    """owner/name; a GitLab group's path and an Azure project's name are kept."""
    web_url: str
    """The repository's page."""


_URL = re.compile(
    r"(?P<scheme>https?|ssh|git|git\+ssh|ssh\+git)://(?:[^/]*@)?(?P<host>\[[\da-f:.]+\]|[^/:@\[\]\s\\]+)(?P<port>:\d*)?"
    r"/+(?P<path>[^?#\s\\@]+)(?:[?#].*)?",
    re.IGNORECASE,
)
_SCP = re.compile(r"(?:[^/]*@)?(?P<host>\[[\da-fA-F:.]+\]|[^/:@\[\]\s\\]{2,}):/*(?P<path>[^?#:\s\\@]+)")
_SSH_HOSTS = {
    "ssh.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}


def parse_remote(url: str | None) -> Remote | None:
    """Understands https, ssh, git and scp-like (`git@host:owner/name.git`) remotes; None for a folder."""
    text = (url or "").strip()
    match = _URL.fullmatch(text) or (None if "://" in text else _SCP.fullmatch(text))
    if match is None:
        return None
    host = _SSH_HOSTS.get(match["host"].lower(), match["host"].lower())
    scheme, port = "https", ""
    if text.lower().startswith("http"):
        scheme, port = match["scheme"].lower(), match["port"] or ""
    parts = [part for part in match["path"].strip("/").removesuffix(".git").split("/") if part]
    return _located(f"{scheme}://{host}{port.rstrip(':')}", parts) if parts else None


def repository_of(url: str | None) -> tuple[str, str] | None:
    """A remote's server and its `owner/name`."""
    remote = parse_remote(url)
    return (remote.server_url, remote.repository) if remote else None


def _located(server: str, parts: list[str]) -> Remote:
    if server == "https://dev.azure.com" and parts[0] == "v3" and len(parts) == 4:
        parts = [*parts[1:3], "_git", parts[3]]
    if "_git" in parts[:-1]:
        return _azure(server, parts)
    web = "/".join([server, *parts])
    if parts[0] == "scm" and len(parts) == 3:
        parts = parts[1:]
        web = f"{server}/projects/{parts[0]}/repos/{parts[1]}"
    return Remote(server, _decoded("/".join(parts)), web)


def _azure(server: str, parts: list[str]) -> Remote:
    """`organization/project/_git/name`; a project's first repository may be written without the project."""
    at = parts.index("_git")
    is_short = at == 0 or (at == 1 and server == "https://dev.azure.com")
    collection, project = (parts[:at], parts[at + 1]) if is_short else (parts[: at - 1], parts[at - 1])
    where = "/".join([server, *collection])
    return Remote(where, _decoded(f"{project}/{parts[at + 1]}"), "/".join([server, *parts[: at + 2]]))


def _decoded(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote  # noqa: PLC0415 - rare

    return unquote(path)
