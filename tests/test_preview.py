from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder

KEY = "sk_1_canaryCanaryCanaryCanary"
SLACK = {"SLACK_BOT_TOKEN": "xoxb-1-canary", "SLACK_CHANNEL": "#deploys"}
DEPLOYMENT = ("deployment", "--environment", "production")
COMMANDS = {
    "report": ("report", "deployment", "started", "--environment", "production", "--dry-run"),
    "report --json": ("report", "deployment", "started", "--environment", "production", "--dry-run", "--json"),
    "run": ("run", *DEPLOYMENT, "--dry-run", "--", "touch", "ran"),
    "run build": ("run", "build", "--dry-run", "--", "touch", "ran"),
}


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("place", [{}, {"VERSIONER_SPOOL_DIR": "spool"}], ids=["usual folder", "given folder"])
def test_a_dry_run_sends_nothing_and_writes_nothing(
    arguments: tuple[str, ...], place: dict[str, str], cli: RunCli, repo: Repo, tmp_path: Path
) -> None:
    with Recorder(key=KEY) as tracker:
        before = files(tmp_path)
        env = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY, **SLACK, **place}
        done = cli(*arguments, env=env, cwd=repo.path)
        assert (done.code, tracker.requests) == (0, [])
    assert files(tmp_path) == before
    body = json.loads(done.out)
    assert set(body["requests"]) == {"backend", "slack"}
    assert "canary" not in (done.out + done.err).lower()
    assert body["requests"]["backend"][0]["headers"]["Authorization"] == "Bearer ***"


def test_a_dry_run_shows_what_is_then_sent(cli: RunCli, repo: Repo) -> None:
    with Recorder(key=KEY) as tracker:
        env = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY}
        line = (
            "report",
            "deployment",
            "failed",
            "--environment",
            "p",
            "--occurred-at",
            "2026-01-31T12:00:00Z",
            "--error",
            "it broke",
            "--version",
            "1.4.2",
            "--metadata",
            "team=a",
        )
        [shown] = json.loads(cli(*line, "--dry-run", env=env, cwd=repo.path).out)["requests"]["backend"]
        cli(*line, env=env, cwd=repo.path)
        [sent] = tracker.wait_for(1)
    assert shown["url"] == f"{tracker.url}{sent.path}"
    varying = {"vi_group_id", "vi_lifecycle_id"}  # outside CI each lifecycle is new
    for body in (shown["body"], sent.body):
        body.pop("invoke_id")
        for name in varying:
            body["extra_metadata"].pop(name)
    assert shown["body"] == sent.body


def test_a_runs_ending_is_shown_without_a_lifecycle(cli: RunCli, repo: Repo) -> None:
    needs = '{"a": {"result": "success"}, "b": {"result": "failure"}}'
    done = cli("report", "build", "--needs", needs, "--dry-run", env={"VERSIONER_API_KEY": KEY}, cwd=repo.path)
    [request] = json.loads(done.out)["requests"]["backend"]
    assert request["body"]["status"] == "failed"
    assert "vi_lifecycle_id" not in request["body"]["extra_metadata"]


def test_a_doubled_hook_would_send_nothing(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    with Recorder(key=KEY) as tracker:
        ci = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_JOB": "j", "RUNNER_TEMP": str(tmp_path)}
        env = {**ci, "VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY}
        for status in ("started", "success"):
            assert cli("report", "build", status, env=env, cwd=repo.path).code == 0
        body = json.loads(cli("report", "build", "success", "--dry-run", env=env, cwd=repo.path).out)
        assert (body["requests"], len(tracker.requests)) == ({}, 2)
    assert body["notice"].startswith("reported already")


@pytest.mark.parametrize(
    ("env", "said"),
    [({}, "nothing is configured"), ({"VERSIONER_DISABLED": "1", "VERSIONER_API_KEY": KEY}, "switched off")],
    ids=["nothing configured", "switched off"],
)
def test_why_nothing_would_be_sent_is_said(env: dict[str, str], said: str, cli: RunCli, repo: Repo) -> None:
    body = json.loads(cli("report", "build", "started", "--dry-run", env=env, cwd=repo.path).out)
    assert body["requests"] == {}
    assert body["notice"].startswith(said)


def test_what_would_be_refused_as_typed_is_refused(cli: RunCli, repo: Repo) -> None:
    done = cli("report", "deployment", "started", "--dry-run", env={"VERSIONER_API_KEY": KEY}, cwd=repo.path)
    assert (done.code, done.out) == (2, "")
    assert "environment is not known" in done.err


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_dry_run_is_json_in_every_locale(locale: str, cli: RunCli, repo: Repo) -> None:
    env = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "VERSIONER_API_KEY": KEY}
    done = cli("report", "deployment", "failed", "--environment", "prod 🚀 ü", "--dry-run", env=env, cwd=repo.path)
    [request] = json.loads(done.out)["requests"]["backend"]
    assert request["body"]["environment_name"] == "prod 🚀 ü"
