"""A secret that strays into a name, an error file or a repr goes nowhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder
from versioner_ci import Reporter
from versioner_ci.answers import Asked
from versioner_ci.redact import Redactor
from versioner_ci.sinks.backend import Backend
from versioner_ci.sinks.slack import Token

CANARY = "xoxq-canary-0123456789"


def test_a_secret_in_a_name_reaches_neither_the_tracker_nor_the_disk(
    cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    names = (
        "--product",
        f"p-{CANARY}",
        "--version",
        f"v-{CANARY}",
        "--environment",
        f"e-{CANARY}",
        "--key",
        f"k-{CANARY}",
    )
    env = {"SLACK_BOT_TOKEN": CANARY, "VERSIONER_SPOOL_DIR": str(spool)}
    command = ("report", "deployment", "started", "--json", *names)
    sent = cli(*command, cwd=repo.path, env=env)
    kept = cli(*command, "--timeout", "1", cwd=repo.path, env={**env, "VERSIONER_API_URL": "http://127.0.0.1:9"})
    written = "".join(path.read_text() for path in spool.rglob("*") if path.is_file())
    assert tracker.events[0].body["product_name"] == "p-***"
    assert "p-***" in written
    handle = json.loads(sent.out)["lifecycle"]
    decoded = base64.urlsafe_b64decode(handle + "=" * (-len(handle) % 4)).decode()
    for text in (sent.out, sent.err, kept.out, kept.err, written, decoded, json.dumps(tracker.events[0].body)):
        assert CANARY not in text


@pytest.mark.parametrize("offset", [0, 5, 10, 15, 20])
def test_an_error_file_is_masked_before_it_is_cut(
    cli: RunCli, repo: Repo, tracker: Recorder, tmp_path: Path, offset: int
) -> None:
    secret = "hunter2-0123456789-hunter2"
    (tmp_path / "log").write_text(f"start {secret}{'y' * (4096 - offset)}\n")
    env = {"SLACK_BOT_TOKEN": secret}
    cli("report", "build", "failed", "--error-file", str(tmp_path / "log"), cwd=repo.path, env=env)
    error = tracker.events[0].body["extra_metadata"]["error"]
    assert error.endswith("yyy")
    assert not any(secret[at:] in error for at in range(len(secret) - 3))


def test_no_repr_shows_a_secret() -> None:
    reporter = Reporter.from_env({"VERSIONER_API_KEY": CANARY, "SLACK_BOT_TOKEN": CANARY, "PATH": ""}, cwd="/")
    backend = Backend("https://a.example", CANARY, None, Redactor(), "a", "b")  # type: ignore[arg-type]
    shown = [
        backend,
        Token(value=CANARY),
        Asked(redact=str, key=CANARY),
        reporter.session.call,
        reporter.session.config,
    ]
    assert CANARY not in repr([*shown, reporter, reporter.session.facts])


def test_metadata_that_is_nested_900_deep_is_cut_and_sent(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    assert cli("report", "build", "started", "--metadata-json", deep, cwd=repo.path).code == 0
    assert len(json.dumps(tracker.events[0].body)) < 3_000


@pytest.mark.parametrize(
    "order",
    [
        ("deployment", "--environment", "prod", "started"),
        ("--environment", "prod", "deployment", "started"),
        ("deployment", "started", "--environment", "prod"),
        ("deployment", "--metadata", "a=b", "--environment", "prod", "started"),
    ],
)
def test_the_status_may_stand_anywhere(cli: RunCli, repo: Repo, tracker: Recorder, order: tuple[str, ...]) -> None:
    assert cli("report", *order, cwd=repo.path).code == 0
    assert tracker.states() == ["started"]


def test_standard_input_that_never_ends_does_not_hold_the_call(cli: RunCli, repo: Repo) -> None:
    command = "sleep 30 | versioner-ci report build started --metadata-json -"
    result = cli("run", "build", "--", "bash", "-c", command, cwd=repo.path, timeout=45)
    assert "the pipe did not end within 5 s" in result.err


def test_outside_ci_a_repository_without_a_remote_is_one_place_from_any_folder(
    cli: RunCli, repo: Repo, tracker: Recorder
) -> None:
    repo.git("remote", "remove", "origin")
    (repo.path / "sub").mkdir()
    for state, folder in (("pending", repo.path), ("started", repo.path / "sub"), ("completed", repo.path)):
        cli("report", "build", state, "--product", "shop", cwd=folder)
    lifecycles = {event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events}
    assert (len(tracker.events), len(lifecycles)) == (3, 1)


def test_a_second_deployment_is_ended_though_the_job_still_carries_the_first_one_s_handle(
    cli: RunCli, repo: Repo, tracker: Recorder, github: dict[str, str]
) -> None:
    def report(state: str, handle: str | None = None) -> str:
        env = {**github, "VERSIONER_LIFECYCLE": handle}
        told = cli("report", "deployment", state, "--environment", "prod", "--json", cwd=repo.path, env=env)
        return str(json.loads(told.out)["lifecycle"])

    first = report("started")
    for state in ("completed", "started", "failed", "failed"):
        report(state, first)
    assert tracker.states() == ["started", "completed", "started", "failed"]
