"""Every Groovy example of docs/jenkins.md and README runs: Scripted as it stands, Declarative by what it says."""

from __future__ import annotations

import re

import pytest

from tests.jenkins.conftest import KEY, RunBuild
from tests.support.recorder import Recorder
from tests.test_docs_pages import ROOT, Block, blocks

EXAMPLES = blocks("groovy")


def where(block: Block) -> str:
    return f"{block.page} {EXAMPLES.index(block)}"


@pytest.mark.parametrize("block", EXAMPLES, ids=where)
@pytest.mark.parametrize("result", ["success", "failure"])
def test_an_example_reports_what_it_says(block: Block, result: str, run_build: RunBuild, tracker: Recorder) -> None:
    assert block.tag in {"scripted", "declarative"}
    text = block.text.replace("sh './deploy.sh'", "sh 'true'" if result == "success" else "sh 'exit 3'")
    assert text.startswith("@Library('versioner-ci') _\n")
    text = text.partition("\n")[2].replace("checkout scm", "echo 'checked out'")
    build = run_build(
        text,
        "cps-sandbox",
        credentials={"versioner-key": KEY},
        env={"VERSIONER_PRODUCT": "shop", "GIT_COMMIT": "1" * 40},
        isParallel="parallel(" in text,
    )
    ending = "completed" if result == "success" else "failed"
    legs = block.text.count("sh './deploy.sh'")
    pending = ["pending"] if "approval:" in text or "'pending'" in text else []
    assert sorted(tracker.states()) == sorted([*pending, *["started", ending] * legs]), build.text
    assert (build.thrown is None) == (result == "success")


ASKING = [block for block in EXAMPLES if "input '" in block.text]


@pytest.mark.parametrize("block", ASKING, ids=where)
@pytest.mark.parametrize("thrown", ["rejected", "abort", "timeout"])
def test_an_example_that_asks_leaves_nothing_pending(
    block: Block, thrown: str, run_build: RunBuild, tracker: Recorder
) -> None:
    """Each `node` has a workspace of its own here."""
    fault = {"step": "input", "when": "before", "thrown": thrown}
    text = block.text.partition("\n")[2]
    build = run_build(text, "cps-sandbox", credentials={"versioner-key": KEY}, faults=[fault], isParallel=True)
    assert tracker.states() == ["pending", "aborted"]
    assert len({event.body["extra_metadata"]["vi_lifecycle_id"] for event in tracker.events}) == 1
    assert build.thrown is not None
    assert build.thrown["type"].endswith("FlowInterruptedException")


PRE = re.compile(r"<pre>\n(.*?)</pre>", re.DOTALL)
HELPS = {path.stem: PRE.findall(path.read_text(encoding="utf-8")) for path in (ROOT / "jenkins/vars").glob("*.txt")}


@pytest.mark.parametrize(
    ("step", "states"), [("withVersioner", ["started", "completed"]), ("versionerReport", ["completed"])]
)
def test_the_example_in_a_steps_help_reports_what_it_says(
    step: str, states: list[str], run_build: RunBuild, tracker: Recorder
) -> None:
    [text] = HELPS[step]
    around = "pipeline {{ agent any; stages {{ stage('Deploy') {{ steps {{ sh 'true' }} }} }}; {} }}"
    jenkinsfile = (around if text.startswith("post") else "node {{ {} }}").format(text.replace("./deploy.sh", "true"))
    run_build(jenkinsfile, "cps-sandbox", credentials={"versioner-key": KEY}, env={"VERSIONER_PRODUCT": "shop"}).fail()
    assert tracker.states() == states


def test_the_issues_own_examples_are_there() -> None:
    assert len([block for block in EXAMPLES if block.page == "docs/jenkins.md"]) >= 6
    assert {block.tag for block in EXAMPLES} == {"scripted", "declarative"}


def test_every_option_is_in_both_helps_and_on_the_page() -> None:
    page = (ROOT / "docs/jenkins.md").read_text(encoding="utf-8")
    table = page[page.index("| option | meaning |") :].partition("\n\n")[0]
    named = set(re.findall(r"\w+", " ".join(re.findall(r"^\| ([\w, ]+) \|", table, re.MULTILINE)[1:])))
    helps = [
        set(re.findall(r"<dt>(\w+)</dt>", (ROOT / f"jenkins/vars/{name}.txt").read_text(encoding="utf-8")))
        for name in ("withVersioner", "versionerReport")
    ]
    assert named == helps[0] | helps[1]
