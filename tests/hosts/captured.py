"""Captured environments: one file per case, named after the host, with every variable of the vendor's page."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "env"
CASES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.env")))
SECRET = "canary"


def load(case: str, **changes: str) -> dict[str, str]:
    """The environment of a case, with some variables set differently."""
    lines = (_FOLDER / f"{case}.env").read_text(encoding="utf-8").splitlines()
    return {**dict(line.split("=", 1) for line in lines if line), **changes}


def host_of(case: str) -> str:
    """The `--host` word of a case."""
    return case.partition("_")[0]
