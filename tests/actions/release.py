"""This repository as a release tag has it, with `vendor/`, and as a branch has it; made without any network."""

from __future__ import annotations

import os
import shutil
from importlib import metadata
from pathlib import Path

from tests.gitlab.packages import DEPENDENCIES, ROOT

ACTIONS = Path(os.environ.get("TESTS_ACTIONS") or ROOT / "actions")
"""script/mutants names a broken copy."""


def branch(folder: Path) -> Path:
    """What the actions need of a branch: a copy, so that nothing is written into this repository."""
    ignored = shutil.ignore_patterns("__pycache__")
    for source in (ACTIONS, ROOT / "src", ROOT / "requirements"):
        shutil.copytree(source, folder / source.name, ignore=ignored)
    return folder


def release(folder: Path) -> Path:
    """With the libraries beside it, in pure Python."""
    branch(folder)
    for name in DEPENDENCIES:
        for file in metadata.files(name) or ():
            if file.suffix in {".py", ".pem", ".typed"} and ".." not in file.parts:
                target = folder / "vendor" / str(file)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    return folder
