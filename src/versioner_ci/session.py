"""All that one call works with, put together once: host facts, settings, spool, state and sinks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from versioner_ci import config_file, hosts, places, settings
from versioner_ci.attempt import Deadline
from versioner_ci.book import StateBook
from versioner_ci.clock import Clock
from versioner_ci.compose import Facts
from versioner_ci.context import CIContext
from versioner_ci.courier import Courier
from versioner_ci.deliver import Line
from versioner_ci.errors import UsageError
from versioner_ci.identity import uid
from versioner_ci.records import replace
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config, Identity
from versioner_ci.settings_table import BY_NAME
from versioner_ci.spool import Spool
from versioner_ci.state import JobState

LAST_HOOK_FACTOR = 3
_LEAST_SECRET = 8
"""Shorter ones, of trials, would mask the names that they happen to be part of."""


class Call(NamedTuple):
    """What a call is given: flags by setting's name, the environment, and where it stands."""

    env: Mapping[str, str]
    cwd: str
    flags: Mapping[str, object] = MappingProxyType({})
    clock: Clock = Clock()
    began: float | None = None
    """When the process started, by the monotonic clock: the budget counts from there."""
    is_dry: bool = False
    """Only look: no folder is made."""

    def __repr__(self) -> str:
        return f"Call(cwd={self.cwd!r})"


class Session:
    """Opened once a call; `sinks` are built (and their libraries imported) only by `connect`."""

    def __init__(
        self,
        call: Call,
        context: CIContext,
        config: Config,
        warnings: tuple[str, ...],
        *,
        home: CIContext | None = None,
    ) -> None:
        self.call = call
        self.env = call.env
        self.clock = call.clock
        self.context = context
        self.config = config
        self.redactor = Redactor(config.secrets())
        self.warnings = [self.redactor(warning) for warning in warnings]
        self.facts = Facts(context=context, config=config, redactor=self.redactor, clock=call.clock)
        self.place = places.place(config.spool_dir, home or context, call.env, is_dry=call.is_dry)
        root = self.place.root
        if self.place.why is not None:
            instead = "sending without a safety copy" if root is None else f"using {root} instead"
            self.warnings.append(self.redactor(f"{self.place.why}; {instead}"))
        self.spool = Spool(root, call.clock) if root is not None else None
        self.job = job_name(context, call.cwd)
        self.state = JobState(root / "state" / f"{self.job}.json" if root is not None else None)
        self.book = StateBook(self.state, self.job)
        self.standing_courier: Courier | None = None
        """None: nothing was to be sent as yet."""

    @property
    def is_final(self) -> bool:
        """Nothing runs after this call, and what it keeps is lost."""
        return self.context.is_last_hook and self.place.is_lost_with_job

    def deadline(self, *, is_ending: bool = False, is_fresh: bool = False) -> Deadline:
        """The call's budget, three times as long for an ending in a host's last hook.

        Counted from the process's start, unless `is_fresh`.
        """
        factor = LAST_HOOK_FACTOR if is_ending and self.context.is_last_hook else 1
        now = self.clock.monotonic()
        began = now if is_fresh or self.call.began is None else self.call.began
        return Deadline(self.clock, self.config.timeout * factor - (now - began))

    def courier(self) -> Courier:
        """The sinks, ready to deliver; imports what they need."""
        if self.standing_courier is None:
            from versioner_ci import sinks  # noqa: PLC0415 - the HTTP libraries: only once there is something to send

            built = sinks.build(self.config, self.env, self.redactor)
            lines = [Line(sink, self.spool, self.book, self.clock, is_final=self.is_final) for sink in built]
            self.standing_courier = Courier(lines, self.spool, self.clock, _unusable(self.config))
        return self.standing_courier

    def tidy(self) -> None:
        """Hold the spool's bounds and say what had to be given up."""
        if self.spool is None:
            return
        dropped = self.spool.prune()
        for reason, count in dropped.reasons().items():
            self.warnings.append(f"{count} kept event{'s' if count != 1 else ''} dropped undelivered: {reason}")
        if dropped.foreign:
            files = "1 file" if dropped.foreign == 1 else f"{dropped.foreign} files"
            self.warnings.append(f"{files} in {self.spool.root} set aside in bad/: not what this version writes there")


def open_session(call: Call, *, stdin: BinaryIO | None = None) -> Session:
    """Detect, read the settings, find the folders. Raises UsageError for what was typed wrong."""
    flags, env = call.flags, call.env
    found, notes = _found(flags, env)
    file = config_file.load(call.cwd, env, path=settings.given("config", flags, env), context=found)
    filed = file.values.get("identity") if file is not None else None
    identity = settings.given("identity", flags, env) or getattr(filed, "value", filed)
    git = hosts.ask(found, env, call.cwd, wants_identity=identity == Identity.FULL.value)
    context = hosts.fill(found, git)
    config = _without_secrets(settings.resolve(flags, env, file, context, stdin=stdin))
    return Session(call, context, config, (*notes, *config.warnings), home=_home(found, context))


def _without_secrets(config: Config) -> Config:
    """Names go into identities, files and handles, where nothing masks them any more."""
    redactor = Redactor(secret for secret in config.secrets() if len(secret) >= _LEAST_SECRET)
    names = {name: getattr(config, name) for name in ("product", "version", "environment", "key")}
    masked: dict[str, Any] = {name: redactor(value) for name, value in names.items() if value is not None}
    return replace(config, **masked)


def _home(found: CIContext, context: CIContext) -> CIContext:
    """The facts that name the folder of what is kept: in CI nothing from git, which a checkout in mid-job changes."""
    if not found.is_ci:
        return context
    return replace(found, scm_repository=found.scm_repository or found.pipeline)


def _found(flags: Mapping[str, object], env: Mapping[str, str]) -> tuple[CIContext, tuple[str, ...]]:
    """The host's facts. Raises UsageError for an unknown host that was typed; a variable's is only a warning."""
    try:
        return hosts.detect(env, host=settings.given("host", flags, env)), ()
    except UsageError as error:
        if settings.given("host", flags, {}) is not None:
            raise
        return hosts.detect(env), (f"{BY_NAME['host'].env[0]}: {error}: ignored",)


def _unusable(config: Config) -> dict[str, str]:
    """Sink → why its setting cannot be used."""
    slack = ("slack_token", "slack_api_url") if config.has_slack_bot else ("slack_webhook_url",)
    sinks = {"backend": ("api_url", "api_key"), "slack": slack}
    return {
        sink: f"{name}: {config.unusable[name]}"
        for sink, names in sinks.items()
        for name in names
        if name in config.unusable
    }


def job_name(context: CIContext, cwd: str) -> str:
    """The state file's name: one CI job; outside CI one user's work on one repository."""
    run = (context.source_system, context.server_url, context.invoke_id, context.pipeline)
    if context.is_ci:
        return uid(*run, context.attempt, context.job, context.leg)
    return uid(context.source_system, context.server_url, context.scm_repository or config_file.root_of(cwd))
