"""docs/github.md and the README tell what the actions have; each of their workflows is one that GitHub would take."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.actions.act import ROOT, WORKFLOWS, Workshop, found
from tests.actions.test_contract import ACTIONS
from tests.support.recorder import Recorder
from tests.test_docs_pages import PAGES, Block, blocks_of, read

PAGE = ROOT / "docs/github.md"
BIN = Path(sys.executable).parent
OURS = "OWNER/versioner-ci/actions/"
_HEAD = (
    "on:\n  push:\n    branches: [main]\npermissions:\n  contents: read\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n"
)


def whole(block: Block) -> str:
    """The workflow of an example; steps alone are put into a job."""
    if block.tag != "steps":
        return block.text
    return _HEAD + "".join(f"    {line}\n" for line in block.text.splitlines())


EXAMPLES = [
    block
    for page in PAGES
    for block in blocks_of(page)
    if block.tag == "steps" or block.tag.startswith(".github/workflows/")
]
OWN = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """All examples as files, and this project's own workflows."""
    folder = tmp_path_factory.mktemp("examples") / ".github/workflows"
    folder.mkdir(parents=True)
    for number, block in enumerate(EXAMPLES):
        (folder / f"example{number}.yml").write_text(whole(block))
    (folder.parent / "zizmor.yml").write_text(
        "rules: {unpinned-uses: {config: {policies: {'actions/*': ref-pin, 'OWNER/versioner-ci/*': ref-pin}}}}\n"
    )
    return sorted(folder.glob("*.yml"))


def checked(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_examples_and_the_first_is_short() -> None:
    assert len(EXAMPLES) >= 8
    first = next(blocks_of(PAGE))
    assert len(first.text.splitlines()) <= 8
    assert {block.page for block in EXAMPLES} == {"README.md", "docs/github.md"}


def test_every_example_is_what_github_s_schema_wants(workflows: list[Path]) -> None:
    checked(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows, *OWN)


def test_every_example_passes_actionlint(workflows: list[Path]) -> None:
    checked(found(ROOT / ".tools/github/bin/actionlint"), "-shellcheck=", "-pyflakes=", *workflows, *OWN)


def test_the_audit_finds_nothing_in_any_example(workflows: list[Path]) -> None:
    config = workflows[0].parents[1] / "zizmor.yml"
    checked(BIN / "zizmor", "--offline", "--quiet", "--config", config, workflows[0].parents[2])
    checked(BIN / "zizmor", "--offline", "--quiet", ROOT / ".github", ROOT / "actions")


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.name)
def test_the_workflows_of_the_tests_are_legal_too(path: Path) -> None:
    checked(found(ROOT / ".tools/github/bin/actionlint"), "-shellcheck=", "-pyflakes=", path)


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{block.page} {block.tag}")
def test_every_input_in_an_example_exists_and_the_required_are_given(block: Block) -> None:
    jobs = yaml.safe_load(whole(block))["jobs"].values()
    ours = [step for job in jobs for step in job["steps"] if step.get("uses", "").startswith(OURS)]
    assert ours
    for step in ours:
        inputs = ACTIONS[step["uses"].removeprefix(OURS).partition("@")[0]]["inputs"]
        assert step["with"].keys() <= inputs.keys()
        assert {name for name, spec in inputs.items() if spec.get("required")} <= step["with"].keys()


def test_every_input_and_output_is_told() -> None:
    text = read(PAGE)
    table = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^\| ([a-z, -]+) \| [a-z ]*\| ", text, re.MULTILINE))))
    told = set(re.findall(r"`([a-z-]+)`", text)) | table
    for action in ACTIONS.values():
        assert action["inputs"].keys() | action["outputs"].keys() <= told


def test_our_own_workflows_are_pinned_and_asks_for_no_rights() -> None:
    texts = {path.name: read(path) for path in OWN}
    assert "\npermissions: {}\n" in texts["ci.yml"]
    assert "uses: ./actions/track #" in texts["ci.yml"]
    for uses in re.findall(r"uses: (\S+)", "".join(texts.values())):
        assert uses.startswith("./") or re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", uses)


def test_the_quick_start_works(workshop: Workshop, tracker: Recorder, tmp_path: Path) -> None:
    """The README's is run from a release's tree: tests/release/test_readme.py."""
    [block, *_] = [block for block in EXAMPLES if block.page == "docs/github.md"]
    path = tmp_path / "w.yml"
    path.write_text(whole(block).replace("OWNER/", "acme/").replace("@main", "@v1"))
    (workshop.repo.path / "deploy.sh").write_text("#!/bin/sh\nexit 0\n")
    (workshop.repo.path / "deploy.sh").chmod(0o755)
    ran = workshop.run(path.as_posix())
    assert ran.code == 0, ran.log
    assert tracker.types() == ["deployment.started", "deployment.completed"]
