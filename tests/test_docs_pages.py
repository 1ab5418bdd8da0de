"""The documents' form: what a page is made of, links that resolve, bounds, and the helpers of the other tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from versioner_ci.status import LOOKS

ROOT = Path(__file__).resolve().parent.parent
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")))
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())

_FENCE = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
REQUIRED = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")


class Block(NamedTuple):
    """A fenced block: where, its language, what else stands behind that, its text without indentation."""

    page: str
    language: str
    tag: str
    text: str


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """Every fenced block of these languages."""
    return [block for page in PAGES for block in blocks_of(page) if block.language in languages]


def blocks_of(page: Path) -> Iterator[Block]:
    for indent, info, text in _FENCE.findall(read(page)):
        language, _, tag = info.strip().partition(" ")
        lines = [line.removeprefix(indent) for line in text.splitlines()]
        yield Block(page.relative_to(ROOT).as_posix(), language, tag, "\n".join(lines) + "\n")


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", read(page))


def codes(page: Path) -> list[str]:
    """The inline code of a page."""
    return [code.replace("\\|", "|") for code in _CODE.findall(prose(page))]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(page)))
    return {heading.strip().replace(" ", "-") for heading in headings}


def test_the_pages_that_people_look_for_are_there() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert set(REQUIRED) <= names


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) <= 200


def test_records_of_decisions_are_few_and_short() -> None:
    records = sorted(ROOT.glob("docs/adr/*.md"))
    assert 0 < len(records) <= 5
    assert all(len(read(record).splitlines()) <= 40 for record in records)


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in _LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        place = (page.parent / path).resolve() if path else page
        if not place.is_file() or (anchor and anchor not in anchors(place)):
            broken.append(target)
    assert not broken


@every_page
def test_a_page_has_one_title_and_closes_its_blocks(page: Path) -> None:
    assert len(re.findall(r"^# ", prose(page), re.MULTILINE)) == 1
    assert "```" not in prose(page)


@every_page
def test_a_table_has_as_many_cells_in_each_row(page: Path) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", prose(page), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table.splitlines()[0]


def test_every_page_can_be_found_from_the_readme() -> None:
    found, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in found or page.suffix != ".md" or not page.is_file():
            continue
        found.add(page)
        targets = (target.partition("#")[0] for target in _LINK.findall(prose(page)) if "://" not in target)
        todo += [(page.parent / target).resolve() for target in targets if target]
    assert [page for page in PAGES if page not in found] == []


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs/index.md"
    targets = {(index.parent / target.partition("#")[0]).resolve() for target in _LINK.findall(prose(index))}
    assert [page for page in PAGES if page not in {*targets, index}] == []


def test_the_readme_shows_the_events_as_the_code_has_them() -> None:
    cells = re.findall(r"(\S+) ([\w ]+) · `(\w+\.\w+)`", read(ROOT / "README.md"))
    looks = {(look.icon, look.wording, f"{kind.value}.{state.value}") for (kind, state), look in LOOKS.items()}
    assert sorted(cells) == sorted(looks)


def test_the_readme_names_both_commands_that_set_everything_up() -> None:
    commands = [line.split("#")[0].strip() for block in blocks("sh") for line in block.text.splitlines()]
    for script in ("./script/demo", "./script/test"):
        assert script in commands
        assert (ROOT / script).stat().st_mode & 0o111
