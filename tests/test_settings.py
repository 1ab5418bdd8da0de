"""The cascade: which source decides, where a value came from, and what is said about the others."""

from __future__ import annotations

import io
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from versioner_ci import settings
from versioner_ci.config_check import checked
from versioner_ci.config_record import FileConfig
from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.redact import Redactor
from versioner_ci.settings import Config, Gate, Identity, SettingError

HOST = CIContext(source_system="github", product="repo", version="0123456789ab")
LOCAL = CIContext(source_system="local", product="folder", version="fedcba987654")
FORK = CIContext(source_system="github", product="repo", version="1", is_fork=True)
FILE = ".versioner.yml"


def file_of(text: str) -> FileConfig:
    return checked(text.encode(), FILE)


def resolved(
    flags: dict[str, object] | None = None,
    env: dict[str, str] | None = None,
    text: str = "",
    context: CIContext = HOST,
    **more: Any,
) -> Config:
    return settings.resolve(flags or {}, env or {}, file_of(text) if text else None, context, **more)


@pytest.mark.parametrize(
    ("flags", "env", "text", "value", "origin"),
    [
        ({"product": "typed"}, {"VERSIONER_PRODUCT": "var"}, "product: filed", "typed", "flag --product"),
        ({}, {"VERSIONER_PRODUCT": "var"}, "product: filed", "var", "VERSIONER_PRODUCT"),
        ({}, {}, "# first\nproduct: filed", "filed", ".versioner.yml line 2"),
        ({}, {}, "", "repo", "github"),
        ({"product": None}, {"VERSIONER_PRODUCT": " "}, "", "repo", "github"),
    ],
    ids=["flag", "environment", "file", "host", "blank-is-unset"],
)
def test_the_strongest_source_decides_and_is_named(
    flags: dict[str, object], env: dict[str, str], text: str, value: str, origin: str
) -> None:
    config = resolved(flags, env, text)
    assert (config.product, config.origins["product"]) == (value, origin)
    assert config.warnings == ()


def test_outside_ci_the_facts_come_from_git() -> None:
    config = resolved(context=LOCAL)
    assert (config.product, config.version) == ("folder", "fedcba987654")
    assert config.origins["version"] == "git"


def test_nothing_set_at_all_gives_the_defaults() -> None:
    config = resolved(context=CIContext(source_system="local"))
    assert config.timeout == 10.0
    assert config.gate is None
    assert config.identity is Identity.LOGIN
    assert config.unstable == "completed"
    assert not any((config.has_backend, config.has_slack_bot, config.has_slack_webhook))
    assert not any((config.fail_on_error, config.is_disabled, config.skip_preflight, config.allow_http))
    assert (config.product, config.backend_url, config.warnings) == (None, None, ())
    assert set(config.origins) >= {row.name for row in settings.SETTINGS} - {"metadata_json"}
    assert set(config.origins.values()) == {"default"}


def test_only_what_was_given_by_flag_is_typed() -> None:
    config = resolved({"product": "a", "timeout": "3", "version": None}, {"VERSIONER_VERSION": "2"}, "gate: on")
    assert config.typed == {"product", "timeout"}


def test_the_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        resolved().product = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("env", "name", "value"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_TOKEN": "xoxb-2"}, "slack_token", "xoxb-1"),
        ({"SLACK_BOT_TOKEN": "", "SLACK_TOKEN": "xoxb-2"}, "slack_token", "xoxb-2"),
        ({"SLACK_CHANNEL_ID": "C0123456789"}, "slack_channels", ("C0123456789",)),
        ({"SLACK_CHANNEL": "#a, b  c", "SLACK_CHANNEL_ID": "C0123456789"}, "slack_channels", ("#a", "b", "c")),
        ({"VERSIONER_FAIL_ON_API_ERROR": "true"}, "fail_on_error", True),
        ({"VERSIONER_FAIL_ON_ERROR": "0", "VERSIONER_FAIL_ON_API_ERROR": "true"}, "fail_on_error", False),
        ({"VERSIONER_DISABLED": "YES"}, "is_disabled", True),
        ({"VERSIONER_DISABLED": "0"}, "is_disabled", False),
        ({"VERSIONER_ALLOW_HTTP": "1"}, "allow_http", True),
        ({"VERSIONER_GATE": "Required"}, "gate", Gate.REQUIRED),
        ({"VERSIONER_IDENTITY": "full"}, "identity", Identity.FULL),
        ({"VERSIONER_TIMEOUT": " 0.5 "}, "timeout", 0.5),
        ({"VERSIONER_GATE_WAIT": "90"}, "gate_wait", 90.0),
        ({"VERSIONER_SPOOL_DIR": "/tmp/\udcff"}, "spool_dir", "/tmp/\udcff"),
        ({"VERSIONER_PRODUCT": "caf\udce9"}, "product", "caf�"),
        ({"VERSIONER_LIFECYCLE": "abc\n"}, "lifecycle", "abc"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else str(value)[:20],
)
def test_each_variable_reaches_its_field(env: dict[str, str], name: str, value: object) -> None:
    assert getattr(resolved(env=env), name) == value


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"timeout": "fast"}, "--timeout 'fast' is not a number of seconds (0.1 to 600)"),
        ({"timeout": "0"}, "--timeout '0' seconds is out of bounds (0.1 to 600)"),
        ({"timeout": "nan"}, "--timeout 'nan' seconds is out of bounds (0.1 to 600)"),
        ({"gate": "of"}, "--gate 'of' is none of off, on, required (did you mean 'off'?)"),
        ({"identity": "ful"}, "--identity 'ful' is none of login, full, none (did you mean 'full'?)"),
        ({"unstable": "red"}, "--unstable 'red' is none of completed, failed"),
        ({"product": " "}, "--product is empty (give it a value or leave it out)"),
        ({"environment": ""}, "--environment is empty (give it a value or leave it out)"),
        ({"slack_channels": ["#ok", "no/way"]}, "--slack-channel 'no/way' is not a Slack channel"),
        ({"api_url": "api.example.com"}, "--api-url is not a web address (write it like https://api.example.com)"),
        ({"api_url": "http://api.example.com"}, "--api-url is unencrypted http:// to another machine"),
        ({"spool_dir": "a\0b"}, "--spool-dir holds a NUL"),
        ({"metadata": ["team"]}, "--metadata 'team' has no '='"),
        ({"metadata": 7}, "metadata must be a map, not int"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_was_typed_wrong_is_a_usage_error_on_one_line(flags: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolved(flags)
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_the_error_names_its_setting_so_that_a_broken_gate_can_be_told() -> None:
    with pytest.raises(SettingError) as raised:
        resolved({"gate": "maybe"})
    assert raised.value.setting == "gate"


@pytest.mark.parametrize(
    ("env", "name", "value", "said"),
    [
        (
            {"VERSIONER_TIMEOUT": "fast"},
            "timeout",
            20.0,
            "VERSIONER_TIMEOUT 'fast' is not a number of seconds: ignored",
        ),
        (
            {"VERSIONER_UNSTABLE": "x"},
            "unstable",
            "failed",
            "VERSIONER_UNSTABLE 'x' is none of completed, failed: ignored",
        ),
        ({"VERSIONER_DISABLED": "maybe"}, "is_disabled", False, "VERSIONER_DISABLED 'maybe' is neither true nor false"),
        ({"VERSIONER_METADATA": "{"}, "metadata", {}, "VERSIONER_METADATA: metadata is not JSON"),
    ],
    ids=["timeout", "unstable", "disabled", "metadata"],
)
def test_a_wrong_variable_is_a_warning_and_the_next_source_decides(
    env: dict[str, str], name: str, value: object, said: str
) -> None:
    config = resolved(env=env, text="timeout: 20\nunstable: failed")
    assert getattr(config, name) == value
    assert len(config.warnings) == 1
    assert config.warnings[0].startswith(said)


def test_of_two_variables_the_second_decides_when_the_first_is_wrong() -> None:
    config = resolved(env={"VERSIONER_FAIL_ON_ERROR": "perhaps", "VERSIONER_FAIL_ON_API_ERROR": "1"})
    assert config.fail_on_error
    assert config.origins["fail_on_error"] == "VERSIONER_FAIL_ON_API_ERROR"


def test_the_good_channels_of_a_variable_survive_a_bad_one() -> None:
    config = resolved(env={"SLACK_CHANNEL": "#a,b/c,#d", "SLACK_BOT_TOKEN": "xoxb-1"})
    assert config.slack_channels == ("#a", "#d")
    assert config.warnings == (
        "SLACK_CHANNEL 'b/c' is not a Slack channel: ignored (an id like C0123456789, or a name like #deploys)",
    )


@pytest.mark.parametrize("name", ["slack_channels", "api_key", "slack_webhook_url", "lifecycle", "host", "spool_dir"])
def test_a_blank_flag_that_came_from_a_missing_secret_counts_as_not_given(name: str) -> None:
    row = next(row for row in settings.SETTINGS if row.name == name)
    config = resolved({name: ""})
    assert config.warnings == (f"{row.flag} is empty and counts as not given",)
    assert config.origins[name] == "default"


def test_an_over_long_name_is_cut_and_said() -> None:
    config = resolved(env={"VERSIONER_PRODUCT": "p" * 100_000})
    assert config.product is not None
    assert len(config.product) == 255
    assert config.warnings == ("VERSIONER_PRODUCT is 100,000 characters long; cut to 255",)


def test_a_name_from_the_host_may_be_hostile_and_stays_one_line_in_warnings() -> None:
    config = resolved(context=CIContext(source_system="github", product="x\n::error::" * 100))
    assert config.product is not None
    assert len(config.warnings) == 1
    assert "\n" not in config.warnings[0]


# --- environments, gate, metadata -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "env", "context", "name"),
    [
        ({"environment": "prod"}, {}, HOST, "production"),
        ({}, {"VERSIONER_ENVIRONMENT": "prod"}, HOST, "production"),
        ({}, {}, CIContext(source_system="gitlab", environment="prod"), "production"),
        ({"environment": "qa"}, {}, HOST, "qa"),
        ({"environment": "Prod"}, {}, HOST, "Prod"),
        ({}, {}, HOST, None),
    ],
    ids=["flag", "variable", "host", "not-listed", "case-matters", "none"],
)
def test_the_pipelines_word_becomes_the_trackers_name(
    flags: dict[str, object], env: dict[str, str], context: CIContext, name: str | None
) -> None:
    assert (
        resolved(flags, env, "environments: {prod: production, production: never twice}", context).environment == name
    )


def test_the_renaming_leaves_the_origin_as_it_was() -> None:
    config = resolved(env={"VERSIONER_ENVIRONMENT": "prod"}, text="environments: {prod: production}")
    assert config.origins["environment"] == "VERSIONER_ENVIRONMENT"


def test_a_filter_may_use_the_pipelines_word_too() -> None:
    text = "environments: {prod: production}\nnotifications: [{event_type: '*', environments: [prod, production]}]"
    assert resolved(text=text).routes[0].environments == ("production",)


@pytest.mark.parametrize(
    ("flags", "env", "text", "gate", "origin"),
    [
        ({}, {}, "gate: off", None, "default"),
        ({}, {}, "gate: on", Gate.ON, ".versioner.yml line 1"),
        ({}, {}, "gate: required", Gate.REQUIRED, ".versioner.yml line 1"),
        ({}, {"VERSIONER_GATE": "on"}, "gate: required", Gate.REQUIRED, ".versioner.yml line 1"),
        ({"gate": "off"}, {}, "gate: required", Gate.REQUIRED, ".versioner.yml line 1"),
        ({"gate": "off"}, {}, "gate: on", Gate.ON, ".versioner.yml line 1"),
        ({"gate": "required"}, {}, "gate: on", Gate.REQUIRED, "flag --gate"),
        ({}, {"VERSIONER_GATE": "off"}, "", Gate.OFF, "VERSIONER_GATE"),
        ({"gate": "off"}, {"VERSIONER_GATE": "required"}, "gate: off", Gate.OFF, "flag --gate"),
        ({"gate": Gate.ON}, {}, "", Gate.ON, "flag --gate"),
    ],
)
def test_a_file_only_strengthens_the_gate(
    flags: dict[str, object], env: dict[str, str], text: str, gate: Gate | None, origin: str
) -> None:
    config = resolved(flags, env, text)
    assert (config.gate, config.origins["gate"]) == (gate, origin)
    assert not config.is_gate_broken


def test_a_weaker_gate_that_does_not_count_is_said() -> None:
    assert resolved({"gate": "off"}, {}, "gate: required").warnings == (
        "gate: 'off' of flag --gate is weaker than 'required' of .versioner.yml line 1, which counts",
    )
    assert "cannot weaken the gate" in resolved(text="gate: off").warnings[0]


@pytest.mark.parametrize(
    ("env", "text"),
    [
        ({"VERSIONER_GATE": "requird"}, ""),
        ({}, "gate: requird"),
        ({}, "gate: [on]"),
        ({}, "gate: required\nproduct: ["),
    ],
    ids=["variable", "file", "file-type", "file-not-yaml"],
)
def test_a_gate_that_cannot_be_read_is_told_from_none(env: dict[str, str], text: str) -> None:
    config = resolved(env=env, text=text)
    assert config.is_gate_broken
    assert config.gate is None
    assert len(config.warnings) == 1


def test_a_broken_file_without_a_gate_breaks_no_gate() -> None:
    assert not resolved(text="product: [").is_gate_broken


def test_metadata_of_all_sources_is_united_the_strongest_first() -> None:
    config = resolved(
        {"metadata": ["a=flag"], "metadata_json": '{"a": 0, "b": "json"}'},
        {"VERSIONER_METADATA": "b=var\nc=var"},
        "metadata: {b: file, c: file, d: file}",
    )
    assert config.metadata == {"a": "flag", "b": "json", "c": "var", "d": "file"}
    assert config.origins["metadata"] == "flag --metadata, VERSIONER_METADATA, .versioner.yml line 1"


def test_metadata_may_come_from_standard_input_or_as_a_map() -> None:
    assert resolved({"metadata_json": "-"}, stdin=io.BytesIO(b'{"a": [1]}')).metadata == {"a": [1]}
    assert resolved({"metadata": {"a": 1}}).metadata == {"a": 1}
    assert resolved({"metadata": "a=1"}).metadata == {"a": "1"}


def test_a_blank_metadata_json_counts_as_not_given() -> None:
    assert resolved({"metadata_json": ""}).warnings == ("--metadata-json is empty and counts as not given",)


# --- destinations and secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "has", "url"),
    [
        ({}, False, None),
        ({"VERSIONER_API_KEY": "sk_a_b"}, True, "https://api.versioner.io"),
        ({"VERSIONER_API_URL": "https://t.example/api/"}, True, "https://t.example/api"),
        ({"VERSIONER_API_URL": "https://u:p@t.example"}, True, None),
        ({"VERSIONER_API_URL": "not a url", "VERSIONER_API_KEY": "sk_a_b"}, True, None),
        ({"VERSIONER_API_KEY": "sk a"}, True, "https://api.versioner.io"),
    ],
    ids=["none", "key-only", "url-only", "userinfo", "malformed", "broken-key"],
)
def test_the_backend_is_configured_by_a_url_or_a_key(env: dict[str, str], has: bool, url: str | None) -> None:
    config = resolved(env=env)
    assert (config.has_backend, config.backend_url) == (has, url)


@pytest.mark.parametrize(
    ("env", "text", "bot", "webhook"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#a"}, "", True, False),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "notifications: [{event_type: '*', channel_id: C0123456}]", True, False),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x"}, "", False, True),
        (
            {"SLACK_BOT_TOKEN": "x", "SLACK_CHANNEL": "a", "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/x"},
            "",
            True,
            False,
        ),
        ({"SLACK_CHANNEL": "#a"}, "", False, False),
        ({"SLACK_BOT_TOKEN": "xo\x01xb", "SLACK_CHANNEL": "#a"}, "", True, False),
    ],
    ids=["bot", "bot-channel-from-file", "webhook", "never-both", "channel-alone", "broken-token-is-still-the-bot"],
)
def test_slack_is_a_bot_or_a_webhook_never_both(env: dict[str, str], text: str, bot: bool, webhook: bool) -> None:
    config = resolved(env=env, text=text)
    assert (config.has_slack_bot, config.has_slack_webhook) == (bot, webhook)


@pytest.mark.parametrize(
    ("env", "text", "hint"),
    [
        ({"SLACK_TOKEN": "xoxb-1"}, "", "SLACK_TOKEN is set, but no channel: Slack gets nothing (set SLACK_CHANNEL)"),
        ({"SLACK_CHANNEL": "a"}, "", "SLACK_CHANNEL is set, but no token: Slack gets nothing (set SLACK_BOT_TOKEN)"),
        (
            {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x"},
            "notifications: [{event_type: '*', channel_id: C0123456}, {event_type: '*', channel_id: C0123457}]",
            "a Slack webhook posts to its own channel: channel_id under notifications has no effect",
        ),
        (
            {"SLACK_TOKEN": "xoxb-1"},
            "notifications: [{event_type: '*', channel_id: C0123456}, {event_type: build.failed}]",
            "notifications has an entry without channel_id, and no channel is given (set SLACK_CHANNEL)",
        ),
    ],
    ids=["no-channel", "no-token", "webhook-channel", "entry-goes-nowhere"],
)
def test_a_slack_setting_without_effect_is_said_once(env: dict[str, str], text: str, hint: str) -> None:
    assert resolved(env=env, text=text).warnings == (hint,)


def test_an_unusable_url_is_never_replaced_by_a_weaker_source() -> None:
    config = resolved(env={"VERSIONER_API_URL": "http://t.example", "VERSIONER_API_KEY": "sk_a_b"})
    assert config.api_url is None
    why = "VERSIONER_API_URL is unencrypted http:// to another machine (use https://, or --allow-http)"
    assert config.unusable == {"api_url": why}
    assert config.warnings == (f"{why}: nothing is sent there",)


def test_a_broken_first_token_is_not_replaced_by_the_second() -> None:
    config = resolved(env={"SLACK_BOT_TOKEN": "xo xb", "SLACK_TOKEN": "xoxb-2", "SLACK_CHANNEL": "#a"})
    assert config.slack_token is None
    assert "slack_token" in config.unusable


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        ({}, {"VERSIONER_API_URL": "http://localhost:8080"}),
        ({}, {"VERSIONER_API_URL": "http://127.0.0.1:1"}),
        ({}, {"VERSIONER_API_URL": "http://t.example", "VERSIONER_ALLOW_HTTP": "true"}),
        ({"allow_http": True}, {"VERSIONER_API_URL": "http://t.example"}),
    ],
    ids=["localhost", "loopback", "allowed-by-variable", "allowed-by-flag"],
)
def test_plain_http_is_for_loopback_or_on_request(flags: dict[str, object], env: dict[str, str]) -> None:
    assert resolved(flags, env).unusable == {}


def test_a_token_with_a_newline_at_its_end_works_and_is_said() -> None:
    config = resolved(env={"VERSIONER_API_KEY": "sk_abc_def\r\n"})
    assert config.api_key == "sk_abc_def"
    assert config.warnings == ("VERSIONER_API_KEY ended in a newline or a blank, which was taken off",)


CANARY = "canary5f2c9e"


@pytest.mark.parametrize("ill", ["{}\x07", "{}\n\n", " {}", "{} x", "{}\xe9", "Bearer {}"], ids=repr)
@pytest.mark.parametrize("name", ["VERSIONER_API_KEY", "SLACK_BOT_TOKEN", "SLACK_TOKEN"])
def test_a_refused_secret_is_never_shown(name: str, ill: str) -> None:
    config = resolved(env={name: ill.format(CANARY)})
    assert config.unusable
    assert CANARY not in str(config.warnings) + str(config.unusable) + repr(config)


@pytest.mark.parametrize(
    "url", ["https://h/{}?x", "https://{}@h", "ftp://h/{}", "https://h /{}", "{}", "https://h/{}#x", "https://h:x/{}"]
)
def test_a_refused_address_is_never_shown(url: str) -> None:
    config = resolved(env={"SLACK_WEBHOOK_URL": url.format(CANARY), "VERSIONER_API_URL": url.format(CANARY)})
    assert set(config.unusable) == {"slack_webhook_url", "api_url"}
    assert CANARY not in str(config.warnings) + str(config.unusable) + repr(config)
    with pytest.raises(UsageError) as raised:
        resolved({"slack_webhook_url": url.format(CANARY)})
    assert CANARY not in str(raised.value)


def test_every_secret_that_was_found_can_be_masked_even_those_not_used() -> None:
    env = {
        "SLACK_BOT_TOKEN": "first-token",
        "SLACK_TOKEN": "second-token",
        "VERSIONER_API_KEY": "broken key",
        "SLACK_WEBHOOK_URL": "https://chat.example/hook-secret",
    }
    mask = Redactor(resolved({"api_key": "typed-key"}, env).secrets())
    for secret in (*env.values(), "typed-key"):
        assert secret not in mask(f"<{secret}>")


def test_repr_shows_no_secret() -> None:
    env = {"SLACK_BOT_TOKEN": CANARY, "VERSIONER_API_KEY": CANARY, "SLACK_WEBHOOK_URL": f"https://h/{CANARY}"}
    assert CANARY not in repr(resolved(env=env))


def test_a_typed_secret_works_and_gives_one_warning() -> None:
    config = resolved({"api_key": "sk_a_b", "slack_token": "xoxb-1", "slack_channels": ["#a"]})
    assert (config.api_key, config.slack_token) == ("sk_a_b", "xoxb-1")
    way = "give --api-key, --slack-token by environment (VERSIONER_API_KEY, SLACK_BOT_TOKEN)"
    assert config.warnings == (f"other processes can read a command line: {way}",)


# --- forks, off switch, what is needed early --------------------------------------------------------------------------


def test_on_a_forks_run_nothing_of_the_file_counts() -> None:
    text = "product: evil\ngate: required\nnotifications: [{event_type: '*', channel_id: C0123456}]\nmetadata: {a: 1}"
    config = resolved(env={"SLACK_BOT_TOKEN": "xoxb-1"}, text=text, context=FORK)
    assert (config.product, config.gate, config.routes, config.metadata) == ("repo", None, (), {})
    assert not config.has_slack_bot


@pytest.mark.parametrize(
    ("flags", "env"), [({"slack_channels": ["#a"]}, {}), ({}, {"SLACK_CHANNEL": "#a"})], ids=["flag", "input"]
)
def test_on_a_forks_run_slack_posts_to_given_channels(flags: dict[str, object], env: dict[str, str]) -> None:
    config = resolved(flags, {"SLACK_BOT_TOKEN": "xoxb-1", **env}, context=FORK)
    assert config.slack_channels == ("#a",)
    assert config.has_slack_bot


@pytest.mark.parametrize(
    ("flags", "env", "origin"),
    [({"config": "x.yml"}, {}, "--config"), ({}, {"VERSIONER_CONFIG": "x.yml"}, "VERSIONER_CONFIG")],
)
def test_on_a_forks_run_a_named_file_that_is_not_read_is_said(
    flags: dict[str, object], env: dict[str, str], origin: str
) -> None:
    assert resolved(flags, env, context=FORK).warnings == (
        f"{origin} is not read: this run is for a fork's pull request",
    )


def test_the_files_problems_come_first_among_the_warnings() -> None:
    config = resolved(env={"VERSIONER_TIMEOUT": "x"}, text="prodct: a")
    assert [warning.split(" ")[0] for warning in config.warnings] == [".versioner.yml", "VERSIONER_TIMEOUT"]


@pytest.mark.parametrize(
    ("env", "is_off"),
    [({}, False), ({"VERSIONER_DISABLED": ""}, False), ({"VERSIONER_DISABLED": "1"}, True),
     ({"VERSIONER_DISABLED": "true"}, True), ({"VERSIONER_DISABLED": "no"}, False),
     ({"VERSIONER_DISABLED": "\udcff"}, False)],
)  # fmt: skip
def test_the_off_switch_can_be_asked_alone(env: dict[str, str], is_off: bool) -> None:
    assert settings.is_switched_off(env) is is_off
    assert resolved(env=env).is_disabled is is_off


def test_host_and_config_can_be_asked_before_the_rest() -> None:
    assert settings.given("host", {"host": "gitlab"}, {"VERSIONER_HOST": "jenkins"}) == "gitlab"
    assert settings.given("host", {"host": ""}, {"VERSIONER_HOST": "jenkins"}) == "jenkins"
    assert settings.given("config", {}, {"VERSIONER_CONFIG": " "}) is None
