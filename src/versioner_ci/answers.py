"""What a tracker's reply means: the table of answers, as a pure function from Reply to Receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from versioner_ci import backoff, complaint, rules
from versioner_ci.complaint import Complaint, Unreadable
from versioner_ci.records import replace
from versioner_ci.redact import last4
from versioner_ci.reply import RETRIES as _RETRIES
from versioner_ci.reply import Failure, Kind, Reply
from versioner_ci.sinks._sink import Answer, Receipt, Rejection
from versioner_ci.text import cut, one_line

IDS = ("id", "event_id", "product_id", "version_id", "environment_id", "build_id", "deployment_id")
_TEMPORARY = {408, 425, 429}
_GATEWAY = {502, 504, 520, 522, 524}
"""Whoever says so does not know what the tracker did."""
_PLAIN_TO_TLS = (
    b"plain HTTP request was sent to HTTPS port",
    b"HTTP request to an HTTPS server",
    b"plain HTTP to an SSL-enabled server port",
)
_MOST_SHOWN, _MOST_MASKED, _MOST_DEBUG = 300, 2000, 200


class Asked(NamedTuple):
    """What was asked of whom: the facts that a message may name."""

    redact: Callable[[str], str]
    url_origin: str = "the settings"
    """Where the URL comes from: `VERSIONER_API_URL`, `flag --api-url`."""
    key_origin: str = "the settings"
    key: str | None = None
    size: int = 0
    """Bytes of the request's body."""
    is_gated: bool = False
    is_unsure: bool = False

    def __repr__(self) -> str:
        return f"Asked(url_origin={self.url_origin!r}, key_origin={self.key_origin!r})"

    def say(self, text: str, limit: int = _MOST_SHOWN) -> str:
        """Outside text masked, on one line and short."""
        # Masking takes its time on long text; and half a secret at the cut would not be known for one.
        short = text[:_MOST_MASKED]
        masked = self.redact(short)
        if len(text) > _MOST_MASKED:
            masked = masked.rpartition(" ")[0] or masked
        return cut(one_line(masked).strip(), limit)


def classify(reply: Reply, asked: Asked, *, now: float) -> Receipt:
    """The receipt for a reply; `now` is seconds since the epoch. Never raises, whatever the reply holds."""
    receipt = _classify(reply, asked, now)
    return replace(receipt, debug=_debug(reply, asked)) if reply.body else receipt


def _classify(reply: Reply, asked: Asked, now: float) -> Receipt:  # noqa: PLR0911 - one return for each row
    status = reply.status
    if reply.failure is not None or status is None:
        return _failed(reply.failure, asked)
    if 200 <= status < 300:
        return _accepted(reply, asked)
    if 300 <= status < 400:
        return _redirected(reply, asked)
    said = complaint.read(reply, now)
    if status < 200 or status >= 600:
        return Receipt(answer=Answer.UNKNOWN, detail=f"{reply.host} answered malformed HTTP (status {status})")
    if status >= 500 or status in _TEMPORARY:
        return _temporary(reply, said, asked)
    if status in {401, 403, 404, 405, 407}:
        return _misconfigured(reply, said, asked)
    if status == 409 and rules.canonical(said.code) == rules.IN_FLIGHT:
        wait = min(max(said.retry_after or 0.5, 0.2), 1.0)
        detail = f"{reply.host} is handling a copy of this event (HTTP 409)"
        return Receipt(answer=Answer.TEMPORARY, detail=detail, retry_after=wait)
    if status in {409, 423, 428} and asked.is_gated and rules.is_policy(status, said, is_unsure=asked.is_unsure):
        return _rejected(reply, said, asked)
    return _refused(reply, said, asked)


def _failed(failure: Failure | None, asked: Asked) -> Receipt:
    if failure is None:
        return Receipt(answer=Answer.UNKNOWN, detail="no answer")
    detail, fix = asked.say(failure.detail), _fix(failure.kind, asked)
    if failure.is_lasting:
        return Receipt(answer=Answer.KEPT, detail=detail, fix=fix)
    if failure.is_sent:
        return Receipt(answer=Answer.UNKNOWN, detail=f"{detail} (may have been recorded; retry is safe)", fix=fix)
    return Receipt(answer=Answer.TEMPORARY, detail=detail, fix=fix, retries=_RETRIES.get(failure.kind))


def _fix(kind: Kind, asked: Asked) -> str | None:
    if kind is Kind.TLS:
        return "if a private authority signs its certificate, name that in SSL_CERT_FILE or REQUESTS_CA_BUNDLE"
    if kind is Kind.PROXY:
        return "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
    if kind in {Kind.DNS_UNKNOWN, Kind.NOT_TLS, Kind.OTHER, Kind.REFUSED, Kind.CONNECT}:
        return f"check api_url, from {asked.url_origin}"
    return None


def _accepted(reply: Reply, asked: Asked) -> Receipt:
    if not reply.is_whole:
        return _broken(reply)
    kind = complaint.content_type(reply)
    is_json = kind in {"", "application/json"} or kind.endswith("+json")
    if reply.body.strip() and (complaint.is_page(reply) or not is_json):
        return _page(reply, asked)
    try:
        body = complaint.document(reply)
    except Unreadable as error:
        if not kind:
            return _page(reply, asked)
        return _broken(reply) if error.is_torn else Receipt(answer=Answer.ACCEPTED, detail=f"HTTP {reply.status}")
    if not kind and not isinstance(body, dict) and body is not None:
        return _page(reply, asked)
    ids = _ids(body, asked) if isinstance(body, dict) else {}
    is_known = isinstance(body, dict) and body.get("duplicate") is True
    name = ids.get("event_id") or ids.get("id")
    return Receipt(
        answer=Answer.DUPLICATE if is_known else Answer.ACCEPTED,
        ids=ids,
        detail=f"id {name}" if name else f"HTTP {reply.status}",
    )


def _ids(body: Mapping[str, Any], asked: Asked) -> dict[str, str]:
    found = {name: asked.say(complaint.text_of(body.get(name)), 100) for name in IDS}
    return {name: value for name, value in found.items() if value}


def _broken(reply: Reply) -> Receipt:
    detail = f"HTTP {reply.status} from {reply.host}, but the answer broke off (may have been recorded; retry is safe)"
    return Receipt(answer=Answer.UNKNOWN, detail=detail, retry_once=True)


def _page(reply: Reply, asked: Asked) -> Receipt:
    return Receipt(
        answer=Answer.KEPT,
        fix=f"check api_url, from {asked.url_origin}",
        detail=f"{reply.host} answered {reply.status} but not an API reply (proxy or login page?)",
    )


def _redirected(reply: Reply, asked: Asked) -> Receipt:
    location = backoff.header(reply.headers, "location")
    try:
        parts = urlsplit(location)
        target = (parts.hostname or "")[:200] + (f":{parts.port}" if parts.port else "")
    except ValueError:
        target = "a malformed address"
    target = target or ("another path of its own" if location else "nowhere")
    detail = asked.say(f"{reply.host} redirects to {target} (HTTP {reply.status})")
    return Receipt(
        answer=Answer.KEPT,
        detail=detail,
        fix=f"set api_url to the tracker's own address; it is now from {asked.url_origin}",
    )


def _temporary(reply: Reply, said: Complaint, asked: Asked) -> Receipt:
    detail = f"HTTP {reply.status} from {reply.host}"
    if request := backoff.header(reply.headers, "x-request-id"):
        detail += f", request id {asked.say(request, 80)}"
    if said.retry_after is not None and said.retry_after > 1:
        detail += f", server asks to wait {backoff.in_words(said.retry_after)}"
    is_unknown = reply.status in _GATEWAY
    return Receipt(
        answer=Answer.UNKNOWN if is_unknown else Answer.TEMPORARY,
        retry_after=said.retry_after,
        detail=_with_words(detail, said, asked),
    )


def _misconfigured(reply: Reply, said: Complaint, asked: Asked) -> Receipt:
    status, host = reply.status, reply.host
    if status == 407:
        return Receipt(
            answer=Answer.KEPT,
            detail=f"{host}: the proxy asks for a user name and password (HTTP 407)",
            fix="put them into HTTPS_PROXY or HTTP_PROXY",
        )
    if status in {401, 403} and not asked.key:
        detail, fix = f"{host} asks for a key (HTTP {status})", "set VERSIONER_API_KEY"
    elif status in {401, 403}:
        detail = f"key ending {last4(asked.key or '')} refused by {host} (HTTP {status})"
        fix = f"check the key, from {asked.key_origin}"
    else:
        detail = f"{host} knows no such address (HTTP {status})"
        fix = f"check api_url, from {asked.url_origin}: it ends before /build-events/ and /deployment-events/"
    return Receipt(answer=Answer.MISCONFIGURED, detail=_with_words(detail, said, asked), fix=fix)


def _rejected(reply: Reply, said: Complaint, asked: Asked) -> Receipt:
    rule = asked.say(said.rule or said.code or "", 100) or None
    reason = asked.say(said.text)
    if not said.rule and rules.canonical(said.code) not in rules.KNOWN:
        named = f" ({rule})" if rule and rule != reason else ""
        reason = f"blocked by an unrecognised rule{named}" + (f": {reason}" if reason else "")
    reason = reason or "no reason given"
    rejection = Rejection(rule=rule, reason=reason, retry_after=said.retry_after)
    return Receipt(answer=Answer.REJECTED, detail=f"HTTP {reply.status}", rejection=rejection)


def _refused(reply: Reply, said: Complaint, asked: Asked) -> Receipt:
    if reply.status == 400 and any(sign in reply.body for sign in _PLAIN_TO_TLS):
        return Receipt(
            answer=Answer.KEPT,
            detail=f"{reply.host}: server speaks TLS only",
            fix=f"write https:// in api_url, from {asked.url_origin}",
        )
    detail = f"HTTP {reply.status} from {reply.host}"
    if reply.status == 413:
        detail = f"event too large: {asked.size} bytes ({detail})"
    if reply.status == 409 and asked.is_gated:
        detail += ", a conflict but no rule's rejection"
    return Receipt(answer=Answer.REFUSED, detail=_with_words(detail, said, asked))


def _with_words(lead: str, said: Complaint, asked: Asked) -> str:
    words = asked.say(said.text)
    code = asked.say(said.code or "", 60)
    if code and code not in words:
        words = f"{words} ({code})" if words else code
    return f"{lead}: {words}" if words else lead


def _debug(reply: Reply, asked: Asked) -> str:
    try:
        complaint.document(reply)
    except Unreadable:
        begun = reply.body[:_MOST_MASKED].decode("utf-8", "replace")
        printable = "".join(letter if letter.isprintable() else " " for letter in begun)
        return asked.say(" ".join(printable.split()), _MOST_DEBUG)
    return ""
