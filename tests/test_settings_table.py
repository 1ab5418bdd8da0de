"""The table itself: complete, consistent, good enough to be printed."""

from __future__ import annotations

import argparse
import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from versioner_ci.settings import Config, resolve
from versioner_ci.settings_table import BY_FILE_KEY, BY_NAME, SETTINGS, Setting, Shape

HEAVY = ("yaml", "difflib", "jsonschema", "requests", "argparse", "pathlib", "urllib", "tempfile", "subprocess")
CONTRACT = {
    "api_url": ("--api-url", ("VERSIONER_API_URL",), None),
    "api_key": ("--api-key", ("VERSIONER_API_KEY",), None),
    "slack_token": ("--slack-token", ("SLACK_BOT_TOKEN", "SLACK_TOKEN"), None),
    "slack_webhook_url": ("--slack-webhook-url", ("SLACK_WEBHOOK_URL",), None),
    "slack_api_url": ("--slack-api-url", ("SLACK_API_URL",), None),
    "slack_channels": ("--slack-channel", ("SLACK_CHANNEL", "SLACK_CHANNEL_ID"), None),
    "routes": (None, (), "notifications"),
    "product": ("--product", ("VERSIONER_PRODUCT",), "product"),
    "version": ("--version", ("VERSIONER_VERSION",), "version"),
    "environment": ("--environment", ("VERSIONER_ENVIRONMENT",), "environment"),
    "lifecycle": ("--lifecycle", ("VERSIONER_LIFECYCLE",), None),
    "key": ("--key", ("VERSIONER_KEY",), None),
    "timeout": ("--timeout", ("VERSIONER_TIMEOUT",), "timeout"),
    "fail_on_error": ("--fail-on-error", ("VERSIONER_FAIL_ON_ERROR", "VERSIONER_FAIL_ON_API_ERROR"), "fail_on_error"),
    "gate": ("--gate", ("VERSIONER_GATE",), "gate"),
    "identity": ("--identity", ("VERSIONER_IDENTITY",), "identity"),
    "unstable": ("--unstable", ("VERSIONER_UNSTABLE",), "unstable"),
    "spool_dir": ("--spool-dir", ("VERSIONER_SPOOL_DIR",), None),
    "disabled": (None, ("VERSIONER_DISABLED",), None),
}
every_setting = pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)


@pytest.mark.parametrize("name", CONTRACT)
def test_the_table_holds_what_the_contract_says(name: str) -> None:
    row = BY_NAME[name]
    assert (row.flag, row.env, row.file_key) == CONTRACT[name]


@every_setting
def test_every_setting_can_be_set_and_tells_what_it_is(row: Setting) -> None:
    assert row.flag or row.env or row.file_key
    assert 10 < len(row.help) < 130
    assert not row.help.endswith(".")
    assert "%" not in row.help
    assert "${{" not in row.help


def test_no_name_flag_or_variable_is_used_twice() -> None:
    for used in (
        [row.name for row in SETTINGS],
        [row.flag for row in SETTINGS if row.flag],
        [name for row in SETTINGS for name in row.env],
    ):
        assert len(used) == len(set(used))
    assert len(BY_FILE_KEY) == sum(row.file_key is not None for row in SETTINGS)


@every_setting
def test_no_destination_and_no_secret_has_a_file_key(row: Setting) -> None:
    if row.is_secret or row.shape is Shape.URL or re.search("http|dir|token|key$|proxy|cert", row.name):
        assert row.file_key is None


@every_setting
def test_its_default_is_what_the_config_has(row: Setting) -> None:
    names = {field.name: field for field in dataclasses.fields(Config)}
    if row.name in {"host", "config", "metadata_json"}:
        return
    field = names.get(row.name) or names[f"is_{row.name}"]
    default = field.default if field.default is not dataclasses.MISSING else {}
    assert default == row.default


def test_argparse_takes_every_option_and_resolve_takes_what_it_gives() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for row in SETTINGS:
        for flag, arguments in row.options():
            parser.add_argument(flag, **arguments)
    parser.format_help()
    typed = "--product a --slack-channel #a --slack-channel #b --no-fail-on-error --metadata k=v --metadata l=w --quiet"
    flags = vars(parser.parse_args(typed.split()))
    from versioner_ci.context import CIContext  # noqa: PLC0415 - only this test builds one

    config = resolve(flags, {"VERSIONER_FAIL_ON_ERROR": "1"}, None, CIContext(source_system="local"))
    assert (config.product, config.slack_channels, config.metadata) == ("a", ("#a", "#b"), {"k": "v", "l": "w"})
    assert (config.fail_on_error, config.is_quiet) == (False, True)
    assert config.typed == {"product", "slack_channels", "fail_on_error", "metadata", "quiet"}


def test_importing_the_settings_loads_nothing_heavy() -> None:
    code = "import sys, versioner_ci.settings, versioner_ci.config_file; print(*sys.modules)"
    source = str(Path(__file__).parents[1] / "src")
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20, env={"PYTHONPATH": source}
    ).stdout.split()
    assert not set(HEAVY) & set(loaded)
