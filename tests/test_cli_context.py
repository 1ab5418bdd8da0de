from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli

KEY = "sk_1_canaryCanaryCanaryCanary"
ENV = {
    "VERSIONER_API_URL": "https://t.example.com", "VERSIONER_API_KEY": KEY, "SLACK_CHANNEL": "#a, #b",
    "VERSIONER_HOST": "local", "VERSIONER_METADATA": '{"team": "a", "nested": {"b": [1, true]}}',
}  # fmt: skip


def rows_of(cli: RunCli, repo: Repo, *arguments: str, **env: str) -> dict[str, object]:
    done = cli("context", "--json", *arguments, env={**ENV, **env}, cwd=repo.path)
    assert done.code == 0
    assert "canarycanary" not in (done.out + done.err).lower()
    found: dict[str, object] = json.loads(done.out)
    return found


@pytest.mark.parametrize(
    ("name", "value", "origin"),
    [
        ("api_url", "https://t.example.com", "VERSIONER_API_URL"),
        ("api_key", "…nary", "VERSIONER_API_KEY"),
        ("slack_channels", ["#a", "#b"], "SLACK_CHANNEL"),
        ("slack_token", None, "default"),
        ("product", "shop", "git"),
        ("version", "9", "flag --version"),
        ("environment", "production", ".versioner.yml line 2"),
        ("timeout", 10.0, "default"),
        ("host", "local", "VERSIONER_HOST"),
        ("metadata", {"team": "a", "nested": {"b": [1, True]}}, "VERSIONER_METADATA"),
    ],
)
def test_each_setting_is_told_with_its_origin(name: str, value: object, origin: str, cli: RunCli, repo: Repo) -> None:
    (repo.path / ".versioner.yml").write_text("# ours\nenvironment: production\n")
    settings = rows_of(cli, repo, "--version", "9")["settings"]
    assert settings[name] == {"value": value, "origin": origin}  # type: ignore[index]


def test_each_fact_is_told_with_who_said_it(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_RUN_ID": "7",
        "RUNNER_TEMP": str(tmp_path),
        "VERSIONER_HOST": "",
    }
    body = rows_of(cli, repo, **github)
    assert body["host"]["scm_repository"] == "octo/shop"  # type: ignore[index]
    assert body["origins"]["scm_repository"] == "github"  # type: ignore[index]
    assert (body["host"]["scm_sha"], body["origins"]["scm_sha"]) == (repo.sha, "git")  # type: ignore[index]


def test_people_get_a_table(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if ".git" not in path.parts}
    done = cli("context", env=ENV, cwd=repo.path)
    rows = {" ".join(row.split()) for row in done.out.splitlines()}
    assert {
        "CI host: local",
        "settings:",
        "product shop git",
        "slack_channels #a, #b SLACK_CHANNEL",
        "timeout 10 default",
        "fail_on_error no default",
        "gate not set (on for deployments; builds have none) default",
        f"scm_sha {repo.sha} git",
        "metadata team=a, nested=b=1, yes VERSIONER_METADATA",
    } <= rows
    assert done.out.splitlines()[-1].startswith("what cannot be delivered is kept in /")
    assert {path for path in tmp_path.rglob("*") if ".git" not in path.parts} == before


def test_what_is_wrong_is_a_warning_and_the_rest_is_told(cli: RunCli, repo: Repo) -> None:
    done = cli("context", env={"VERSIONER_API_KEY": "a b", "VERSIONER_CONFIG": "none.yml"}, cwd=repo.path)
    assert done.code == 0
    assert done.err.count("versioner-ci: warning: ") == 2
    assert "api_key            cannot be used" in done.out


def test_routes_are_told_in_words_and_as_objects(cli: RunCli, repo: Repo) -> None:
    text = "notifications: [{event_type: deployment.*, channel_id: '#alerts'}, {event_type: '*.failed'}]\n"
    (repo.path / ".versioner.yml").write_text(text)
    rows = {" ".join(row.split()) for row in cli("context", env=ENV, cwd=repo.path).out.splitlines()}
    assert "routes deployment.* → #alerts, *.failed → #a + #b .versioner.yml line 1" in rows
    first = rows_of(cli, repo)["settings"]["routes"]["value"][0]  # type: ignore[index]
    assert first == {
        "event_type": "deployment.*", "channel_id": "#alerts", "environments": [], "products": [], "mention": [],
    }  # fmt: skip


def test_routes_that_cannot_be_used_are_told(cli: RunCli, repo: Repo) -> None:
    (repo.path / ".versioner.yml").write_text("notifications: [{event_type: x}]\n")
    done = cli("context", env={**ENV, "SLACK_BOT_TOKEN": "xoxb-1-canarycanary"}, cwd=repo.path)
    rows = {" ".join(row.split()) for row in done.out.splitlines()}
    assert "routes unusable: nothing is posted .versioner.yml line 1" in rows
    assert "nothing of notifications (.versioner.yml line 1) can be used: nothing is posted to Slack" in done.err
