"""The four stages together, against a tracker that records: what is told, kept, lost, and within which time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process import Repo
from tests.support.raw_server import refused
from tests.support.recorder import Received, Recorder
from versioner_ci import reporter as reporters
from versioner_ci.details import Details
from versioner_ci.errors import Interrupted, UsageError
from versioner_ci.outcome import Verdict
from versioner_ci.reporter import Reporter
from versioner_ci.result import Report
from versioner_ci.status import Kind, State

KEY = "sk_1_verysecretvalue"
BUILD, DEPLOYMENT = Kind.BUILD, Kind.DEPLOYMENT
STARTED, COMPLETED, FAILED = State.STARTED, State.COMPLETED, State.FAILED
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_JOB": "build",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_SHA": "3f2a1bc998877665544332211009988776655443",
    "GITHUB_REF": "refs/heads/main",
}


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as recorder:
        yield recorder


@pytest.fixture
def call(cli_env: dict[str, str], repo: Repo, tracker: Recorder, tmp_path: Path) -> Callable[..., Reporter]:
    """A Reporter as one call has it; `env` as keywords in capitals, settings in lower case."""

    def make(**given: object) -> Reporter:
        env = {
            **cli_env,
            "VERSIONER_API_URL": tracker.url,
            "VERSIONER_API_KEY": KEY,
            "VERSIONER_SPOOL_DIR": str(tmp_path / "spool"),
            **{name: str(value) for name, value in given.items() if name.isupper() and value is not None},
        }
        for name in [name for name, value in given.items() if value is None]:
            del env[name]
        settings = {name: value for name, value in given.items() if not name.isupper()}
        return Reporter.from_env(env, cwd=str(repo.path), **{"timeout": 3, **settings})

    return make


def kept(tmp_path: Path) -> list[Path]:
    return list(tmp_path.rglob("v1-*.json"))


def verdicts(report: Report) -> dict[str, str]:
    return {outcome.sink: outcome.verdict.value for outcome in report.outcomes}


def test_an_event_that_is_accepted_is_gone_from_disk(call: Callable[..., Reporter], tmp_path: Path) -> None:
    report = call().report(BUILD, STARTED)
    assert report.verdict is Verdict.ACCEPTED
    assert kept(tmp_path) == []


def test_an_event_is_on_disk_before_its_first_byte_is_sent(
    call: Callable[..., Reporter], tracker: Recorder, tmp_path: Path
) -> None:
    seen: list[int] = []

    def look(_: Received) -> bool:
        seen.append(len(kept(tmp_path)))
        return False

    tracker.answer_next(when=look)
    call().report(BUILD, STARTED)
    assert seen == [1]


PLACES = {
    "a folder that lasts": ({}, "kept"),
    "a CI host's machine that dies": ({**GITHUB, "VERSIONER_SPOOL_DIR": None, "RUNNER_TEMP": "TEMP"}, "lost"),
    "a CI host's machine, but a folder was given": (GITHUB, "kept"),
}


@pytest.mark.parametrize(("env", "word"), PLACES.values(), ids=PLACES)
def test_kept_is_said_only_where_a_later_call_finds_it(
    call: Callable[..., Reporter], tmp_path: Path, env: dict[str, object], word: str
) -> None:
    env = {name: str(tmp_path / "tmp") if value == "TEMP" else value for name, value in env.items()}
    with refused() as url:
        report = call(**{**env, "VERSIONER_API_URL": url}, timeout=0.5).report(BUILD, STARTED)
    assert verdicts(report) == {"backend": word}
    assert len(kept(tmp_path)) == 1, "within the job it can still be delivered"


def test_without_a_copy_on_disk_nothing_is_called_kept(
    call: Callable[..., Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with refused() as url:
        report = call(VERSIONER_API_URL=url, timeout=0.5).report(BUILD, STARTED)
    assert verdicts(report) == {"backend": "lost"}
    assert "cannot spool (ENOSPC); sending without a safety copy" in report.warnings


def test_an_address_that_is_corrected_delivers_what_a_wrong_one_could_not(
    call: Callable[..., Reporter], tracker: Recorder
) -> None:
    report = call(VERSIONER_API_URL="http//tracker").report(BUILD, STARTED)
    assert verdicts(report) == {"backend": "kept"}
    [outcome] = report.outcomes
    assert "VERSIONER_API_URL is not a web address" in outcome.detail
    call().report(BUILD, COMPLETED)
    assert tracker.states() == ["started", "completed"]


def test_what_was_kept_is_delivered_with_its_own_time(call: Callable[..., Reporter], tracker: Recorder) -> None:
    with refused() as url:
        first = call(VERSIONER_API_URL=url, timeout=0.5).report(BUILD, STARTED)
    time.sleep(0.05)
    report = call().flush()
    assert [(backlog.sink, backlog.delivered, backlog.left) for backlog in report.backlogs] == [("backend", 1, 0)]
    assert first.event is not None
    assert tracker.events[0].body["started_at"] == first.event.occurred_at


def test_a_retrys_body_is_the_first_trys(call: Callable[..., Reporter], tracker: Recorder) -> None:
    with refused() as url:
        first = call(**GITHUB, VERSIONER_API_URL=url, timeout=0.5).report(BUILD, STARTED)
    time.sleep(0.01)
    call(**GITHUB).report(BUILD, STARTED)
    assert first.event is not None
    [event] = tracker.events
    assert event.metadata["vi_occurred_at"] == first.event.occurred_at


def test_a_gated_start_delivers_what_others_kept_and_waits_for_it(
    call: Callable[..., Reporter], tracker: Recorder, tmp_path: Path
) -> None:
    with refused() as url:
        call(VERSIONER_API_URL=url, timeout=0.5, product="other").report(BUILD, STARTED)
    tracker.delay = 0.2
    report = call(environment="production").report(DEPLOYMENT, STARTED)
    assert tracker.types() == ["deployment.started", "build.started"]
    assert [backlog.delivered for backlog in report.backlogs] == [1]
    assert kept(tmp_path) == []


def test_a_slow_tracker_costs_no_more_than_the_budget(call: Callable[..., Reporter], tracker: Recorder) -> None:
    tracker.delay = 20
    began = time.monotonic()
    report = call(timeout=0.5).report(BUILD, STARTED)
    assert time.monotonic() - began < 1.5
    assert verdicts(report) == {"backend": "kept"}


@pytest.mark.parametrize(("more", "factor"), [({}, 1), ({"VERSIONER_LAST_HOOK": "1"}, 3)], ids=["usual", "last hook"])
def test_an_ending_in_the_last_hook_has_three_times_the_budget(
    call: Callable[..., Reporter], tracker: Recorder, more: dict[str, str], factor: int
) -> None:
    tracker.delay = 20
    began = time.monotonic()
    call(**GITHUB, **more, timeout=0.4).report(BUILD, FAILED)
    assert 0.3 * factor < time.monotonic() - began < 0.4 * factor + 0.7


def test_a_flush_has_a_minute_unless_another_time_was_typed(call: Callable[..., Reporter], tracker: Recorder) -> None:
    with refused() as url:
        call(VERSIONER_API_URL=url, timeout=0.5).report(BUILD, STARTED)
    tracker.delay = 20
    began = time.monotonic()
    report = call(timeout=0.5).flush()
    assert time.monotonic() - began < 1.5
    assert report.verdict is Verdict.NOTHING
    assert reporters.FLUSH_SECONDS == 60


NOTHING = {
    "no sink": ({"VERSIONER_API_URL": None, "VERSIONER_API_KEY": None}, reporters.NO_SINK),
    "switched off": ({"VERSIONER_DISABLED": "1"}, reporters.DISABLED),
}


@pytest.mark.parametrize(("env", "notice"), NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("what", ["report", "report_group", "flush"])
def test_where_nothing_is_sent_it_is_said_why_and_nothing_is_written(
    call: Callable[..., Reporter], tmp_path: Path, env: dict[str, object], notice: str, what: str
) -> None:
    reporter = call(**env)
    calls = {
        "report": lambda: reporter.report(BUILD, STARTED),
        "flush": reporter.flush,
        "report_group": lambda: reporter.report_group(BUILD, FAILED, Details()),
    }
    report = calls[what]()
    assert (report.notice, report.verdict) == (notice, Verdict.NOTHING)
    assert kept(tmp_path) == []


def test_a_whole_runs_ending_belongs_to_its_group(call: Callable[..., Reporter], tracker: Recorder) -> None:
    call(**GITHUB).report(BUILD, STARTED)
    report = call(**GITHUB).report_group(BUILD, FAILED, Details())
    started, ended = tracker.events
    assert started.metadata["vi_group_id"] == ended.metadata["vi_group_id"]
    assert (ended.lifecycle, report.handle) == (None, None)


def test_a_hook_that_runs_twice_is_told_once(call: Callable[..., Reporter], tracker: Recorder) -> None:
    for _ in range(2):
        report = call(**GITHUB).report(BUILD, COMPLETED)
    assert (report.is_doubled, report.verdict) == (True, Verdict.DUPLICATE)
    assert tracker.states() == ["completed"]


def test_a_rejected_start_is_an_outcome_and_remembered(call: Callable[..., Reporter], tracker: Recorder) -> None:
    tracker.reject()
    report = call(**GITHUB, environment="production").report(DEPLOYMENT, STARTED)
    assert report.rejection is not None
    assert report.rejection.rule == "no-friday-deploys"
    assert report.verdict is Verdict.REJECTED
    assert call(**GITHUB, environment="production").report(DEPLOYMENT, FAILED).is_doubled


def test_a_rejection_that_comes_late_is_a_warning_and_the_ending_is_sent(
    call: Callable[..., Reporter], tracker: Recorder
) -> None:
    with refused() as url:
        call(**GITHUB, VERSIONER_API_URL=url, timeout=0.5, environment="production").report(DEPLOYMENT, STARTED)
    tracker.reject()
    report = call(**GITHUB, environment="production").report(DEPLOYMENT, COMPLETED)
    assert verdicts(report) == {"backend": "accepted"}
    assert any("rejected by rule 'no-friday-deploys'" in warning for warning in report.warnings)
    assert tracker.states() == ["completed"]


@pytest.mark.parametrize("kind", [BUILD, DEPLOYMENT], ids=["ungated", "gated"])
def test_a_signal_ends_the_wait_and_releases_the_event(
    call: Callable[..., Reporter], tracker: Recorder, tmp_path: Path, kind: Kind
) -> None:
    def interrupt(signum: int, _frame: object) -> None:
        raise Interrupted(signum)

    tracker.delay = 20
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        threading.Timer(0.6, signal.raise_signal, [signal.SIGTERM]).start()
        began = time.monotonic()
        report = call(timeout=15, environment="production").report(kind, STARTED)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert time.monotonic() - began < 2.6
    assert report.signum == signal.SIGTERM
    assert verdicts(report)["backend"] == "kept"
    assert {path.stem.rpartition("-")[2] for path in kept(tmp_path)} == {"f"}, "free for whoever calls next"


def test_a_required_field_that_nobody_knows_is_wrong_usage(call: Callable[..., Reporter]) -> None:
    with pytest.raises(UsageError, match=r"--environment"):
        call().report(DEPLOYMENT, STARTED)


class TestTrack:
    """The Python API's context manager, through a real tracker."""

    def test_a_block_that_ends_well_is_completed(self, call: Callable[..., Reporter], tracker: Recorder) -> None:
        with call().track("build", product="api", version="2"):
            assert tracker.states() == ["started"]
        assert tracker.states() == ["started", "completed"]
        assert tracker.events[1].body["product_name"] == "api"
        assert tracker.events[0].lifecycle == tracker.events[1].lifecycle

    def test_a_block_that_fails_is_failed_and_its_exception_goes_on(
        self, call: Callable[..., Reporter], tracker: Recorder
    ) -> None:
        with pytest.raises(ValueError, match="boom"), call().track("build"):
            raise ValueError(f"boom {KEY}")
        metadata = tracker.events[1].metadata
        assert tracker.states() == ["started", "failed"]
        assert metadata["error_code"] == "ValueError"
        assert "boom" in metadata["stack_trace"]
        assert KEY not in str(tracker.events[1].body)

    def test_a_tracker_that_is_down_does_not_break_the_block(
        self, call: Callable[..., Reporter], tracker: Recorder
    ) -> None:
        tracker.down()
        with call(timeout=0.5).track("build") as track:
            pass
        assert track.ended is not None
        assert verdicts(track.ended) == {"backend": "kept"}
