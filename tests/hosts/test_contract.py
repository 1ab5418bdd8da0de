"""What holds for every host, the ones to come included."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from tests.hosts.captured import CASES, SECRET, host_of, load
from versioner_ci import hosts
from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.hosts import Host

HOSTS = hosts.discover()
CI_HOSTS = tuple(host for host in HOSTS if host.name != "local")
SOURCES = Path(hosts.__file__).parent


class Recording(Mapping[str, str]):
    """An environment that remembers what was read from it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        msg = "nobody may look at all variables"
        raise AssertionError(msg)

    def __len__(self) -> int:
        return len(self._values)


def texts(context: CIContext) -> list[str]:
    values = [getattr(context, field.name) for field in fields(context)]
    return [value for value in values if isinstance(value, str)] + list(context.metadata.values())


by_host = pytest.mark.parametrize("host", HOSTS, ids=[host.name for host in HOSTS])
by_ci_host = pytest.mark.parametrize("host", CI_HOSTS, ids=[host.name for host in CI_HOSTS])
by_case = pytest.mark.parametrize("case", CASES)


def test_there_are_ten_hosts_and_generic_is_the_last() -> None:
    assert len(hosts.NAMES) == 10
    assert hosts.NAMES[-1] == "local"
    assert tuple(host.name for host in HOSTS) == hosts.NAMES


def test_every_host_module_is_in_the_table() -> None:
    modules = {path.stem for path in SOURCES.glob("[a-z]*.py")}
    assert {importlib.import_module(f"versioner_ci.hosts.{name}").HOST.name for name in modules} == set(hosts.NAMES)


@by_host
def test_every_host_has_a_captured_environment(host: Host) -> None:
    assert host.name in map(host_of, CASES)


@by_ci_host
def test_an_empty_environment_is_no_hosts(host: Host) -> None:
    assert host.detect({}) is None


def test_an_empty_environment_is_local() -> None:
    assert hosts.detect({}) == CIContext(source_system="local")


@by_case
def test_an_environment_picks_its_own_host(case: str) -> None:
    assert hosts.detect(load(case)).source_system == host_of(case)


@pytest.mark.parametrize("marker", ["GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "CIRCLECI", "BUILDKITE", "TRAVIS"])
@pytest.mark.parametrize("off", ["false", "0", "no", " "])
def test_a_marker_that_is_switched_off_marks_nothing(marker: str, off: str) -> None:
    assert hosts.detect({marker: off}).source_system == "local"
    assert hosts.detect({marker: "True"}).source_system != "local"


@by_case
def test_an_environment_has_no_rival_in_any_order(case: str) -> None:
    mine = [host.name for host in reversed(CI_HOSTS) if host.detect(load(case)) is not None]
    assert mine == [host_of(case)] if host_of(case) != "local" else mine == []


@by_case
def test_leftovers_of_jenkins_and_rundeck_do_not_hide_the_host(case: str) -> None:
    leftovers = load("jenkins_multibranch") | load("rundeck_node")
    env = {**leftovers, **load(case)}
    assert hosts.detect(env).source_system == {"rundeck": "jenkins", "local": "jenkins"}.get(
        host_of(case), host_of(case)
    )


@by_host
def test_the_vendors_page_is_linked_in_the_docstring(host: Host) -> None:
    module = next(m for m in map(_module, SOURCES.glob("[a-z]*.py")) if m.HOST is host)
    assert host.docs.startswith("https://")
    assert host.docs in (module.__doc__ or "")


@by_host
def test_the_allow_list_names_exactly_what_the_module_reads(host: Host) -> None:
    path = next(p for p in SOURCES.glob("[a-z]*.py") if _module(p).HOST is host)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    listed = next(node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "variables")
    inside = {id(node) for node in ast.walk(listed)}
    used = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
    }
    words = {word for word in used if re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{4,}", word)}
    assert set(host.variables) == words
    assert list(host.variables) == sorted(host.variables)


def _module(path: Path) -> object:
    return importlib.import_module(f"versioner_ci.hosts.{path.stem}")


@by_case
def test_only_the_allow_list_is_read(case: str) -> None:
    env = Recording(load(case))
    hosts.detect(env)
    host = next(host for host in HOSTS if host.name == host_of(case))
    markers = {marker for _, some in hosts._TABLE.values() for marker in some}
    assert env.read <= {*host.variables, *markers, *hosts.COMMON}


@by_case
def test_no_secret_of_the_environment_is_in_any_field(case: str) -> None:
    env = load(case)
    assert any(SECRET in value.lower() for value in env.values()) or case.startswith(("travis", "github", "rundeck"))
    assert not [text for text in texts(hosts.detect(env)) if SECRET in text.lower()]


@by_case
def test_without_any_one_variable_nothing_is_raised(case: str) -> None:
    env = load(case)
    for name in env:
        without = {key: value for key, value in env.items() if key != name}
        assert isinstance(hosts.detect(without), CIContext)
        assert isinstance(hosts.detect(without, host=host_of(case)), CIContext)


ODD = {
    "empty": "",
    "blank": " \t",
    "huge": "A9/" * 34_000,
    "digits": "9" * 100_000,
    "invalid bytes": b"\xff\xfeok\xed\xa0\x80".decode("utf-8", "surrogateescape"),
    "lone surrogate": "\ud800",
    "newline": "a\nb\r\n::set-output name=x::y",
    "escape": "\x1b]0;x\x07\0",
    "markup": '<!channel>`$(id)`";id;"',
    "colons": "::://@@:::",
}


@by_case
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_value_raises_nothing_and_becomes_valid_text(case: str, odd: str) -> None:
    env = load(case)
    host = next(host for host in HOSTS if host.name == host_of(case))
    for name in host.variables:
        context = hosts.detect({**env, name: odd}, host=host.name)
        for value in texts(context):
            assert value.encode("utf-8")
            assert value
            assert "\0" not in value
        for url in (context.server_url, context.scm_url, context.run_url):
            assert url is None or re.fullmatch(r"https?://[^\s\x00-\x1f]+", url)


@by_case
def test_an_empty_variable_is_an_unset_one(case: str) -> None:
    env = load(case)
    for name in env:
        empty = hosts.detect({**env, name: ""}, host=host_of(case))
        assert empty == hosts.detect({k: v for k, v in env.items() if k != name}, host=host_of(case))


@by_case
@pytest.mark.parametrize("short", ["a", "abc1234", "0123456789ab"])
def test_a_short_commit_id_does_not_crash(case: str, short: str) -> None:
    commits = {name: short for name, value in load(case).items() if re.fullmatch(r"[0-9a-f]{40}", value)}
    context = hosts.detect(load(case, **commits))
    if context.scm_sha:
        assert (context.scm_sha, context.version) == (short, short)


@by_case
def test_a_wrapper_can_say_that_this_is_the_last_hook(case: str) -> None:
    assert hosts.detect(load(case, VERSIONER_LAST_HOOK="1")).is_last_hook
    assert not hosts.detect(load(case, VERSIONER_LAST_HOOK="0", CI_JOB_STATUS="running")).is_last_hook


@by_case
def test_facts_have_the_promised_forms(case: str) -> None:
    context = hosts.detect(load(case))
    assert context.scm_branch is None or not context.scm_branch.startswith(("refs/", "origin/"))
    assert context.product == (context.scm_repository.rpartition("/")[2] if context.scm_repository else None)
    assert context.version == (context.scm_sha[:12] if context.scm_sha else None)
    assert context.is_ci is (host_of(case) != "local")
    assert all(re.fullmatch(r"vi_[a-z]+_[a-z_]+", key) for key in context.metadata)


def test_a_host_that_is_named_is_not_looked_for() -> None:
    env = load("github_push") | {"RD_JOB_EXECID": "789"}
    assert hosts.detect(env, host="rundeck").invoke_id == "789"
    assert hosts.detect({}, host="jenkins") == CIContext(source_system="jenkins")
    assert hosts.detect(env, host="local").source_system == "local"


@pytest.mark.parametrize(
    ("word", "source"),
    [("GitHub", "github"), (" gitlab ", "gitlab"), ("generic", "local"), ("azure", "azure-devops")],
)
def test_a_hosts_name_is_read_kindly(word: str, source: str) -> None:
    assert hosts.detect({}, host=word).source_system == source


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("githup", "did you mean github?"), ("jenkin", "did you mean jenkins?"), ("zzz", "hosts are github, gitlab")],
)
def test_an_unknown_host_is_a_usage_error_that_names_the_nearest(word: str, nearest: str) -> None:
    with pytest.raises(UsageError) as raised:
        hosts.detect({}, host=word)
    assert nearest in str(raised.value)
    assert "\n" not in str(raised.value)
