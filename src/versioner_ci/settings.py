"""What a call works with: every setting's value, typed, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from versioner_ci import settings_rules as rules
from versioner_ci.config_record import FileConfig
from versioner_ci.context import CIContext
from versioner_ci.records import dataclass, field, replace
from versioner_ci.settings_cascade import DEFAULT, Cascade
from versioner_ci.settings_metadata import metadata_from
from versioner_ci.settings_parse import ParseError, boolean, is_blank
from versioner_ci.settings_table import BY_NAME, DEFAULT_API_URL, SETTINGS, Setting, Shape
from versioner_ci.settings_values import NOWHERE, Gate, Identity, Route, SettingError

__all__ = [
    "DEFAULT_API_URL",
    "SETTINGS",
    "Config",
    "Gate",
    "Identity",
    "Route",
    "Setting",
    "SettingError",
    "Shape",
    "given",
    "is_switched_off",
    "metadata_from",
    "resolve",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Config:
    """The settings of one call. `repr` shows no secret."""

    api_url: str | None = None
    """As set, without a slash at its end; see `backend_url`."""
    api_key: str | None = field(default=None, repr=False)
    slack_token: str | None = field(default=None, repr=False)
    slack_webhook_url: str | None = field(default=None, repr=False)
    slack_api_url: str | None = None
    slack_channels: tuple[str, ...] = ()
    product: str | None = None
    version: str | None = None
    environment: str | None = None
    """The tracker's name for it: `environments` is applied already."""
    lifecycle: str | None = None
    key: str | None = None
    timeout: float = 10.0
    """Seconds."""
    fail_on_error: bool = False
    gate: Gate | None = None
    """None: not set, so on for deployments and none for builds."""
    is_gate_broken: bool = False
    """Some source's gate could not be read: it may have said `required`."""
    gate_wait: float = 0.0
    """Minutes; 0 does not wait."""
    skip_preflight: bool = False
    identity: Identity = Identity.LOGIN
    unstable: str = "completed"
    spool_dir: str | None = None
    allow_http: bool = False
    is_disabled: bool = False
    is_quiet: bool = False
    is_verbose: bool = False
    routes: tuple[Route, ...] = ()
    environments: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The file's, under the environment's, under what was typed."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting → `flag --product`, `VERSIONER_PRODUCT`, `.versioner.yml line 3`, `github`, `git` or `default`."""
    typed: frozenset[str] = frozenset()
    """Settings given by flag."""
    unusable: Mapping[str, str] = field(default_factory=dict)
    """Destinations and secrets that are set but cannot be used → why. Nothing is sent there."""
    warnings: tuple[str, ...] = ()
    known_secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def has_backend(self) -> bool:
        """A URL or a key is set, usable or not."""
        return self._is_set("api_url") or self._is_set("api_key")

    @property
    def backend_url(self) -> str | None:
        """Where events go: the URL; the hosted tracker's if only a key is set; None if unusable or nothing is set."""
        if not self.has_backend or "api_url" in self.unusable:
            return None
        return self.api_url or DEFAULT_API_URL

    @property
    def has_slack_bot(self) -> bool:
        """A token is set and some channel could get a message."""
        return self._is_set("slack_token") and self._has_channel

    @property
    def has_slack_webhook(self) -> bool:
        """Never together with the bot."""
        return self._is_set("slack_webhook_url") and not self.has_slack_bot

    @property
    def _has_channel(self) -> bool:
        return bool(self.slack_channels) or any(route.channel_id for route in self.routes)

    def _is_set(self, name: str) -> bool:
        return getattr(self, name) is not None or name in self.unusable

    def secrets(self) -> tuple[str, ...]:
        """Every exact secret that was found, in use or not, for the Redactor."""
        return self.known_secrets


def given(name: str, flags: Mapping[str, object], env: Mapping[str, str]) -> str | None:
    """A setting that is needed before the others can be resolved (`host`, `config`): flag, else environment."""
    sources = (flags.get(name), *(env.get(variable) for variable in BY_NAME[name].env))
    return next((str(raw) for raw in sources if raw is not None and not is_blank(raw)), None)


def is_switched_off(env: Mapping[str, str]) -> bool:
    """VERSIONER_DISABLED, looked at before anything else can go wrong."""
    try:
        return any(bool(boolean(env[name])[0]) for name in BY_NAME["disabled"].env if not is_blank(env.get(name, "")))
    except ParseError:
        return False


def resolve(
    flags: Mapping[str, object],
    env: Mapping[str, str],
    file: FileConfig | None,
    context: CIContext,
    *,
    stdin: BinaryIO | None = None,
) -> Config:
    """Every setting from its strongest source. `flags` maps a setting's name to what was typed (None: nothing).

    Raises SettingError (a UsageError) for what was typed wrong; what a variable, the file or the host says wrong is a
    warning and the next source decides. `stdin` is read for `--metadata-json -` only.
    """
    file = None if context.is_fork else file
    cascade = Cascade(flags, env, file, context)
    cascade.allows_http = cascade.value(BY_NAME["allow_http"])
    values = {row.name: cascade.value(row) for row in SETTINGS if row.name not in {"metadata", "metadata_json"}}
    for name in rules.EARLY:
        values.pop(name)
    values["metadata"] = rules.metadata(cascade, stdin)
    values["gate"] = rules.gate(cascade, values["gate"])
    values["environment"] = rules.environment(values)
    values["routes"] = tuple(route.renamed(values["environments"]) for route in values["routes"])
    for name in ("disabled", "quiet", "verbose"):
        values[f"is_{name}"] = values.pop(name)
    config = Config(
        **values,
        is_gate_broken="gate" in cascade.broken or (file is not None and file.is_gate_broken),
        origins=cascade.origins,
        typed=frozenset(row.name for row in SETTINGS if cascade.given(row) is not None),
        unusable=cascade.unusable,
        known_secrets=tuple(cascade.secrets),
    )
    problems = tuple(str(problem) for problem in file.problems) if file else ()
    hints = (*rules.typed_hints(cascade, context), *_slack_hints(config))
    return replace(config, warnings=(*problems, *cascade.warnings, *hints))


def _slack_hints(config: Config) -> tuple[str, ...]:
    """What is set for Slack and yet has no effect."""
    hints: list[str] = []
    if NOWHERE in config.routes and (config.has_slack_bot or config.has_slack_webhook):
        hints.append(f"nothing of notifications ({config.origins['routes']}) can be used: nothing is posted to Slack")
    if config.has_slack_webhook and any(route.channel_id for route in config.routes):
        hints.append("a Slack webhook posts to its own channel: channel_id under notifications has no effect")
    if config.has_slack_bot and not config.slack_channels and any(not route.channel_id for route in config.routes):
        hints.append("notifications has an entry without channel_id, and no channel is given (set SLACK_CHANNEL)")
    if config.has_slack_bot or config.has_slack_webhook:
        return tuple(hints)
    token, channels = config.origins["slack_token"], config.origins["slack_channels"]
    if token != DEFAULT:
        hints.append(f"{token} is set, but no channel: Slack gets nothing (set SLACK_CHANNEL)")
    elif channels != DEFAULT:
        hints.append(f"{channels} is set, but no token: Slack gets nothing (set SLACK_BOT_TOKEN)")
    return tuple(hints)
