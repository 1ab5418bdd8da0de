"""How long a call may take when the tracker is of no use: whole calls with the budgets that users have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli
from tests.support.raw_server import RawServer, hang
from tests.support.recorder import Recorder

KEY = "sk_1_secret"
KEPT = 20
THREADS, FAILURES = 4, 8


@pytest.mark.timeout(120)
def test_a_silent_tracker_costs_a_report_its_ten_seconds_and_no_more(cli: RunCli, repo: Repo) -> None:
    with RawServer(hang()) as server:
        env = {"VERSIONER_API_URL": server.url, "VERSIONER_API_KEY": KEY}
        done = cli("report", "build", "started", cwd=repo.path, env=env)
    assert done.code == 0
    assert "kept for later" in done.err
    assert 6 < done.seconds < 12


@pytest.mark.timeout(180)
def test_a_flush_gives_a_sick_tracker_up_after_eight_failures(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    env = {"VERSIONER_API_KEY": KEY, "VERSIONER_SPOOL_DIR": str(tmp_path / "spool"), "VERSIONER_TIMEOUT": "1"}
    nobody = {**env, "VERSIONER_API_URL": "http://127.0.0.1:9"}
    for number in range(KEPT):
        cli("report", "build", "pending", "--key", str(number), cwd=repo.path, env=nobody)
    assert len(list((tmp_path / "spool").rglob("v1-*.json"))) == KEPT
    with Recorder(key=KEY) as tracker:
        tracker.answer_next(503, times=10_000)
        done = cli("flush", "--fail-on-error", cwd=repo.path, env={**env, "VERSIONER_API_URL": tracker.url})
        tried = {request.headers["idempotency-key"] for request in tracker.requests}
    assert done.code == 4
    assert f"of {KEPT} events that earlier calls kept none delivered, {KEPT} still kept" in done.err
    assert "HTTP 503" in done.err
    assert FAILURES <= len(tried) < FAILURES + THREADS
    assert len(list((tmp_path / "spool").rglob("v1-*.json"))) == KEPT
    assert done.seconds < 20
