"""What a settings file may say, and what is said about the rest."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.settings_file import EXAMPLE, TREES
from versioner_ci.config_check import checked
from versioner_ci.config_record import FileConfig
from versioner_ci.settings import Gate, Identity, Route
from versioner_ci.settings_table import BY_FILE_KEY, SETTINGS
from versioner_ci.settings_values import NOWHERE


def check(text: str | bytes) -> FileConfig:
    return checked(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), "f")


def problems(text: str | bytes) -> list[str]:
    return [str(problem) for problem in check(text).problems]


def test_the_contracts_example_says_what_it_says() -> None:
    config = check(EXAMPLE)
    assert config.problems == ()
    assert config.values == {
        "product": "shop",
        "environments": {"prod": "production"},
        "routes": (
            Route(
                event_type="deployment.failed",
                channel_id="C0123456789",
                environments=("production",),
                products=("shop",),
                mention=("<!subteam^S012>", "<@U0456>"),
            ),
        ),
        "metadata": {"team": "payments"},
    }
    assert config.lines == {"product": 1, "environments": 2, "routes": 3, "metadata": 9}


def test_every_other_key_with_its_type() -> None:
    config = check(
        "version: '1.10'\nenvironment: qa\ntimeout: 30\nfail_on_error: true\ngate: required\n"
        "identity: none\nunstable: failed"
    )
    assert config.problems == ()
    assert config.values == {
        "version": "1.10", "environment": "qa", "timeout": 30.0, "fail_on_error": True, "gate": Gate.REQUIRED,
        "identity": Identity.NONE, "unstable": "failed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nprodct: a", "f line 2: unknown key 'prodct'; ignored (did you mean 'product'?)"),
        ("Product: a", "f line 1: unknown key 'Product'; ignored (did you mean 'product'?)"),
        ("fail-on-error: true", "f line 1: unknown key 'fail-on-error'; ignored (did you mean 'fail_on_error'?)"),
        ("notification: []", "f line 1: unknown key 'notification'; ignored (did you mean 'notifications'?)"),
        ("xyzzy: 1", "f line 1: unknown key 'xyzzy'; ignored (legal: product, version, environment, environments,"),
        ('"a\\nb": 1', "f line 1: unknown key 'a\\nb'; ignored"),
        ("product: 1", "f line 1: product: must be text, not a number; ignored (put it in quotes)"),
        ("version: 1.10", "f line 1: version: must be text, not a number; ignored (put it in quotes)"),
        ("product: true", "f line 1: product: must be text, not true or false; ignored (put it in quotes)"),
        ("product: [a]", "f line 1: product: must be text, not a list; ignored"),
        ("product: ' '", "f line 1: product: is empty; ignored"),
        ("timeout: fast", "f line 1: timeout: must be a number, not text; ignored"),
        ("timeout: '10'", "f line 1: timeout: must be a number, not text; ignored"),
        ("timeout: true", "f line 1: timeout: must be a number, not true or false; ignored"),
        ("timeout: 0", "f line 1: timeout: '0' seconds is out of bounds; ignored (0.1 to 600)"),
        ("timeout: .inf", "f line 1: timeout: must be a number, not text; ignored"),
        ("fail_on_error: 1", "f line 1: fail_on_error: must be true or false, not a number; ignored"),
        ("fail_on_error: {}", "f line 1: fail_on_error: must be true or false, not keys and values; ignored"),
        ("identity: ful", "f line 1: identity: 'ful' is none of login, full, none; ignored (did you mean 'full'?)"),
        ("identity: [full]", "f line 1: identity: must be login, full, none, not a list; ignored"),
        ("gate: off", "f line 1: gate: a file cannot weaken the gate; ignored (use VERSIONER_GATE)"),
        ("gate: no", "f line 1: gate: a file cannot weaken the gate; ignored (use VERSIONER_GATE)"),
        ("metadata: [a]", "f line 1: metadata: must be keys and values, not a list; ignored"),
        ("environments: prod", "f line 1: environments: must be keys and values, not text; ignored"),
        ("environments:\n  prod: 1", "f line 2: environments: 'prod' must be text, not a number; ignored"),
        ("notifications: {}", "f line 1: notifications: must be a list, not keys and values; ignored"),
        ("notifications: [x]", "f line 1: notifications: must be keys and values, not text; this entry is ignored"),
        ("product: a\nproduct: b", "f line 2: the key 'product' is given twice; the last one counts"),
        ("- a", "f line 1: must hold keys and values, not a list"),
        ("just text", "f line 1: must hold keys and values, not text"),
        ("? [a]\n: b", "f line 1: a key must be text; ignored"),
        ("'': b", "f line 1: a key must be text; ignored"),
        ("<<: {product: a}", "f line 1: '<<' (a merge key) is not read; write its keys out"),
        ("product: !!python/name:os.system", "f line 1: the tag 'tag:yaml.org,2002:python/name:os.system'"),
        ("metadata: {a: !!binary aGk=}", "f line 1: the tag 'tag:yaml.org,2002:binary' is not allowed here; ignored"),
    ],
    ids=lambda text: repr(text)[:40],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_right_thing(text: str, said: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(said)
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("product: a\n\tversion: b", "f line 2: is not YAML: a tab; indent with blanks; nothing in it is used"),
        ("product: [a", "f line 1: is not YAML: "),
        ("a: b: c", "f line 1: is not YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2", "f line 2: is not YAML: "),
        ("a: *unknown", "f line 1: is not YAML: found undefined alias"),
        ("a: \x07", "f: is not YAML: it holds a character that YAML does not allow"),
        (b"product: a\nversion: \xff", "f line 2: is not UTF-8 text"),
        (b"\xff\xfe\x00", "f line 1: is not UTF-8 text"),
        ("[" * 60_000, "f line 1: is nested deeper than 40 levels"),
        ("- " * 30_000, "f: is nested deeper than 40 levels"),
        ("x,\n" * 10, "f line 1: must hold keys and values, not text"),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_a_file_that_is_no_yaml_is_told_with_its_line(text: str | bytes, said: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert found[0].startswith(said)
    assert check(text).values == {}


FORBIDDEN = [
    *(name for row in SETTINGS for name in (row.name, *row.env) if not row.file_key),
    *("webhook", "proxy", "https_proxy", "HTTPS-PROXY", "ca_bundle", "ssl_cert_file", "certificate", "token", "apiKey"),
    *("slackToken", "api-token", "secret", "password", "url", "base_url", "endpoint", "authorization", "SSL_CERT_FILE"),
    *("REQUESTS_CA_BUNDLE", "headers", "api.url", "slack-channel", "spool-dir", "skip-preflight"),
]


@pytest.mark.parametrize("key", sorted(set(FORBIDDEN)))
def test_a_file_can_name_no_destination_proxy_certificate_or_secret(key: str) -> None:
    config = check(f"{key}: https://evil.example/canary5f2c9e")
    assert config.values == {}
    assert len(config.problems) == 1
    message = str(config.problems[0])
    assert "may not stand in a file that a pull request can change; ignored (use " in message
    assert "canary5f2c9e" not in message


@pytest.mark.parametrize(
    ("key", "way"),
    [("api_url", "VERSIONER_API_URL"), ("slack_token", "SLACK_BOT_TOKEN"), ("VERSIONER_API_KEY", "VERSIONER_API_KEY"),
     ("token", "the environment"), ("slack-channel", "SLACK_CHANNEL")],
)  # fmt: skip
def test_a_forbidden_key_is_told_where_it_belongs(key: str, way: str) -> None:
    assert way in problems(f"{key}: x")[0]


def test_a_forbidden_key_within_an_entry_is_told_too() -> None:
    config = check("notifications:\n  - event_type: '*'\n    webhook_url: https://evil.example")
    assert [str(problem) for problem in config.problems] == [
        "f line 3: 'webhook_url' may not stand in a file that a pull request can change; ignored (use the environment)"
    ]
    assert len(config.values["routes"]) == 1


def test_metadata_may_use_any_key() -> None:
    config = check("metadata: {ticket_url: 'https://t.example/1', key: k, token: none}")
    assert config.problems == ()
    assert config.values["metadata"] == {"ticket_url": "https://t.example/1", "key": "k", "token": "none"}


@pytest.mark.parametrize("key", sorted(BY_FILE_KEY))
@pytest.mark.parametrize(
    "value", ["1", "1.5", "true", "text", "''", "[]", "[[]]", "[1]", "{}", "{a: {}}", "{a: [1]}", "2026-01-01", "!x y"]
)  # fmt: skip
def test_every_type_at_every_key_is_taken_or_told(key: str, value: str) -> None:
    config = check(f"{key}: {value}")
    assert config.problems or set(config.values) == {BY_FILE_KEY[key].name}


def test_an_over_long_name_is_cut_and_told() -> None:
    config = check(f"product: {'p' * 300}\nenvironments:\n  qa: {'q' * 300}")
    assert [str(problem) for problem in config.problems] == [
        "f line 1: product is 300 characters long; cut to 255",
        "f line 3: environments: 'qa' is 300 characters long; cut to 255",
    ]
    assert (len(config.values["product"]), len(config.values["environments"]["qa"])) == (255, 255)


def test_a_filter_that_is_too_long_for_any_name_is_told() -> None:
    assert "is 300 characters long" in problems(f"notifications: [{{event_type: '*', products: {'p' * 300}}}]")[0]


@pytest.mark.parametrize("key", sorted(BY_FILE_KEY))
def test_a_key_without_a_value_says_nothing(key: str) -> None:
    assert check(f"{key}:") == FileConfig(path="f")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{channel_id: C0123456}", "event_type is missing"),
        ("{event_type: deployment.success}", "'deployment.success' is no event type"),
        ("{event_type: deploy.failed}", "'deploy.failed' is no event type"),
        ("{event_type: [build.failed]}", "must be text, not a list"),
        ("{event_type: '*', channel_id: 'a b'}", "channel_id 'a b' is not a Slack channel"),
        ("{event_type: '*', channel_id: 12}", "must be text, not a number"),
        ("{event_type: '*', environments: {a: b}}", "must be text, not keys and values"),
        ("{event_type: '*', products: [1]}", "must be text, not a number"),
        ("{event_type: '*', products: ['']}", "is empty"),
        ("null", "must be keys and values, not nothing"),
    ],
    ids=lambda text: text[:45],
)  # fmt: skip
def test_an_ill_entry_is_dropped_whole_and_the_others_stay(entry: str, said: str) -> None:
    config = check(f"notifications:\n  - {entry}\n  - event_type: build.*")
    assert [route.event_type for route in config.values["routes"]] == ["build.*"]
    assert len(config.problems) == 1
    message = str(config.problems[0])
    assert message.startswith("f line 2: notifications: ")
    assert said in message
    assert "this entry is ignored" in message


@pytest.mark.parametrize(
    ("mention", "said"),
    [("'@channel'", "'@channel' is no mention"), ("'<!here>'", "'<!here>' is no mention"), ("12", "must be text"),
     ('"<@U0456>\\n<!channel>"', "is no mention"), ("{a: b}", "must be text, not keys and values")],
)  # fmt: skip
def test_a_bad_mention_alone_is_left_out(mention: str, said: str) -> None:
    config = check(f"notifications:\n  - event_type: '*.failed'\n    mention: ['@U0456', {mention}, '@S012']")
    assert config.values["routes"] == (Route(event_type="*.failed", mention=("<@U0456>", "<!subteam^S012>")),)
    [message] = map(str, config.problems)
    assert message.startswith("f line 3: notifications: ")
    assert said in message
    assert "; this mention is ignored" in message


@pytest.mark.parametrize(
    "text",
    ["notifications: [{event_type: deploy.failed}]", "notifications: deployment.failed", "notifications: {}",
     "notifications: [1]", "product: x\nnotifications: [{event_type: '*'"],
)  # fmt: skip
def test_notifications_of_which_nothing_can_be_used_are_not_taken_for_none(text: str) -> None:
    config = check(text)
    assert config.values["routes"] == (NOWHERE,)
    assert config.problems


@pytest.mark.parametrize("text", ["notifications: []", "notifications:", "product: x", "a: ["])
def test_without_entries_there_is_nothing_to_keep(text: str) -> None:
    assert not check(text).values.get("routes")


def test_a_status_word_in_an_event_type_is_told_its_canonical_form() -> None:
    assert "did you mean 'deployment.completed'?" in problems("notifications: [{event_type: deployment.success}]")[0]
    assert "did you mean 'deployment.failed'?" in problems("notifications: [{event_type: deployment.faild}]")[0]


@pytest.mark.parametrize("key", ["event-type", "environment", "product_name", "mentions", "channel"])
def test_an_unknown_key_of_an_entry_is_told_and_the_rest_of_the_entry_stays(key: str) -> None:
    config = check(f"notifications:\n  - event_type: '*'\n    {key}: x")
    assert len(config.problems) == 1
    assert str(config.problems[0]).startswith(f"f line 3: unknown key '{key}'; ignored (did you mean '")
    assert len(config.values["routes"]) == 1


@pytest.mark.parametrize(
    ("mention", "slack"),
    [("@U0456", "<@U0456>"), ("@W0456", "<@W0456>"), ("<@U0456>", "<@U0456>"), ("@S012", "<!subteam^S012>"),
     ("<!subteam^S012>", "<!subteam^S012>")],
)  # fmt: skip
def test_a_mention_is_kept_as_slack_writes_it(mention: str, slack: str) -> None:
    assert check(f"notifications: [{{event_type: '*', mention: '{mention}'}}]").values["routes"][0].mention == (slack,)


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("yes", "yes"), ("12:30", "12:30"), ("2026-01-31", "2026-01-31"), ("0123", "0123"),
     ("1_000", "1_000"), ("0x10", "0x10"), (".nan", ".nan"), ("1e3", "1e3"), ("9" * 5000, "9" * 5000), ("12", 12),
     ("-7", -7), ("1.5", 1.5),
     ("True", True), ("null", None), ("'12'", "12"), ("!!str 12", "12"), ("=", "="), ("[a, 1]", ["a", 1])],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_metadata_keeps_what_was_written(text: str, value: Any) -> None:
    config = check(f"metadata: {{a: {text}}}")
    assert config.problems == ()
    assert config.values["metadata"] == {"a": value}


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfproduct: a", "product: a".encode("utf-16")], ids=["utf-8", "utf-16"])
def test_a_byte_order_mark_is_no_part_of_the_first_key(raw: bytes) -> None:
    assert check(raw).values == {"product": "a"}


def test_the_gate_of_older_yaml_works() -> None:
    assert check("gate: on").values == {"gate": Gate.ON}
    assert check("gate: yes").values == {"gate": Gate.ON}
    assert check("gate: true").values == {"gate": Gate.ON}


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [("gate: requird", True), ("gate: 1.5", True), ("gate: {}", True), ("'gate': required\na: [", True),
     ("gate: off", False), ("gate: on", False), ("gate:", False), ("a: [", False), ("# gate: required\na: [", False)],
)  # fmt: skip
def test_a_gate_that_may_have_said_required_is_broken(text: str, is_broken: bool) -> None:
    assert check(text).is_gate_broken is is_broken


def test_of_many_problems_twenty_are_told_and_the_rest_counted() -> None:
    found = problems("".join(f"zz{number}: 1\n" for number in range(500)))
    assert len(found) == 21
    assert found[-1] == "f: 480 more problems"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)
HOSTILE = {
    "aliases": BOMB,
    "aliases-in-metadata": "metadata:\n" + "".join(f"  {line}\n" for line in BOMB.splitlines()),
    "merges": "a: &a {x: 1, y: 2}\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)}\n  <<: [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    ),
    "itself": "metadata: &a {a: *a}",
    "itself-in-a-list": "metadata: {a: &a [*a]}",
    "flow-lists": "[" * 65_000,
    "flow-maps": "{a: " * 16_000,
    "blocks": "".join(" " * n + "a:\n" for n in range(340)),
    "questions": "? " * 32_000,
    "anchors": "".join(f"- &a{n} x\n" for n in range(5000)),
    "keys": "".join(f"k{n}: 1\n" for n in range(7000)),
    "values": "[" + ",".join("a" * 30_000) + "]",
    "lines": '"' + "\n" * 65_000 + '"',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little_and_gives_little(name: str) -> None:
    began = time.process_time()
    config = check(HOSTILE[name][: 64 * 1024])
    assert time.process_time() - began < 5
    assert config.problems
    assert len(str(config.values)) < 1000


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(raw: bytes) -> None:
    for problem in check(raw).problems:
        assert "\n" not in str(problem)


YAMLISH = st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@`#,<~ \n\t\\0.1é\u2028\ufeff\x85\x00"), max_size=120)


@given(YAMLISH)
def test_what_looks_like_yaml_never_raises(text: str) -> None:
    for problem in check(text).problems:
        assert "\n" not in str(problem)


KEYS = st.sampled_from([*BY_FILE_KEY, "api_url", "prodct", "gate "])


@given(st.dictionaries(KEYS, TREES, max_size=5))
def test_arbitrary_yaml_never_raises_and_gives_only_known_settings(tree: dict[str, Any]) -> None:
    config = check(yaml.safe_dump(tree, allow_unicode=True))
    assert set(config.values) <= {row.name for row in SETTINGS if row.file_key}
    assert all(line >= 1 for line in config.lines.values())
