"""The pages in a real browser: they renew themselves, work without JavaScript and by keyboard, and bar nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.pages.conftest import OpenPage, sign_in
from tests.server.tracker import Tracker, deployment

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / ".tools" / "tracker" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def filled(tracker: Tracker) -> str:
    """Something of every state; the id of the failed deployment."""
    tracker.deploy("completed", version="1.4.2", invoke_id="2", deployed_by="grace")
    tracker.deploy("completed", version="1.5.0", environment_name="staging", invoke_id="1", deployed_by="ada")
    metadata = {"error": "ERROR: <b>no</b>\nsecond line", "error_code": "3", "duration_seconds": 62.9}
    tracker.deploy("started", version="1.6.0", invoke_id="3")
    tracker.deploy("failed", version="1.6.0", invoke_id="3", extra_metadata=metadata)
    tracker.deploy("started", product_name="search", invoke_id="4")
    tracker.deploy("pending", product_name="search", environment_name="canary", invoke_id="5")
    tracker.deploy("aborted", product_name="search", environment_name="staging", invoke_id="6")
    tracker.prefer("deployment.failed", "C0123456789", mention=["@U0456"])
    return str(tracker.get("/deployments/", state="failed")["items"][0]["id"])


def test_a_deployment_moves_from_started_to_completed_by_itself(inside: OpenPage, tracker: Tracker) -> None:
    page = inside()
    expect(page.get_by_text("Nothing has been reported yet")).to_be_visible()
    tracker.deploy("started", version="1.4.2", invoke_id="7")
    cell = page.get_by_role("cell").filter(has_text="1.4.2")
    expect(cell).to_contain_text("in progress")
    tracker.deploy("completed", version="1.4.2", invoke_id="7", deployed_by="ada")
    expect(cell).to_contain_text("just now")
    expect(cell).to_contain_text("ada")
    expect(cell).not_to_contain_text("in progress")
    expect(page.get_by_role("status").filter(has_text="1.4.2 runs")).to_have_count(1)


def test_a_timeline_moves_by_itself_too_and_keeps_the_focus(inside: OpenPage, tracker: Tracker) -> None:
    tracker.deploy("completed", version="1.4.1", invoke_id="6")
    tracker.deploy("started", version="1.4.2", invoke_id="7")
    one = tracker.get("/deployments/", version="1.4.2")["items"][0]["id"]
    page = inside()
    page.goto(f"/lifecycles/{one}")
    page.get_by_role("link", name="1.4.1").focus()
    tracker.deploy("failed", version="1.4.2", invoke_id="7", extra_metadata={"error": "no space left"})
    expect(page.get_by_text("no space left")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Failed")).to_have_count(1)
    expect(page.get_by_role("link", name="1.4.1")).to_be_focused()


def test_without_javascript_everything_can_be_read_and_done(window: OpenPage, tracker: Tracker, filled: str) -> None:
    page = window(script=False)
    sign_in(page, tracker.key, f"/lifecycles/{filled}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("shop 1.6.0")
    expect(page.locator("pre")).to_have_text("ERROR: <b>no</b>\nsecond line")
    page.get_by_role("link", name="Matrix").click()
    expect(page.get_by_role("cell").filter(has_text="grace")).to_contain_text("behind staging")
    page.get_by_role("searchbox").fill("sea")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("rowheader")).to_have_text(["search"])
    page.get_by_role("link", name="History").click()
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Notifications").click()
    page.get_by_label("Slack channel id").fill("C0999999999")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("status").filter(has_text="Added.")).to_be_visible()
    assert [row["channel_id"] for row in tracker.get("/notification-preferences/")["items"]][1] == "C0999999999"
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_by_keyboard_alone_a_notification_is_added_changed_and_deleted(inside: OpenPage, tracker: Tracker) -> None:
    page = inside()
    page.goto("/preferences")
    reach(page, "channel_id")
    page.keyboard.type("C0123456789")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Added.")).to_be_visible()
    reach(page, name="Change")
    page.keyboard.press("Enter")
    page.wait_for_url("**/preferences/*-*")
    reach(page, "environment_name")
    page.keyboard.type("production")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert tracker.get("/notification-preferences/")["items"][0]["environment_name"] == "production"
    reach(page, name="Change")
    page.keyboard.press("Enter")
    page.wait_for_url("**/preferences/*-*")
    reach(page, name="Delete")
    page.keyboard.press("Space")
    expect(page.get_by_text("Deleted.")).to_be_visible()
    assert tracker.get("/notification-preferences/")["items"] == []


def reach(page: Page, identity: str = "", name: str = "") -> None:
    """Press Tab until it is there."""
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate("[document.activeElement.id, document.activeElement.textContent.trim()]")
        if (identity and found[0] == identity) or (name and found[1] == name):
            return
    pytest.fail(f"Tab does not reach {identity or name}")


def test_the_first_tab_leads_past_the_menu(inside: OpenPage) -> None:
    page = inside()
    page.goto("/history")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("look", ["light", "dark", "narrow"])
def test_axe_finds_nothing_serious_on_any_page(
    inside: OpenPage, window: OpenPage, tracker: Tracker, filled: str, look: str
) -> None:
    size = {"width": 390, "height": 844} if look == "narrow" else {"width": 1280, "height": 800}
    options = {"color_scheme": "dark" if look == "dark" else "light", "viewport": size, "bypass_csp": True}
    page, stranger = inside(**options), window(**options)
    one = tracker.get("/notification-preferences/")["items"][0]["id"]
    for path in ("/", "/history", f"/lifecycles/{filled}", "/preferences", f"/preferences/{one}", "/lifecycles/none"):
        assert barriers(page, path) == [], path
    assert barriers(stranger, "/sign-in") == []


def barriers(page: Page, path: str) -> list[str]:
    """What axe-core finds, but for what is minor."""
    page.goto(path)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document)")["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in {"serious", "critical", "moderate"}
        for node in rule["nodes"]
    ]


def test_a_narrow_page_never_scrolls_sideways(inside: OpenPage, filled: str) -> None:
    page = inside(viewport={"width": 360, "height": 740})
    for path in ("/", "/history", f"/lifecycles/{filled}", "/preferences"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_a_lost_connection_is_told_and_mended(inside: OpenPage, tracker: Tracker) -> None:
    page = inside()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.context.set_offline(offline=True)
    expect(page.get_by_text("Connection lost")).to_be_visible()
    page.context.set_offline(offline=False)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_hostile_names_are_only_text(inside: OpenPage, tracker: Tracker) -> None:
    evil = "<img src=x onerror=alert(1)>"
    body = deployment("failed", product_name=evil, version="1.0\u202e", deploy_url="javascript:alert(1)")
    assert tracker.post("/deployment-events/", {**body, "extra_metadata": {"error": "</pre><script>alert(1)</script>"}})
    page = inside()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    for path in ("/", "/history", f"/lifecycles/{tracker.get('/deployments/')['items'][0]['id']}"):
        page.goto(path)
        expect(page.locator("main")).to_contain_text(evil)
        assert page.locator("img[src=x]").count() == 0
        assert "\u202e" not in page.content()
        assert not re.search(r'href="javascript', page.content())


def test_a_session_that_ends_leads_to_the_sign_in_by_itself(inside: OpenPage, tracker: Tracker) -> None:
    page = inside()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
