"""The tracker's main and post as the runner starts them: signals, faults, isolation, secrets."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest

from tests.actions.act import KEY, toolbox
from tests.actions.steps import Step, annotations
from tests.support.raw_server import RawServer, hang
from tests.support.recorder import Recorder


def test_main_starts_and_post_ends(step: Step, tracker: Recorder) -> None:
    assert step.main().code == 0
    assert step.post("failure").code == 0
    assert tracker.types() == ["deployment.started", "deployment.failed"]


@pytest.mark.parametrize("word", ["success", "failure", "cancelled"])
def test_the_job_s_own_word_is_handed_on(word: str, step: Step, tracker: Recorder) -> None:
    step.main()
    step.post(word)
    assert tracker.events[1].metadata["vi_host_status"] == word


def test_a_word_that_nobody_knows_is_one_warning(step: Step, tracker: Recorder) -> None:
    step.main()
    ended = step.post("exploded")
    assert ended.code == 0
    assert [text.split(":")[0] for text in annotations(ended, "warning")] == ["--host-status"]
    assert tracker.states() == ["started"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_main_ends_soon_and_leaves_post_its_lifecycle(signum: signal.Signals, step: Step) -> None:
    with RawServer(hang()) as server:
        step.env["VERSIONER_API_URL"] = server.url
        ended = step.signalled("main", signum, server)
    assert ended.code == 128 + signum
    assert ended.seconds < 4
    assert step.file("GITHUB_STATE")["lifecycle"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_post_fails_no_job(signum: signal.Signals, step: Step, tracker: Recorder) -> None:
    step.main()
    state = {f"STATE_{name}": value for name, value in step.file("GITHUB_STATE").items()}
    with RawServer(hang()) as server:
        step.env["VERSIONER_API_URL"] = server.url
        ended = step.signalled("post", signum, server, **state)
    assert ended.code == 0
    assert ended.seconds < 4


def test_a_post_without_a_main_does_nothing(step: Step, tracker: Recorder) -> None:
    ended = step.post()
    assert (ended.code, ended.err, tracker.requests) == (0, "", [])


@pytest.mark.parametrize("broken", ["src/versioner_ci/cli.py", "actions/lib/core.mjs", "actions/lib/launch.py"])
def test_a_broken_install_is_a_warning_in_post(broken: str, step: Step, tmp_path: Path) -> None:
    step.main()
    step.release = Path(shutil.copytree(step.release, tmp_path / "broken"))
    (step.release / broken).unlink()
    ended = step.post()
    assert ended.code == 0
    assert len(annotations(ended, "warning")) == 1


def test_a_broken_install_is_a_warning_in_main_and_ok_is_false(step: Step, tmp_path: Path) -> None:
    step.release = Path(shutil.copytree(step.release, tmp_path / "broken"))
    shutil.rmtree(step.release / "src/versioner_ci/sinks")
    ended = step.main()
    assert ended.code == 0
    assert step.file("GITHUB_OUTPUT") == {"ok": "false"}
    assert annotations(ended, "warning") or annotations(ended, "error")


@pytest.mark.parametrize(("value", "code"), [("true", 4), ("false", 0)])
def test_strictness_fails_main_and_never_post(value: str, code: int, step: Step, tracker: Recorder) -> None:
    tracker.down()
    step.inputs |= {"fail-on-error": value, "timeout": "1"}
    assert step.main().code == code
    assert step.file("GITHUB_OUTPUT")["ok"] == "false"
    assert step.post().code == 0


def test_a_rejection_fails_main_and_post_says_nothing_more(step: Step, tracker: Recorder) -> None:
    tracker.reject(environment="production", rule_name="freeze", message="no")
    assert step.main().code == 5
    ended = step.post("failure")
    assert (ended.code, ended.err) == (0, "")
    assert [request.state for request in tracker.requests] == ["started"]


def test_a_required_gate_shuts_whatever_is_wrong(step: Step, tracker: Recorder) -> None:
    step.inputs["gate"] = "required"
    step.env["VERSIONER_API_URL"] = "not an address"
    assert step.main().code == 5
    step.inputs["event"] = "deploymnt"
    assert step.main().code == 5


def test_a_required_gate_is_asked_by_the_start_of_a_deployment_alone(step: Step, tracker: Recorder) -> None:
    step.path = str(toolbox(step.work.parent / "bare", python=None))
    step.inputs["gate"] = "required"
    assert step.main().code == 5
    step.inputs["event"] = "build"
    assert step.main().code == 0
    step.action, step.inputs["event"] = "report", "deployment"
    for status, code in (("failure", 0), ("pending", 0), ("started", 5)):
        step.inputs["status"] = status
        assert step.main().code == code


def test_a_python_that_hangs_is_stopped(step: Step) -> None:
    (Path(step.path) / "python3").write_text("#!/bin/sh\nexec sleep 40\n")
    step.inputs["timeout"] = "0.1"
    ended = step.main()
    assert (ended.code, annotations(ended, "warning")) == (
        0,
        ["versioner-ci took too long and was stopped: nothing is reported"],
    )
    assert ended.seconds < 0.1 + 10 + 2 + 2
    assert step.file("GITHUB_OUTPUT") == {"ok": "false"}


def test_an_error_that_no_command_line_takes_is_cut(step: Step, tracker: Recorder) -> None:
    step.action = "report"
    step.inputs |= {"status": "failure", "error": "é" * 65_000}
    assert step.main().code == 0
    [event] = tracker.events
    assert event.metadata["error"].startswith("é" * 1000)
    step.inputs["error"] = "x" * 131_000
    assert step.main().code == 0


def test_a_folder_that_a_step_has_prepared_is_not_written_into(step: Step, tracker: Recorder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner/versioner-ci-action").symlink_to(tmp_path / "elsewhere")
    step.main()
    step.post(INPUT_STEPS="{}")
    assert tracker.states() == ["started", "completed"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_wrong_input_fails_no_job(step: Step, tracker: Recorder) -> None:
    step.inputs["event"] = "deploymnt"
    ended = step.main()
    assert ended.code == 0
    assert step.file("GITHUB_OUTPUT")["ok"] == "false"
    assert "did you mean deployment?" in annotations(ended, "error")[0]
    assert step.post().code == 0
    assert tracker.requests == []


def test_nothing_of_the_checkout_is_run(step: Step, tracker: Recorder) -> None:
    for name in ("json", "requests", "versioner_ci", "sitecustomize", "usercustomize", "prepare", "install"):
        (step.work / f"{name}.py").write_text("open('pwned', 'w').close()\n")
    step.env |= {"PYTHONPATH": str(step.work), "PYTHONSTARTUP": str(step.work / "json.py"), "PYTHONHOME": "/nowhere"}
    step.main()
    step.post()
    assert tracker.states() == ["started", "completed"]
    assert not (step.work / "pwned").exists()


def test_the_job_s_path_and_environment_stay_untouched(step: Step, tracker: Recorder) -> None:
    step.main()
    step.post()
    temporary = step.work.parent / "runner"
    assert not [name for name in ("GITHUB_ENV", "GITHUB_PATH") if (temporary / name).exists()]
    assert list(step.work.iterdir()) == []


def test_nothing_is_written_into_the_action_s_own_folder(step: Step) -> None:
    before = {path for path in step.release.rglob("*") if "__pycache__" not in path.parts}
    step.main()
    assert set(step.release.rglob("*")) == before


def test_no_secret_is_printed_or_written_down(step: Step, tracker: Recorder) -> None:
    step.env |= {"VERSIONER_API_KEY": ""}
    step.inputs |= {"api-key": KEY, "error": KEY}
    ran = [step.main(), step.post()]
    assert tracker.states() == ["started", "completed"]
    assert KEY not in "".join(result.out + result.err for result in ran)
    temporary = step.work.parent / "runner"
    written = [path for path in temporary.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert written == []
    assert [path.stat().st_mode & 0o077 for path in temporary.rglob("track.json")] == [0]


def test_inputs_with_underscores_count_too(step: Step, tracker: Recorder) -> None:
    step.env["VERSIONER_API_URL"] = "http://127.0.0.1:1"
    step.inputs["api_url"] = tracker.url
    step.main()
    assert tracker.states() == ["started"]


def test_the_input_python_chooses_the_interpreter(step: Step, tracker: Recorder, tmp_path: Path) -> None:
    other = toolbox(tmp_path / "other")
    step.path = str(toolbox(tmp_path / "bare", python=None))
    step.inputs["python"] = str(other / "python3")
    assert step.main().code == 0
    assert tracker.states() == ["started"]


def test_a_python_that_is_none_is_named(step: Step, tracker: Recorder) -> None:
    step.inputs["python"] = "/opt/python99"
    ended = step.main()
    assert ended.code == 0
    [said] = annotations(ended, "warning")
    assert said == "the input python names no Python 3.10 or newer: /opt/python99: nothing is reported"
    assert step.post().code == 0


@pytest.mark.parametrize("stub", ["exit 127", "echo 'Python 3.8' >&2; exit 3", "echo hello", "kill -9 $$"])
def test_a_python3_that_is_none_or_too_old_is_passed_over(stub: str, step: Step, tracker: Recorder) -> None:
    tools = Path(step.path)
    (tools / "python").write_text((tools / "python3").read_text())
    (tools / "python").chmod(0o755)
    (tools / "python3").write_text(f"#!/bin/sh\n{stub}\n")
    assert step.main().code == 0
    assert tracker.states() == ["started"]


def test_a_second_track_after_a_failure_leaves_the_first_to_its_post(step: Step, tracker: Recorder) -> None:
    step.inputs = {"event": "build"}
    step.main()
    state = {f"STATE_{name}": value for name, value in step.file("GITHUB_STATE").items()}
    step.inputs = {"event": "deployment", "environment": "production", "job-status": "failure"}
    step.main(**{"INPUT_JOB-STATUS": "failure"})
    assert tracker.types() == ["build.started", "deployment.started"]
    step.inputs = {"event": "build"}
    step.post("failure", **state)
    assert tracker.types()[2:] == ["build.failed"]


def test_two_tracks_of_one_place_are_two_deployments(step: Step, tracker: Recorder) -> None:
    step.main()
    step.main()
    assert sorted(tracker.states()) == ["completed", "started", "started"]
    assert len({event.metadata["vi_lifecycle_id"] for event in tracker.events}) == 2


def test_a_forged_file_of_an_earlier_track_keeps_nothing_from_being_sent(step: Step, tracker: Recorder) -> None:
    step.main()
    [path] = (step.work.parent / "runner").rglob("track.json")
    for content in ("", "[]", '{"kind": "build"}', '{"kind": 3, "variables": {"A": 1}}', "[" * 100_000):
        path.write_text(content)
        ended = step.main()
        assert ended.code == 0
        assert [text.split(":")[0] for text in annotations(ended, "warning")] == ["--after"], content


def test_the_steps_context_that_is_none_keeps_no_ending_back(step: Step, tracker: Recorder) -> None:
    step.main()
    ended = step.post("failure", INPUT_STEPS="not json")
    assert tracker.states() == ["started", "failed"]
    assert ["--steps" in text for text in annotations(ended, "warning")] == [True]
    assert not list((step.work.parent / "runner").rglob("input*"))


def test_report_sends_one_event_with_its_details(step: Step, tracker: Recorder) -> None:
    step.action = "report"
    step.inputs |= {"status": "failure", "error": "$(touch pwned)\n::error::x", "error-code": "E1", "reason": "timeout"}
    ended = step.main()
    assert ended.code == 0
    [event] = tracker.events
    assert event.state == "failed"
    assert event.metadata["error"] == "$(touch pwned)\n::error::x"
    assert (event.metadata["error_code"], event.metadata["reason"]) == ("E1", "timeout")
    assert step.file("GITHUB_OUTPUT")["status"] == "failed"


def test_report_of_skipped_jobs_alone_sends_nothing(step: Step, tracker: Recorder) -> None:
    step.action = "report"
    step.inputs["status"] = json.dumps({"deploy": {"result": "skipped", "outputs": {"token": KEY}}})
    ended = step.main()
    assert (ended.code, tracker.requests) == (0, [])
    assert "no needed job has run" in ended.err
    assert KEY not in ended.err


def test_report_of_an_unknown_status_is_a_warning(step: Step, tracker: Recorder) -> None:
    step.action = "report"
    step.inputs["status"] = "exploded"
    ended = step.main()
    assert (ended.code, tracker.requests) == (0, [])
    assert len(annotations(ended, "warning")) == 1


def test_a_job_without_a_home_is_reported(step: Step, tracker: Recorder) -> None:
    del step.env["HOME"]
    step.main()
    step.post()
    assert tracker.states() == ["started", "completed"]


def test_a_tracker_that_lies_is_a_warning(step: Step) -> None:
    with Recorder() as liar:
        liar.answer_next(200, "<html>Sign in</html>", {"Content-Type": "text/html"}, times=9)
        step.env["VERSIONER_API_URL"] = liar.url
        ended = step.main()
    assert ended.code == 0
    assert step.file("GITHUB_OUTPUT")["ok"] == "false"
    assert ["not an API reply" in text for text in annotations(ended, "warning")] == [True]
    assert "Sign in" not in ended.err


def test_without_a_temporary_folder_the_job_goes_on(step: Step, tracker: Recorder) -> None:
    ended = step.main(RUNNER_TEMP="")
    assert (ended.code, tracker.requests) == (0, [])
    assert annotations(ended, "warning") == ["RUNNER_TEMP is not set: nothing is reported"]


def test_the_settings_file_of_the_checkout_is_read(step: Step, tracker: Recorder) -> None:
    (step.work / ".git").mkdir()
    (step.work / ".versioner.yml").write_text("product: storefront\nenvironments: {prod: production}\n")
    step.inputs["environment"] = "prod"
    step.main()
    [event] = tracker.events
    assert (event.body["product_name"], event.body["environment_name"]) == ("storefront", "production")
