"""The lint of Groovy: no text with an expression in it passes, in whatever quotes it stands."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.jenkins.controller import ROOT, TOOLS

SECRET = "${VERSIONER_API_KEY}"
FORMS = {
    "quoted": f'"curl -H {SECRET}"',
    "bare": '"curl -H $VERSIONER_API_KEY"',
    "dotted": '"curl -H $env.VERSIONER_API_KEY"',
    "lines": f'"""\ncurl -H {SECRET}\n"""',
    "slashy": f"/curl -H {SECRET}/",
    "slashes": f"/curl\n-H {SECRET}/",
    "dollar": f"$/curl -H {SECRET}/$",
    "nested": f'[a: ["x" + "curl -H {SECRET}"]].toString()',
    "closure": f'[1].each {{ Object it -> sh "curl -H {SECRET}" }}',
    "argument": f"sh(script: \"curl -H {SECRET}\", label: 'x')",
}
FREE = {"plain": "'curl -H $VERSIONER_API_KEY'", "texts": "'''\n" + SECRET + "\n'''", "cost": '"five dollars"'}


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the lint says of a file of each form: all in one run."""
    if not (TOOLS / ".stamp").exists():
        pytest.skip("run script/install_jenkins_tools")
    folder = tmp_path_factory.mktemp("linted")
    for name, code in {**FORMS, **FREE}.items():
        (folder / f"{name}.groovy").write_text(f"void call() {{\n    run({code})\n}}\n")
    done = subprocess.run(
        [ROOT / "script/lint_groovy", folder], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 1, done.stderr
    return dict(re.findall(r"^File: \S*?(\w+)\.groovy\n((?:    .*\n)+)", done.stderr, re.MULTILINE))


@pytest.mark.parametrize("form", FORMS)
def test_a_text_with_an_expression_in_it_fails(form: str, violations: dict[str, str]) -> None:
    assert "Rule=NoGString" in violations[form]


@pytest.mark.parametrize("form", FREE)
def test_a_text_without_passes(form: str, violations: dict[str, str]) -> None:
    assert "NoGString" not in violations.get(form, "")
