"""`script/screenshots`: what users see, photographed by Chromium for docs/images."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Error, sync_playwright

from script import screenshots_slack
from versioner_ci import demo

ROOT = Path(__file__).resolve().parent.parent
SHARPNESS = 1.5
"""Pixels of the picture for one of the page."""
_SECONDS = 15


class Picture(NamedTuple):
    """A photograph of so many of the page's pixels; `take` gets an empty folder, and calls the camera."""

    width: int
    height: int
    take: Callable[[Path, Camera], None]


class Camera(NamedTuple):
    """Photographs one page into the file `out`."""

    browser: Browser
    picture: Picture
    out: Path

    def document(self, html: str) -> None:
        """Of a document of our own, which needs nothing else."""
        self._photograph(lambda page: page.set_content(html))

    def address(self, url: str) -> None:
        """Of what a server on this machine shows."""
        self._photograph(lambda page: page.goto(url, wait_until="load"))

    def _photograph(self, load: Callable[..., object]) -> None:
        size = {"width": self.picture.width, "height": self.picture.height}
        context = self.browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            device_scale_factor=SHARPNESS,
            color_scheme="light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(_SECONDS * 1000)
        page = context.new_page()
        load(page)
        height = page.evaluate("document.documentElement.scrollHeight")
        if height > self.picture.height:
            raise screenshots_slack.FailedError(f"{self.out.stem}: the page is {height} pixels high: mend PICTURES")
        page.screenshot(path=self.out, animations="disabled")
        context.close()


def slack(folder: Path, camera: Camera) -> None:
    """The messages that a Slack on this machine was sent by the real command."""
    camera.document(screenshots_slack.document(screenshots_slack.play(folder)))


def tracker(folder: Path, camera: Camera) -> None:
    """The matrix of a tracker on SQLite, once the sample pipeline has been played."""
    with demo.tracker(folder, os.environ, 0, None) as client:
        demo.play(folder, os.environ, client, lambda _: None)
        camera.address(client.url)


PICTURES = {"slack": Picture(688, 700, slack), "tracker": Picture(900, 600, tracker)}


def main(arguments: Sequence[str], chromium: str | None) -> int:
    """0 if all were taken; 1 where there is no Chromium, or something went another way."""
    parser = argparse.ArgumentParser(prog="script/screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="slack or tracker; both by default")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images", help="the folder (default: docs/images)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in PICTURES]
    if unknown:
        parser.error(f"no picture is named {unknown[0]}: {', '.join(PICTURES)}")
    if chromium is None:
        print("screenshots: Chromium is missing: run script/install_tracker_tools", file=sys.stderr)
        return 1
    try:
        _take(options.names or list(PICTURES), options.out, chromium)
    except (demo.DemoError, screenshots_slack.FailedError, Error) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


def _take(names: Sequence[str], out: Path, chromium: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for name in names:
            with tempfile.TemporaryDirectory(prefix="versioner-ci-", ignore_cleanup_errors=True) as folder:
                path = out / f"{name}.png"
                PICTURES[name].take(Path(folder), Camera(browser, PICTURES[name], path))
                print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], shutil.which("chromium")))
