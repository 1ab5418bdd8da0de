"""The list of notifications, however long."""

from __future__ import annotations

import re

import pytest
import requests

from tests.server.tracker import Tracker


@pytest.fixture
def visitor(tracker: Tracker) -> requests.Session:
    """Signed in with the admin's key."""
    session = requests.Session()
    assert session.post(f"{tracker.url}/sign-in", data={"key": tracker.key}, timeout=20).status_code == 200
    return session


def test_each_of_many_notifications_is_on_a_page(visitor: requests.Session, tracker: Tracker) -> None:
    made = {tracker.prefer("deployment.failed", f"C0{number:08}") for number in range(205)}
    shown, where, pages = set[str](), "/preferences", 0
    while where:
        text = visitor.get(tracker.url + where, timeout=20).text
        shown |= set(re.findall(r'href="/preferences/([0-9a-f-]{36})"', text))
        following = re.search(r'href="(/preferences\?cursor=[^"]+)"', text)
        where, pages = following[1] if following else "", pages + 1
    assert shown == made
    assert pages == 3


def test_a_page_that_does_not_exist_is_told(visitor: requests.Session, tracker: Tracker) -> None:
    answer = visitor.get(f"{tracker.url}/preferences?cursor=%3Cscript%3E", timeout=20)
    assert answer.status_code == 422
    assert "does not exist" in answer.text
    assert "<script>" not in answer.text
