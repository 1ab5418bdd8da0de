"""What the documents tell is complete: commands, settings, hosts, words, exit codes, variables, modules."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import versioner_ci
from script.reference_pages import OTHER_VARIABLES
from tests.test_docs_pages import PAGES, ROOT, codes, every_page, read
from versioner_ci import errors, hosts
from versioner_ci.cli import COMMANDS
from versioner_ci.cmd_report import REASONS
from versioner_ci.cmd_serve import FROM_ENV
from versioner_ci.config_routes import KEYS as ROUTE_KEYS
from versioner_ci.outcome import Verdict
from versioner_ci.settings_table import BY_FILE_KEY, SETTINGS
from versioner_ci.status import WORDS

GUIDE = [page for page in PAGES if "reference" not in page.parts]
PACKAGE = Path(versioner_ci.__file__).parent
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


def guide() -> str:
    """All that people write by hand."""
    return "\n".join(map(read, GUIDE))


def reference(name: str) -> str:
    return read(ROOT / f"docs/reference/{name}.md")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in reference("cli")
    assert f"versioner-ci {command}" in guide()


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_a_setting_is_documented(row: object) -> None:
    names = [row.flag, row.file_key, *row.env]  # type: ignore[attr-defined]
    assert all(f"`{name}`" in reference("settings") for name in names if name)


@pytest.mark.parametrize("key", [*BY_FILE_KEY, *ROUTE_KEYS])
def test_a_key_of_the_file_is_documented_and_shown(key: str) -> None:
    assert f"| `{key}` |" in reference("schema")
    assert f"{key}:" in read(ROOT / "docs/settings.md")


@pytest.mark.parametrize("host", hosts.discover(), ids=lambda host: host.name)
def test_a_host_and_all_that_is_read_of_it_is_documented(host: hosts.Host) -> None:
    text = reference("hosts")
    assert f"`{host.name}`" in text
    assert host.docs in text
    assert all(f"`{name}`" in text for name in host.variables)


def test_every_word_reason_and_outcome_is_documented() -> None:
    assert all(f"`{row.word}`" in reference("statuses") for row in WORDS)
    assert all(re.search(rf"\b{reason}\b", guide()) for reason in REASONS)
    assert all(f"`{verdict.value}`" in reference("exit-codes") for verdict in Verdict)


def test_every_exit_code_is_documented() -> None:
    text = reference("exit-codes")
    numbers = {value for name, value in vars(errors).items() if name.startswith("EXIT_") and isinstance(value, int)}
    assert numbers == {int(code) for code, _ in errors.EXIT_CODES if code.isdigit()}
    assert all(f"| {code} | {meaning} |" in text for code, meaning in errors.EXIT_CODES)
    assert all(str(number) in read(ROOT / "docs/run.md") for number in (2, 4, 5, 126, 127, 128))


def test_a_variable_that_is_none_of_a_host_or_setting_is_read_somewhere() -> None:
    source = "\n".join(read(path) for path in PACKAGE.rglob("*.py"))
    assert [name for name in OTHER_VARIABLES if name not in source and name.lower() not in source.lower()] == []


@every_page
def test_a_variable_that_is_named_exists(page: Path) -> None:
    known = {*OTHER_VARIABLES, *hosts.COMMON, *(name for row in SETTINGS for name in row.env)}
    known |= {name for host in hosts.discover() for name in host.variables}
    known |= {row.variable for row in FROM_ENV.values()}
    named = {name for code in codes(page) for name in _VARIABLE.findall(code)}
    assert {name for name in named if name not in known} == set()


def test_every_module_is_on_the_map_of_the_code() -> None:
    text = read(ROOT / "CONTRIBUTING.md")
    table = text[text.index("| layer | modules |") :].partition("\n\n")[0]
    patterns = [*re.findall(r"`([\w*/.]+)`", table), "sinks/__init__", "hosts/__init__"]
    modules = [path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.py")]
    assert [name for name in modules if not any(fnmatchcase(name, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in modules)] == []


def test_every_script_is_explained_to_contributors() -> None:
    text = read(ROOT / "CONTRIBUTING.md")
    scripts = [path.name for path in (ROOT / "script").iterdir() if path.is_file() and not path.suffix]
    inner = {"check_faults", "check_text", "mutants"}  # run by lint and test
    assert [name for name in scripts if f"`./script/{name}" not in text and name not in inner] == []


def test_nothing_is_promised_that_is_not_there() -> None:
    for page in GUIDE:
        for line in read(page).splitlines():
            assert not re.search(r"\bplanned\b|coming soon", line), f"{page.name}: {line}"
    assert "pypi" not in guide().lower()
