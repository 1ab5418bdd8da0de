"""Which CI host a run is on, and what it says of the run; only the module that matches is imported."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.hosts._complete import ask, complete, derived, fill
from versioner_ci.hosts._host import Host
from versioner_ci.records import replace

__all__ = ["COMMON", "NAMES", "Host", "ask", "complete", "detect", "discover", "fill"]

# Host → its module and the variables of which one marks it. A build agent or a person's shell may carry
# variables of Jenkins and Rundeck on a machine that serves another host, too: these two come late.
_TABLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "github": ("github", ("GITHUB_ACTIONS",)),
    "gitlab": ("gitlab", ("GITLAB_CI",)),
    "azure-devops": ("azure", ("TF_BUILD",)),
    "bitbucket": ("bitbucket", ("BITBUCKET_PIPELINE_UUID", "BITBUCKET_BUILD_NUMBER")),
    "circleci": ("circleci", ("CIRCLECI",)),
    "buildkite": ("buildkite", ("BUILDKITE",)),
    "travis": ("travis", ("TRAVIS",)),
    "jenkins": ("jenkins", ("BUILD_ID", "BUILD_NUMBER", "BUILD_URL")),
    "rundeck": ("rundeck", ("RD_JOB_EXECID",)),
    "local": ("generic", ()),
}
NAMES: tuple[str, ...] = tuple(_TABLE)
"""The words of `--host`, in the order of detection."""
COMMON: tuple[str, ...] = ("VERSIONER_LAST_HOOK",)
"""Read on every host: a wrapper sets it to 1 in the last hook."""
_ALSO = {"generic": "local", "azure": "azure-devops"}


def discover() -> tuple[Host, ...]:
    """All hosts in the order of detection, for the reference pages and the tests."""
    return tuple(map(_load, NAMES))


def detect(env: Mapping[str, str], *, host: str | None = None) -> CIContext:
    """What the host says; a host that the user has named is not looked for.

    Raises UsageError for a name that no host has.
    """
    context = _load(_known(host)).facts(env) if host else _found(env)
    is_last = context.is_last_hook or env.get("VERSIONER_LAST_HOOK") == "1"
    return derived(replace(context, is_last_hook=is_last) if is_last else context)


def _found(env: Mapping[str, str]) -> CIContext:
    for name, (_, markers) in _TABLE.items():
        if any(map(env.get, markers)):
            context = _load(name).detect(env)
            if context is not None:
                return context
    return _load("local").facts(env)


def _load(name: str) -> Host:
    host: Host = import_module(f"{__name__}.{_TABLE[name][0]}").HOST
    return host


def _known(name: str) -> str:
    word = name.strip().lower()
    if (known := _ALSO.get(word, word)) in _TABLE:
        return known
    import difflib  # noqa: PLC0415 - only on the way to an error

    near = difflib.get_close_matches(word[:60], NAMES, n=1, cutoff=0.4)
    fix = f"did you mean {near[0]}?" if near else f"hosts are {', '.join(NAMES)}"
    raise UsageError(f"unknown host '{name[:60]}'", fix=fix)
