"""`doctor --send-test`: proves tracker and Slack with requests that leave nothing behind but a test message."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from versioner_ci import __version__, backoff, complaint, sinks
from versioner_ci.answers import Asked, classify
from versioner_ci.doctor import Check, bad, ok, warn
from versioner_ci.doctor_variables import export
from versioner_ci.identity import uid
from versioner_ci.session import Session
from versioner_ci.settings import Config
from versioner_ci.sinks._sink import Answer, Receipt

if TYPE_CHECKING:
    from versioner_ci.http import Transport
    from versioner_ci.reply import Reply
    from versioner_ci.sinks.slack import Slack
    from versioner_ci.sinks.webhook import Webhook

_PATH = "/deployment-events/"
_EMPTY = b"{}"
"""An event without product, version and state: who knows the key refuses it as incomplete, and records nothing."""
_PATIENCE = 2.0
_MOST_SKEW = 300.0
_SCOPE = "chat:write"


def checks(session: Session) -> list[Check]:
    """Rows for the tracker and for Slack, asked at the same time."""
    if session.config.is_disabled:
        return [warn("send test", "VERSIONER_DISABLED is set: nothing was sent")]
    jobs = [job for job in (_tracker_job(session), _slack_job(session)) if job is not None]
    found: list[list[Check]] = [[] for _ in jobs]
    over = [threading.Event() for _ in jobs]
    for number, job in enumerate(jobs):
        threading.Thread(target=_work, args=(job, found[number], over[number]), daemon=True).start()
    give_up = time.monotonic() + session.config.timeout * 2 + _PATIENCE
    for number, done in enumerate(over):
        if not done.wait(max(0.0, give_up - time.monotonic())):
            found[number].append(bad("send test", "no answer in time", "versioner-ci doctor --send-test --timeout 60"))
    return [check for rows in found for check in list(rows)]


def _work(job: Callable[[], Iterator[Check]], found: list[Check], over: threading.Event) -> None:
    try:
        for check in job():
            found.append(check)  # noqa: PERF402 - seen as soon as it is known
    except Exception as error:  # noqa: BLE001 - the other job's rows are still wanted
        found.append(bad("send test", f"a fault of versioner-ci: {type(error).__name__}", "versioner-ci doctor"))
    finally:
        over.set()


def _tracker_job(session: Session) -> Callable[[], Iterator[Check]] | None:
    config = session.config
    url = config.backend_url
    if url is None or "api_key" in config.unusable:
        return None
    from versioner_ci.http import Transport  # noqa: PLC0415 - requests: only here, and in the main thread

    transport = Transport(session.env, allow_http=config.allow_http)
    transport.warm(url)
    return lambda: _tracker(session, transport, url)


def _tracker(session: Session, transport: Transport, url: str) -> Iterator[Check]:
    config = session.config
    reply = _post(transport, url, config.api_key, config.timeout)
    asked = Asked(
        redact=session.redactor,
        url_origin=config.origins.get("api_url", "default"),
        key=config.api_key,
        key_origin=config.origins.get("api_key", "default"),
    )
    receipt = classify(reply, asked, now=session.clock.wall())
    yield from _skew(reply.headers, session.clock.wall())
    if receipt.answer in {Answer.ACCEPTED, Answer.DUPLICATE}:
        yield ok("tracker test", "URL and key are accepted (it took an empty event)")
    elif receipt.answer is not Answer.REFUSED:
        yield bad("tracker test", receipt.detail, _fix(receipt, reply, config))
    elif not _is_json(reply):
        yield bad(
            "tracker test",
            f"{reply.host} answered HTTP {reply.status}, but not as a tracker does",
            export("VERSIONER_API_URL", "api_url"),
        )
    else:
        yield _proof(config, reply, lambda: _post(transport, url, None, config.timeout))


def _proof(config: Config, reply: Reply, ask_without_key: Callable[[], Reply]) -> Check:
    """The tracker has looked at the event itself; that it has looked at the key is seen by asking without one."""
    said = f"an empty event is refused as such (HTTP {reply.status}), nothing is recorded"
    if config.api_key is None:
        return ok("tracker test", f"the URL is right and asks for no key: {said}")
    bare = ask_without_key()
    if bare.status in {401, 403}:
        return ok("tracker test", f"URL and key are right: {said}")
    return ok("tracker test", f"the URL is right; no key is asked for yet: {said}")


def _post(transport: Transport, url: str, key: str | None, timeout: float) -> Reply:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"versioner-ci/{__version__}",
        "Idempotency-Key": uid("doctor"),
    }
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return transport.post(url + _PATH, headers, _EMPTY, timeout=timeout)


def _is_json(reply: Reply) -> bool:
    try:
        return isinstance(complaint.document(reply), dict)
    except complaint.Unreadable:
        return False


def _fix(receipt: Receipt, reply: Reply, config: Config) -> str:
    """The exact command where there is one: a key to be set, the address that a redirect names."""
    if reply.status in {401, 403}:
        origin = config.origins.get("api_key", "")
        return export(origin if origin.startswith("VERSIONER_") else "VERSIONER_API_KEY", "api_key")
    target = backoff.header(reply.headers, "location").partition("?")[0]
    is_plain = target.startswith("https://") and target.endswith(_PATH) and "@" not in target and target.isprintable()
    if reply.status is not None and 300 <= reply.status < 400 and is_plain and " " not in target:
        return f"export VERSIONER_API_URL='{target.removesuffix(_PATH).replace(chr(39), '')}'"
    return receipt.fix or "versioner-ci doctor --send-test  # once more, later"


def _skew(headers: Mapping[str, str], now: float) -> Iterator[Check]:
    try:
        theirs = parsedate_to_datetime(backoff.header(headers, "date")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return
    if abs(theirs - now) > _MOST_SKEW:
        off = f"{backoff.in_words(abs(theirs - now))} {'behind' if theirs > now else 'ahead of'}"
        yield warn("clock", f"{off} the tracker's: events carry this machine's time", "sudo timedatectl set-ntp true")


def _slack_job(session: Session) -> Callable[[], Iterator[Check]] | None:
    built = {sink.name: sink for sink in sinks.build(session.config, session.env, session.redactor)}
    if "slack" not in built:
        return None
    from versioner_ci.sinks.slack import Slack  # noqa: PLC0415 - loaded by then

    slack = built["slack"]
    if isinstance(slack, Slack):
        return lambda: _bot(slack, session.config)
    return lambda: _hook(slack, session.config)  # type: ignore[arg-type]


def _bot(slack: Slack, config: Config) -> Iterator[Check]:
    found = slack.check(timeout=config.timeout)
    if not found.is_ok:
        yield bad("Slack test", found.judgement.detail, found.judgement.fix or "versioner-ci doctor --send-test")
        return
    if found.scopes and _SCOPE not in found.scopes:
        yield bad(
            "Slack test",
            f"{found.bot} in {found.team} lacks the scope {_SCOPE}",
            f"add the bot scope {_SCOPE} to the Slack app (OAuth & Permissions) and install it again",
        )
        return
    scopes = f", scopes {', '.join(found.scopes)}" if found.scopes else ""
    yield ok("Slack test", f"the token is {found.bot}'s in {found.team}{scopes}")
    routed = (route.channel_id for route in config.routes if route.channel_id)
    for channel in dict.fromkeys((*config.slack_channels, *routed)):
        yield _posted(channel, slack.send_test(channel, timeout=config.timeout))


def _hook(hook: Webhook, config: Config) -> Iterator[Check]:
    yield _posted("the webhook's channel", hook.send_test(timeout=config.timeout))


def _posted(channel: str, receipt: Receipt) -> Check:
    if receipt.answer is Answer.ACCEPTED:
        return ok("Slack test", f"a test message stands in {channel}")
    return bad("Slack test", f"{channel}: {receipt.detail}", receipt.fix or "versioner-ci doctor --send-test")
