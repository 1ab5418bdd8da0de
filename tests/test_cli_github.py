from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder
from tests.test_report_github import parsed

BRANCH = "x%0A::error::y"
HOSTILE = "a`b|<b>\n::error::z##[error]"


def github(folder: Path, url: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "7",
        "GITHUB_JOB": "j",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_REF": f"refs/heads/{BRANCH}",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "RUNNER_TEMP": str(folder),
        "VERSIONER_API_URL": url,
    }


def test_a_report_leaves_outputs_and_a_summary(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    with Recorder() as tracker:
        line = ("report", "deployment", "started", "--environment", "production", "--product", HOSTILE)
        done = cli(*line, env=github(tmp_path, tracker.url), cwd=repo.path)
    assert done.code == 0
    found = parsed((tmp_path / "output").read_text())
    names = {"event-id", "deployment-id", "version-id", "product-id", "status", "ok", "outcome", "lifecycle"}
    assert found.keys() == names
    assert (found["status"], found["ok"]) == ("started", "true")
    [head, outcome] = (tmp_path / "summary").read_text().strip().split("\n\n")
    assert head.startswith("🚀 **Deployment in progress**: `` a`b|<b>")
    assert outcome.startswith("✓ backend: `accepted (id ")


def test_a_failed_delivery_is_one_annotation(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    done = cli(
        "report",
        "build",
        "started",
        "--timeout",
        "1",
        "--product",
        HOSTILE,
        env=github(tmp_path, "http://127.0.0.1:1"),
        cwd=repo.path,
    )
    rows = done.err.splitlines()
    assert [row.partition("::build")[0] for row in rows] == ["::warning title=versioner-ci"]
    assert parsed((tmp_path / "output").read_text())["ok"] == "false"


def test_a_usage_error_is_an_error_annotation(cli: RunCli, tmp_path: Path) -> None:
    done = cli("report", "build", "a%0A::error::b\n::error::c", env=github(tmp_path, "http://127.0.0.1:1"))
    assert done.err.startswith(r"::error title=versioner-ci::unknown status 'a%250A::error::b\n::error::c'")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("path", ["/proc/nope", ".", ""], ids=["missing", "a folder", "empty"])
def test_files_that_cannot_be_written_are_left(path: str, cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    with Recorder() as tracker:
        env = {**github(tmp_path, tracker.url), "GITHUB_OUTPUT": path, "GITHUB_STEP_SUMMARY": path}
        done = cli("report", "build", "started", env=env, cwd=repo.path)
        assert (done.code, len(tracker.wait_for(1))) == (0, 1)
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "line",
    [
        ("context",),
        ("context", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("report", "build", "started", "--dry-run"),
        ("report", "build", "started", "--json"),
    ],
)
def test_no_name_of_the_hosts_becomes_a_command_on_either_stream(
    line: tuple[str, ...], cli: RunCli, repo: Repo, tmp_path: Path
) -> None:
    with Recorder() as tracker:
        env = {**github(tmp_path, tracker.url), "VERSIONER_PRODUCT": HOSTILE, "VERSIONER_GATE": HOSTILE}
        done = cli(*line, env=env, cwd=repo.path)
    for row in (done.out + done.err).splitlines():
        assert not row.lstrip().startswith("::") or row.startswith("::warning title=versioner-ci::VERSIONER_GATE ")
        assert "##[" not in row


def test_a_run_without_secrets_for_a_bot_s_pull_request_is_one_notice(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    with Recorder() as tracker:
        env = {**github(tmp_path, tracker.url), "GITHUB_ACTOR": "dependabot[bot]", "VERSIONER_API_KEY": ""}
        done = cli("report", "build", "started", env=env, cwd=repo.path)
        assert (done.code, tracker.requests) == (0, [])
        assert done.err.startswith("::notice title=versioner-ci::no key and no token: ")
        assert done.err.count("\n") == 1
        assert cli("report", "build", "started", env={**env, "VERSIONER_API_KEY": "sk_1_x"}, cwd=repo.path).code == 0
        assert len(tracker.wait_for(1)) == 1
