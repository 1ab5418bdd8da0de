"""What one call works with: its budget, its folder, its sinks, and what is said of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from versioner_ci.clock import Clock
from versioner_ci.context import CIContext
from versioner_ci.errors import UsageError
from versioner_ci.session import Call, Session, job_name, open_session

KEY = "sk_1_verysecretvalue"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_JOB": "build",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_SHA": "3f2a1bc998877665544332211009988776655443",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_SERVER_URL": "https://github.com",
}
LAST = {"VERSIONER_LAST_HOOK": "1"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "temp").mkdir()
    return {**GITHUB, "RUNNER_TEMP": str(tmp_path / "temp"), "VERSIONER_API_KEY": KEY, "HOME": str(tmp_path)}


def opened(env: Mapping[str, str], tmp_path: Path, *, began: float | None = None, **flags: object) -> Session:
    clock = Clock(monotonic=lambda: 100.0)
    return open_session(Call(flags=flags, env=env, cwd=str(tmp_path), clock=clock, began=began))


BUDGETS = {
    "an event": ({}, False, False, 10.0),
    "an ending": ({}, True, False, 10.0),
    "an ending in the last hook": (LAST, True, False, 30.0),
    "another event in the last hook": (LAST, False, False, 10.0),
    "a fresh one": ({}, False, True, 10.0),
}


@pytest.mark.parametrize(("more", "is_ending", "is_fresh", "seconds"), BUDGETS.values(), ids=BUDGETS)
def test_the_budget_of(
    env: dict[str, str], tmp_path: Path, more: dict[str, str], seconds: float, *, is_ending: bool, is_fresh: bool
) -> None:
    session = opened({**env, **more}, tmp_path)
    assert session.deadline(is_ending=is_ending, is_fresh=is_fresh).remaining == seconds


def test_a_budget_counts_from_the_processs_start_unless_it_is_fresh(env: dict[str, str], tmp_path: Path) -> None:
    session = opened(env, tmp_path, began=98.5, timeout="4")
    assert session.deadline().remaining == 2.5
    assert session.deadline(is_fresh=True).remaining == 4.0


@pytest.mark.parametrize(
    ("more", "is_final"),
    [
        pytest.param({}, False, id="an ordinary call"),
        pytest.param(LAST, True, id="the last hook"),
        pytest.param({**LAST, "VERSIONER_SPOOL_DIR": "spool"}, False, id="the last hook with a folder that lasts"),
    ],
)
def test_only_the_last_hook_of_a_dying_machine_is_final(
    env: dict[str, str], tmp_path: Path, more: dict[str, str], *, is_final: bool
) -> None:
    more = {name: str(tmp_path / value) if name == "VERSIONER_SPOOL_DIR" else value for name, value in more.items()}
    assert opened({**env, **more}, tmp_path).is_final is is_final


def test_a_folder_that_cannot_be_used_is_told(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    session = opened({**env, "VERSIONER_SPOOL_DIR": str(tmp_path / "file")}, tmp_path)
    [warning] = session.warnings
    assert "cannot use" in warning
    assert warning.endswith(f"using {session.place.root} instead")


def test_what_others_left_in_the_folder_is_set_aside_and_told(env: dict[str, str], tmp_path: Path) -> None:
    session = opened(env, tmp_path)
    assert session.spool is not None
    (session.spool.root / "notes.txt").write_text("")
    session.tidy()
    [warning] = session.warnings
    assert warning.startswith("1 file in ")
    session.warnings.clear()
    session.tidy()
    assert session.warnings == []


def test_nothing_is_imported_for_sinks_before_something_is_to_be_sent(env: dict[str, str], tmp_path: Path) -> None:
    session = opened(env, tmp_path)
    assert session.standing_courier is None
    assert session.courier() is session.courier() is session.standing_courier


def test_a_sink_whose_setting_is_unusable_keeps_what_it_would_get(env: dict[str, str], tmp_path: Path) -> None:
    session = opened({**env, "VERSIONER_API_URL": "http//x"}, tmp_path)
    assert session.courier()._lines == {}
    assert "VERSIONER_API_URL is not a web address" in session.courier()._unusable["backend"]


def test_a_warning_shows_no_secret(env: dict[str, str], tmp_path: Path) -> None:
    session = opened({**env, "VERSIONER_GATE": KEY}, tmp_path)
    assert any("VERSIONER_GATE" in warning for warning in session.warnings)
    assert KEY not in str(session.warnings)


def test_a_typed_setting_that_is_wrong_is_wrong_usage(env: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        opened(env, tmp_path, timeout="soon")


def ci(**more: str | None) -> CIContext:
    given = {
        "source_system": "github",
        "server_url": "https://github.com",
        "invoke_id": "77",
        "job": "build",
        "attempt": "1",
        "leg": None,
        "pipeline": None,
    }
    return CIContext(**{**given, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        {"invoke_id": "78"},
        {"job": "test"},
        {"attempt": "2"},
        {"leg": "2/3"},
        {"server_url": "https://ghe.example"},
        {"source_system": "jenkins"},
        {"pipeline": "shop"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_jobs_state_is_its_own(other: dict[str, str]) -> None:
    assert job_name(ci(), "/a") == job_name(ci(), "/b") != job_name(ci(**other), "/a")


def test_outside_ci_a_state_belongs_to_a_repository_else_to_a_folder() -> None:
    local = CIContext(source_system="local")
    known = CIContext(source_system="local", scm_repository="octo/shop", invoke_id="x")
    assert job_name(known, "/a") == job_name(known, "/b")
    assert job_name(local, "/a") != job_name(local, "/b")


def test_an_injected_clock_is_the_calls_clock(env: dict[str, str], tmp_path: Path) -> None:
    session = opened(env, tmp_path)
    assert session.clock.monotonic() == 100.0
    assert abs(session.clock.wall() - time.time()) < 60
