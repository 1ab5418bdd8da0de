"""`doctor`: the run, the spool's folder, git, the network's variables, the clock."""

from __future__ import annotations

import platform
import re
import shlex
from collections.abc import Iterator
from urllib.parse import urlsplit

from versioner_ci.backoff import in_words
from versioner_ci.doctor import Check, bad, ok, warn
from versioner_ci.git import LIMIT, find_program
from versioner_ci.proxies import proxy_for
from versioner_ci.report import counted
from versioner_ci.session import Session
from versioner_ci.settings_cascade import DEFAULT
from versioner_ci.spool import BAD
from versioner_ci.spool_files import listing
from versioner_ci.text import one_line

_FIRST_YEAR = 1_767_225_600.0
"""2026-01-01: this program is not older."""
_SAFE = re.compile(r"git config --global --add safe\.directory (?P<path>.+)")
_SOME_FOLDER = "export VERSIONER_SPOOL_DIR=$(mktemp -d)"
_LOST = "lost with this job, unless VERSIONER_SPOOL_DIR names a folder that lasts: "
_GIT_ENV = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES", "GIT_CONFIG_NOSYSTEM")
_MEND_CLOCK = "sudo timedatectl set-ntp true"


def run(session: Session, *, is_git_refused: bool) -> Iterator[Check]:
    """Which host, and what events would be about; what git would say if it were let is no row's fault."""
    context, config = session.context, session.config
    where = f"{context.source_system}" + (f", run {context.invoke_id}" if context.invoke_id and context.is_ci else "")
    yield ok("CI host", where if context.is_ci else "none (local)")
    examples = {"product": "my-product", "version": "1.0.0"}
    for name in ("product", "version", "environment"):
        value, origin = getattr(config, name), config.origins.get(name, DEFAULT)
        if value is not None:
            yield ok(name, f"{value} ({origin})")
        elif name in examples and is_git_refused:
            yield warn(name, "not known, since git refuses to read this repository: see below")
        elif name in examples:
            yield bad(
                name,
                "not known: neither git here nor a CI host says it",
                f"export VERSIONER_{name.upper()}={examples[name]}",
            )
        else:
            yield ok(name, "not set: builds have none, a deployment needs --environment")


def spool(session: Session) -> Iterator[Check]:
    """Where events are kept, for how long, and what is there."""
    place, root = session.place, session.place.root
    if place.why is not None:
        yield bad("spool", place.why, _mend_folder(session))
    if root is None:
        if place.why is None:
            yield bad("spool", "no folder can be written: nothing could be kept", _SOME_FOLDER)
        return
    entries = session.spool.entries() if session.spool is not None else []
    aside = len(listing(root / BAD))
    if aside:
        yield warn("set aside", f"{counted(aside, 'refused event')} in {root / BAD}, for 72 h at most")
    if entries:
        oldest = in_words(max(0.0, session.clock.wall() - min(entry.seq for entry in entries) / 1e6))
        yield warn(
            "kept", f"{counted(len(entries), 'event')} not delivered yet, the oldest for {oldest}", "versioner-ci flush"
        )
    yield ok("spool", f"{_LOST if place.is_lost_with_job else ''}{root}")


def _mend_folder(session: Session) -> str:
    origin = session.config.origins.get("spool_dir", "")
    why, folder = session.place.why or "", shlex.quote(session.config.spool_dir or "")
    if "others may read it" in why:
        return f"chmod -R go= {folder}"
    if "read-only" in why:
        return f"chmod u+rwx {folder}"
    return "versioner-ci doctor  # without --spool-dir" if origin.startswith("flag") else "unset VERSIONER_SPOOL_DIR"


def git(session: Session) -> Iterator[Check]:
    """Whether git can be asked about the working directory."""
    config = session.config
    is_needed = config.product is None or config.version is None
    program = find_program(session.call.cwd, session.env)
    if program is None:
        yield warn("git", "not found on PATH: commit and branch are known only from a CI host")
        return
    code, out, error = _ask(program, session)
    if unsafe := _SAFE.search(error):
        fix = f"git config --global --add safe.directory {unsafe['path'].strip()}"
        said = "refuses to read this repository, which belongs to another user"
        yield bad("git", said, fix) if is_needed else warn("git", said, fix)
    elif code:
        yield ok("git", f"{program}; no repository here")
    else:
        yield ok("git", f"{program}{'; a shallow clone, which is enough' if out.startswith('true') else ''}")


def _ask(program: str, session: Session) -> tuple[int, str, str]:
    import subprocess  # noqa: PLC0415 - only here

    env = {name: value for name, value in session.env.items() if not name.startswith("GIT_") or name in _GIT_ENV}
    command = [
        program,
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-C",
        session.call.cwd,
        "rev-parse",
        "--is-shallow-repository",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - an absolute path and fixed arguments
            command,
            env={**env, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 1, "", ""
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def network(session: Session) -> Iterator[Check]:
    """Proxies and certificates that the variables name."""
    urls = [session.config.backend_url, session.config.slack_api_url]
    if session.config.has_slack_bot and session.config.slack_api_url is None:
        urls.append("https://slack.com/api/")
    proxies: dict[str, str] = {}
    for url in filter(None, urls):
        parts = urlsplit(url)
        if proxy := proxy_for(parts, session.env):
            proxies.setdefault(proxy, parts.hostname or "")
    for proxy, host in proxies.items():
        yield _proxy(proxy, host, session)
    if any(url.startswith("https://") for url in urls if url):
        yield from _certificates(session)


def _proxy(proxy: str, host: str, session: Session) -> Check:
    shown = one_line(proxy.partition("://")[2].rpartition("@")[2].rstrip("/"))
    try:
        is_fine = urlsplit(proxy).scheme in {"http", "https"} and bool(urlsplit(proxy).hostname)
        urlsplit(proxy).port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        is_fine = False
    if is_fine:
        return ok("proxy", f"{shown} for {host}")
    listed = session.env.get("no_proxy") or session.env.get("NO_PROXY") or ""
    name = "no_proxy" if session.env.get("no_proxy") else "NO_PROXY"
    fix = f"export {name}={shlex.quote(','.join(filter(None, (listed, host))))}"
    return bad("proxy", f"{shown} for {host} is no http(s) proxy: nothing gets through", fix)


def _certificates(session: Session) -> Iterator[Check]:
    from versioner_ci import tls  # noqa: PLC0415 - it loads urllib3 and certifi

    try:
        tls.context(session.env)
    except tls.TrustError as error:
        yield bad("certificates", str(error), f"unset {str(error).partition(' ')[0]}")
        return
    named = [name for name in tls.BUNDLES if session.env.get(name)]
    if named:
        yield ok("certificates", f"{', '.join(named)}, beside the usual ones")


def machine(session: Session) -> Iterator[Check]:
    """Python, and a clock that cannot be right."""
    yield clock(session.clock.wall())
    yield ok("Python", f"{platform.python_version()} on {platform.system() or 'an unknown system'}")


def clock(now: float) -> Check:
    """`now`: seconds since the epoch."""
    from versioner_ci.times import stamp  # noqa: PLC0415 - only here

    said = stamp(now).partition(".")[0] + "Z"
    if now < _FIRST_YEAR:
        return bad("clock", f"{said} cannot be right: events would carry that time", _MEND_CLOCK)
    return ok("clock", said)
