"""The reporter's own trouble: whatever fails in it, the body runs once, and what it throws or returns stands."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.jenkins.conftest import KEY, RunBuild
from tests.support.recorder import Recorder

CALL = "withVersioner(event: 'deployment', product: 'shop', environment: 'production', credentialsId: 'tracker-key')"
WITH_BODY = f"node {{ {CALL} {{ echo 'the body ran'; sh 'exit 3' }} }}"
STEPS = ("env", "currentBuild", "isUnix", "libraryResource", "withEnv", "withCredentials", "timeout", "sh")
KINDS = ("error", "io", "runtime", "fatal", "mute")
SHUT = "gate 'required': only the tracker's acceptance lets this deployment start, and there is none"


def broken(step: str, thrown: str, *, label: str = "") -> dict[str, object]:
    """That step fails each time that the library takes it; the Jenkinsfile's own `sh` has no label."""
    wanted = label or {"sh": "versioner-ci", "withEnv": "VERSIONER_HOOK"}.get(step, "")
    return {"step": step, "label": wanted, "when": "before", "thrown": thrown, "always": True}


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_library_that_fails_changes_nothing_for_the_body(
    step: str, mode: str, run_build: RunBuild
) -> None:
    kind = KINDS[(STEPS.index(step) + len(mode)) % len(KINDS)]
    build = run_build(WITH_BODY, mode, faults=[broken(step, kind)])
    assert build.log.count("the body ran") == 1
    assert build.thrown is not None
    assert (build.thrown["type"], build.thrown["message"]) == (
        "hudson.AbortException",
        "script returned exit code 3",
    )


@pytest.mark.parametrize("where", ["node { TRIED }", "TRIED"])
def test_not_even_the_warning_can_fail_the_step(where: str, run_build: RunBuild) -> None:
    faults = [broken("echo", "io", label="versioner-ci: "), broken("sh", "io")]
    build = run_build(where.replace("TRIED", f"{CALL} {{ echo 'the body ran' }}"), faults=faults)
    build.fail()
    assert build.log == ["the body ran"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_that_fails_is_one_warning_each_time(kind: str, run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ {CALL} {{ echo 'the body ran' }} }}", faults=[broken("sh", kind)])
    build.fail()
    assert [line.startswith("versioner-ci: warning: the report could not be made: ") for line in build.ours] == [
        True
    ] * 2
    assert tracker.requests == []


def test_the_body_runs_where_the_credential_is_missing(run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ {CALL.replace('tracker-key', 'nobody')} {{ echo 'the body ran' }} }}")
    build.fail()
    assert "the body ran" in build.log
    assert "Could not find credentials entry with ID nobody" in build.text
    assert tracker.requests == []


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize("fault", [broken("sh", "io"), broken("isUnix", "error"), broken("withCredentials", "fatal")])
def test_gate_required_lets_nothing_start_without_a_yes(
    fault: dict[str, object], mode: str, run_build: RunBuild
) -> None:
    call = CALL.replace("event:", "gate: 'required', event:")
    build = run_build(f"node {{ {call} {{ echo 'the body ran' }} }}", mode, faults=[fault])
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"] == f"versioner-ci: {SHUT}"


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_outside_a_node_one_line_says_that_nothing_is_reported(
    mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    build = run_build(f"{CALL} {{ echo 'the body ran' }}; versionerReport(event: 'build', status: 'started')", mode)
    build.fail()
    line = "versioner-ci: there is no node around this step: nothing is reported"
    assert build.log == [line, "the body ran", line]
    assert tracker.requests == []


def test_no_python_and_no_core_is_one_warning(run_build: RunBuild, tracker: Recorder) -> None:
    build = run_build(f"node {{ {CALL} {{ echo 'the body ran' }} }}", core=False, python=False)
    build.fail()
    assert build.ours == [
        "versioner-ci: warning: neither versioner-ci nor Python 3.10 or newer is on this agent: nothing is reported"
    ]
    assert "the body ran" in build.log
    assert tracker.requests == []


def test_no_python_shuts_gate_required(run_build: RunBuild) -> None:
    call = CALL.replace("event:", "gate: 'required', event:")
    build = run_build(f"node {{ {call} {{ echo 'the body ran' }} }}", core=False, python=False)
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"] == f"versioner-ci: {SHUT}"
    assert len(build.ours) == 1


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("event: 'deployment', status: 'Deploying'", SHUT),
        ("event: 'deployment', status: 'in progress'", SHUT),
        ("event: 'deployment', status: 'strated'", SHUT),
        ("event: 'deployment', status: '1'", "status must be a word like pending, started or success"),
        ("event: 'release', status: 'started'", "event must be 'deployment' or 'build'"),
    ],
)
def test_gate_required_is_passed_by_no_other_word_and_no_mistake(
    given: str, said: str, mode: str, run_build: RunBuild, tracker: Recorder
) -> None:
    """The core cannot be asked, or does not know the word."""
    faults = [] if "strated" in given else [broken("sh", "io")]
    step = f"versionerReport({given}, environment: 'production', product: 'shop', credentialsId: 'tracker-key')"
    env = {"VERSIONER_GATE": "required"}
    build = run_build(f"node {{ {step}; echo 'went on' }}", mode, env=env, faults=faults)
    assert "went on" not in build.log
    assert build.thrown is not None
    assert build.thrown["message"] == f"versioner-ci: {said}"
    assert tracker.requests == []


def test_gate_required_from_outside_holds_for_a_call_that_is_wrong(run_build: RunBuild) -> None:
    build = run_build("node { withVersioner(event: 'x') { echo 'ran' } }", env={"VERSIONER_GATE": "required"})
    assert "ran" not in build.log
    assert build.thrown is not None


@pytest.mark.parametrize("step", ["withVersioner(event: 'build', status: '1') { }", "versionerReport(event: 'x')"])
def test_gate_required_fails_no_build_and_no_ending(step: str, run_build: RunBuild) -> None:
    run_build(f"node {{ {step} }}", env={"VERSIONER_GATE": "required"}).fail()


def test_switched_off_it_says_so_and_sends_nothing(run_build: RunBuild, tracker: Recorder) -> None:
    call = CALL.replace("event:", "gate: 'required', event:")
    build = run_build(f"node {{ {call} {{ echo 'the body ran' }} }}", env={"VERSIONER_DISABLED": "1"})
    build.fail()
    assert "the body ran" in build.log
    assert "switched off by VERSIONER_DISABLED" in build.ours[0]
    assert tracker.requests == []


def test_a_tracker_that_is_down_delays_by_the_budget_and_no_more(run_build: RunBuild, tracker: Recorder) -> None:
    tracker.down()
    call = CALL.replace("event:", "timeout: 1, event:")
    began = time.monotonic()
    build = run_build(f"node {{ {call} {{ echo 'the body ran' }} }}")
    build.fail()
    assert time.monotonic() - began < 1 + 3 + 2 + 4  # start, ending (three times as long), twice a process's start
    assert build.text.count("kept for later") == 2
    tracker.up()


def test_what_was_kept_is_sent_by_the_next_call_of_the_workspace(run_build: RunBuild, tracker: Recorder) -> None:
    tracker.down()
    run_build(f"node {{ {CALL.replace('event:', 'timeout: 1, event:')} {{ echo 'x' }} }}").fail()
    tracker.up()
    run_build(f"node {{ {CALL} {{ echo 'x' }} }}", env={"BUILD_ID": "154", "BUILD_NUMBER": "154"}).fail()
    assert sorted(tracker.states()) == ["completed", "completed", "started", "started"]


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
def test_a_call_that_hangs_is_ended_by_the_library_and_the_body_runs(
    mode: str, run_build: RunBuild, library: Path
) -> None:
    began = time.monotonic()
    build = run_build(STUCK, mode, library=stuck(library, 0))
    build.fail()
    assert "the body ran" in build.log
    assert build.text.count("no answer from the agent in") == 2
    assert time.monotonic() - began < 30  # its own two times are 1 and 3 s; each shell would sleep for 40


def stuck(library: Path, more_seconds: int) -> Path:
    """The library with a shell that hangs, and less patience."""
    core = library / "src/io/versioner/Core.groovy"
    core.write_text(core.read_text().replace("MORE_SECONDS = 120", f"MORE_SECONDS = {more_seconds}"))
    (library / "resources/io/versioner/report.sh").write_text("sleep 40\n")
    return library


STUCK = f"node {{ {CALL.replace('event:', 'timeout: 0.2, event:')} {{ echo 'the body ran' }} }}"


@pytest.mark.parametrize(("is_silent", "late"), [(False, 1000), (True, 60)])
def test_an_agent_that_takes_long_to_stop_is_no_abort(
    is_silent: bool, late: int, run_build: RunBuild, library: Path
) -> None:
    """The interruption comes that many seconds behind the library's time."""
    build = run_build(STUCK, library=stuck(library, -late), isSilent=is_silent)
    build.fail()
    assert "the body ran" in build.log
    assert build.text.count("no answer from the agent in") == 2


def test_a_restart_that_outlasts_the_librarys_time_is_no_abort(run_build: RunBuild, library: Path) -> None:
    """The step is resumed 1,000 s behind its deadline, and ended at once."""
    build = run_build(STUCK, "restart", library=stuck(library, -1000))
    build.fail()
    assert "the body ran" in build.log


def test_an_interruption_long_after_the_librarys_time_that_says_nothing_is_an_abort(
    run_build: RunBuild, library: Path
) -> None:
    build = run_build(STUCK, library=stuck(library, -1000), isSilent=True)
    assert "the body ran" not in build.log
    assert build.thrown is not None


@pytest.mark.parametrize("label", ["started", "SUCCESS"])
def test_a_users_abort_behind_the_librarys_time_is_an_abort(label: str, run_build: RunBuild, library: Path) -> None:
    fault = {"step": "sh", "label": label, "when": "late", "thrown": "abort", "seconds": 0.1}
    build = run_build(STUCK, library=stuck(library, -20), faults=[fault])
    assert ("the body ran" in build.log) == (label == "SUCCESS")
    assert build.thrown is not None
    assert build.thrown["message"] == "Aborted by Ada"


@pytest.mark.parametrize(
    ("given", "starts"), [("gateWait: 1", False), ("gateWait: 0", True), ("gate: 'off', gateWait: 1", True)]
)
def test_patience_that_ends_while_the_gate_is_waited_for_lets_nothing_start(
    given: str, starts: bool, run_build: RunBuild, library: Path
) -> None:
    build = run_build(STUCK.replace("event:", f"{given}, event:"), library=stuck(library, -1000))
    assert ("the body ran" in build.log) == starts
    assert (build.thrown is None) == starts
    if build.thrown is not None:
        said = "versioner-ci: the gate was waited for, and the tracker has not let this deployment start"
        assert build.thrown["message"] == said


def test_the_librarys_patience_is_longer_than_the_longest_wait(run_build: RunBuild, library: Path) -> None:
    core = library / "src/io/versioner/Core.groovy"
    first = "Answer answer = run("
    core.write_text(core.read_text().replace(first, f"say('patience ' + seconds); {first}"))
    call = CALL.replace("event:", "gateWait: 1440, timeout: 600, event:")
    build = run_build(f"node {{ {call} {{ }} }}", library=library)
    build.fail()
    assert int(build.ours[0].rpartition(" ")[2]) >= 1440 * 60 + 600 + 120


def test_an_abort_is_told_from_a_hang(run_build: RunBuild, tracker: Recorder) -> None:
    """The abort comes long before the time of the call that hangs is over."""
    tracker.answer_next(503, delay=2.5)
    fault = {"step": "sh", "label": "started", "when": "during", "thrown": "abort", "seconds": 0.5}
    build = run_build(f"node {{ {CALL} {{ echo 'the body ran' }} }}", faults=[fault], env={"VERSIONER_TIMEOUT": "4"})
    assert "the body ran" not in build.log
    assert build.thrown is not None
    assert build.thrown["type"].endswith("FlowInterruptedException")


HOSTILE = "$(touch pwned)`touch pwned`'\";touch pwned;#\\${VERSIONER_API_KEY}%PATH%\n--dry-run <!channel>"


def test_hostile_text_runs_nothing_and_arrives_as_text(run_build: RunBuild, tracker: Recorder, tmp_path: Path) -> None:
    text = "new String('" + HOSTILE.encode().hex() + "'.decodeHex(), 'UTF-8')"
    build = run_build(
        f"def text = {text}; node {{ withVersioner(event: 'deployment', product: text, environment: text, key: text, "
        f"version: text, metadata: [note: text], credentialsId: 'tracker-key') {{ error text }} }}"
    )
    body = tracker.events[1].body
    assert (tracker.states(), body["extra_metadata"]["note"]) == (["started", "failed"], HOSTILE)
    assert "touch pwned" in body["extra_metadata"]["error"]
    assert not list(tmp_path.rglob("pwned"))
    assert KEY not in json.dumps(body)
    assert build.thrown is not None
    assert build.thrown["message"] == HOSTILE


@pytest.mark.parametrize("mode", ["cps", "cps-sandbox"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("event: 'release'", "event must be 'deployment' or 'build': nothing is reported"),
        ("product: 'shop'", "event must be 'deployment' or 'build': nothing is reported"),
        ("event: 'build', prodcut: 'x'", "unknown options, ignored: prodcut (known: event, approval, trusted, product"),
        ("event: 'build', status: 'x'", "unknown options, ignored: status"),
    ],
)
def test_a_call_that_is_wrong_is_a_warning(given: str, said: str, mode: str, run_build: RunBuild) -> None:
    build = run_build(f"node {{ withVersioner({given}) {{ echo 'the body ran' }} }}", mode)
    build.fail()
    assert f"versioner-ci: warning: {said}" in build.text
    assert "the body ran" in build.log


ODD = """
    class Odd {
        @NonCPS
        @Override
        String toString() {
            throw new IllegalStateException('no text')
        }
    }"""


@pytest.mark.parametrize(
    "step", ["withVersioner(GIVEN) { echo 'the body ran' }", "versionerReport(GIVEN, status: 'started')"]
)
def test_an_option_of_any_type_can_be_given_and_is_not_held(step: str, run_build: RunBuild, tracker: Recorder) -> None:
    given = (
        "event: 'build', product: new StringBuilder('shop'), metadata: [a: new Object()], credentialsId: 'tracker-key'"
    )
    build = run_build(f"node {{ {step.replace('GIVEN', given)} }}", "restart")
    build.fail()
    assert tracker.states()[0] == "started"
    assert tracker.events[0].body["product_name"] == "shop"


@pytest.mark.parametrize("mode", ["cps", "restart", "cps-sandbox"])
def test_options_that_cannot_be_read_are_one_warning(mode: str, run_build: RunBuild, tracker: Recorder) -> None:
    given = CALL.replace("event:", "version: new Odd(), key: new Odd(), event:")
    build = run_build(f"{ODD}\nnode {{ {given} {{ echo 'the body ran' }} }}", mode)
    build.fail()
    assert [line for line in build.ours if "warning" in line] == [
        "versioner-ci: warning: options that cannot be read, ignored: version, key"
    ]
    assert tracker.states() == ["started", "completed"]


def test_a_status_that_cannot_be_read_is_no_ending(run_build: RunBuild, tracker: Recorder) -> None:
    run_build(f"{ODD}\nnode {{ versionerReport(event: 'build', product: 'shop', status: new Odd()) }}").fail()
    assert tracker.requests == []


def test_a_gate_that_cannot_be_read_may_have_said_required(run_build: RunBuild) -> None:
    fault = broken("sh", "io")
    call = CALL.replace("event:", "gate: new Odd(), event:")
    build = run_build(f"{ODD}\nnode {{ {call} {{ echo 'the body ran' }} }}", faults=[fault])
    assert "the body ran" not in build.log


def test_a_call_without_any_option_is_a_warning_too(run_build: RunBuild) -> None:
    build = run_build("node { withVersioner { echo 'the body ran' }; versionerReport() }")
    build.fail()
    assert "the body ran" in build.log
    assert len(build.ours) == 2


def test_no_secret_is_shown_or_left(run_build: RunBuild, tracker: Recorder, tmp_path: Path) -> None:
    build = run_build(f"node {{ {CALL} {{ sh 'env; exit 1' }} }}", env={"VERSIONER_VERBOSE": "1"})
    assert tracker.states() == ["started", "failed"]
    assert KEY not in build.text
    assert "VERSIONER_API_KEY" not in build.text.replace("api_key, from VERSIONER_API_KEY", "")
    held = [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert held == []


def test_the_body_sees_nothing_of_the_librarys_variables_but_its_leg(run_build: RunBuild) -> None:
    build = run_build(f"node {{ {CALL} {{ sh 'env' }} }}")
    build.fail()
    names = {line.partition("=")[0] for line in build.log if line.startswith(("VERSIONER_", "SLACK_"))}
    assert names == {"VERSIONER_API_URL", "VERSIONER_LEG"}
