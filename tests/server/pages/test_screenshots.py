"""`script/screenshots`: pictures of what real commands have made, of one size, small, and in the documents."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from script import screenshots_main, screenshots_slack
from script.screenshots_main import PICTURES, SHARPNESS
from tests.test_docs_pages import PAGES, ROOT, read
from versioner_ci.status import LOOKS, Kind, State

MOST = 150_000
every_picture = pytest.mark.parametrize("name", PICTURES)


def size(picture: Path) -> tuple[int, int]:
    """Width and height. https://www.w3.org/TR/png-3/#11IHDR"""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


def wanted(name: str) -> tuple[int, int]:
    return round(PICTURES[name].width * SHARPNESS), round(PICTURES[name].height * SHARPNESS)


@every_picture
def test_a_picture_in_the_documents_is_small_and_of_its_size(name: str) -> None:
    picture = ROOT / f"docs/images/{name}.png"
    assert size(picture) == wanted(name)
    assert picture.stat().st_size < MOST


def test_every_picture_is_shown_and_made_by_the_script() -> None:
    there = {path.name for path in (ROOT / "docs/images").iterdir()}
    assert there == {f"{name}.png" for name in PICTURES}
    assert all(any(f"images/{name})" in read(page) for page in PAGES) for name in there)


def test_the_messages_are_those_that_the_real_command_has_sent(tmp_path: Path) -> None:
    messages = screenshots_slack.play(tmp_path)
    kinds = [(Kind.BUILD, State.COMPLETED), (Kind.DEPLOYMENT, State.FAILED), (Kind.DEPLOYMENT, State.STARTED)]
    assert [LOOKS[kind].wording in message.text for message, kind in zip(messages, kinds, strict=True)] == [True] * 3
    assert [len(message.replies) for message in messages] == [0, 1, 0]
    drawn = screenshots_slack.document(messages)
    assert [drawn.count(LOOKS[kind].colour) for kind in kinds] == [1, 2, 1]
    assert drawn.count("ERROR: column &quot;price&quot; exists already") == 2
    assert '<span class="call">@U0456</span>' in drawn
    assert drawn.count("Open run #128") == 4


@every_picture
def test_a_picture_is_taken(name: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None and os.environ.get("CI") != "true":
        pytest.skip("Chromium is not installed: script/install_tracker_tools")
    done = _run(name, "--out", str(tmp_path / "new"))
    picture = tmp_path / f"new/{name}.png"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{picture}: {picture.stat().st_size / 1000:.0f} kB\n"
    assert size(picture) == wanted(name)
    assert 20_000 < picture.stat().st_size < MOST


def test_without_chromium_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert screenshots_main.main(["--out", str(tmp_path / "new")], None) == 1
    assert capsys.readouterr().err == "screenshots: Chromium is missing: run script/install_tracker_tools\n"
    assert not (tmp_path / "new").exists()


def test_an_unknown_picture_is_named() -> None:
    done = _run("teams")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "script/screenshots: error: no picture is named teams: slack, tracker"


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "script.screenshots_main", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
