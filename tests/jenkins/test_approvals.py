"""Whoever is to be asked before the work is asked, whatever is wrong with the call or with the reporter."""

from __future__ import annotations

import pytest

from tests.jenkins.conftest import RunBuild
from tests.support.recorder import Recorder

COMMON = "product: 'shop', environment: 'production', credentialsId: 'tracker-key'"
ASKED = "approval: { input 'Deploy?' }"
NO_CLOSURE = "approval must be a closure, like approval: { input 'Deploy?' }"
NEVER_CALLED = "only approval of withVersioner takes a closure, and this one would never be called: "
DEPLOYS = f"node {{ withVersioner(GIVEN, {COMMON}) {{ echo 'the body ran' }} }}"
REJECTED = {"step": "input", "when": "before", "thrown": "rejected"}
OFF = {"VERSIONER_DISABLED": "1"}
BROKEN = {"step": "sh", "label": "versioner-ci", "when": "before", "thrown": "io", "always": True}


@pytest.mark.parametrize("mode", ["cps", "restart", "cps-sandbox"])
@pytest.mark.parametrize("event", ["event: 'deploy'", "key: 'eu'"])
def test_a_call_that_is_wrong_still_asks(event: str, mode: str, run_build: RunBuild) -> None:
    jenkinsfile = DEPLOYS.replace("GIVEN", f"{event}, {ASKED}")
    build = run_build(jenkinsfile, mode)
    build.fail()
    assert [step for step in build.steps if step == "input"] == ["input"]
    assert build.log[-1] == "the body ran"
    refused = run_build(jenkinsfile, mode, faults=[REJECTED])
    assert "the body ran" not in refused.log
    assert refused.thrown is not None
    assert refused.thrown["type"].endswith("FlowInterruptedException")


@pytest.mark.parametrize(
    "trouble",
    [{"env": OFF}, {"core": False, "python": False}, {"faults": [BROKEN]}, {"where": "no node"}],
    ids=["disabled", "no Python", "a shell that fails", "no node"],
)
def test_whatever_keeps_the_reporter_from_its_work_approvals_are_asked(
    trouble: dict[str, object], run_build: RunBuild, tracker: Recorder
) -> None:
    jenkinsfile = DEPLOYS.replace("GIVEN", f"event: 'deployment', {ASKED}")
    if "where" in trouble:
        jenkinsfile, trouble = jenkinsfile.replace("node {", "stage('Deploy') {"), {}
    faults = trouble.pop("faults", [])
    assert isinstance(faults, list)
    build = run_build(jenkinsfile, faults=faults, **trouble)
    build.fail()
    assert "input" in build.steps
    assert "the body ran" in build.log
    refused = run_build(jenkinsfile, faults=[*faults, REJECTED], **trouble)
    assert "the body ran" not in refused.log
    assert refused.thrown is not None
    assert tracker.requests == []


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize("env", [{}, OFF], ids=["", "disabled"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("event: 'deployment', aproval: { input 'Deploy?' }", f"{NEVER_CALLED}aproval"),
        ("event: 'deployment', gate: { input 'Deploy?' }", f"{NEVER_CALLED}gate"),
        ("event: 'deploy', confirm: { input 'Deploy?' }, aproval: { }", f"{NEVER_CALLED}confirm, aproval"),
        ("event: 'build', approval: 'yes'", NO_CLOSURE),
        ("event: 'deploy', approval: [{ input 'Deploy?' }]", NO_CLOSURE),
    ],
)
def test_an_approval_that_would_be_passed_over_fails_the_step(
    given: str, said: str, env: dict[str, str], mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    build = run_build(DEPLOYS.replace("GIVEN", given), mode, env=env)
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert (build.thrown["type"], build.thrown["message"]) == ("hudson.AbortException", f"versioner-ci: {said}")
    assert tracker.requests == []


def test_no_approval_is_none(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(DEPLOYS.replace("GIVEN", "event: 'deployment', approval: null")).fail()
    assert tracker.states() == ["started", "completed"]


def test_a_single_event_takes_no_closure_but_an_ending_never_fails(run_build: RunBuild, tracker: Recorder) -> None:
    call = f"versionerReport(event: 'deployment', {ASKED}, {COMMON}"
    build = run_build(f"node {{ {call}, status: 'started'); echo 'went on' }}")
    assert "went on" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"] == f"versioner-ci: {NEVER_CALLED}approval"
    build = run_build(f"node {{ {call}) }}")
    build.fail()
    assert f"versioner-ci: warning: {NEVER_CALLED}approval" in build.log
    assert tracker.states() == ["completed"]
