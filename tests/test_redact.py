"""No secret leaves in any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.redact import MASK, Redactor, last4

SHAPES = {
    "bearer": ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
    "basic in JSON": ('{"authorization": "Basic dXNlcjpwdw=="}', "dXNlcjpwdw=="),
    "bare header": ("authorization=opaquevalue9", "opaquevalue9"),
    "webhook": ("POST https://hooks.slack.com/services/T0/B0/x9y8", "T0/B0/x9y8"),
    "government webhook": ("https://hooks.slack-gov.com/services/T0/B0/x9y8", "T0/B0/x9y8"),
    "workflow": ("https://hooks.slack.com/workflows/T0/A0/1/x9y8", "T0/A0/1/x9y8"),
    "bot token": ("token xoxb-12-34-abc failed", "xoxb-12-34-abc"),
    "user token": ("xoxp-1-2-3", "xoxp-1-2-3"),
    "app token": ("xapp-1-A-2-b", "xapp-1-A-2-b"),
    "tracker key": ("key sk_abc_0123456789", "sk_abc_0123456789"),
    "GitHub token": ("ghp_0123456789abcdef", "ghp_0123456789abcdef"),
    "GitHub app token": ("ghs_0123456789abcdef", "ghs_0123456789abcdef"),
    "GitHub fine-grained": ("github_pat_11AA_zz", "github_pat_11AA_zz"),
    "GitLab token": ("glpat-abc_DEF-123", "glpat-abc_DEF-123"),
    "AWS key": ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    "userinfo": ("git clone https://user:pw@example.com/x", "user:pw"),
    "userinfo with an at sign": ("https://user:p@ss@example.com/x", "p@ss"),
    "userinfo of a database": ("postgres://u:pw@db/x", "u:pw"),
}


@pytest.mark.parametrize(("text", "secret"), SHAPES.values(), ids=SHAPES)
def test_a_known_shape_is_masked_wherever_it_stands(text: str, secret: str) -> None:
    for around in (text, f"a\n{text}\nb", f"say '{text}'", text.upper() if secret.isupper() else text):
        masked = Redactor()(around)
        assert secret not in masked
        assert MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        "Deployment failed: shop 1.4.2",
        "see https://example.com/acme/shop/actions/runs/7",
        "mail alice@example.com",
        "task_id desk_lamp sk_ eggs high_five",
        "gh_cli",
        "",
    ],
)
def test_innocent_text_stays_as_it_is(text: str) -> None:
    assert Redactor(["hunter2!"])(text) == text


def test_an_exact_secret_is_masked_in_the_middle_of_a_word() -> None:
    assert Redactor(["hunter2!"])("xhunter2!y") == f"x{MASK}y"


def test_the_longer_of_two_secrets_is_masked_first() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh") == MASK


def test_a_secret_is_masked_without_its_surrounding_blanks() -> None:
    assert Redactor([" hunter2!\n"])("hunter2!") == MASK


def test_an_empty_or_tiny_secret_does_not_mask_everything() -> None:
    assert Redactor([None, "", "a", " "])("a banana") == "a banana"


def test_where_a_secret_stood_can_still_be_told() -> None:
    assert Redactor()("https://u:p@host/path") == f"https://{MASK}@host/path"
    assert Redactor()("hooks.slack.com/services/T/B/x") == f"hooks.slack.com/services/{MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "a://" * 50_000,
        "http://" * 30_000 + "@",
        "authorization " * 15_000,
        "xox" * 60_000,
        "gh" * 90_000 + "_",
        "hooks.slack.com/services/" * 8_000,
        "http://" + "u" * 200_000 + "@",
    ],
    ids=lambda text: text[:12],
)
def test_masking_takes_time_in_proportion_to_the_text(text: str) -> None:
    began = time.process_time()
    Redactor(["hunter2!"])(text)
    assert time.process_time() - began < 2.0


@given(st.text(), st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4 and "*" not in text), st.text())
def test_an_exact_secret_never_survives(before: str, secret: str, after: str) -> None:
    masked = Redactor([secret])(before + secret + after)
    assert secret.strip() not in masked.replace(MASK, "\0")


@pytest.mark.parametrize(("secret", "shown"), [("sk_abc_0123456789", "…6789"), ("short", MASK), ("", MASK)])
def test_a_secret_is_shown_as_its_last_four_characters_unless_it_is_short(secret: str, shown: str) -> None:
    assert last4(secret) == shown
