"""Wherever a version of versioner-ci is written down, it is the one of src/versioner_ci/__init__.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from versioner_ci import __version__

ROOT = Path(__file__).resolve().parent.parent
PLACES = (
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "docs/",
    "gitlab/",
    "actions/",
    "jenkins/",
    ".github/",
    "examples/",
)
"""What users copy from. The changelog and the tests name other versions on purpose."""
NOT_OURS = re.compile(r"^\s*(?:- )?uses: (?!.*versioner)|^\s*#.*uses: (?!.*versioner)", re.IGNORECASE)
_NUMBER = r"\d+(?:\.\d+){0,2}(?![\w.]*\d)"
PINS = (
    re.compile(rf"versioner[-_]ci(?:\[\w+\])?(?:==|-)({_NUMBER})"),  # versioner-ci==1.2.3, versioner_ci-1.2.3.tar.gz
    re.compile(rf"versioner-ci[\w./-]*@v?({_NUMBER})"),  # uses: …/versioner-ci/actions/track@v1.2.3, @Library
    re.compile(rf"ref: v({_NUMBER})"),  # include: {project: …, ref: v1.2.3}
    re.compile(rf"/(?:download|raw|blob|refs/tags)/v({_NUMBER})"),  # addresses of a release's files
    re.compile(rf"rev: v({_NUMBER})"),
)


def pins(text: str) -> Iterator[str]:
    """The versions of ours that a text names."""
    for line in text.splitlines():
        if not NOT_OURS.search(line):
            for pattern in PINS:
                yield from pattern.findall(line)


def fits(pin: str) -> bool:
    """The whole version, or the major one that a moving tag has: v1."""
    return pin in {__version__, __version__.partition(".")[0]}


def test_every_pin_is_of_this_version() -> None:
    files = [path for place in PLACES for path in (ROOT / place, *(ROOT / place).rglob("*")) if path.is_file()]
    found = {path: [pin for pin in pins(path.read_text("utf-8", "replace")) if not fits(pin)] for path in files}
    assert len(found) > 20
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_the_newest_version_in_the_changelog_is_this_one() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__


@pytest.mark.parametrize(
    "line",
    [
        "pip install versioner-ci==9.9.9",
        'pip install "versioner-ci[server]==9.9.9"',
        "      - uses: acme/versioner-ci/actions/track@v9.9.9",
        "@Library('versioner-ci@v9.9.9') _",
        "  - {project: tools/versioner-ci, ref: v9.9.9, file: gitlab/versioner.yml}",
        "https://git.example.com/acme/versioner-ci/releases/download/v9.9.9/versioner-ci.pyz",
        "versioner_ci-9.9.9-py3-none-any.whl and versioner-ci-9.9.9-tree.tar.gz",
    ],
)
def test_a_pin_of_another_version_is_found(line: str) -> None:
    found = list(pins(line))
    assert found
    assert all(not fits(pin) for pin in found)
    assert all(fits(pin) for pin in pins(line.replace("9.9.9", __version__)))


@pytest.mark.parametrize(
    "line", ["      - uses: actions/checkout@v4", "python:3.13-slim", "GitLab 17.0", "versioner-ci report"]
)
def test_what_is_not_ours_is_none(line: str) -> None:
    assert list(pins(line)) == []
