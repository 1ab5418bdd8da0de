"""One broken server, the command against it soft and strict at the same time, and what must hold of every such call."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.faults import CANARY, KEY, MARGIN, Fault, Running
from tests.support.process import Result
from tests.support.raw_server import Behaviour, RawServer, Request

NAMES = Path(__file__).parents[1] / "faults/names"
BUILD = ("report", "build", "started")
DEPLOYMENT = ("report", "deployment", "started", "--environment", "production", "--version", "1.4.2")
SOFT, STRICT = ("--json",), ("--json", "--verbose", "--fail-on-error")
Listener: TypeAlias = Callable[[], AbstractContextManager[RawServer | str]]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Of both calls. In the texts `{port}` and `{host}` stand for the server's."""

    outcome: str = "kept"
    """The word of `report --json`."""
    tries: range = range(1, 2)
    """How many requests the server may have received."""
    said: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    codes: tuple[int, int] | None = None
    """Soft and strict; by the outcome, if not given."""
    is_polled: bool = False
    """A gate that is asked again later: the same event, with the time of each asking."""
    within: float | None = None
    """Seconds; the budget and a margin, if not given."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How the command is called. `{port}` and `{host}` in texts stand for the server's."""

    args: tuple[str, ...] = BUILD
    budget: float = 3.0
    url: str = "{url}"
    env: Mapping[str, str] = field(default_factory=dict)
    is_report: bool = True


@dataclass(frozen=True)
class Seen:
    """One call and its server (None where nothing listens)."""

    result: Result
    server: RawServer | None
    place: Fault

    @property
    def requests(self) -> list[Request]:
        return self.server.requests if self.server is not None else []

    @property
    def said(self) -> dict[str, Any]:
        """What `--json` printed."""
        found: dict[str, Any] = json.loads(self.result.out)
        return found


def serving(*behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> Listener:
    """A server that behaves so; each call gets one of its own."""
    return partial(RawServer, *behaviours, tls=tls)


def names(how: str, log: Path | None = None) -> dict[str, str]:
    """The environment's part that has a child's names looked up as tests/faults/names says."""
    return {"FAULT_NAMES": how, "FAULT_NAMES_LOG": str(log or os.devnull)}


def soft_and_strict(fault: Fault, listener: Listener, expected: Expected, way: Way | None = None) -> tuple[Seen, Seen]:
    """Both at the same time, each with a server and a spool of its own."""
    way = way or Way()
    with ExitStack() as stack:
        started = [
            _start(stack, fault.fresh(name), listener, flags, way)
            for name, flags in (("soft", SOFT), ("strict", STRICT))
        ]
        both = [Seen(running.wait(way.budget + MARGIN + 20), server, place) for running, server, place, _ in started]
    for seen, code, (*_, url) in zip(both, _codes(expected), started, strict=True):
        check(seen, expected, way, code, url)
    fault.assert_no_secret(both[0].result)
    return both[0], both[1]


def _start(
    stack: ExitStack, place: Fault, listener: Listener, flags: tuple[str, ...], way: Way
) -> tuple[Running, RawServer | None, Fault, str]:
    heard = stack.enter_context(listener())
    url = heard if isinstance(heard, str) else heard.url
    env = {name: _filled(value, url) for name, value in way.env.items()}
    if "FAULT_NAMES" in env:
        env["PYTHONPATH"] = os.pathsep.join([str(NAMES), place.env["PYTHONPATH"]])
    env["VERSIONER_API_URL"] = _filled(way.url, url)
    own = flags if way.is_report else tuple(flag for flag in flags if flag != "--json")
    at = way.args.index("--") if "--" in way.args else len(way.args)
    args = (*way.args[:at], "--timeout", f"{way.budget:g}", *own, *way.args[at:])
    return place.start(*args, env=env), heard if isinstance(heard, RawServer) else None, place, url


def check(seen: Seen, expected: Expected, way: Way, code: int, url: str) -> None:
    """Exit code, time, what the server got, what is in the spool, what was said."""
    result, err = seen.result, seen.result.err
    assert result.code == code, f"{result.code} instead of {code}\n{err}"
    bound = expected.within or way.budget + MARGIN
    assert result.seconds <= bound, f"took {result.seconds:.1f} s, at most {bound} s\n{err}"
    if seen.server is not None:
        assert len(seen.requests) in expected.tries, f"{len(seen.requests)} tries\n{err}"
    _check_requests(seen.requests, is_polled=expected.is_polled)
    kept, aside = expected.outcome == "kept", expected.outcome == "refused"
    assert (len(seen.place.kept()), len(seen.place.bad())) == (int(kept), int(aside)), err
    if way.is_report:
        assert seen.said["outcome"] == expected.outcome, err
    for words in expected.said:
        assert _filled(words, url) in err, f"{_filled(words, url)!r} is not said\n{err}"
    assert CANARY not in err + result.out, err
    for words in (*expected.unsaid, "<html", "<title"):
        assert words not in _undebugged(err) + result.out, f"{words!r} is said\n{err}"
    assert all(line.startswith("versioner-ci: ") for line in err.splitlines()), err
    _check_advice(err, str(seen.place.folder / "spool"), expected.outcome)


def _check_advice(err: str, spool: str, outcome: str) -> None:
    """Whether it was kept, where, and what to do."""
    if outcome == "kept":
        assert "kept for later" in err, err
        assert "the next call or `versioner-ci flush` sends it" in err
        assert spool in err, err
    if outcome == "refused":
        assert "refused, set aside in" in err, err
        assert f"{spool}/" in err, err
        assert "it is not sent again" in err


def _check_requests(requests: list[Request], *, is_polled: bool) -> None:
    """Each try is the same event with the same key, and the secret stands in its one header only."""
    if not requests or requests[0].method == "CONNECT":
        return
    assert len({request.headers["idempotency-key"] for request in requests}) == 1
    assert len({without_times(request) if is_polled else request.body for request in requests}) == 1
    for request in requests:
        assert request.target.endswith(("/build-events/", "/deployment-events/"))
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert request.headers["accept-encoding"] == "identity"
        others = [value for name, value in request.headers.items() if name != "authorization"]
        assert CANARY not in repr((request.target, request.body, others))


def without_times(request: Request) -> bytes:
    """Its body but for when it happened."""
    return re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"", request.body)


def _codes(expected: Expected) -> tuple[int, int]:
    if expected.codes is not None:
        return expected.codes
    return (0, 0) if expected.outcome in {"accepted", "duplicate"} else (0, 4)


def _filled(text: str, url: str) -> str:
    host = url.partition("://")[2]
    return text.replace("{url}", url).replace("{host}", host).replace("{port}", host.rpartition(":")[2])


def _undebugged(err: str) -> str:
    """Without what only --verbose shows: one line with the beginning of an answer that could not be read."""
    kept = [line for line in err.splitlines() if ": the answer begins: " not in line]
    assert len(err.splitlines()) - len(kept) <= 1
    return "\n".join(kept)
