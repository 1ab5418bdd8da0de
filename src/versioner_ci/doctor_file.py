"""`doctor`: the settings file's problems, each with an edit that was tried on a copy before it is advised."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from versioner_ci.config_record import FileConfig, Problem
from versioner_ci.doctor import Check, bad, ok, warn

_MOST_ROWS = 5
_NAME = "file"
_MEANT = re.compile(r"did you mean '([^']+)'")
_ADVICE = re.compile(r"; ignored|; this (?:entry|mention) is ignored|(?: \([^()]*\))?\Z")
_QUOTED = re.compile(r"'([^']*)'")
_INSTEAD = re.compile(r"\(use (the environment[^()]*)\)")
_RENAMED = re.compile(r"rename it to (\S+)")
_VALUE = re.compile(
    r"(?P<lead>\s*(?:- +)?(?:[^\s#][^#]*?: +|(?<=- )))(?P<value>[^\s\"'#\[{&*!|>][^#]*?)(?P<tail>\s*(?:#.*)?)"
)


def checks(file: FileConfig | None, cwd: str, *, is_from_variable: bool) -> Iterator[Check]:
    """One row if all is well, else one for each of the first problems."""
    if file is None:
        yield ok(_NAME, "none (optional: .versioner.yml at the repository's root)")
        return
    if not file.problems:
        yield ok(_NAME, file.path)
    for problem in reversed(file.problems[:_MOST_ROWS]):  # from below, so that the edits above still find their lines
        yield _row(problem, _place(file.path, cwd), cwd, is_from_variable=is_from_variable)
    if (rest := len(file.problems) - _MOST_ROWS) > 0:
        yield warn(_NAME, f"{rest} more, shown once these are mended")


def _place(path: str, cwd: str) -> Path:
    """The file that a shown path stands for: below the working directory or a folder above it."""
    folders = (Path(cwd), *Path(cwd).parents)
    return next((folder / path for folder in folders if os.path.lexists(folder / path)), Path(path))


def _row(problem: Problem, place: Path, cwd: str, *, is_from_variable: bool) -> Check:
    path = shlex.quote(str(place.relative_to(cwd) if place.is_relative_to(cwd) else place))
    edit = _edit(problem, place) if problem.line is not None else None
    if edit is not None:
        said = _ADVICE.sub("", problem.message)
        instead = _INSTEAD.search(problem.message)
        then = f"; then use {instead[1]}" if instead else ""
        return bad(_NAME, f"line {problem.line}: {said}", f"in {path}, {edit}{then}")
    if match := _RENAMED.search(problem.message):
        folder = place.parent.parent if place.parent.name == ".github" else place.parent
        return bad(_NAME, str(problem), f"mv {path} {shlex.quote(str(folder / match[1]))}")
    if is_from_variable and not place.is_file():
        return bad(_NAME, str(problem), "unset VERSIONER_CONFIG")
    if "Permission denied" in problem.message:
        return bad(_NAME, str(problem), f"chmod 644 {path}")
    return bad(_NAME, str(problem), f"mv {path} {path}.broken")


def _edit(problem: Problem, place: Path) -> str | None:
    """The first edit that takes this problem away and brings no other."""
    from versioner_ci.config_check import checked  # noqa: PLC0415 - it imports yaml

    try:
        rows = place.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    before = _messages(checked("\n".join(rows).encode(), problem.path))
    for said, changed in _candidates(problem, rows):
        after = _messages(checked("\n".join(changed).encode(), problem.path))
        if after[problem.message] < before[problem.message] and sum(after.values()) < sum(before.values()):
            return said
    return None


def _messages(file: FileConfig) -> Counter[str]:
    return Counter(problem.message for problem in file.problems)


def _candidates(problem: Problem, rows: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Edits in words, and the file's lines after each."""
    at = (problem.line or 1) - 1
    if not 0 <= at < len(rows):
        return
    for row in _rewritten(problem.message, rows[at]):
        if row != rows[at] and "`" not in row:
            yield f"make line {at + 1}: `{row}`", [*rows[:at], row, *rows[at + 1 :]]
    for end in dict.fromkeys((_end_of_block(rows, at), at + 1)):
        lines = f"line {at + 1}" if end == at + 1 else f"lines {at + 1}-{end}"
        yield f"delete {lines}", [*rows[:at], *rows[end:]]


def _rewritten(message: str, row: str) -> Iterator[str]:
    meant, wrong = _MEANT.search(message), _QUOTED.search(message)
    if meant is not None and wrong is not None:
        yield row.replace(wrong[1], meant[1], 1)
    if match := _VALUE.fullmatch(row.rstrip("\r")):
        yield f'{match["lead"]}"{match["value"]}"{match["tail"]}'
    if "\t" in row:
        yield row.replace("\t", "  ")


def _end_of_block(rows: list[str], at: int) -> int:
    """The line behind a key's or an entry's whole value."""
    indent = _indent(rows[at])
    end = at + 1
    for number in range(at + 1, len(rows)):
        row = rows[number]
        is_list = _indent(row) == indent and row.lstrip().startswith("- ") and not rows[at].lstrip().startswith("- ")
        if row.strip() and _indent(row) <= indent and not is_list:
            break
        if row.strip():
            end = number + 1
    return end


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip(" "))
