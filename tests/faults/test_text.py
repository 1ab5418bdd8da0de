"""Rows 39 and 45 to 47: streams that are closed or narrow, and text from a hostile environment."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.support.faults import COMMAND, Fault
from tests.support.process import Result
from tests.support.recorder import Recorder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="descriptors and byte strings of POSIX")

ROCKET = ("report", "build", "started", "--product", "\U0001f680", "--version", "1", "--json", "--timeout", "5")
SHELL = ("bash", "-c")


def ended(fault: Fault, script: str, *args: str, env: dict[str, str | None] | None = None) -> Result:
    """The command started by a shell that does something to its streams."""
    return fault(*args, prefix=(*SHELL, script, "bash"), env=env, budget=5)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param('exec "$@" >&-', id="fault-39 stdout closed"),
        pytest.param('exec "$@" 2>&-', id="fault-39 stderr closed"),
        pytest.param('exec "$@" >&- 2>&- <&-', id="fault-39 all closed"),
        pytest.param('exec "$@" >/dev/full 2>/dev/full', id="fault-39 nothing can be written"),
        pytest.param('"$@" > >(exec true) 2>&1; code=$?; exit $code', id="fault-39 nobody reads"),
        pytest.param('exec "$@" >/dev/null', id="fault-39 nobody wants it"),
    ],
)
def test_streams_that_take_nothing_change_nothing(fault: Fault, tracker: Recorder, script: str) -> None:
    ended(fault, script, *ROCKET)
    assert tracker.states() == ["started"]
    assert fault.kept() == []


def test_fault_39_a_reader_that_goes_away_early_is_no_failure(fault: Fault, tracker: Recorder) -> None:
    process = fault.start(*ROCKET).process
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(20) == 0
    assert tracker.states() == ["started"]


NARROW = {
    "POSIX": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LANG": None},
    "C": {"LC_ALL": "C"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "latin-1": {"PYTHONIOENCODING": "latin-1:strict"},
}


@pytest.mark.parametrize("env", [pytest.param(env, id=f"fault-39 {name}") for name, env in NARROW.items()])
def test_a_narrow_terminal_gets_escapes_and_the_tracker_the_text(
    fault: Fault, tracker: Recorder, env: dict[str, str | None]
) -> None:
    result = fault(*ROCKET, "--verbose", env=env)
    assert json.loads(result.out)["product"] == "\U0001f680"
    if env.get("PYTHONIOENCODING"):
        assert "'\\U0001f680'" in result.err
    assert tracker.events[0].body["product_name"] == "\U0001f680"


HOSTILE = {
    "newlines": "a\nversioner-ci: warning: b\n::error::c",
    "carriage return": "a\r::error::b",
    "escape": "a\x1b[2J\x1b]0;b\x07c",
    "emoji": "\U0001f469\u200d\U0001f680 \U0001f680",
    "command": "::set-output name=a::b",
    "shell": '$(id)"; id; "`id`',
    "Slack": "<!channel> & <@U1>",
    "percent": "%0A::error::a",
    "long": "long" * 25_000,
    "bidi": "a\u202eb \u200bc",
    "separators": "a\u2028b\u2029c\x85d",
}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_JOB": "build",
    "GITHUB_REPOSITORY": "octo/shop",
    "GITHUB_REF": "refs/heads/main",
}


def assert_lines_are_ours(result: Result) -> None:
    """Nothing from outside starts a line, moves a cursor or commands the CI host."""
    ours = ("versioner-ci: ", "::warning title=versioner-ci::", "::notice title=versioner-ci::")
    assert [line for line in result.err.splitlines() if not line.startswith(ours)] == []
    assert not set(result.err) & set("\x1b\x07\r\x85\u2028\u2029")
    assert len(result.err) < 20_000


@pytest.mark.parametrize("value", [pytest.param(value, id=f"fault-45 {name}") for name, value in HOSTILE.items()])
def test_hostile_text_stays_text(fault: Fault, tracker: Recorder, value: str) -> None:
    outputs, summary = fault.folder / "outputs", fault.folder / "summary"
    env = {
        **GITHUB,
        "GITHUB_OUTPUT": str(outputs),
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_WORKFLOW": value,
        "GITHUB_ACTOR": value,
        "GITHUB_REF": f"refs/heads/{value}",
        "VERSIONER_PRODUCT": value,
        "VERSIONER_VERSION": value,
        "VERSIONER_METADATA": json.dumps({"from outside": value}),
    }
    result = fault("report", "build", "started", "--error", value, "--json", "--verbose", env=env)
    assert_lines_are_ours(result)
    said = json.loads(result.out)
    assert said["outcome"] == "accepted"
    body = tracker.events[0].body
    assert body["product_name"][:20].strip() == value.strip()[:20].strip()
    assert len(body["scm_branch"]) <= 255
    assert body["extra_metadata"]["from outside"][:60] == value[:60]
    assert summary.read_text().count("\n\n") <= 3, "one line for each thing that is said"
    assert_outputs_hold(outputs.read_text(), status="started", ok="true")


def assert_outputs_hold(text: str, **wanted: str) -> None:
    """GitHub's NAME<<MARK form, read as the runner reads it."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, mark = line.split("<<")
        value: list[str] = []
        while (following := next(lines)) != mark:
            value.append(following)
        found[name] = "\n".join(value)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, id=f"fault-46 {name}") for name in ("VERSIONER_VERSION", "GITHUB_ACTOR", "GITHUB_WORKFLOW")],
)
def test_bytes_that_are_no_text_are_replaced(fault: Fault, tracker: Recorder, name: str) -> None:
    env: dict[Any, Any] = {os.fsencode(key): os.fsencode(value) for key, value in {**fault.env, **GITHUB}.items()}
    env[name.encode()] = b"caf\xe9 \xff\xed\xa0\x80"
    done = subprocess.run(
        [str(COMMAND), *ROCKET[:3], "--json", "--verbose"],
        env=env,
        cwd=fault.repo.path,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    tracker.events[-1].raw.decode("utf-8")
    assert "caf\ufffd" in json.dumps(tracker.events[-1].body, ensure_ascii=False)


def test_fault_46_an_author_that_is_no_text_is_replaced(fault: Fault, tracker: Recorder) -> None:
    fault.repo.git("config", "user.name", "caf\udce9")
    fault.repo.git("checkout", "--quiet", "-b", "caf\udce9")
    fault("report", "build", "started", "--identity", "full", kept=[])
    tracker.events[-1].raw.decode("utf-8")


def test_fault_47_a_longer_variable_is_refused_by_the_system_itself(fault: Fault) -> None:
    with pytest.raises(OSError, match="Argument list too long"):
        fault.start("context", env={"VERSIONER_METADATA": "x" * (1 << 20)})


@pytest.mark.parametrize("way", [pytest.param(way, id=f"fault-47 by {way}") for way in ("file", "stdin")])
def test_large_metadata_goes_by_file_or_stdin(fault: Fault, tracker: Recorder, way: str) -> None:
    text = json.dumps({"small": "kept", **{f"large{n}": "x" * 7_000 for n in range(30)}})
    assert len(text) > 200_000
    path = fault.folder / "metadata.json"
    path.write_text(text)
    given = f"@{path}" if way == "file" else "-"
    result = fault(
        "report", "build", "started", "--metadata-json", given, budget=5, stdin=text.encode() if way == "stdin" else b""
    )
    assert "left out" in result.err
    metadata = tracker.events[0].metadata
    assert metadata["small"] == "kept"
    assert len(tracker.events[0].raw) < 256 * 1024


FAILING = """
from versioner_ci import sinks
def fail(config, *_):
    raise RuntimeError(config.api_key)
sinks.build = fail
"""


@pytest.mark.parametrize("options", [(), ("--verbose",)], ids=["quiet", "with a traceback"])
def test_a_fault_of_our_own_shows_no_secret(fault: Fault, tracker: Recorder, options: tuple[str, ...]) -> None:
    env = fault.patched(FAILING)
    process = fault.start("report", "build", "started", *options, env=env).process
    out, err = (text.decode() for text in process.communicate(timeout=20))
    assert process.returncode == 1
    assert ("Traceback" in out + err) is bool(options)
    fault.assert_no_secret(Result(code=1, out=out, err=err, seconds=0))
    assert "***" in out + err
    assert fault.kept() == ["backend build.started"], "it was on disk before anything could go wrong"
