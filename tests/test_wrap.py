"""How CMD's end becomes an ending; all else of `run` is tested end to end."""

from __future__ import annotations

from typing import Any

import pytest

from versioner_ci.errors import UsageError, VersionerError
from versioner_ci.procs import Child, Signals
from versioner_ci.status import Kind, State
from versioner_ci.wrap import Run, Task, fault


class Ended(Child):
    """A child that has ended, at second 110 of the monotonic clock."""

    def __init__(self, code: int, stderr: bytes = b"") -> None:
        self.code, self.began, self.began_wall, self.ended = code, 100.0, 1_000.0, 110.0
        self._said = stderr

    def tail(self) -> bytes:
        return self._said


def a_run(signals: Signals) -> Run:
    def nothing(*_: Any) -> Any:
        raise AssertionError

    task = Task(
        kind=Kind.BUILD, command=["x"], env={}, token="t", signals=signals, open_reporter=nothing, say=nothing,
        warn=nothing, note=nothing,
    )  # fmt: skip
    return Run(task)


@pytest.mark.parametrize(
    ("code", "state", "reason", "error"),
    [
        (0, State.COMPLETED, None, None), (1, State.FAILED, "exit_code", "bad"),
        (137, State.FAILED, "exit_code", "bad"),
        (129, State.FAILED, "exit_code", "bad"), (130, State.ABORTED, "signal", None),
        (143, State.ABORTED, "signal", None),
    ],
)  # fmt: skip
def test_what_a_code_means(code: int, state: State, reason: str | None, error: str | None) -> None:
    told, details = a_run(Signals())._ending(Ended(code, b"bad\n"))
    assert (told, details.reason, details.error) == (state, reason, error)
    assert details.error_code == (None if code == 0 else str(code))
    assert (details.duration, details.occurred_at) == (10.0, 1_010.0)


def test_a_silent_failure_leaves_the_error_to_what_a_run_inside_has_said() -> None:
    assert a_run(Signals())._ending(Ended(9))[1].error is None


@pytest.mark.parametrize(("at", "state"), [(109.0, State.ABORTED), (111.0, State.COMPLETED)], ids=["before", "after"])
def test_a_signal_aborts_only_what_had_not_ended(at: float, state: State) -> None:
    signals = Signals()
    signals.first, signals.first_at = 15, at
    assert a_run(signals)._ending(Ended(0))[0] is state


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UsageError("--x is wrong", fix="try --y"), "--x is wrong (try --y); nothing is reported"),
        (VersionerError("broken"), "broken; nothing is reported"),
        (RuntimeError("with a secret"), "a fault of versioner-ci (RuntimeError): the command goes on unreported"),
    ],
    ids=["typed", "ours", "unknown"],
)
def test_a_fault_is_one_line_and_shows_no_text_that_nobody_checked(error: Exception, text: str) -> None:
    assert fault(error) == text
