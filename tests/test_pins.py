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
_V = rf"v?({_NUMBER})"
PINS = (
    re.compile(rf"versioner[-_]ci(?:\[[\w,]+\])?[\"']?\s*(?:[=~>]=|-)\s*[\"']?{_V}"),  # a requirement, a file's name
    re.compile(rf"versioner[\w./-]*@{_V}"),  # uses: …/versioner-ci/actions/track@v1.2.3, @Library, library, a component
    re.compile(rf"component: \S*@{_V}"),
    re.compile(rf"versioner-ci:{_V}"),  # an image
    re.compile(rf"\bre[fv]: [\"']?{_V}"),  # include: {{project: …, ref: v1.2.3}}; pre-commit
    re.compile(rf"--branch[ =]{_V}"),
    re.compile(rf"/(?:download|raw|blob|tree|refs/tags)/{_V}"),  # addresses of a release's files
)
REFERENCE = re.compile(
    r"uses: \S*/versioner-ci/actions/\w+@(\S+)|project: \S*/versioner-ci, ref: ([^,\s]+)"
    r"|Library\('versioner-ci@([^']+)'\)"
)
"""Where a host takes us from a repository; what stands there is a pin, or says that it is none yet."""
HAVE_REFERENCES = ("README.md", "docs/github.md", "docs/gitlab.md")


def pins(text: str) -> Iterator[str]:
    """The versions of ours that a text names."""
    for line in text.splitlines():
        if not NOT_OURS.search(line):
            for pattern in PINS:
                yield from pattern.findall(line)


def fits(pin: str) -> bool:
    """The whole version, or the major one that a moving tag has: v1, but none before 1.0."""
    major = __version__.partition(".")[0]
    return pin == __version__ or pin == major != "0"


def wrong_pins(root: Path) -> dict[str, list[str]]:
    """The files that users copy from, and what in them is of another version."""
    files = [path for place in PLACES for path in (root / place, *(root / place).rglob("*")) if path.is_file()]
    found = {path: [pin for pin in pins(path.read_text("utf-8", "replace")) if not fits(pin)] for path in files}
    assert len(found) > 20
    return {path.relative_to(root).as_posix(): wrong for path, wrong in found.items() if wrong}


def test_every_pin_is_of_this_version() -> None:
    assert wrong_pins(ROOT) == {}


@pytest.mark.parametrize("name", HAVE_REFERENCES)
def test_where_a_host_takes_us_from_is_this_version_the_branch_or_a_commit(name: str) -> None:
    found = [next(filter(None, match.groups())) for match in REFERENCE.finditer((ROOT / name).read_text("utf-8"))]
    assert found
    assert [
        ref for ref in found if not re.fullmatch(r"main|[0-9a-f]{40}|[A-Z]+", ref) and not fits(ref.strip("v"))
    ] == []


def test_a_pin_that_is_put_into_any_of_these_places_is_seen(tmp_path: Path) -> None:
    for place in PLACES:
        path = tmp_path / place / "page.md" if place.endswith("/") else tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("pip install versioner-ci==9.9.9\n")
    for number in range(20):
        (tmp_path / "docs" / f"{number}.md").write_text("")
    assert len(wrong_pins(tmp_path)) == len(PLACES)


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
        "library 'versioner@v9.9.9'",
        "    image: registry.example.com/tools/versioner-ci:9.9.9",
        "git clone --branch v9.9.9 https://git.example.com/acme/versioner-ci",
        "versioner-ci>=9.9.9",
        "versioner-ci[server] ~= 9.9.9",
        "  - component: $CI_SERVER_FQDN/acme/components/track@9.9.9",
        "  - {project: tools/versioner-ci, ref: 'v9.9.9'}",
        '    rev: "v9.9.9"',
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
