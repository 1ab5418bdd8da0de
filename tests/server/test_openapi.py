"""The API keeps what its description promises: thousands of requests made from it, right and wrong ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import tracker as server

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SETTINGS = "[generation]\nallow-x00 = false\n"
"""NUL is refused anywhere in a body, which a description cannot say of free metadata."""


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing_with_all_its_checks(tmp_path: Path) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    with server.running(str(tmp_path / "tracker.db"), log=tmp_path / "log") as tracker:
        options = ("--checks", "all", "--max-examples", "15", "--phases", "examples,coverage,fuzzing,stateful")
        done = subprocess.run(
            [
                *(str(SCHEMATHESIS), "--config-file", str(settings), "run", f"{tracker.url}/openapi.json"),
                *("-H", f"Authorization: Bearer {tracker.key}", "--generation-deterministic", "--no-color", *options),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6_000:]
    assert "status=5" not in (tmp_path / "log").read_text(encoding="utf-8"), "nothing was a fault of the tracker"
