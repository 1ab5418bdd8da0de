"""A build's or deployment's event as it came in: checked field by field, then one frozen record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from versioner_ci.errors import UsageError
from versioner_ci.identity import uid
from versioner_ci.server import moments
from versioner_ci.server.problems import Fault, invalid
from versioner_ci.status import WORDS, Kind, State, canonical, near, normalise

NAME_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
"""No control characters, and not blank."""
TEXT_PATTERN = r"^[^\x00]*$"
LONGEST_NAME = 200
LONGEST_TEXT = 2_000
LONGEST_KEY = 255
TEXTS = ("source_system", "build_number", "scm_sha", "scm_branch", "scm_repository", "invoke_id")
TIMES = ("started_at", "completed_at")
OWN_TEXTS = {
    Kind.BUILD: ("build_url", "built_by", "built_by_email", "built_by_name"),
    Kind.DEPLOYMENT: ("deploy_url", "deployed_by", "deployed_by_email", "deployed_by_name"),
}
IDS = ("vi_lifecycle_id", "vi_group_id")
_NAME = re.compile(NAME_PATTERN)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Keys(NamedTuple):
    """UUIDv5s by which an event finds its lifecycle."""

    own: str
    """Of what its client calls it: by lifecycle, by group, by run, else its slot."""
    slot: str
    """Of kind, product, version and environment."""
    group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Times in microseconds since the epoch; what was left out, null or empty is None."""

    kind: Kind
    state: State
    product: str
    version: str
    environment: str | None
    key: str | None
    """The Idempotency-Key."""
    occurred_at: int | None
    """None: the client does not say, so it counts as happened when it arrived."""
    started_at: int | None
    texts: Mapping[str, str]
    """The other fields that were given."""
    metadata: Mapping[str, Any]
    payload: str
    lifecycle: str | None
    """What its client calls the lifecycle; None: another client, or an event for a whole group."""
    keys: Keys

    @property
    def is_for_group(self) -> bool:
        """An ending that speaks for all that its group has open."""
        return self.keys.group is not None and self.lifecycle is None and self.state.is_ending

    @property
    def whole(self) -> str:
        """`keys.own` of an ending that speaks for its whole group."""
        group = self.metadata.get("vi_group_id")
        return uid("group", group, self.kind.value, self.product, self.version, self.environment)


def is_name(text: str) -> bool:
    """Whether a product, a version or an environment may be called so."""
    return len(text) <= LONGEST_NAME and _NAME.match(text) is not None and not text.endswith("\n")


def words(kind: Kind) -> list[str]:
    """The legal status words of the API."""
    return [row.word for row in WORDS if not row.host and row.kind in {None, kind}]


def check_key(key: str | None) -> str | None:
    """An Idempotency-Key as it is kept. Raises Problem 422."""
    if key is None or _KEY.fullmatch(key):
        return key
    message = f"Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters"
    raise invalid(Fault(at=("header", "Idempotency-Key"), message=message, type="string_pattern_mismatch"))


def read(kind: Kind, body: Mapping[str, Any], key: str | None) -> Incoming:
    """The event. Raises Problem 422 that names everything that is wrong."""
    faults: list[Fault] = []
    product = _name(body, "product_name", faults)
    version = _name(body, "version", faults)
    environment = _name(body, "environment_name", faults) if kind is Kind.DEPLOYMENT else None
    state = _state(kind, body, faults)
    texts = {name: text for name in (*TEXTS, *OWN_TEXTS[kind]) if (text := _text(body, name, faults))}
    times = {name: _time(body.get(name), ("body", name), faults) for name in TIMES}
    metadata = _metadata(body, faults)
    told = _time(metadata.get("vi_occurred_at"), ("body", "extra_metadata", "vi_occurred_at"), faults)
    skip = body.get("skip_preflight_checks")
    if skip is not None and not isinstance(skip, bool):
        faults.append(_fault("skip_preflight_checks", "must be true or false", "bool_type"))
    if faults or state is None:
        raise invalid(*faults)
    own = times["completed_at"] if state.is_ending else times["started_at"] if state is State.STARTED else None
    return Incoming(
        kind=kind,
        state=state,
        product=product,
        version=version,
        environment=environment,
        key=key,
        occurred_at=told if told is not None else own,
        started_at=times["started_at"],
        texts=texts,
        metadata=metadata,
        payload=_ENCODER.encode(body),
        lifecycle=metadata.get("vi_lifecycle_id") or None,
        keys=_keys((kind.value, product, version, environment), state, texts, metadata),
    )


def _keys(about: tuple[str | None, ...], state: State, texts: Mapping[str, str], metadata: Mapping[str, Any]) -> Keys:
    """With what the event is about in each: nobody's id reaches another product's lifecycle."""
    lifecycle, group, run = metadata.get("vi_lifecycle_id"), metadata.get("vi_group_id"), texts.get("invoke_id")
    slot = uid("slot", *about)
    if lifecycle:
        own = uid("lifecycle", lifecycle, *about)
    elif group and state.is_ending:
        own = uid("group", group, *about)
    else:
        own = uid("run", texts.get("source_system"), run, *about) if run else slot
    return Keys(own, slot, uid("group", group) if group else None)


def _fault(name: str, message: str, kind: str) -> Fault:
    return Fault(at=("body", name), message=message, type=kind)


def _name(body: Mapping[str, Any], name: str, faults: list[Fault]) -> str:
    value = body.get(name)
    if name not in body:
        faults.append(_fault(name, "is missing", "missing"))
    elif not isinstance(value, str):
        faults.append(_fault(name, "must be text", "string_type"))
    elif len(value) > LONGEST_NAME:
        faults.append(_fault(name, f"may have {LONGEST_NAME} characters", "string_too_long"))
    elif not is_name(value):
        faults.append(_fault(name, "must not be blank or hold control characters", "string_pattern_mismatch"))
    return str(value)


def _state(kind: Kind, body: Mapping[str, Any], faults: list[Fault]) -> State | None:
    value = body.get("status")
    if "status" not in body:
        faults.append(_fault("status", "is missing", "missing"))
    elif not isinstance(value, str):
        faults.append(_fault("status", "must be text", "string_type"))
    elif canonical(value) not in _LEGAL[kind]:
        legal, like = ", ".join(words(kind)), [word for word in near(kind, value) if word in _LEGAL[kind]]
        hint = f"did you mean {' or '.join(like)}? " if like else ""
        faults.append(_fault("status", f"{hint}legal words: {legal}", "enum"))
    else:
        return _normal(kind, value)
    return None


def _normal(kind: Kind, word: str) -> State | None:
    try:
        return normalise(kind, word)
    except UsageError:  # pragma: no cover - the word is legal
        return None


def _text(body: Mapping[str, Any], name: str, faults: list[Fault]) -> str | None:
    value = body.get(name)
    if value is None or (isinstance(value, str) and len(value) <= LONGEST_TEXT):
        return value
    if isinstance(value, str):
        faults.append(_fault(name, f"may have {LONGEST_TEXT} characters", "string_too_long"))
    else:
        faults.append(_fault(name, "must be text", "string_type"))
    return None


def _time(value: object, at: tuple[str, ...], faults: list[Fault]) -> int | None:
    if value is None:
        return None
    try:
        return moments.parse(value) if isinstance(value, str) else _no_time()
    except ValueError:
        message = "must be a time like 2026-01-31T12:00:00Z"
        faults.append(Fault(at=at, message=message, type="datetime_parsing"))
        return None


def _no_time() -> int:
    raise ValueError("not text")


def _metadata(body: Mapping[str, Any], faults: list[Fault]) -> Mapping[str, Any]:
    value = body.get("extra_metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.append(_fault("extra_metadata", "must be an object", "dict_type"))
        return {}
    for name in IDS:
        each = value.get(name)
        if each is not None and not (isinstance(each, str) and len(each) <= LONGEST_NAME):
            message = f"must be text of {LONGEST_NAME} characters at most"
            faults.append(Fault(at=("body", "extra_metadata", name), message=message, type="string_type"))
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LEGAL = {kind: frozenset(words(kind)) for kind in Kind}
