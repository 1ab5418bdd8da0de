"""The architecture, measured: who imports whom, who touches the process, how large things are."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "versioner_ci"

LAYERS: tuple[tuple[str, str], ...] = (
    ("ground", "__init__ records errors text redact status times context clock backoff passthrough procs tail"),
    ("event", "event identity details limits* git hosts hosts.* needs steps sinks._sink"),
    ("settings", "settings* config_* routing options schema"),
    ("sinks", "sinks sinks.* http connect failures proxies reply tls answers rules complaint"),
    ("deliver", "spool* places state lifecycle book outcome attempt deliver courier"),
    ("call", "session compose destinations posting gate result wanting"),
    ("report", "report report_json report_github"),
    ("reporter", "reporter before track life wrap preview early"),
    ("cli", "cli console cmd_* demo doctor* __main__ extra terminal tracker_* keys_remote server server.*"),
)
"""Low to high; a module imports from its own layer and lower ones. A new module needs a place here."""

PROCESS = {
    "os.environ": {"cli": "hands it on", "early": "before anything is imported", "reporter": "from_env()"},
    "os.getenv": {},
    "sys.argv": {"cli": "hands it on", "__main__": "hands it on"},
    "sys.stdin": {"cmd_report": "`-` and @FILE"},
    "sys.stdout": {"cli": "hands it on", "__main__": "--version, in a hurry"},
    "sys.stderr": {"cli": "hands it on"},
    "sys.exit": {"cli": "the one way out", "__main__": "the one way out"},
    "os._exit": {"cli": "the one way out", "__main__": "the one way out", "procs": "a child between fork and exec"},
    "print": {"cli": "the one voice", "schema": "as a program, for script/reference"},
}
"""What belongs to the whole process → the modules that may touch it, and why."""

HEAVY = {
    "requests": {"connect", "http", "tls", "failures"},
    "urllib3": {"connect", "http", "tls", "failures"},
    "yaml": {"config_yaml"},
    "slack_sdk": {"sinks.slack_client", "sinks.slack", "sinks.webhook"},
    "platformdirs": set(),
    "dataclasses": {"records"},
    "inspect": set(),
    "difflib": set(),
    "tempfile": {"cmd_demo", "demo"},
    "subprocess": {"cmd_demo", "demo"},
    "asyncio": set(),
    "importlib.metadata": set(),
}
"""Costly to import → the modules that may do it at their top, since they themselves are imported on use."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


@cache
def trees() -> dict[str, ast.Module]:
    paths = [path for path in PACKAGE.rglob("*.py") if "server" not in path.relative_to(PACKAGE).parts]
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def imported(tree: ast.Module) -> Iterator[str]:
    """Modules of the package that a module imports, at its top or in a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "versioner_ci":
            base = (node.module or "").partition(".")[2]
            for alias in node.names:
                full = f"{base}.{alias.name}".lstrip(".")
                yield full if full in trees() else base or "__init__"
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from (name.partition(".")[2] or "__init__" for name in names if name.split(".")[0] == "versioner_ci")


def layer_of(module: str) -> int:
    """The first layer that names it, exactly before by pattern."""
    for fits in (str.__eq__, fnmatchcase):
        for level, (_, names) in enumerate(LAYERS):
            if any(fits(module, name) for name in names.split()):
                return level
    pytest.fail(f"{module} has no layer: give it one in LAYERS")


@pytest.mark.parametrize("module", sorted(trees()))
def test_a_module_imports_only_from_its_own_layer_and_lower_ones(module: str) -> None:
    own = layer_of(module)
    higher = {name: LAYERS[layer_of(name)][0] for name in imported(trees()[module]) if layer_of(name) > own}
    assert higher == {}, f"{module} is in '{LAYERS[own][0]}'"


def test_no_module_imports_itself_through_others() -> None:
    graph = {module: set(imported(tree)) - {module} for module, tree in trees().items()}
    cycles = []
    while True:
        try:
            TopologicalSorter(graph).prepare()
            break
        except CycleError as error:
            cycle = error.args[1]
            cycles.append(" → ".join(reversed(cycle)))
            graph[cycle[1]].discard(cycle[0])
    assert cycles == []


def touched(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("what", PROCESS)
def test_only_the_command_line_touches_the_process(what: str) -> None:
    touching = {module for module, tree in trees().items() if what in touched(tree)}
    assert touching <= set(PROCESS[what])


def at_top(tree: ast.Module) -> Iterator[str]:
    """What is imported as soon as the module is, parents included; what stands in a function is not."""
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


@pytest.mark.parametrize("package", HEAVY)
def test_what_is_costly_to_import_is_imported_on_use(package: str) -> None:
    assert {module for module, tree in trees().items() if package in at_top(tree)} <= HEAVY[package]


def test_the_command_line_imports_nothing_costly_before_it_knows_what_is_wanted() -> None:
    script = "import sys, versioner_ci.cli; print([name for name in sys.argv[1:] if name in sys.modules])"
    command = [sys.executable, "-c", script, "requests", "urllib3", "yaml", "slack_sdk", "platformdirs", "asyncio"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_a_file_has_250_lines_at_most_and_a_function_40(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 250
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    lines = {node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno}
    assert {name: count for name, count in lines.items() if count > 40} == {}


@pytest.mark.parametrize("module", sorted(trees()))
def test_a_module_says_what_it_is_for(module: str) -> None:
    docstring = ast.get_docstring(trees()[module])
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?", ":"))


def test_every_record_between_the_stages_is_frozen_and_slotted() -> None:
    loose = []
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                marks = [ast.unparse(mark) for mark in node.decorator_list if "dataclass" in ast.unparse(mark)]
                loose += [f"{module}.{node.name}" for mark in marks if "slots=True" not in mark]
    assert loose == []


OF_THE_CORE = (
    "__init__ errors text redact status times clock event identity settings_* config_routes routing reply http terminal"
)
OF_SLACK = "sinks._sink sinks.slack sinks.slack_client sinks.slack_errors sinks.slack_message sinks.slack_text"
COMMANDS_OF = {
    "server.serving": {"cli"},
    "server.keys_local": {"tracker_keys"},
    "server.local_data": {"tracker_data"},
}
"""The modules of the tracker that a command hands its call to → what they may know of the command line."""


@cache
def server_modules() -> dict[str, ast.Module]:
    paths = [path for path in (PACKAGE / "server").rglob("*.py") if "migrations" not in path.parts]
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@pytest.mark.parametrize("module", sorted(server_modules()))
def test_the_tracker_imports_only_what_it_shares_with_the_core(module: str) -> None:
    core = {name for name in imported(server_modules()[module]) if not name.startswith("server")}
    shared = f"{OF_THE_CORE} {OF_SLACK}".split()
    foreign = {name for name in core if not any(fnmatchcase(name, pattern) for pattern in shared)}
    assert foreign - COMMANDS_OF.get(module, set()) == set()


def test_the_core_never_imports_the_tracker_at_its_top() -> None:
    tops = {module: set(at_top(tree)) for module, tree in trees().items()}
    assert [module for module, names in tops.items() if any("versioner_ci.server" in name for name in names)] == []


@pytest.mark.parametrize("module", sorted(server_modules()))
def test_a_module_of_the_tracker_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(server_modules()[module])
