"""Each kind of value from its text."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci import early
from versioner_ci import settings_parse as parse
from versioner_ci.settings_parse import ParseError
from versioner_ci.settings_values import Gate


@pytest.mark.parametrize("word", ["1", "true", "YES", "On", "y", " t "])
def test_words_for_true(word: str) -> None:
    assert parse.boolean(word) == (True, None)


@pytest.mark.parametrize("word", ["0", "false", "No", "OFF", "n", "f", False])
def test_words_for_false(word: object) -> None:
    assert parse.boolean(word) == (False, None)


@pytest.mark.parametrize("word", ["", "2", "maybe", "truee", "\udcff"])
def test_other_words_are_neither(word: str) -> None:
    with pytest.raises(ParseError, match="neither true nor false"):
        parse.boolean(word)


@pytest.mark.parametrize(
    ("word", "gate"),
    [("off", Gate.OFF), ("ON", Gate.ON), ("required", Gate.REQUIRED), (True, Gate.ON), ("false", Gate.OFF),
     ("no", Gate.OFF), (Gate.REQUIRED, Gate.REQUIRED)],
)  # fmt: skip
def test_gate_words_and_what_yaml_makes_of_them(word: object, gate: Gate) -> None:
    assert parse.gate(word) == (gate, None)


@pytest.mark.parametrize("text", ["0.1", "600", "1e2", 10, 2.5])
def test_numbers_within_the_bounds(text: object) -> None:
    assert parse.number(0.1, 600, "seconds")(text) == (float(str(text)), None)


@pytest.mark.parametrize("text", ["0", "-1", "601", "nan", "inf", "-inf", "1e9", "", "10s", "1,5", "0x10", True, None])
def test_numbers_out_of_bounds_or_none_at_all(text: object) -> None:
    with pytest.raises(ParseError):
        parse.number(0.1, 600, "seconds")(text)


@given(st.text())
def test_no_text_gives_a_number_out_of_bounds(text: str) -> None:
    try:
        value, _ = parse.number(0.1, 600, "seconds")(text)
    except ParseError:
        return
    assert 0.1 <= value <= 600
    assert math.isfinite(value)


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "\r"], ids=repr)
def test_one_newline_or_blank_is_taken_off_a_token(end: str) -> None:
    value, note = parse.secret(f"sk_abc_def{end}")
    assert value == "sk_abc_def"
    assert note


@pytest.mark.parametrize(
    "text", ["a\n\n", "a  ", " a", "a b", "a\x00", "a\x7f", "é", "a\udcff", "a\x1b[0m", "\ufeffa"], ids=repr
)
def test_any_other_odd_character_in_a_token_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse.secret(text)


@given(st.text(min_size=1))
def test_an_accepted_token_can_always_stand_in_a_header(text: str) -> None:
    try:
        value, _ = parse.secret(text)
    except ParseError:
        return
    assert all("!" <= character <= "~" for character in value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("HTTPS://Api.Example.com:8443/base/v1//", "HTTPS://Api.Example.com:8443/base/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://a-b_c.example/x%20y\n", "https://a-b_c.example/x%20y"),
    ],
)
def test_addresses_that_work(text: str, url: str) -> None:
    assert parse.url(text)[0] == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("api.example.com", "is not a web address"),
        ("https:/api.example.com", "is not a web address"),
        ("htps://api.example.com", "does not start with https://"),
        ("file:///etc/passwd", "does not start with https://"),
        ("https://", "has no usable host name or port"),
        ("https://:80", "has no usable host name or port"),
        ("https://h:0", "has no usable host name or port"),
        ("https://h:70000", "has no usable host name or port"),
        ("https://h:port", "has no usable host name or port"),
        ("https://[::1", "has no usable host name or port"),
        ("https://[fe80::1%25eth0]", "has no usable host name or port"),
        ("https://user:pass@h", "holds a user name or a password"),
        ("https://user@h", "holds a user name or a password"),
        ("https://good\\@evil", "holds a blank, a backslash"),
        ("https://h/a b", "holds a blank, a backslash"),
        ("https://h\n.evil", "holds a blank, a backslash"),
        ("https://h/é", "holds a blank, a backslash"),
        ("https://h/?a=b", "holds a '?' or '#' part"),
        ("https://h#a", "holds a '?' or '#' part"),
    ],
)
def test_addresses_that_do_not_work(text: str, said: str) -> None:
    with pytest.raises(ParseError, match=f"^{said.replace('?', '[?]')}"):
        parse.url(text)


@given(st.text(alphabet=st.sampled_from("htps:/@.[]\\?#% a1é\n-"), max_size=40).map("https://".__add__))
def test_an_accepted_address_means_the_same_host_to_everyone(text: str) -> None:
    try:
        value, _ = parse.url(text)
    except ParseError:
        return
    parts = urlsplit(value)
    assert parts.scheme == "https"
    assert parts.hostname
    assert parts.username is None
    assert not parts.query + parts.fragment


@pytest.mark.parametrize(
    ("url", "is_plain"),
    [
        ("http://localhost", False),
        ("http://LOCALHOST:80/x", False),
        ("http://127.0.0.1:8080", False),
        ("http://127.255.255.254", False),
        ("http://[::1]", False),
        ("https://example.com", False),
        ("http://example.com", True),
        ("HTTP://example.com", True),
        ("http://127.0.0.1.example.com", True),
        ("http://localhost.example.com", True),
        ("http://127.0.0.256", True),
        ("http://127.1", True),
        ("http://0.0.0.0", True),
        ("http://10.0.0.1", True),
        ("http://[::ffff:127.0.0.1]", True),
    ],
)
def test_what_counts_as_unencrypted(url: str, is_plain: bool) -> None:
    assert parse.is_plain_http(url) is is_plain


@pytest.mark.parametrize(
    ("text", "channel"),
    [("C0123456789", "C0123456789"), ("#C0123456789", "C0123456789"), (" #deploys ", "#deploys"),
     ("deploys", "deploys"), ("#équipe-1", "#équipe-1"), ("G01234567", "G01234567")],
)  # fmt: skip
def test_channels_by_id_or_name(text: str, channel: str) -> None:
    assert parse.channel(text) == (channel, None)


@pytest.mark.parametrize("text", ["", "#", "##a", "a b", "<!channel>", "@here", "a" * 81, "a\nb", "C1;rm"])
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(ParseError, match="is not a Slack channel"):
        parse.channel(text)


def test_a_channels_link_gives_away_its_id() -> None:
    with pytest.raises(ParseError) as raised:
        parse.channel("https://team.slack.com/archives/C0123456789/p17")
    assert raised.value.fix == "use C0123456789"


@pytest.mark.parametrize(
    ("value", "channels"),
    [("a,b", ("a", "b")), ("a b\n#c,", ("a", "b", "#c")), (["a", "b,a"], ("a", "b")), (("#a",), ("#a",))],
)
def test_several_channels_each_once_in_order(value: object, channels: tuple[str, ...]) -> None:
    assert parse.channels(value) == (channels, None)


@pytest.mark.parametrize("text", ["", "  ", "\0" * 0])
def test_an_empty_name_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="is empty"):
        parse.name(text)
    with pytest.raises(ParseError, match="is empty"):
        parse.word(text)


@given(st.text(alphabet=st.characters(), min_size=1))
def test_a_name_is_always_valid_unicode_and_short(text: str) -> None:
    try:
        value, note = parse.name(text)
    except ParseError:
        return
    value.encode()
    assert len(value) <= 255
    assert "\0" not in value
    assert (note is not None) == value.endswith("…") or len(text) <= 255


@given(st.text(alphabet=st.characters()))
def test_a_value_in_a_message_is_one_short_line(text: str) -> None:
    assert len(parse.shown(text)) <= 62
    assert parse.shown(text).isascii() or parse.shown(text).encode()
    assert not set(parse.shown(text)) & set("\n\r\x1b\0")


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "yes", " on ", "y", "t", "0", "false", "no", "off"])
def test_what_reads_the_off_switch_without_the_settings_knows_the_same_words(word: str) -> None:
    env = {"VERSIONER_GATE": "required", "VERSIONER_DISABLED": word}
    assert early.asks_required(["deployment"], env) is not parse.boolean(word)[0]
