"""Who sees the pages, and what a form must bring, without a browser's help."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from tests.server.tracker import Tracker, running
from versioner_ci.server.pages.render import POLICY
from versioner_ci.server.pages.session import safe_next
from versioner_ci.server.pages.shared import SECONDS

PAGES = ("/", "/history", "/lifecycles/none", "/preferences", "/preferences/none")


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """One for all tests here: none of them leaves a notification, and each looks at the newest deployment."""
    with running(str(tmp_path_factory.mktemp("pages") / "tracker.db")) as started:
        yield started


@pytest.fixture
def session(tracker: Tracker) -> requests.Session:
    """Signed in as an admin."""
    made = requests.Session()
    answer = made.post(f"{tracker.url}/sign-in", data={"key": tracker.key}, timeout=20)
    assert answer.url == f"{tracker.url}/"
    return made


def mark(session: requests.Session, tracker: Tracker) -> str:
    text = session.get(f"{tracker.url}/preferences", timeout=20).text
    return re.findall(r'name="csrf" value="([^"]+)"', text)[0]


def new_key(tracker: Tracker, *scopes: str) -> str:
    made = tracker.post("/keys/", {"name": "people", "scopes": list(scopes)})
    assert made.status_code == 201
    return str(made.json()["key"])


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_led_to_the_sign_in_and_back(tracker: Tracker, path: str) -> None:
    answer = requests.get(tracker.url + path, timeout=20, allow_redirects=False)
    wanted = "/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='')}"
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    fragment = requests.get(tracker.url + path, timeout=20, headers={"X-Fragment": "1"}, allow_redirects=False)
    assert (fragment.status_code, fragment.text) == (401, "")


def test_the_cookie_is_out_of_reach_of_scripts_and_holds_no_key(tracker: Tracker) -> None:
    answer = requests.post(f"{tracker.url}/sign-in", data={"key": tracker.key}, timeout=20, allow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"))
    assert "Secure" not in cookie
    assert tracker.key.rpartition("_")[2] not in cookie
    headers = {"X-Forwarded-Proto": "https"}
    proxied = requests.post(
        f"{tracker.url}/sign-in", data={"key": tracker.key}, timeout=20, allow_redirects=False, headers=headers
    )
    assert "Secure" in proxied.headers["set-cookie"]


@pytest.mark.parametrize("key", ["", "sk_0_0", "nonsense", "sk_<script>_1"])
def test_a_wrong_key_is_refused_without_being_repeated(tracker: Tracker, key: str) -> None:
    answer = requests.post(f"{tracker.url}/sign-in", data={"key": key}, timeout=20)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not key or key not in answer.text.replace("sk_…", "")


def test_a_key_that_may_only_write_sees_nothing(tracker: Tracker) -> None:
    answer = requests.post(f"{tracker.url}/sign-in", data={"key": new_key(tracker, "write")}, timeout=20)
    assert (answer.status_code, "This key may not read." in answer.text) == (403, True)


def test_a_key_that_may_only_read_changes_nothing(tracker: Tracker) -> None:
    session = requests.Session()
    session.post(f"{tracker.url}/sign-in", data={"key": new_key(tracker, "read")}, timeout=20)
    page = session.get(f"{tracker.url}/preferences", timeout=20).text
    assert "Your key may read only" in page
    data = {"csrf": mark(session, tracker), "event_type": "*", "channel_id": "C0123456789"}
    assert session.post(f"{tracker.url}/preferences", data=data, timeout=20).status_code == 403
    assert tracker.get("/notification-preferences/")["items"] == []


def test_a_revoked_key_ends_its_sessions(tracker: Tracker) -> None:
    key = new_key(tracker, "read")
    session = requests.Session()
    session.post(f"{tracker.url}/sign-in", data={"key": key}, timeout=20)
    assert session.get(f"{tracker.url}/", timeout=20, allow_redirects=False).status_code == 200
    assert tracker.request("DELETE", f"/keys/{key.split('_')[1]}").status_code == 204
    assert session.get(f"{tracker.url}/", timeout=20, allow_redirects=False).status_code == 303


def test_a_forged_cookie_is_nobody(tracker: Tracker, session: requests.Session) -> None:
    genuine = session.cookies["versioner_session"]
    for forged in ("", "x", genuine[:-2] + "xx", "a." + genuine):
        answer = requests.get(tracker.url, timeout=20, allow_redirects=False, cookies={"versioner_session": forged})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
     {"Origin": "null"}],
)  # fmt: skip
def test_a_form_from_another_site_changes_nothing(
    tracker: Tracker, session: requests.Session, headers: dict[str, str]
) -> None:
    data = {"csrf": mark(session, tracker), "event_type": "*", "channel_id": "C0123456789"}
    answer = session.post(f"{tracker.url}/preferences", data=data, headers=headers, timeout=20)
    assert answer.status_code == 403
    signed = requests.post(
        f"{tracker.url}/sign-in", data={"key": tracker.key}, headers=headers, timeout=20, allow_redirects=False
    )
    assert "set-cookie" not in signed.headers
    assert tracker.get("/notification-preferences/")["items"] == []


@pytest.mark.parametrize("wrong", ["", "x", "ü", None])
def test_a_form_without_its_mark_changes_nothing(
    tracker: Tracker, session: requests.Session, wrong: str | None
) -> None:
    data = {"event_type": "*", "channel_id": "C0123456789", **({} if wrong is None else {"csrf": wrong})}
    assert session.post(f"{tracker.url}/preferences", data=data, timeout=20).status_code == 403
    assert tracker.get("/notification-preferences/")["items"] == []


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    tracker: Tracker, session: requests.Session
) -> None:
    data = {"csrf": mark(session, tracker), "event_type": "deployment.exploded", "channel_id": "C0123456789",
            "mention": "everybody", "product_name": "shop"}  # fmt: skip
    answer = session.post(f"{tracker.url}/preferences", data=data, timeout=20)
    assert answer.status_code == 422
    assert set(re.findall(r'id="e-(\w+)"', answer.text)) == {"event_type", "mention"}
    assert 'value="everybody"' in answer.text
    assert 'value="shop"' in answer.text


def test_a_form_is_small(tracker: Tracker, session: requests.Session) -> None:
    data = {"csrf": mark(session, tracker), "mention": "x" * 20_000}
    assert session.post(f"{tracker.url}/preferences", data=data, timeout=20).status_code == 413


def test_every_page_has_the_strict_policy(tracker: Tracker, session: requests.Session) -> None:
    for path in (*PAGES, "/sign-in", "/assets/x/app.js", "/assets/x/none"):
        headers = session.get(tracker.url + path, timeout=20).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in POLICY


def test_no_page_names_another_host(tracker: Tracker, session: requests.Session) -> None:
    tracker.deploy("started")
    for path in PAGES:
        text = session.get(tracker.url + path, timeout=20).text
        assert re.findall(r"""(?:src|href|action)=["'](?!/|#)[^"']*""", text) == []
        assert "<style" not in text
        assert " style=" not in text
        assert not re.search(r" on\w+=", text)


def test_a_file_may_be_kept_for_ever_under_its_own_address_only(tracker: Tracker) -> None:
    text = requests.get(f"{tracker.url}/sign-in", timeout=20).text
    path = re.findall(r'href="(/assets/\w+/app.css)"', text)[0]
    assert "immutable" in requests.get(tracker.url + path, timeout=20).headers["cache-control"]
    assert requests.get(f"{tracker.url}/assets/old/app.css", timeout=20).headers["cache-control"] == "no-cache"
    for hostile in ("/assets/x/..%2frender.py", "/assets/x/%2e%2e/render.py"):
        assert requests.get(tracker.url + hostile, timeout=20).status_code == 404


def test_a_page_that_has_not_changed_is_not_sent_again(tracker: Tracker, session: requests.Session) -> None:
    tracker.deploy("completed")
    first = session.get(tracker.url, headers={"X-Fragment": "1"}, timeout=20)
    assert first.status_code == 200
    assert "<html" not in first.text
    asked = {"X-Fragment": "1", "X-Tag": first.headers["x-tag"]}
    assert session.get(tracker.url, headers=asked, timeout=20).status_code == 204
    tracker.deploy("completed", version="1.4.3")
    time.sleep(SECONDS + 0.1)
    assert session.get(tracker.url, headers=asked, timeout=20).status_code == 200


def test_an_admin_closes_what_nobody_ends(tracker: Tracker, session: requests.Session) -> None:
    tracker.deploy("started")
    one = tracker.get("/deployments/")["items"][0]["id"]
    data = {"csrf": mark(session, tracker)}
    answer = session.post(f"{tracker.url}/lifecycles/{one}/close", data=data, timeout=20)
    assert "no ending was heard" in answer.text
    assert tracker.get(f"/deployments/{one}")["shown"] == "closed"


@pytest.mark.parametrize("cursor", ["x", "1.2", "'--", "9" * 400])
def test_a_cursor_that_is_none_is_told(tracker: Tracker, session: requests.Session, cursor: str) -> None:
    answer = session.get(f"{tracker.url}/history", params={"cursor": cursor}, timeout=20)
    assert (answer.status_code, "does not exist" in answer.text) == (422, True)


def test_the_history_has_pages(tracker: Tracker, session: requests.Session) -> None:
    for number in range(60):
        tracker.deploy("completed", version=f"1.{number}", invoke_id=str(number))
    first = session.get(f"{tracker.url}/history", timeout=20).text
    older = re.findall(r'href="(/history\?cursor=[^"]+)"', first)
    second = session.get(tracker.url + older[0], timeout=20).text
    versions = [re.findall(r'aria-label="shop (1\.\d+)"', text) for text in (first, second)]
    assert [version for page in versions for version in page] == [f"1.{number}" for number in reversed(range(60))]


@pytest.mark.parametrize(
    ("wanted", "page"),
    [("/history?state=failed", "/history?state=failed"), ("//evil.example", "/"), ("https://evil.example", "/"),
     ("/\\evil.example", "/"), ("javascript:alert(1)", "/"), ("", "/"), ("/\nx", "/"), ("/" + "x" * 3000, "/")],
)  # fmt: skip
def test_the_way_back_stays_here(wanted: str, page: str) -> None:
    assert safe_next(wanted) == page


def test_without_keys_nobody_signs_in(tmp_path: object) -> None:
    with running(f"{tmp_path}/open.db", "--no-auth") as tracker:
        assert "no sign-in" in requests.get(tracker.url, timeout=20).text
        assert requests.get(tracker.url, headers={"Host": "evil.example"}, timeout=20).status_code == 403
        data = {"event_type": "*", "channel_id": "C0123456789"}
        assert requests.post(f"{tracker.url}/preferences", data=data, timeout=20).status_code == 403
