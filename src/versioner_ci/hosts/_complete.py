"""Fills from git what the host left open, and derives product and version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from versioner_ci import text
from versioner_ci.context import CIContext
from versioner_ci.hosts._host import SHORT
from versioner_ci.hosts._remote import parse_remote
from versioner_ci.records import replace

if TYPE_CHECKING:
    from versioner_ci.git import Git


def complete(context: CIContext, env: Mapping[str, str], cwd: str, *, wants_identity: bool = False) -> CIContext:
    """The context with what git in `cwd` says, product and version; git is started only for what is missing."""
    return fill(context, ask(context, env, cwd, wants_identity=wants_identity))


def ask(context: CIContext, env: Mapping[str, str], cwd: str, *, wants_identity: bool = False) -> Git | None:
    """Starts git for what is missing, to be read later by `fill`; None where nothing is."""
    wanted = _wanted(context, wants_identity=wants_identity)
    if not wanted:
        return None
    from versioner_ci.git import Git  # noqa: PLC0415 - most hosts say all

    return Git(cwd, env, wanted)


def fill(context: CIContext, git: Git | None) -> CIContext:
    """Adds git's answers where the host has none. A pull request's branch and a tag's are never git's."""
    if git is None:
        return derived(context)
    try:
        return derived(_filled(context, git))
    finally:
        git.close()


def _filled(context: CIContext, git: Git) -> CIContext:
    with_remote = _with_remote(context, git)
    return replace(
        with_remote,
        version=context.version or (git.tag if _wants_tag(context) and git.is_detached else None),
        scm_sha=context.scm_sha or git.sha,
        scm_branch=context.scm_branch or (git.branch if _may_ask_head(context) else None),
        actor_name=context.actor_name or git.user_name,
        actor_email=context.actor_email or git.user_email,
        product=with_remote.product or (None if context.is_ci else _product(with_remote, git)),
    )


def derived(context: CIContext) -> CIContext:
    """Product and version, where nothing better is known: the repository's name, the commit's first characters."""
    repository, sha = context.scm_repository, context.scm_sha
    product = context.product or (repository.rpartition("/")[2] or None if repository else None)
    return replace(context, product=product, version=context.version or (sha[:SHORT] if sha else None))


def _wanted(context: CIContext, *, wants_identity: bool) -> tuple[str, ...]:
    is_open = context.scm_sha is None or (context.scm_branch is None and _may_ask_head(context))
    asks = {
        "head": is_open,
        "remote": context.scm_repository is None or context.scm_url is None,
        "tag": _wants_tag(context),
        "user": wants_identity and not context.is_ci,
    }
    return tuple(word for word, is_asked in asks.items() if is_asked)


def _may_ask_head(context: CIContext) -> bool:
    sha = context.scm_sha
    is_for_tag = context.version is not None and context.version != (sha or "")[:SHORT]
    return context.pull_request is None and not is_for_tag


def _wants_tag(context: CIContext) -> bool:
    """Only where the host says nothing of the checkout: a branch's run is for the branch, tagged or not."""
    return context.scm_sha is None and context.scm_branch is None and _may_ask_head(context)


def _with_remote(context: CIContext, git: Git) -> CIContext:
    remote = parse_remote(git.remote)
    if remote is None or context.scm_repository not in {None, remote.repository}:
        return context
    return replace(
        context,
        scm_repository=remote.repository,
        scm_url=context.scm_url or remote.web_url,
        server_url=context.server_url or (None if context.is_ci else remote.server_url),
    )


def _product(context: CIContext, git: Git) -> str | None:
    """A repository without a remote is called like its folder."""
    return None if context.scm_repository else text.clean((git.root or "").rpartition("/")[2]) or None
