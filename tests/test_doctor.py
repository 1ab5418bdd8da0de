from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli
from versioner_ci import doctor_machine, doctor_variables
from versioner_ci.doctor import State, as_json, bad, count_bad, ok, screen, warn

KEY = "sk_1_canaryCanaryCanaryCanary"
TOKEN = "-".join(("xoxb", "1", "canarycanary"))  # noqa: FLY002 - or scanners take it for a real one


def test_a_screen_has_a_row_for_each_check_and_a_fix_that_is_never_cut() -> None:
    long = "x" * 300
    rows = list(screen([ok("a", "fine"), warn("b", long), bad("c", "wrong", long)], is_sent=False, hint="a hint"))
    assert rows[1] == "  ok   a             fine"
    assert len(rows[2]) <= 100
    assert rows[2].startswith("  note b             xxx")
    assert rows[4] == f"       fix:          {long}"
    assert rows[-2:] == ["1 to mend: do what stands behind `fix:`, then run this again", "a hint"]


@pytest.mark.parametrize(("is_sent", "said"), [(False, "all fine as far as can be"), (True, "all fine, and proved")])
def test_the_verdict_says_whether_it_is_proved(said: str, *, is_sent: bool) -> None:
    assert list(screen([ok("a", "fine")], is_sent=is_sent, hint="a hint"))[-1].startswith(said)


def test_only_what_is_bad_has_to_be_mended() -> None:
    assert count_bad([ok("a", ""), warn("b", ""), bad("c", "", "do"), bad("d", "", "do")]) == 2
    assert as_json([warn("b", "said", "do")]) == {
        "ok": True,
        "error": None,
        "checks": [{"name": "b", "state": "warn", "said": "said", "fix": "do"}],
    }


def test_outside_text_stays_in_its_row() -> None:
    rows = list(screen([bad("a", "x\n::error::y\x1b", "z\n##[error]")], is_sent=False))
    assert not [row for row in rows if row.lstrip().startswith("::") or "##[" in row or "\x1b" in row]
    assert len(rows) == 4


@pytest.mark.parametrize(
    ("year", "state"), [(0.0, State.BAD), (1_700_000_000.0, State.BAD), (1_795_000_000.0, State.OK)],
    ids=["1970", "2023", "2026"],
)  # fmt: skip
def test_a_clock_before_this_program_is_wrong(year: float, state: State) -> None:
    check = doctor_machine.clock(year)
    assert (check.state, check.fix is not None) == (state, state is State.BAD)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("api.example.com", "https://api.example.com"),
        ("http://api.example.com", "https://api.example.com"),
        ("https://u:p@api.example.com/v1", "https://api.example.com/v1"),
        ("https://api.example.com/?key=x#y", "https://api.example.com"),
        ("https://api.example.com/build-events/", "https://api.example.com"),
        ("https://api.example.com/v1/deployment-events", "https://api.example.com/v1"),
        (" https://api.example .com\n", "https://api.example.com"),
        ("ftp://api.example.com", "https://api.example.com"),
    ],
)
def test_an_address_is_mended_to_what_was_meant(raw: str, meant: str) -> None:
    assert doctor_variables.mended_url(raw) == meant


USUAL = {"VERSIONER_API_KEY": KEY, "SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "C0123456789"}


def test_a_usual_set_up_is_one_screen_and_fine(cli: RunCli, repo: Repo) -> None:
    (repo.path / ".versioner.yml").write_text("notifications:\n  - event_type: '*'\n    channel_id: C0123456789\n")
    done = cli("doctor", env=USUAL, cwd=repo.path)
    rows = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert len(rows) <= 24
    assert max(map(len, rows)) <= 100
    assert "canary" not in done.out.replace("nary", "")


def test_a_new_user_sees_what_is_missing_in_one_screen(cli: RunCli, tmp_path: Path) -> None:
    done = cli("doctor")
    assert done.code == 2
    assert len(done.out.splitlines()) <= 24
    for name in ("VERSIONER_PRODUCT", "VERSIONER_VERSION", "VERSIONER_API_KEY"):
        assert f"fix:          export {name}=" in done.out


def test_doctor_writes_nothing(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if ".git" not in path.parts}
    assert cli("doctor", env={**USUAL, "VERSIONER_SPOOL_DIR": str(tmp_path / "spool")}, cwd=repo.path).code == 0
    assert {path for path in tmp_path.rglob("*") if ".git" not in path.parts} == before


def checks_of(cli: RunCli, repo: Repo, *arguments: str, **env: str) -> dict[str, dict[str, str]]:
    done = cli("doctor", "--json", *arguments, env={"VERSIONER_API_KEY": KEY, **env}, cwd=repo.path)
    body = json.loads(done.out)
    assert body["ok"] is (done.code == 0)
    assert "canarycanary" not in done.out.lower()
    return {check["name"]: check for check in body["checks"]}


NOTES = {
    "both token and webhook": (
        {**USUAL, "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x"}, "webhook", "unset SLACK_WEBHOOK_URL",
    ),
    "two tokens": ({**USUAL, "SLACK_TOKEN": "xoxb-2-other"}, "variables", "unset SLACK_TOKEN"),
    "an alias": (
        {"VERSIONER_FAIL_ON_ERROR": "1", "VERSIONER_FAIL_ON_API_ERROR": "0"}, "variables",
        "unset VERSIONER_FAIL_ON_API_ERROR",
    ),
    "a misspelt variable": (
        {"VERSIONER_PRODUKT": "x"}, "variables", 'export VERSIONER_PRODUCT="$VERSIONER_PRODUKT"',
    ),
    "a token's last newline": (
        {"VERSIONER_API_KEY": f"{KEY}\n"}, "variables",
        "export VERSIONER_API_KEY=\"$(printf %s \"$VERSIONER_API_KEY\" | tr -d '[:space:]')\"",
    ),
    "switched off": ({"VERSIONER_DISABLED": "1"}, "off switch", "unset VERSIONER_DISABLED"),
    "a short key": ({"VERSIONER_API_KEY": "sk_1_short"}, "key", None),
    "a key of another kind": ({"VERSIONER_API_KEY": "canary-canary-canary"}, "key", None),
    "a webhook elsewhere": ({"SLACK_WEBHOOK_URL": "https://chat.example.com/hooks/x"}, "webhook", None),
}  # fmt: skip


@pytest.mark.parametrize(("env", "name", "fix"), NOTES.values(), ids=NOTES)
def test_what_works_but_may_not_be_meant_is_a_note(
    env: dict[str, str], name: str, fix: str | None, cli: RunCli, repo: Repo
) -> None:
    check = checks_of(cli, repo, **env)[name]
    assert (check["state"], check["fix"]) == ("warn", fix)


PLACEHOLDERS = {
    "a key": ({"VERSIONER_API_KEY": "sk_<id>_<secret>"}, "key"),
    "a token": ({**USUAL, "SLACK_BOT_TOKEN": "xoxb-<token>"}, "Slack"),
    "a webhook": ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/<path>"}, "webhook"),
}


@pytest.mark.parametrize(("env", "name"), PLACEHOLDERS.values(), ids=PLACEHOLDERS)
def test_a_placeholder_that_nobody_filled_has_to_be_mended(
    env: dict[str, str], name: str, cli: RunCli, repo: Repo
) -> None:
    check = checks_of(cli, repo, **env)[name]
    assert (check["state"], check["fix"].startswith("export ")) == ("bad", True)
    assert "still holds the placeholder" in check["said"]


FACTS = {
    "the tracker's address": ({"VERSIONER_API_URL": "https://t.example.com"}, "tracker",
                              "https://t.example.com (VERSIONER_API_URL)"),
    "the hosted tracker": ({}, "tracker", "https://api.versioner.io (the hosted one, since a key is set)"),
    "the key's end": ({}, "key", "…nary (VERSIONER_API_KEY)"),
    "the gate": ({"VERSIONER_GATE": "required"}, "gate", "required (VERSIONER_GATE)"),
    "the product": ({}, "product", "shop (git)"),
    "the environment": ({"VERSIONER_ENVIRONMENT": "qa"}, "environment", "qa (VERSIONER_ENVIRONMENT)"),
    "a bot's token": (USUAL, "Slack", "bot token …nary (SLACK_BOT_TOKEN)"),
    "its channel": (USUAL, "channel", "C0123456789 (SLACK_CHANNEL)"),
    "a webhook": ({"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x"}, "webhook",
                  "set (SLACK_WEBHOOK_URL); a message for each event, since a webhook cannot edit"),
    "a proxy without its password": ({"HTTPS_PROXY": "http://u:canary@proxy.example.com:3128"}, "proxy",
                                     "proxy.example.com:3128 for api.versioner.io"),
    "a job's own folder": ({"GITLAB_CI": "true", "CI_JOB_ID": "1"}, "CI host", "gitlab"),
}  # fmt: skip


@pytest.mark.parametrize(("env", "name", "said"), FACTS.values(), ids=FACTS)
def test_what_is_set_is_told_with_where_it_came_from(
    env: dict[str, str], name: str, said: str, cli: RunCli, repo: Repo
) -> None:
    check = checks_of(cli, repo, **env)[name]
    assert (check["state"], check["said"]) == ("ok", said)


def test_a_fork_is_not_told_to_set_secrets(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    pull = {"head": {"repo": {"full_name": "evil/shop", "fork": True}}, "base": {"repo": {"full_name": "octo/shop"}}}
    event.write_text(json.dumps({"pull_request": pull}))
    env = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_SHA": "a" * 40,
        "RUNNER_TEMP": str(tmp_path),
    }
    done = cli("doctor", env=env, cwd=repo.path)
    assert (done.code, "a fork's pull request: it gets no secrets" in done.out) == (0, True)


def test_what_is_kept_is_counted_with_its_age(cli: RunCli, repo: Repo) -> None:
    env = {"VERSIONER_API_URL": "http://127.0.0.1:1", "VERSIONER_TIMEOUT": "0.5"}
    cli("report", "build", "started", env=env, cwd=repo.path)
    check = checks_of(cli, repo, **env)["kept"]
    assert check["said"].startswith("1 event not delivered yet, the oldest for ")
    assert check["fix"] == "versioner-ci flush"


def test_github_users_are_told_where_variables_stand(cli: RunCli, repo: Repo, tmp_path: Path) -> None:
    done = cli("doctor", env={"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path)}, cwd=repo.path)
    assert done.out.splitlines()[-1].startswith("on GitHub, variables stand under `env:`")
    assert "lost with this job" in done.out
