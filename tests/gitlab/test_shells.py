"""Every shell × status × fault: a job ends as it would without the hooks, a rejection and gate `required` excepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.gitlab.conftest import MakeRunner
from tests.gitlab.jobs import SHELLS, Ran, Runner, job
from tests.support.raw_server import RawServer, hang, refused
from tests.support.recorder import Recorder

ENDINGS = {"success": "completed", "failed": "failed", "canceled": "aborted", "timedout": "failed"}
SCRIPTS = {
    "success": "echo deploying",
    "failed": "echo deploying; exit 3",
    "canceled": "kill -TERM $$",
    "timedout": "kill -TERM $$",
}
FAULTS = ("none", "no core", "no python", "down", "hanging", "rejecting", "hostile", "broken core")
HOSTILE = {
    "VERSIONER_INPUT_PRODUCT": "a'b\"c$(touch pwned)`touch pwned`;touch pwned\nd\\",
    "VERSIONER_INPUT_VERSION": "-x ${IFS} $HOME * [a] \t%s %n",
    "CI_JOB_NAME": "deploy: [$(touch pwned), 'x']",
    "CI_COMMIT_BRANCH": 'a";touch pwned;"',
    "CI_COMMIT_REF_NAME": "x<<EOF",
    "CI_ENVIRONMENT_NAME": "prod'; touch pwned; '",
    "GITLAB_USER_LOGIN": "$(touch pwned)",
}
QUICK = {("dash", "success", fault) for fault in FAULTS if fault != "hanging"}
QUICK |= {("bash", "failed", "none"), ("busybox", "canceled", "none"), ("busybox", "timedout", "no core")}
CASES = [
    pytest.param(shell, status, fault, marks=() if (shell, status, fault) in QUICK else pytest.mark.slow)
    for shell in SHELLS
    for status in ENDINGS
    for fault in FAULTS
]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def prepared(fault: str, shell: str, make: MakeRunner, tracker: Recorder, stack: ExitStack) -> Runner:
    """A runner that meets the fault."""
    if fault in {"no core", "no python"}:
        return make(shell, core=False, python=fault == "no core")
    if fault == "down":
        return make(shell, VERSIONER_API_URL=stack.enter_context(refused()), VERSIONER_TIMEOUT="0.5")
    if fault == "hanging":
        server = stack.enter_context(RawServer(hang()))
        return make(shell, VERSIONER_API_URL=server.url, VERSIONER_TIMEOUT="1")
    if fault == "broken core":
        runner = make(shell)
        (runner.tools / "versioner-ci").write_text("#!/nonexistent/python\n")
        return runner
    if fault == "rejecting":
        tracker.reject()
    return make(shell, **(HOSTILE if fault == "hostile" else {}))


def without_hooks(definition: dict[str, Any]) -> dict[str, Any]:
    return {**definition, "before_script": [], "after_script": []}


@pytest.mark.parametrize(("shell", "status", "fault"), CASES)
def test_a_job_ends_as_it_would_without_the_hooks(
    shell: str, status: str, fault: str, runner: MakeRunner, tracker: Recorder, stack: ExitStack
) -> None:
    definition = job(script=[SCRIPTS[status]], environment="production")
    of_runner = prepared(fault, shell, runner, tracker, stack)
    bare = of_runner.begin(without_hooks(definition))
    ran = of_runner.run(definition, status)
    assert ran.after.code == 0
    assert not list(of_runner.cwd.glob("pwned*"))
    if fault == "rejecting":
        assert (ran.code, ran.main.out, tracker.events) == (5, "", [])
        assert "rejected by rule 'no-friday-deploys'" in ran.main.err
    else:
        assert (ran.code, ran.main.out) == (bare.code, bare.out)
        check_what_was_said(fault, ran, tracker, ENDINGS[status])


def check_what_was_said(fault: str, ran: Ran, tracker: Recorder, ending: str) -> None:
    if fault in {"none", "hostile"}:
        assert tracker.types() == ["deployment.started", f"deployment.{ending}"]
        assert len({event.lifecycle for event in tracker.events}) == 1
        return
    assert tracker.requests == []
    for part in (ran.main, ran.after):
        assert [line for line in part.err.splitlines() if line.startswith("versioner-ci: warning: ")]
        assert "Traceback" not in part.err
    if fault == "hanging":
        assert ran.main.seconds < 1 + 1
        assert ran.after.seconds < 3 + 1
    if fault in {"no core", "no python"}:
        assert all(len(part.err.splitlines()) == 1 for part in (ran.main, ran.after))


def test_hostile_values_arrive_as_they_are(shell: str, runner: MakeRunner, tracker: Recorder) -> None:
    runner(shell, **HOSTILE).run(job(environment="ignored"))
    body = tracker.events[0].body
    assert body["environment_name"] == HOSTILE["CI_ENVIRONMENT_NAME"]
    assert body["scm_branch"] == HOSTILE["CI_COMMIT_BRANCH"]
    assert "$(touch pwned)`touch pwned`;touch pwned" in body["product_name"]
    assert "${IFS} $HOME * [a]" in body["version"]


@pytest.mark.slow
@pytest.mark.parametrize("options", ["set -u", "set -f", "set -C", "set -eu; IFS=x", "umask 777", "cd /"])
def test_hooks_work_whatever_the_job_has_set(options: str, shell: str, runner: MakeRunner, tracker: Recorder) -> None:
    definition = job(environment="production")
    changed = {**definition, "before_script": [options, *definition["before_script"]]}
    assert runner(shell).run(changed).code == 0
    assert tracker.states() == ["started", "completed"]


def test_nothing_of_a_hook_reaches_the_job(shell: str, runner: MakeRunner) -> None:
    # `set` shows variables and, in bash, functions; what the shell itself keeps there changes from line to line.
    own = "_|BASH_|FUNCNAME|LINENO|PIPESTATUS|PPID|OPTIND"
    look = f"set | grep -E '^[A-Za-z_]+=' | grep -Ev '^({own})'; echo $-; command -v versioner_hook || :"
    definition = job(script=[look], environment="production")
    of_runner = runner(shell)
    assert of_runner.begin(definition).out == of_runner.begin(without_hooks(definition)).out


def test_a_shell_that_was_given_variables_by_the_job_is_not_asked_for_its_own(
    shell: str, runner: MakeRunner, tracker: Recorder
) -> None:
    """A variable is stronger than an input."""
    definition = job(inputs={"product": "of the include", "version": "1"}, environment="production")
    runner(shell, VERSIONER_PRODUCT="of the variable").run(definition)
    assert {(event.body["product_name"], event.body["version"]) for event in tracker.events} == {
        ("of the variable", "1")
    }


@pytest.mark.slow
@pytest.mark.parametrize("status", ["", "on_fire"])
def test_a_status_that_is_no_ending_is_a_warning(
    status: str, shell: str, runner: MakeRunner, tracker: Recorder
) -> None:
    ran = runner(shell).run(job(environment="production"), status)
    assert ran.after.code == 0
    assert f"versioner-ci: warning: --host-status: unknown status '{status}'" in ran.after.err
    assert tracker.states() == ["started"]


def test_hooks_need_neither_a_status_nor_a_home(shell: str, runner: MakeRunner, tracker: Recorder) -> None:
    definition = job(script=["exit 3"], environment="production")
    bare = "set -eu; unset HOME XDG_STATE_HOME XDG_CACHE_HOME XDG_CONFIG_HOME"
    changed = {
        **definition,
        "before_script": [bare, *definition["before_script"]],
        "after_script": [bare, "unset CI_JOB_STATUS", *definition["after_script"], "echo last"],
    }
    ran = runner(shell).run(changed)
    assert (ran.code, ran.after.code, ran.after.out) == (3, 0, "last\n")
    assert "unknown status ''" in ran.after.err
    assert tracker.states() == ["started"]
