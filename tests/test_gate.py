"""How a rejection is told, and how long a poll waits."""

from __future__ import annotations

import pytest

from versioner_ci.gate import _duration, _poll, words
from versioner_ci.sinks._sink import Rejection


@pytest.mark.parametrize(
    ("rejection", "text"),
    [
        (None, "rejected by the tracker"),
        (Rejection(rule="frozen", reason="It is Friday"), "rejected by rule 'frozen': It is Friday"),
        (Rejection(rule=None, reason="no"), "rejected by an unnamed rule: no"),
        (Rejection(rule="f", reason="no", retry_after=0), "rejected by rule 'f': no (try again in 0 s)"),
        (Rejection(rule="f", reason="no", retry_after=60), "rejected by rule 'f': no (try again in 60 s)"),
        (Rejection(rule="f", reason="no", retry_after=600), "rejected by rule 'f': no (try again in 10 min)"),
        (Rejection(rule="f", reason="no", retry_after=9000), "rejected by rule 'f': no (try again in 2.5 h)"),
    ],
)
def test_a_rejection_is_one_line_with_rule_reason_and_time(rejection: Rejection | None, text: str) -> None:
    assert words(rejection) == text


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 15), (0, 1), (-5, 1), (0.2, 1), (30, 30), (3600, 3600)])
def test_the_server_says_when_to_ask_again_but_not_more_often_than_once_a_second(
    retry_after: float | None, seconds: float
) -> None:
    assert _poll(Rejection(rule="f", reason="no", retry_after=retry_after)) == seconds
    assert _poll(None) == 15


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0 s"), (0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")]
)
def test_a_time_is_told_roughly(seconds: float, text: str) -> None:
    assert _duration(seconds) == text
