"""The library's form: options that the core knows, help for each, a whitelist that is used, what two shells share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.jenkins.conftest import RunBuild
from tests.jenkins.controller import LIBRARY, ROOT, whitelist
from tests.support.recorder import Recorder
from versioner_ci.cmd_report import REASONS
from versioner_ci.settings_table import SETTINGS
from versioner_ci.status import WORDS, Kind, State

RESOURCES = LIBRARY / "resources/io/versioner"
GROOVY = sorted(LIBRARY.rglob("*.groovy"))
OPTIONS = (LIBRARY / "src/io/versioner/Options.groovy").read_text(encoding="utf-8")
# Options that share no name with their setting.
NAMES = {"apiUrl": "api-url", "slackChannel": "slack-channels", "gateWait": "gate-wait", "failOnError": "fail-on-error",
         "skipPreflight": "skip-preflight", "metadata": "metadata-json", "credentialsId": "api-key",
         "slackCredentialsId": "slack-token"}  # fmt: skip


def table(name: str) -> dict[str, str]:
    """One of the tables in Options.groovy."""
    text = OPTIONS[OPTIONS.index(f" {name} = [") :].partition("]")[0]
    return dict(re.findall(r"(\w+): '(\w+)'", text))


def helps(step: str) -> dict[str, str]:
    text = (LIBRARY / f"vars/{step}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"<dt>(\w+)</dt><dd>(.*)</dd>", text))


@pytest.mark.parametrize("option", [*table("VARIABLES"), *table("CREDENTIALS")])
def test_an_option_is_a_setting_of_the_core_by_its_own_variable(option: str) -> None:
    [row] = [row for row in SETTINGS if row.name.replace("_", "-") == NAMES.get(option, option)]
    variable = {**table("VARIABLES"), **table("CREDENTIALS")}[option]
    assert variable in row.env


def test_a_step_knows_the_options_that_its_help_names() -> None:
    both = {"event", "trusted", *table("VARIABLES"), *table("CREDENTIALS"), *table("HOOK")}
    assert set(helps("withVersioner")) == both | {"approval"}
    assert set(helps("versionerReport")) == both | {"status"} | set(table("OF_ONE_EVENT"))


def test_the_helps_agree_and_name_what_the_core_takes() -> None:
    one, other = helps("withVersioner"), helps("versionerReport")
    assert [name for name in one.keys() & other.keys() - {"key", "failOnError"} if one[name] != other[name]] == []
    assert all(re.search(rf"\b{reason}\b", other["reason"]) for reason in REASONS)


def test_every_word_for_a_deployments_start_is_known() -> None:
    [listed] = re.findall(r"STARTS = \[(.*)\]", OPTIONS)
    starts = {row.word for row in WORDS if row.state is State.STARTED and row.kind in {None, Kind.DEPLOYMENT}}
    assert set(re.findall(r"'(\w+)'", listed)) == starts


def test_every_word_of_jenkins_is_one_that_the_core_knows() -> None:
    known = {row.word for row in WORDS}
    results = re.findall(r"[A-Z_]+", (ROOT / "tests/jenkins/project/stubs/hudson/model/Result.groovy").read_text()
                         .partition("{")[2])  # fmt: skip
    assert {word.lower() for word in results} <= known
    assert len(results) == 5


def test_whatever_of_the_library_is_held_across_steps_is_saved_and_read_again(
    run_build: RunBuild, tracker: Recorder
) -> None:
    """The whole program goes to bytes and back at each step; a Gate has no instances."""
    tracker.reject(environment="closed")
    call = "withVersioner(event: 'deployment', product: 'shop', credentialsId: 'tracker-key'"
    build = run_build(
        f"""node {{
            {call}, environment: 'open', approval: {{ input 'Deploy?' }}) {{ sh 'true' }}
            try {{ {call}, environment: 'open') {{ sh 'exit 3' }} }} catch (Exception failed) {{ echo 'failed' }}
            try {{ {call}, environment: 'closed') {{ }} }} catch (Exception rejected) {{ echo 'rejected' }}
            versionerReport(event: 'build', product: 'shop', status: 'started', credentialsId: 'tracker-key')
        }}""",
        "restart",
    )
    build.fail()
    assert tracker.states() == ["pending", "started", "completed", "started", "failed", "started"]
    assert build.saved == {path.stem for path in GROOVY if path.parent.name == "versioner"} - {"Gate"}


@pytest.mark.parametrize("path", GROOVY, ids=lambda path: path.name)
def test_no_step_stands_where_none_may(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (15 if path.parent.name == "vars" else 250)
    for method in re.findall(r"@NonCPS\n(?:    .*\n)*?    \}", text):
        assert "script." not in method  # no step may be taken there


def test_no_step_stands_in_a_constructor() -> None:
    """Constructors are never transformed: a step in one would end the program."""
    for path in GROOVY:
        for body in re.findall(rf"    {path.stem}\([^)]*\) \{{\n(.*?)\n    \}}", path.read_text(), re.DOTALL):
            assert all(re.fullmatch(r"\s+this\.\w+ = [\w ().?:,'\[\]=]+", line) for line in body.splitlines()), (
                path.name
            )


def test_each_line_of_the_whitelist_is_used(run_build: RunBuild, library: Path, tracker: Recorder) -> None:
    common = "product: 'shop', environment: 'production', credentialsId: 'tracker-key'"
    call = f"withVersioner(event: 'deployment', {common}"
    resources = library / "resources/io/versioner"
    (resources / "versioner-ci.pyz").write_bytes(b"")
    (resources / "versioner-ci.pyz.sha256").write_text("0" * 64)
    tracker.reject(environment="closed")
    jenkinsfile = f"""node {{
        {call}, gate: 'on', timeout: 5, gateWait: '1', metadata: [a: 1], slackChannel: ['#a'], strange: 1) {{ }}
        try {{ {call.replace("production", "closed")}) {{ }} }} catch (Exception any) {{ }}
        withEnv(['VERSIONER_DISABLED=1']) {{
            for (thrown in ['abort', 'error', 'runtime']) {{
                try {{ {call}) {{ throw thrown(thrown) }} }} catch (Exception any) {{ }}
            }}
            try {{ {call}) {{ sh 'exit 3' }} }} catch (Exception any) {{ }}
            try {{ {call}) {{ error 'x' * 40000 }} }} catch (Exception any) {{ }}
            versionerReport(event: 'deployment', {common}, status: 'pending')
        }}
    }}"""
    used = run_build(jenkinsfile, "cps-sandbox", library=library).used
    used |= run_build(f"node {{ {call}) {{ }} }}", "cps-sandbox", library=library, core=False).used
    fault = {"step": "sh", "label": "SUCCESS", "when": "before", "thrown": "abort"}
    off = {"VERSIONER_DISABLED": "1"}
    used |= run_build(f"node {{ {call}) {{ }} }}", "cps-sandbox", library=library, faults=[fault], env=off).used
    assert set(whitelist()) - used == set()


ADDED = "staticMethod org.codehaus.groovy.runtime"
FORBIDDEN = {
    "new File('x')": "new java.io.File java.lang.String",
    "System.getenv('HOME')": "staticMethod java.lang.System getenv java.lang.String",
    "body.owner": "method groovy.lang.Closure getOwner",
    "body.delegate = 1": "method groovy.lang.Closure setDelegate java.lang.Object",
    "'x'.getClass().classLoader": "method java.lang.Class getClassLoader",
    "'x'.@value": "field java.lang.String value",
    "'x'.execute()": f"{ADDED}.DefaultGroovyMethods execute java.lang.String",
    "[1][0]": f"{ADDED}.DefaultGroovyMethods getAt java.util.List int",
    "[1][0] = 2": f"{ADDED}.DefaultGroovyMethods putAt java.util.List int java.lang.Object",
    "Integer.MAX_VALUE": "staticField java.lang.Integer MAX_VALUE",
}


@pytest.mark.parametrize("mode", ["sandbox", "cps-sandbox"])
def test_the_sandbox_of_these_tests_holds_what_is_not_on_the_list(
    mode: str, run_build: RunBuild, library: Path
) -> None:
    lines = "\n".join(f"if (number == {number}) {{ {code} }}" for number, code in enumerate(FORBIDDEN))
    (library / "vars/probe.groovy").write_text(f"void call(int number, Closure body) {{\n{lines}\n}}\n")
    each = (
        f"(0..<{len(FORBIDDEN)}).each {{ number -> try {{ probe(number) {{ }} }} catch (SecurityException no) {{ }} }}"
    )
    build = run_build(each, mode, library=library, may_forbid=True)
    assert build.forbidden == set(FORBIDDEN.values())


def test_the_scripts_share_one_order_of_sources_and_one_form_of_answer() -> None:
    """PowerShell is not on this machine: what it would run is read, not run."""
    shell, power = ((RESOURCES / name).read_text(encoding="utf-8") for name in ("report.sh", "report.ps1"))
    variables = [set(re.findall(r"VERSIONER_\w+", text)) for text in (shell, power)]
    assert variables[0] == variables[1]
    for word in ("absent", "shut"):
        assert re.search(rf"\b(leave|Stop-Hook) '?{word}", shell)
        assert re.search(rf"\bStop-Hook '{word}'", power)
    sources = r"versioner-ci report.*?\.pyz.*?-m versioner_ci"
    assert re.search(sources, shell, re.DOTALL)
    assert re.search(sources, power, re.DOTALL)
    messages = [set(re.findall(r"warning: [a-z][^'\"$]{20,}|switched off by \w+", text)) for text in (shell, power)]
    assert messages[0] == messages[1]


def test_powershells_brackets_and_quotes_are_closed() -> None:
    text = re.sub(r"(?m)^\s*#.*$", "", (RESOURCES / "report.ps1").read_text(encoding="utf-8"))
    code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", text)
    assert not set("'\"`") & set(code)
    closing = {")": "(", "}": "{", "]": "["}
    still_open: list[str] = []
    for letter in code:
        if letter in closing.values():
            still_open.append(letter)
        elif letter in closing:
            assert still_open.pop() == closing[letter]
    assert still_open == []


@pytest.mark.parametrize("name", ["report.sh", "report.ps1"])
def test_a_script_traces_nothing_and_evaluates_nothing(name: str) -> None:
    text = (RESOURCES / name).read_text(encoding="utf-8")
    assert not re.search(r"\b(eval|Invoke-Expression|iex|set -x|Set-PSDebug)\b", text)
    assert name.endswith(".ps1") or text.index("set +ex") < text.index("VERSIONER_DISABLED")
