"""The schema for editors says what the loader does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.settings_file import EXAMPLE, TREES
from versioner_ci import schema
from versioner_ci.config_check import checked
from versioner_ci.settings_table import BY_FILE_KEY

PUBLISHED = Path(__file__).parents[1] / "docs" / "versioner.schema.json"
VALIDATOR = jsonschema.Draft7Validator(schema.schema())


def test_the_published_schema_is_the_generated_one() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema.render()


def test_the_module_prints_it() -> None:
    printed = subprocess.run([sys.executable, "-m", "versioner_ci.schema"], capture_output=True, check=True, timeout=20)
    assert printed.stdout.decode("utf-8").replace("\r\n", "\n") == schema.render()


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(schema.render()))


def test_every_file_key_is_described_and_nothing_else() -> None:
    properties = schema.schema()["properties"]
    assert set(properties) == set(BY_FILE_KEY)
    for described in (*properties.values(), *properties["notifications"]["items"]["properties"].values()):
        assert described["description"].endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        "gate: on",
        "gate: required",
        "notifications: [{event_type: '*', mention: '@U0456', environments: qa}]",
        "timeout: 0.5\nfail_on_error: true\nidentity: none\nunstable: failed\nversion: '1.10'\nenvironment: qa",
        "metadata: {a: [1, {b: null}]}",
    ],
)
def test_what_is_legal_is_valid(text: str) -> None:
    VALIDATOR.validate(yaml.safe_load(text))
    assert checked(text.encode(), "f").problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "prodct: a",
        "api_url: https://x.example",
        "product: 1",
        "product: ''",
        "timeout: 0",
        "timeout: fast",
        "gate: off",
        "gate: 'off'",
        "identity: all",
        "notifications: {}",
        "notifications: [{channel_id: C0123456}]",
        "notifications: [{event_type: deployment.success}]",
        "notifications: [{event_type: '*', webhook: x}]",
        "notifications: [{event_type: '*', channel_id: 'a b'}]",
        "notifications: [{event_type: '*', mention: '@channel'}]",
        "environments: {prod: 1}",
        "- a",
    ],
)
def test_what_is_told_as_a_problem_is_invalid(text: str) -> None:
    assert not VALIDATOR.is_valid(yaml.safe_load(text))
    assert checked(text.encode(), "f").problems


ENTRIES = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["*", "build.failed", "x.y", 1])},
    optional={
        "channel_id": st.sampled_from(["C0123456", "#a", "a b", "", 1]),
        "mention": st.sampled_from(["@U1", ["@U1", "<!subteam^S1>"], "@all", [1]]),
        "environments": st.sampled_from(["qa", ["qa"], [""], [[]], 1]),
        "products": st.sampled_from([[], ["a", "b"], True]),
        "other": st.just(1),
    },
)
FILES = st.fixed_dictionaries(
    {},
    optional={
        "product": st.text(max_size=3) | st.integers() | st.just("x" * 300),
        "timeout": st.floats() | st.integers(-5, 700) | st.text(max_size=3),
        "gate": st.sampled_from(["on", "off", "required", True, False, "x", 1]),
        "identity": st.sampled_from(["login", "full", "all", True, 3]),
        "fail_on_error": st.booleans() | st.integers() | st.text(max_size=3),
        "notifications": st.lists(ENTRIES, max_size=3) | st.just("x"),
        "environments": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "", 1, "y" * 300])),
        "metadata": TREES,
    },
)


@given(FILES)
def test_a_valid_file_has_no_problems(tree: dict[str, Any]) -> None:
    """Through JSON, which is YAML: both then read the same types."""
    text = json.dumps(tree, default=str)
    if VALIDATOR.is_valid(json.loads(text)) and "metadata" not in tree:
        assert [str(problem) for problem in checked(text.encode(), "f").problems] == []


@given(FILES)
def test_an_invalid_file_has_problems(tree: dict[str, Any]) -> None:
    text = json.dumps(tree, default=str)
    if not VALIDATOR.is_valid(json.loads(text)) and tree.get("metadata", {}) is not None:
        assert checked(text.encode(), "f").problems
