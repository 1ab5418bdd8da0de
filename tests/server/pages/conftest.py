"""A running tracker, and the real Chromium looking at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.server.tracker import Tracker, running

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for each process of the tests."""
    found = shutil.which("chromium")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("Chromium is not installed: script/install_tracker_tools")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with running(str(tmp_path / "tracker.db"), log=tmp_path / "log") as started:
        yield started


@pytest.fixture
def window(chromium: Browser, tracker: Tracker) -> Iterator[OpenPage]:
    """`window(script=True, …)`: a page of a browser that knows nobody; whatever breaks the policy fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(*, script: bool = True, **options: object) -> Page:
        context = chromium.new_context(java_script_enabled=script, base_url=tracker.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def inside(window: OpenPage, tracker: Tracker) -> OpenPage:
    """The same, signed in."""

    def opened(**options: object) -> Page:
        page = window(**options)
        sign_in(page, tracker.key)
        return page

    return opened


def sign_in(page: Page, key: str, where: str = "/") -> None:
    page.goto(where)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
