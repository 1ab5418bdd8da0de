"""`script/reference`: writes the generated documents, or compares them with what they should be."""

from __future__ import annotations

import sys
from pathlib import Path

from script.reference_pages import PAGES
from versioner_ci import schema

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FOLDER = DOCS / "reference"


def pages(docs: Path = DOCS) -> dict[Path, str]:
    """Every generated file below `docs` and its text."""
    made = {docs / "reference" / f"{name}.md": make() for name, make in PAGES.items()}
    return {**made, docs / "versioner.schema.json": schema.render()}


def differing(docs: Path = DOCS) -> list[Path]:
    """The files that are missing, differ, or stand in reference/ without being made here."""
    wanted = pages(docs)
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    return stale + [path for path in sorted((docs / "reference").glob("*")) if path not in wanted]


def write(docs: Path = DOCS) -> list[Path]:
    """Write, or remove, what differs; these files."""
    texts, stale = pages(docs), differing(docs)
    for path in stale:
        if path in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
        else:
            path.unlink()
    return stale


def main(arguments: list[str]) -> int:
    """Write what differs; with `--check` only name it."""
    if arguments not in ([], ["--check"]):
        print("usage: script/reference [--check]", file=sys.stderr)
        return 2
    is_check = arguments == ["--check"]
    stale = differing() if is_check else write()
    for path in stale:
        print(f"reference: {'differs' if is_check else 'written'}: {path.relative_to(ROOT).as_posix()}")
    if not stale:
        print("reference: all pages are up to date")
    elif is_check:
        print("reference: run ./script/reference")
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
