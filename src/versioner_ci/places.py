"""Where events are kept: a folder of ours alone, and whether it outlives the job."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from versioner_ci import spool_files as files
from versioner_ci.context import CIContext
from versioner_ci.identity import uid
from versioner_ci.spool_bounds import MAX_AGE

NAME = "versioner-ci"
_LASTING_SCRATCH = frozenset({"jenkins"})
"""Hosts that leave a job's scratch to the next job in that workspace; the others empty it."""


class Place(NamedTuple):
    """The spool's folder. `root` None: there is none, and events are sent without a safety copy."""

    root: Path | None
    is_lost_with_job: bool
    """No later job finds what is kept here."""
    why: str | None = None
    """One line on what could not be used; with a `root`: the folder that was asked for, another one is used."""


class _Candidate(NamedTuple):
    base: Path
    """Made, with its parents, only if `is_ours_to_make`."""
    below: tuple[str, ...]
    """The folders in it that are ours alone; of two, the second is one job's."""
    is_lost_with_job: bool
    is_asked_for: bool = False
    is_ours_to_make: bool = False


def place(config_spool_dir: str | None, context: CIContext, env: Mapping[str, str], *, is_dry: bool = False) -> Place:
    """The first usable folder: the given one, the host's scratch, the user's state folder or a temporary one.

    Never raises. A fork's run never uses a given one, which trusted jobs share. `is_dry`: nothing is made.
    """
    whys: list[str] = []
    was_asked_for = False
    for candidate in _candidates(config_spool_dir, context, env):
        try:
            root = (_foreseen if is_dry else _made)(candidate)
        except (OSError, ValueError, files.ForeignError) as error:
            was_asked_for = was_asked_for or candidate.is_asked_for
            whys.append(f"cannot use {candidate.base}: {_reason(error)}")
            continue
        return Place(root=root, is_lost_with_job=candidate.is_lost_with_job, why=whys[0] if was_asked_for else None)
    return Place(root=None, is_lost_with_job=True, why=whys[0] if whys else "no folder for temporary files")


def _candidates(given: str | None, context: CIContext, env: Mapping[str, str]) -> Iterator[_Candidate]:
    if given and not context.is_fork:
        shared = uid("spool", context.source_system, context.server_url, context.scm_repository)
        base = Path(os.path.expanduser(given))  # noqa: PTH111 - Path.expanduser() may raise
        yield _Candidate(base, (shared,), is_lost_with_job=False, is_asked_for=True, is_ours_to_make=True)
    is_lasting = context.source_system in _LASTING_SCRATCH
    if context.scratch and Path(context.scratch).is_absolute() and not (is_lasting and context.is_fork):
        yield _Candidate(Path(context.scratch), (NAME,), is_lost_with_job=context.is_ephemeral or not is_lasting)
    if not context.is_ci and (state := _state_folder(env)) is not None:
        yield _Candidate(state, (NAME,), is_lost_with_job=context.is_ephemeral, is_ours_to_make=True)
    if (temporary := _temporary_folder(env)) is not None:
        below = (f"{NAME}-{files.user_id()}", _job(context))
        yield _Candidate(temporary, below, is_lost_with_job=context.is_ci or context.is_ephemeral)


def _made(candidate: _Candidate) -> Path:
    """Every folder below the base is ours alone; the base is the user's or the host's own affair."""
    if candidate.is_ours_to_make:
        candidate.base.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = candidate.base.absolute()
    is_new = False
    for name in candidate.below:
        root /= name
        is_new = files.make_private(root)
    if not files.is_usable(root):
        raise files.ForeignError("it is read-only")
    if is_new and len(candidate.below) > 1:
        _tidy(root)
    return root


def _foreseen(candidate: _Candidate) -> Path:
    """The folder that `_made` would make or find."""
    path = candidate.base.absolute()
    if not candidate.is_ours_to_make:
        path.lstat()
    root = path.joinpath(*candidate.below)
    standing = root.parents[-1]
    for level in (*reversed(root.parents), root):
        if not os.path.lexists(level):
            break
        if path in level.parents:
            files.make_private(level)  # it stands: only looked at
        standing = level
    if not files.is_usable(standing):
        raise files.ForeignError("it is read-only" if standing.is_dir() else f"{standing} is no folder")
    return root


def _tidy(root: Path) -> None:
    """Remove the folders of jobs that wrote nothing in the 72 h before `root` was made: nobody looks there again."""
    now = files.changed(root)
    for name in files.listing(root.parent):
        folder = root.parent / name
        if now - max(files.changed(folder), files.changed(folder / "state")) > MAX_AGE:
            files.remove_tree(folder)


def _job(context: CIContext) -> str:
    """One job of one run; outside CI, where each run has an id of its own, the repository."""
    if not context.is_ci:
        return uid("job", context.source_system, context.server_url, context.scm_repository)
    run = (context.source_system, context.server_url, context.invoke_id, context.pipeline)
    return uid("job", *run, context.attempt, context.job, context.leg)


def _state_folder(env: Mapping[str, str]) -> Path | None:
    """The user's state folder; None without a home that exists."""
    given = env.get("XDG_STATE_HOME", "")
    if Path(given).is_absolute():
        return Path(given)
    import platformdirs  # noqa: PLC0415 - only outside CI

    try:
        home = Path(env["HOME"]) if env.get("HOME") else Path.home()
        state = platformdirs.user_state_path()
    except RuntimeError:  # a user without HOME whom the system does not know either
        return None
    return state if home.is_dir() and state.is_absolute() else None


def _temporary_folder(env: Mapping[str, str]) -> Path | None:
    for folder in (env.get("TMPDIR"), env.get("TEMP"), env.get("TMP"), "/tmp", "/var/tmp"):  # noqa: S108 - 0700 below
        if folder and Path(folder).is_absolute() and files.is_usable(Path(folder)):
            return Path(folder)
    return None


def _reason(error: Exception) -> str:
    return files.why(error) if isinstance(error, OSError) else str(error)
