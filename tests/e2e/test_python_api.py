"""The Python API: `Reporter.from_env().track(…)` around a block."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.process import Repo
from tests.support.recorder import Recorder
from versioner_ci import RejectedError, Reporter, UsageError, VersionerError
from versioner_ci.errors import Interrupted


@pytest.fixture
def cli_env(cli_env: dict[str, str]) -> dict[str, str]:
    """With a state folder of its own: this process's environment names one for all tests."""
    return {**cli_env, "XDG_STATE_HOME": cli_env["HOME"]}


@pytest.fixture
def reporter(cli_env: Mapping[str, str], repo: Repo) -> Reporter:
    return Reporter.from_env(cli_env, cwd=str(repo.path))


def test_a_block_that_ends_has_completed(reporter: Reporter, tracker: Recorder) -> None:
    with reporter.track("deployment", environment="production", product="shop", version="1.4.2") as track:
        assert tracker.types() == ["deployment.started"]
        assert track.started is not None
    assert tracker.types() == ["deployment.started", "deployment.completed"]
    assert len({event.lifecycle for event in tracker.events}) == 1
    assert tracker.events[1].body["version"] == "1.4.2"
    assert tracker.events[1].metadata["duration_seconds"] >= 0
    assert track.ended is not None


def test_a_block_that_raises_has_failed_with_its_masked_traceback(
    reporter: Reporter, tracker: Recorder, cli_env: Mapping[str, str]
) -> None:
    with pytest.raises(ValueError, match="key sk_1_secret"), reporter.track("build"):
        raise ValueError(f"key {cli_env['VERSIONER_API_KEY']} is bad")
    metadata = tracker.events[1].metadata
    assert tracker.types() == ["build.started", "build.failed"]
    assert (metadata["error"], metadata["error_code"]) == ("ValueError: key *** is bad", "ValueError")
    assert "test_python_api.py" in metadata["stack_trace"]
    assert "sk_1_secret" not in tracker.events[1].raw.decode()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (KeyboardInterrupt(), "aborted"), (SystemExit(143), "aborted"), (SystemExit(130), "aborted"),
        (SystemExit(129), "aborted"), (Interrupted(15), "aborted"), (SystemExit(0), "completed"),
        (SystemExit(None), "completed"), (SystemExit(1), "failed"), (SystemExit("no"), "failed"),
        (GeneratorExit(), "failed"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_block_left_by(reporter: Reporter, tracker: Recorder, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), reporter.track("build"):
        raise error
    assert tracker.states() == ["started", state]
    assert tracker.events[1].metadata.get("reason") == ("signal" if state == "aborted" else None)


def test_a_rejection_raises_and_the_block_is_not_entered(reporter: Reporter, tracker: Recorder) -> None:
    tracker.reject(rule_name="frozen")
    with pytest.raises(RejectedError, match="frozen"), reporter.track("deployment", environment="production"):
        pytest.fail("entered")
    assert len(tracker.requests) == 1


@pytest.mark.parametrize("is_known", [True, False], ids=["tracker-down", "no-environment"])
def test_required_raises_unless_the_tracker_accepted(reporter: Reporter, tracker: Recorder, is_known: bool) -> None:
    tracker.down()
    where = {"environment": "production"} if is_known else {}
    with (
        pytest.raises(RejectedError, match="required"),
        reporter.track("deployment", gate="required", timeout=0.5, **where),
    ):
        pytest.fail("entered")


def test_trouble_of_ours_is_logged_and_the_block_runs(
    reporter: Reporter, tracker: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    tracker.down()
    with reporter.track("build", timeout=0.5):
        pass
    assert any(
        r.name == "versioner_ci" and r.levelno == logging.WARNING and "kept" in r.message for r in caplog.records
    )
    with reporter.track("deployment"):
        pass
    assert "environment is not known" in caplog.text


def test_wrong_words_are_errors_at_once(reporter: Reporter) -> None:
    with pytest.raises(UsageError, match="deploymnt"):
        reporter.track("deploymnt")
    with pytest.raises(VersionerError):
        reporter.track("build", timeout="soon")


def test_nothing_configured_or_switched_off_is_no_trouble(cli_env: Mapping[str, str], repo: Repo) -> None:
    bare = {name: value for name, value in cli_env.items() if not name.startswith("VERSIONER")}
    for env in (bare, {**cli_env, "VERSIONER_DISABLED": "1"}):
        with Reporter.from_env(env, cwd=str(repo.path)).track("deployment", gate="on") as track:
            pass
        assert track.ended is None or track.ended.outcomes == ()


def test_two_blocks_are_two_lifecycles(reporter: Reporter, tracker: Recorder) -> None:
    for _ in range(2):
        with reporter.track("build"):
            pass
    assert len({event.lifecycle for event in tracker.events}) == 2


def test_importing_the_package_imports_nothing_else() -> None:
    script = (
        "import sys; before = set(sys.modules); import versioner_ci; "
        "assert set(sys.modules) - before <= {'versioner_ci'}, set(sys.modules) - before; "
        "assert versioner_ci.Reporter.__name__ == 'Reporter'; assert 'requests' not in sys.modules\n"
        "try: versioner_ci.nonsense\nexcept AttributeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "module 'versioner_ci' has no attribute 'nonsense'\n", done.stderr
