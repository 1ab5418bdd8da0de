from __future__ import annotations

import pytest

from tests.hosts.captured import load
from versioner_ci import hosts
from versioner_ci.context import CIContext


def test_a_shell_says_who_and_nothing_else() -> None:
    context = hosts.detect(load("local_shell"))
    assert context == CIContext(source_system="local", actor="jdoe")
    assert not context.is_ci


@pytest.mark.parametrize("name", ["USER", "LOGNAME", "USERNAME"])
def test_a_login_has_three_names(name: str) -> None:
    assert hosts.detect({name: "jdoe"}).actor == "jdoe"


def test_a_ci_host_that_is_not_known_is_local() -> None:
    assert hosts.detect({"CI": "true", "DRONE": "true"}).source_system == "local"
