"""How the body is left decides the ending; what it throws goes on, the very same object."""

from __future__ import annotations

import pytest

from tests.jenkins.conftest import RunBuild
from tests.support.process import Repo
from tests.support.recorder import Recorder

GIVEN = "event: 'deployment', product: 'shop', environment: 'production', credentialsId: 'tracker-key'"
DEPLOYMENT = f"withVersioner({GIVEN})"


def jenkinsfile(body: str) -> str:
    """Says at its end whether what the body threw has come through as it was; Groovy closures see `ours`."""
    return f"""{ODD}
        def ours = null
        node {{
            try {{
                {DEPLOYMENT} {{
                    try {{ {body} }} catch (Throwable inner) {{ ours = inner; throw inner }}
                }}
                echo 'went on'
            }} catch (Throwable outer) {{
                echo 'same object: ' + outer.is(ours)
                throw outer
            }}
        }}"""


ODD = """
    class Slow extends Exception {  // transformed, as all that a pipeline declares: no plain call gets an answer
        @Override
        String getMessage() {
            return 'slow'
        }
    }
    class Mute extends Exception {
        @NonCPS
        @Override
        String getMessage() {
            throw new IllegalStateException('no text')
        }
    }"""
FAILED = "failed", "FAILURE"
DOWNSTREAM = "smoke #3 completed with status FAILURE (propagate: false to ignore)"
TABLE = {
    "nothing": ("echo 'deploying'", "completed", "SUCCESS", {}),
    "a failing shell step": ("sh 'exit 3'", *FAILED, {"error": "script returned exit code 3", "error_code": "3"}),
    "the step error": ("error 'no capacity'", *FAILED, {"error": "no capacity"}),
    "another exception": ("throw new IllegalStateException('odd')", *FAILED, {"error": "IllegalStateException: odd"}),
    "an Error": ("throw thrown('fatal')", *FAILED, {"error": "NoSuchMethodError: no such step"}),
    "a message that only a pipeline can ask for": ("throw new Slow()", *FAILED, {"error": "Slow"}),
    "a message that throws": ("throw new Mute()", *FAILED, {"error": "Mute"}),
    "an abort": ("throw thrown('abort')", "aborted", "ABORTED", {"reason": "user"}),
    "a timeout": ("throw thrown('timeout')", "aborted", "ABORTED", {"reason": "timeout"}),
    "a newer build": ("throw thrown('superseded')", "aborted", "ABORTED", {"reason": "superseded"}),
    "a rejected input": ("throw thrown('rejected')", "aborted", "ABORTED", {"reason": "rejected"}),
    "a lost agent": ("throw thrown('removed')", "aborted", "ABORTED", {"reason": None}),
    "another branch's failure": ("throw thrown('failFast')", "aborted", "ABORTED", {"reason": None}),
    "a failed downstream job": ("throw thrown('downstream')", *FAILED, {"error": DOWNSTREAM}),
    "unstable": ("unstable 'two tests'", "completed", "UNSTABLE", {"unstable": True}),
    "a result set inside": ("currentBuild.result = 'FAILURE'", *FAILED, {}),
}
CASES = [(left_by, mode) for left_by in TABLE for mode in ("cps", "restart", "cps-sandbox")]
CASES += [
    (left_by, mode) for left_by in ("nothing", "a failing shell step", "an abort") for mode in ("plain", "sandbox")
]
NO_EXCEPTION = ("nothing", "unstable", "a result set inside")


@pytest.mark.parametrize(("left_by", "mode"), CASES)
def test_the_ending_is_how_the_body_was_left(
    left_by: str, mode: str, run_build: RunBuild, tracker: Recorder, repo: Repo
) -> None:
    body, state, word, facts = TABLE[left_by]
    build = run_build(jenkinsfile(body), mode, is_trusted=False)
    assert tracker.states() == ["started", state]
    started, ending = (event.body for event in tracker.events)
    sent = ending["extra_metadata"]
    assert sent["vi_host_status"] == word
    assert {name: sent.get(name) for name in facts} == facts
    assert sent["vi_lifecycle_id"] == started["extra_metadata"]["vi_lifecycle_id"]
    assert (ending["version"], ending["scm_sha"]) == (repo.sha[:12], repo.sha)
    assert ending["started_at"] == started["started_at"]
    if left_by in NO_EXCEPTION:
        build.fail()
        assert "went on" in build.log
    elif mode != "restart":  # there it is a copy, as on a controller
        assert "same object: true" in build.log


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize("thrown", ["abort", "superseded", "downstream"])
def test_an_interruption_that_says_nothing_is_an_abort(
    thrown: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    """As before workflow-step-api of 2025-09."""
    run_build(jenkinsfile(f"throw thrown('{thrown}')"), mode, is_trusted=False, isSilent=True)
    assert tracker.states() == ["started", "aborted"]
    sent = tracker.events[1].body["extra_metadata"]
    assert (sent["vi_host_status"], sent.get("reason")) == ("ABORTED", None)


@pytest.mark.parametrize(
    ("thrown", "state", "word", "reason"),
    [
        ("superseded", "aborted", "NOT_BUILT", "superseded"),
        ("downstream", "failed", "FAILURE", None),
        ("abort", "aborted", "ABORTED", "user"),
    ],
)
def test_a_trusted_library_that_is_told_so_asks_for_result_and_causes(
    thrown: str, state: str, word: str, reason: str | None, run_build: RunBuild, tracker: Recorder
) -> None:
    text = jenkinsfile(f"throw thrown('{thrown}')").replace("event:", "trusted: true, event:")
    run_build(text, is_trusted=True, isSilent=True)
    assert tracker.states() == ["started", state]
    sent = tracker.events[1].body["extra_metadata"]
    assert (sent["vi_host_status"], sent.get("reason")) == (word, reason)


def test_what_the_body_returns_is_returned(mode: str, run_build: RunBuild) -> None:
    build = run_build(f"def found = null; node {{ found = {DEPLOYMENT} {{ 'v' + 4 }} }}; return found", mode)
    build.fail()
    assert build.returned == "v4"


RETURNED = {
    "parsed JSON": ("""new groovy.json.JsonSlurper().parseText('{"a": 1}')""", "{a=1}", None),
    "parsed JSON in a list": ("""new groovy.json.JsonSlurper().parseText('[[{"a": 1}]]')""", "[[[a:1]]]", None),
    "parsed JSON in a map": ("""[a: new groovy.json.JsonSlurper().parseText('{"b": 1}')]""", "[a:[b:1]]", None),
    "a matcher": ("'v4' =~ /4/", "java.util.regex.Matcher", None),
    "a map": ("[a: [1, 'x']]", "[a:[1, x]]", "[a:[1, x]]"),
    "no": ("false", "false", "false"),
}


@pytest.mark.parametrize("mode", ["cps", "restart", "cps-sandbox"])
@pytest.mark.parametrize("kind", RETURNED)
def test_what_the_body_returns_keeps_no_ending_from_being_reported(
    kind: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    """Behind a restart in the ending, what could not be saved is not there any more."""
    value, text, behind_a_restart = RETURNED[kind]
    build = run_build(f"return node {{ return {DEPLOYMENT} {{ return {value} }} }}", mode)
    build.fail()
    assert tracker.states() == ["started", "completed"]
    if mode == "restart":
        assert build.returned == behind_a_restart
    else:
        assert build.returned is not None
        assert build.returned.startswith(text)


def test_a_result_from_before_the_body_is_not_its_doing(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"currentBuild.result = 'UNSTABLE'; node {{ {DEPLOYMENT} {{ echo 'x' }} }}").fail()
    assert tracker.states() == ["started", "completed"]
    assert tracker.events[1].body["extra_metadata"]["vi_host_status"] == "SUCCESS"


def test_unstable_can_count_as_failed(run_build: RunBuild, tracker: Recorder) -> None:
    call = DEPLOYMENT.replace("event:", "unstable: 'failed', event:")
    run_build(f"node {{ {call} {{ unstable 'two tests' }} }}").fail()
    assert tracker.states() == ["started", "failed"]


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_an_abort_that_lands_in_the_started_call_is_an_aborted_deployment(
    when: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    fault = {"step": "sh", "label": "deployment started", "when": when, "thrown": "abort", "seconds": 1.5}
    if when == "during":
        tracker.answer_next(503, delay=4.0)
    build = run_build(jenkinsfile("echo 'the body ran'"), mode, faults=[fault])
    assert build.thrown is not None
    assert build.thrown["type"].endswith("FlowInterruptedException")
    assert "the body ran" not in build.log
    assert tracker.states() == (["aborted"] if when == "before" else ["started", "aborted"]), build.text
    assert len({event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events}) == 1


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize(("body", "state"), [("echo 'done'", "completed"), ("sh 'exit 3'", "failed")])
def test_an_abort_that_lands_in_the_ending_call_changes_no_ending(
    body: str, state: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    fault = {"step": "sh", "label": "deployment SUCCESS", "when": "before", "thrown": "abort"}
    faults = [fault, {**fault, "label": "deployment FAILURE"}]
    build = run_build(jenkinsfile(body), mode, faults=faults)
    assert tracker.states() == ["started", state]
    assert build.thrown is not None
    wanted = "FlowInterruptedException" if state == "completed" else "AbortException"
    assert build.thrown["type"].endswith(wanted)  # the abort itself, or what the body threw: never ours


def test_a_retried_body_is_another_deployment(run_build: RunBuild, tracker: Recorder) -> None:
    body = f"node {{ int n = 0; retry(2) {{ {DEPLOYMENT} {{ n++; if (n == 1) {{ error 'once' }} }} }} }}"
    run_build(body).fail()
    assert tracker.states() == ["started", "failed", "started", "completed"]
    assert len({event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events}) == 2
    assert len({event.body["extra_metadata"]["vi_group_id"] for event in tracker.events}) == 1


def test_a_controllers_restarts_double_no_event(run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(jenkinsfile("sh 'true'"), "restart")
    build.fail()
    assert build.restarts >= len(build.steps)
    assert tracker.states() == ["started", "completed"]
    assert len(tracker.requests) == 2


@pytest.mark.parametrize("step", ["started", "SUCCESS"])
def test_a_shell_step_that_runs_twice_counts_once(step: str, run_build: RunBuild, tracker: Recorder) -> None:
    """As where the controller dies after the agent has answered: the very same shell runs again."""
    fault = {"step": "sh", "when": "twice", "label": f"versioner-ci: deployment {step}"}
    build = run_build(jenkinsfile("sh 'true'"), faults=[fault])
    build.fail()
    assert [event.state for event in tracker.events] == ["started", "completed"]
    assert len({event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events}) == 1


def test_a_call_that_stands_twice_counts_once(run_build: RunBuild, tracker: Recorder) -> None:
    started, ended = f"versionerReport({GIVEN}, status: 'started')", f"versionerReport({GIVEN})"
    run_build(f"node {{ {started}; {started}; {ended}; {ended} }}").fail()
    assert tracker.states() == ["started", "completed"]


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_a_second_stop_that_is_forced_ends_the_ending_too(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    """No shell step works any more then: it is tried twice, and the body's own exception goes on."""
    fault = {"step": "sh", "label": "deployment ABORTED", "when": "before", "thrown": "timeout", "always": True}
    build = run_build(jenkinsfile("throw thrown('abort')"), mode, faults=[fault])
    assert tracker.states() == ["started"]
    assert len(build.calls) == 3
    assert build.thrown is not None
    assert build.thrown["message"] == "Aborted by Ada"
    assert "same object: true" in build.log


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize(("body", "state"), [("echo 'done'", "completed"), ("sh 'exit 3'", "failed")])
def test_an_outer_timeout_that_expires_in_the_ending_changes_no_ending(
    body: str, state: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    """It says what our own would say, but before our own time is over. Jenkins leaves 60 s for another try."""
    tracker.answer_next(503, delay=3.0, when=lambda request: request.body["status"] == state)
    fault = {"step": "sh", "label": "SUCCESS", "when": "during", "thrown": "timeout", "seconds": 1.0}
    build = run_build(jenkinsfile(body), mode, faults=[fault, {**fault, "label": "FAILURE"}])
    assert tracker.states() == ["started", state]
    assert build.thrown is not None
    wanted = "Timeout has been exceeded" if state == "completed" else "script returned exit code 3"
    assert build.thrown["message"] == wanted
