"""Which refusals are the verdict of a tracker's rules, by their codes."""

from __future__ import annotations

import re

from versioner_ci.complaint import Complaint

KNOWN = frozenset(
    {
        "approval_required",
        "concurrent_deployment",
        "deployment_conflict",
        "deployment_frozen",
        "deployment_rejected",
        "flow_violation",
        "insufficient_soak_time",
        "no_deploy_window",
        "quality_approval_required",
        "schedule_blocked",
    }
)
"""Codes that say by themselves what is wrong; any other rejects too, as "an unrecognised rule"."""
IN_FLIGHT, _OWN_COPY, _MISMATCH = "idempotency_in_flight", "concurrent_deployment", "idempotency_mismatch"
# A version or commit conflict is no rule's verdict: VERSION_CONFLICT, version_commit_mismatch, build-version-exists,
# COMMIT_ALREADY_EXISTS, duplicate_version. Whole codes only: a sentence that names a version may well be a rule's.
_NOUNS = "(?:scm|build|version|commit|sha)"
_CONFLICT = (
    rf"(?:{_NOUNS}_)+(?:already_)?(?:conflict|mismatch|exists?)(?:_error)?"
    rf"|(?:conflicting|duplicate|mismatched)(?:_{_NOUNS})+"
)


def is_policy(status: int, said: Complaint, *, is_unsure: bool) -> bool:
    """423 and 428 always; 409 by its code, else its `error`, else its rule.

    `is_unsure`: an own earlier try may have been recorded, and then the other deployment in the way is our own.
    """
    if status != 409:
        return True
    label = canonical(said.code or said.rule)
    if not label or label == _MISMATCH or re.fullmatch(_CONFLICT, label):
        return False
    return not (label == _OWN_COPY and is_unsure)


def canonical(label: str | None) -> str:
    """A code as it is compared: case and `-`, `_`, space do not matter."""
    return re.sub(r"[-_\s]+", "_", (label or "").strip()).lower()
