"""What an event's lifecycle is looked for by: settings, a handle that was given, and the `run`s around this call."""

from __future__ import annotations

from versioner_ci import identity
from versioner_ci.details import Details
from versioner_ci.errors import UsageError
from versioner_ci.identity import Handle
from versioner_ci.lifecycle import Wanted
from versioner_ci.session import Session
from versioner_ci.settings_table import BY_NAME
from versioner_ci.status import Kind, State

RUN_AROUND = "VERSIONER_RUN"
"""Set by `run` for its CMD: the tokens of the `run`s around it, whose lifecycle a `run` inside joins."""
_HANDLE_PATIENCE = 2.0
"""Seconds in which the `run` around us has its lifecycle, if it gets one."""


def wanted(session: Session, kind: Kind, state: State, details: Details, *, run: str | None = None) -> Wanted:
    """What the choice of the lifecycle goes by; what is unknown is "", and must then be known of an open one.

    Raises UsageError for a typed handle that is none.
    """
    config = session.config
    environment = config.environment if kind is Kind.DEPLOYMENT else None
    handle = details.handle or _given(session)
    product = config.product or (handle.product if handle else None)
    version = config.version or (handle.version if handle else None)
    if kind is Kind.DEPLOYMENT and environment is None and handle is not None:
        environment = handle.environment
    names = {"product", "version", "environment", "key"} - ({"environment"} if kind is Kind.BUILD else set())
    return Wanted(
        kind=kind,
        state=state,
        product=product or "",
        version=version or "",
        environment=environment,
        key=config.key,
        given=frozenset(name for name in names if _is_given(session, name)) | ({"lifecycle"} & config.typed),
        handle=handle,
        is_exact=details.handle is not None,
        run=run,
        around=tuple(session.env.get(RUN_AROUND, "").split()),
    )


def _given(session: Session) -> Handle | None:
    text = session.config.lifecycle
    if not text:
        return None
    try:
        return identity.read_handle(text, patience=_HANDLE_PATIENCE if session.env.get(RUN_AROUND) else 0.0)
    except ValueError as error:
        if "lifecycle" in session.config.typed:
            raise UsageError(f"--lifecycle: {error}", fix="give the handle that an earlier call put out") from None
        session.warnings.append(f"VERSIONER_LIFECYCLE: {error}: ignored")
        return None


def _is_given(session: Session, name: str) -> bool:
    """By flag or environment, or the host's own environment: files and checkouts change in mid-job, these do not."""
    config = session.config
    if name in config.typed or config.origins.get(name) in BY_NAME[name].env:
        return True
    return name == "environment" and config.origins.get(name) == session.context.source_system
