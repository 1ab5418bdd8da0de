"""What an answer from Slack, or no answer, means for a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from versioner_ci import backoff
from versioner_ci.records import dataclass
from versioner_ci.reply import RETRIES, Failure, Kind, Reply
from versioner_ci.sinks._sink import Answer
from versioner_ci.sinks.slack_errors import Meaning, fix_of
from versioner_ci.text import one_line

_DEFAULT_WAIT = 1.0
"""Slack takes about one message a second in a channel."""
_LASTING = {
    Kind.TLS: "if a private authority signs its certificate, name that in SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
    Kind.PROXY: "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One call's share of a Receipt; `is_stop`: other channels would fare no better."""

    answer: Answer
    detail: str = ""
    fix: str | None = None
    retry_after: float | None = None
    retry_once: bool = False
    retries: int | None = None
    is_stop: bool = False

    @property
    def is_open(self) -> bool:
        """Something is left to do."""
        return self.answer not in {Answer.ACCEPTED, Answer.REFUSED}


ACCEPTED = Judgement(answer=Answer.ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blanks:
    """What fills the blanks of a fix: the channel, the scope needed, and the setting of token or URL."""

    setting: str
    channel: str = ""
    needed: str = ""


def coded(code: str, meaning: Meaning, headers: Mapping[str, str], blanks: Blanks, now: float) -> Judgement:
    """One of Slack's own error codes."""
    return Judgement(
        answer=meaning.answer,
        detail=f"{blanks.channel}: {code}" if blanks.channel else code,
        fix=fix_of(meaning, channel=blanks.channel, needed=blanks.needed, setting=blanks.setting),
        retry_after=_wait(headers, now) if meaning.answer is Answer.TEMPORARY else None,
        retry_once=meaning.retry_once,
        is_stop=meaning.answer is Answer.MISCONFIGURED,
    )


def unspoken(reply: Reply, url_setting: str, now: float) -> Judgement:
    """No answer, or one that is not in Slack's words."""
    status = reply.status
    if reply.failure is not None:
        return _failed(reply.failure, url_setting)
    if status is None or not reply.is_whole:
        detail = f"{reply.host} broke off its answer; it may have been posted"
        return Judgement(answer=Answer.UNKNOWN, detail=detail, retry_once=True)
    said = f"{reply.host} answered HTTP {status}"
    if status == 429:
        return Judgement(answer=Answer.TEMPORARY, detail=said, retry_after=_wait(reply.headers, now))
    if status >= 500 or status in {408, 425}:
        return Judgement(answer=Answer.UNKNOWN, detail=said, retry_once=True, retry_after=_asked(reply.headers, now))
    return _foreign(status, said, reply.headers, url_setting)


def _foreign(status: int, said: str, headers: Mapping[str, str], url_setting: str) -> Judgement:
    if status < 300:
        return Judgement(
            answer=Answer.KEPT,
            detail=f"{said}, but not in Slack's words (proxy or login page?)",
            fix=f"check {url_setting} and the proxy",
            is_stop=True,
        )
    if status < 400:
        return Judgement(
            answer=Answer.KEPT,
            detail=f"{said}, a redirect{_to(headers)}, not followed",
            fix=f"set {url_setting} to the address that Slack gives",
            is_stop=True,
        )
    if status in {401, 403, 404, 405, 407}:
        return Judgement(
            answer=Answer.MISCONFIGURED,
            detail=f"{said}, but not in Slack's words",
            fix=f"check {url_setting} and the proxy",
            is_stop=True,
        )
    return Judgement(answer=Answer.REFUSED, detail=said)


def _failed(failure: Failure, url_setting: str) -> Judgement:
    if failure.is_lasting:
        fix = _LASTING.get(failure.kind, "check {url_setting}").format(url_setting=url_setting)
        return Judgement(answer=Answer.KEPT, detail=failure.detail, fix=fix, is_stop=True)
    if failure.is_sent:
        detail = f"{failure.detail}; it may have been posted"
        return Judgement(answer=Answer.UNKNOWN, detail=detail, retry_once=True, is_stop=True)
    retries = RETRIES.get(failure.kind)
    check = f"check {url_setting} and the proxy" if retries is not None else None
    return Judgement(answer=Answer.TEMPORARY, detail=failure.detail, fix=check, retries=retries, is_stop=True)


def _wait(headers: Mapping[str, str], now: float) -> float:
    asked = _asked(headers, now)
    return _DEFAULT_WAIT if asked is None else asked


def _asked(headers: Mapping[str, str], now: float) -> float | None:
    return backoff.retry_after({name.title(): value for name, value in headers.items()}, now)


def _to(headers: Mapping[str, str]) -> str:
    """` to HOST`: nothing else of the target, which may carry secrets."""
    location = next((value for name, value in headers.items() if name.lower() == "location"), "")
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    return f" to {one_line(host)[:200]}" if host else ""
