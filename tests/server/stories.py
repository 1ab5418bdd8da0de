"""What pipelines do, step by step, and the states that it ends with, the oldest lifecycle first."""

from __future__ import annotations

from typing import Any

from versioner_ci.status import Kind

A, B, C = ("00000000-0000-4000-8000-00000000000" + digit for digit in "abc")

Step = tuple[str, float, dict[str, Any]]
"""Status, seconds after noon, and ids and other fields."""

STORIES: dict[str, tuple[list[Step], list[str]]] = {
    "a start and an ending are one deployment": (
        [("started", 0, {"life": A}), ("completed", 60, {"life": A})],
        ["completed"],
    ),
    "pending, started and failed are one": (
        [("queued", 0, {"life": A}), ("in_progress", 5, {"life": A}), ("failure", 9, {"life": A})],
        ["failed"],
    ),
    "an ending stays, whatever comes after it": (
        [("started", 0, {"life": A}), ("failed", 5, {"life": A}), ("completed", 9, {"life": A})],
        ["failed"],
    ),
    "a late start moves nothing back": (
        [("completed", 60, {"life": A}), ("started", 0, {"life": A})],
        ["completed"],
    ),
    "a late pending moves nothing back": (
        [("started", 10, {"life": A}), ("pending", 0, {"life": A})],
        ["started"],
    ),
    "two lifecycles of one run are two": (
        [("completed", 0, {"life": A, "group": C}), ("completed", 1, {"life": B, "group": C})],
        ["completed", "completed"],
    ),
    "an id that another product uses too is another lifecycle": (
        [("started", 0, {"life": A}), ("failed", 1, {"life": A, "product_name": "blog"})],
        ["started", "failed"],
    ),
    "a start adopts its group's pending": (
        [("pending", 0, {"life": A, "group": C}), ("started", 9, {"life": B, "group": C})],
        ["started"],
    ),
    "each pending is adopted once": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("started", 9, {"life": B, "group": C}),
            ("started", 12, {"life": C, "group": C}),
        ],
        ["started", "started"],
    ),
    "another group's pending is not adopted, but superseded": (
        [("pending", 0, {"life": A, "group": A}), ("started", 9, {"life": B, "group": B})],
        ["superseded", "started"],
    ),
    "a superseded pending may still start": (
        [
            ("pending", 0, {"life": A, "group": A}),
            ("pending", 1, {"life": B, "group": B}),
            ("started", 2, {"life": A, "group": A}),
        ],
        ["started", "superseded"],
    ),
    "a pending elsewhere is not superseded": (
        [("pending", 0, {"life": A, "environment_name": "staging"}), ("started", 9, {"life": B})],
        ["pending", "started"],
    ),
    "a late pending joins the start that it precedes": (
        [("started", 9, {"life": B, "group": C}), ("pending", 0, {"life": A, "group": C})],
        ["started"],
    ),
    "a pending after the start is one of its own": (
        [("started", 0, {"life": B, "group": C}), ("pending", 9, {"life": A, "group": C})],
        ["started", "pending"],
    ),
    "an event for the group ends all that it has open": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("started", 1, {"life": B, "group": C}),
            ("failed", 9, {"group": C}),
        ],
        ["failed", "failed"],
    ),
    "an event for a group that has ended is a repeat": (
        [("started", 0, {"life": A, "group": C}), ("failed", 5, {"life": A, "group": C}), ("failed", 9, {"group": C})],
        ["failed"],
    ),
    "an event for an unknown group is its own lifecycle": ([("aborted", 0, {"group": C})], ["aborted"]),
    "another client's run is found by its id": (
        [("started", 0, {"run": "7"}), ("started", 1, {"run": "8"}), ("completed", 9, {"run": "7"})],
        ["completed", "started"],
    ),
    "a client without ids ends the open one": ([("started", 0, {}), ("completed", 9, {})], ["completed"]),
    "a client without ids ends what another opened": (
        [("started", 0, {"life": A}), ("completed", 9, {})],
        ["completed"],
    ),
    "without ids, a start after the ending opens a new one": (
        [("started", 0, {}), ("completed", 9, {}), ("started", 20, {})],
        ["completed", "started"],
    ),
    "without ids, a start before the ending is late": (
        [("completed", 9, {}), ("started", 0, {})],
        ["completed"],
    ),
    "without ids, the same ending within ten minutes is a repeat": (
        [("completed", 0, {}), ("completed", 599, {})],
        ["completed"],
    ),
    "without ids, the same ending after that is new": (
        [("completed", 0, {}), ("completed", 601, {})],
        ["completed", "completed"],
    ),
    "without ids, another ending is new": ([("completed", 0, {}), ("failed", 5, {})], ["completed", "failed"]),
    "a run's start after its ending opens a new one": (
        [("started", 0, {"run": "7"}), ("failed", 5, {"run": "7"}), ("started", 9, {"run": "7"})],
        ["failed", "started"],
    ),
    "a start adopts its group's pending, whatever came after it": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("started", 9, {"life": B, "group": C}),
            ("completed", 60, {"life": B, "group": C}),
        ],
        ["completed"],
    ),
    "without ids, an ending once more does not end what began after it": (
        [("started", 0, {}), ("completed", 9, {}), ("started", 20, {}), ("completed", 9, {})],
        ["completed", "started"],
    ),
    "an event for the group ends what came late, and nothing that began after it": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("aborted", 9, {"group": C}),
            ("started", 900, {"life": B, "group": C}),
        ],
        ["aborted", "started"],
    ),
    "a build gives way to one of its branch": (
        [
            ("pending", 0, {"life": A, "scm_branch": "main", "kind": Kind.BUILD}),
            ("pending", 1, {"life": B, "scm_branch": "topic", "kind": Kind.BUILD}),
            ("started", 9, {"life": C, "scm_branch": "main", "kind": Kind.BUILD}),
        ],
        ["superseded", "pending", "started"],
    ),
    "a build of no branch gives way to another such": (
        [
            ("pending", 0, {"life": A, "kind": Kind.BUILD}),
            ("pending", 1, {"life": B, "kind": Kind.BUILD, "scm_branch": "main"}),
            ("pending", 9, {"life": C, "kind": Kind.BUILD}),
        ],
        ["superseded", "pending", "pending"],
    ),
    "a group's ending ends a pending where nothing ran": (
        [("pending", 0, {"life": A, "group": C}), ("completed", 20, {"group": C})],
        ["completed"],
    ),
    "a group's ending ends a start and the pending that it adopted, as one": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("started", 5, {"life": B, "group": C}),
            ("completed", 20, {"group": C}),
        ],
        ["completed"],
    ),
    "a group's ending is not meant for what waits beside what ran": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("pending", 9, {"life": B, "group": C}),
            ("completed", 20, {"group": C}),
        ],
        ["completed", "pending"],
    ),
    "a group's abort ends what waits beside what ran": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("pending", 9, {"life": B, "group": C}),
            ("aborted", 20, {"group": C}),
        ],
        ["aborted", "aborted"],
    ),
    "a group's ending is the rerun's, not that of a first attempt that only waited": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("pending", 100, {"life": B, "group": C}),
            ("started", 110, {"life": B, "group": C}),
            ("completed", 200, {"group": C}),
        ],
        ["superseded", "completed"],
    ),
    "of what a group's ending ended, the one that began last runs": (
        [
            ("started", 0, {"life": A, "group": C}),
            ("started", 10, {"life": B, "group": C, "version": "2"}),
            ("completed", 20, {"group": C}),
        ],
        ["completed", "completed"],
    ),
    "a pending that starts by itself is its own, though another had adopted it": (
        [
            ("pending", 0, {"life": A, "group": C}),
            ("started", 10, {"life": B, "group": C}),
            ("started", 11, {"life": A, "group": C}),
            ("failed", 30, {"life": A, "group": C}),
        ],
        ["failed", "started"],
    ),
}

ORDERED: dict[str, tuple[int, int]] = {
    "an ending stays, whatever comes after it": (1, 2),
    "a client without ids ends what another opened": (0, 1),
    "without ids, a start after the ending opens a new one": (1, 2),
    "without ids, an ending once more does not end what began after it": (1, 2),
    "a run's start after its ending opens a new one": (1, 2),
}
"""Where the first of these steps must arrive before the second: of two endings the first that comes counts, and
without ids only the order of arrival tells a new run from a repeat."""
