"""A repository and git's environment; no git is left running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.repository import end_all, environment, make


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    make(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return environment(home)
