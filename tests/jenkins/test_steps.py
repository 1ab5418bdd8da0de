"""What pipelines do with the two steps: gate, approval, parallel work, single events, `post`, Slack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jenkins.conftest import KEY, RunBuild
from tests.support.fake_slack import FakeSlack
from tests.support.recorder import Recorder

COMMON = "product: 'shop', environment: 'production', credentialsId: 'tracker-key'"
CALL = f"withVersioner(event: 'deployment', {COMMON}"
STATUS = "status must be a word like pending, started or success"
REPORT = f"versionerReport(event: 'deployment', {COMMON}"


def lifecycles(tracker: Recorder) -> list[str]:
    return [event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events]


def groups(tracker: Recorder) -> set[str]:
    return {event.body["extra_metadata"]["vi_group_id"] for event in tracker.events}


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_a_rejection_fails_the_step_before_the_body_and_names_the_rule(
    mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    tracker.reject(environment="production")
    build = run_build(f"node {{ {CALL}) {{ echo 'the body ran' }} }}", mode)
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["type"] == "hudson.AbortException"
    assert build.thrown["message"].startswith("versioner-ci: rejected by rule '")
    assert tracker.events == []
    assert len(build.calls) == 1  # nothing has begun, so nothing ends


@pytest.mark.parametrize(("approval", "calls"), [("", 1), (", approval: { input 'Deploy?' }", 2)])
def test_a_required_gate_that_is_not_met_is_asked_once(
    approval: str, calls: int, run_build: RunBuild, tracker: Recorder
) -> None:
    tracker.answer_next(503, times=20, when=lambda request: request.body["status"] == "started")
    build = run_build(f"node {{ {CALL}, gate: 'required', timeout: 1{approval}) {{ echo 'the body ran' }} }}")
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"].startswith("versioner-ci: gate 'required': ")
    assert len(build.calls) == calls  # nothing has begun, so nothing ends
    assert "failed" not in tracker.states()


def test_a_rejection_is_a_failure_to_a_pipeline_that_catches_it(run_build: RunBuild, tracker: Recorder) -> None:
    tracker.reject(environment="production")
    build = run_build(f"node {{ try {{ {CALL}) {{ }} }} catch (hudson.AbortException no) {{ echo 'later' }} }}")
    build.fail()
    assert "later" in build.log


def test_a_failed_delivery_stops_nothing_unless_asked_for(run_build: RunBuild, tracker: Recorder) -> None:
    tracker.answer_next(400, times=4)
    assert run_build(f"node {{ {CALL}) {{ echo 'the body ran' }} }}").thrown is None
    tracker.answer_next(400, times=1)
    build = run_build(f"node {{ {CALL}, failOnError: true) {{ echo 'another ran' }} }}")
    assert "another ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"] == "versioner-ci: the event could not be delivered, and failOnError is on"


def test_an_ending_that_is_not_delivered_fails_nothing(run_build: RunBuild, tracker: Recorder) -> None:
    tracker.answer_next(400, when=lambda request: request.body["status"] == "completed")
    run_build(f"node {{ {CALL}, failOnError: true) {{ echo 'x' }} }}").fail()
    assert tracker.states() == ["started"]


def test_an_approval_is_pending_until_it_is_given(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"node {{ {CALL}, approval: {{ input 'Deploy?' }}) {{ echo 'x' }} }}", mode).fail()
    assert tracker.states() == ["pending", "started", "completed"]
    assert len(set(lifecycles(tracker))) == 1


@pytest.mark.parametrize("mode", ["cps", "restart"])
def test_what_an_approval_returns_can_be_kept_in_a_variable(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    approval = "approval: { answer = input 'Deploy?' }"
    build = run_build(f"def answer = null; node {{ {CALL}, {approval}) {{ echo 'told ' + answer }} }}", mode)
    build.fail()
    assert "told yes" in build.log


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_a_rejected_approval_is_aborted(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    fault = {"step": "input", "when": "before", "thrown": "rejected"}
    build = run_build(f"node {{ {CALL}, approval: {{ input 'Deploy?' }}) {{ echo 'ran' }} }}", mode, faults=[fault])
    assert "ran" not in build.log
    assert tracker.states() == ["pending", "aborted"]
    assert len(set(lifecycles(tracker))) == 1
    assert build.thrown is not None
    assert build.thrown["type"].endswith("FlowInterruptedException")


@pytest.mark.parametrize("mode", ["plain", "cps"])
@pytest.mark.parametrize("where", ["in a node of their own", "in one node"])
def test_parallel_branches_are_deployments_of_their_own_without_a_key(
    where: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    body = f"{CALL}, version: '1.4') {{ stage('Deploy') {{ echo 'x' }} }}"
    if where == "in one node":
        jenkinsfile = f"node {{ parallel(eu: {{ {body} }}, us: {{ {body} }}) }}"
    else:
        jenkinsfile = f"parallel(eu: {{ node {{ {body} }} }}, us: {{ node {{ {body} }} }})"
    run_build(jenkinsfile, mode, isParallel=True).fail()
    assert sorted(tracker.states()) == ["completed", "completed", "started", "started"]
    assert sorted(lifecycles(tracker).count(each) for each in set(lifecycles(tracker))) == [2, 2]
    assert len(groups(tracker)) == 1


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_each_branchs_stage_is_told(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    branch = f"stage('Deploy NAME') {{ node {{ {CALL}, version: '1.4') {{ echo 'x' }} }} }}"
    branches = ", ".join(f"{name}: {{ {branch.replace('NAME', name)} }}" for name in ("eu", "us"))
    run_build(f"parallel({branches})", mode, isParallel=True).fail()
    told = {event.body["extra_metadata"]["vi_lifecycle_id"]: set[str]() for event in tracker.events}
    for event in tracker.events:
        told[event.body["extra_metadata"]["vi_lifecycle_id"]].add(event.body["extra_metadata"]["vi_jenkins_stage_name"])
    assert sorted(map(sorted, told.values())) == [["Deploy eu"], ["Deploy us"]]


def test_a_key_makes_groups(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"node {{ {CALL}, key: 'eu') {{ }}; {CALL}, key: 'us') {{ }} }}").fail()
    assert tracker.states() == ["started", "completed"] * 2
    assert len(groups(tracker)) == 2


def test_a_pending_from_an_earlier_stage_is_of_the_same_group(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"node {{ {REPORT}, status: 'pending') }}; node {{ {CALL}) {{ }} }}").fail()
    assert tracker.states() == ["pending", "started", "completed"]
    assert len(groups(tracker)) == 1


def test_a_build_within_a_deployment_is_its_own(run_build: RunBuild, tracker: Recorder) -> None:
    inner = "withVersioner(event: 'build', product: 'shop', credentialsId: 'tracker-key') { echo 'x' }"
    run_build(f"node {{ {CALL}) {{ {inner} }} }}").fail()
    assert tracker.types() == ["deployment.started", "build.started", "build.completed", "deployment.completed"]


def test_a_run_inside_joins_and_leaves_its_error_for_the_ending(run_build: RunBuild, tracker: Recorder) -> None:
    script = "versioner-ci run deployment --environment production -- sh -c 'echo disk full >&2; exit 7'"
    build = run_build(
        f"node {{ {CALL}) {{ sh '''{script} ''' }} }}", env={"VERSIONER_API_KEY": KEY, "VERSIONER_PRODUCT": "shop"}
    )
    assert tracker.states() == ["started", "failed"]
    assert len(set(lifecycles(tracker))) == 1
    assert build.thrown is not None


def test_an_event_within_the_body_belongs_to_it(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"node {{ {CALL}) {{ {REPORT}, status: 'failed', error: 'half of it', errorCode: '9') }} }}").fail()
    assert tracker.states() == ["started", "failed"], tracker.states()
    assert tracker.events[1].body["extra_metadata"]["error"] == "half of it"
    assert lifecycles(tracker)[0] == lifecycles(tracker)[1]


@pytest.mark.parametrize(("word", "state"), [("SUCCESS", "completed"), ("UNSTABLE", "completed"), ("FAILURE", "failed"),
                                              ("NOT_BUILT", "aborted"), ("ABORTED", "aborted")])  # fmt: skip
def test_in_post_the_builds_result_is_the_ending(word: str, state: str, run_build: RunBuild, tracker: Recorder) -> None:
    """A declarative `post` runs when the result is known: here it is set as Jenkins would have set it."""
    run_build(f"node {{ {REPORT}, status: 'started'); currentBuild.result = '{word}'; {REPORT}) }}").fail()
    assert tracker.states() == ["started", state]
    assert len(set(lifecycles(tracker))) == 1
    assert tracker.events[1].body["extra_metadata"]["vi_host_status"] == word


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_a_single_events_handle_leads_another_job_to_it(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ return {REPORT}, status: 'started') }}", mode)
    build.fail()
    later = f"node {{ versionerReport(event: 'deployment', status: 'success', lifecycle: '{build.returned}'"
    run_build(f"{later}, credentialsId: 'tracker-key') }}", mode, env={"BUILD_ID": "200"}).fail()
    assert tracker.states() == ["started", "completed"]
    assert len(set(lifecycles(tracker))) == 1


def test_the_text_of_an_error_is_no_argument_and_its_file_is_gone(
    run_build: RunBuild, library: Path, tmp_path: Path, tracker: Recorder
) -> None:
    """The arguments of a process are for all users to see."""
    script = library / "resources/io/versioner/report.sh"
    script.write_text(script.read_text().replace("code=none\n", 'code=none\nprintf "argument %s\\n" "$@" >&2\n'))
    folder = tmp_path / "temporary"
    folder.mkdir()
    build = run_build(f"node {{ {CALL}) {{ error 'no capacity' }} }}", library=library, env={"TMPDIR": str(folder)})
    arguments = [line for line in build.log if line.startswith("argument ")]
    assert any("--error-file=" in line for line in arguments)
    assert not any("capacity" in line for line in arguments)
    assert tracker.events[1].body["extra_metadata"]["error"] == "no capacity"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("status", ["--dry-run", "$(touch pwned)", "1"])
def test_a_status_that_is_no_word_is_a_warning(status: str, run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ {REPORT}, status: '{status}') }}")
    build.fail()
    assert build.ours == [f"versioner-ci: warning: {STATUS}: nothing is reported"]
    assert tracker.requests == []


def test_an_unknown_status_is_a_warning_that_names_near_ones(run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ {REPORT}, status: 'sucess') }}")
    build.fail()
    assert "success" in build.text
    assert tracker.requests == []


@pytest.mark.parametrize("call", [f"{CALL}) {{ echo 'ran' }}", f"{REPORT}, status: 'started'); echo 'ran'"])
def test_both_steps_heed_the_gate(call: str, run_build: RunBuild, tracker: Recorder) -> None:
    tracker.reject(environment="production")
    build = run_build(f"node {{ {call} }}")
    assert build.thrown is not None
    assert "rejected by rule" in build.thrown["message"]
    assert "ran" not in build.log


def test_slacks_token_is_a_credential_too_and_one_message_moves_on(
    run_build: RunBuild, tracker: Recorder, slack: FakeSlack
) -> None:
    build = run_build(
        f"node {{ {CALL}, slackCredentialsId: 'slack', slackChannel: '#deploys') {{ sh 'env; exit 3' }} }}",
        credentials={"slack": slack.token},
        env={"SLACK_API_URL": slack.url},
    )
    [message] = slack.messages("#deploys")
    assert "script returned exit code 3" in str(message)
    assert len(message.replies) == 1
    assert slack.token not in build.text
    assert tracker.states() == ["started", "failed"]
