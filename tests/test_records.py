"""Records are what `dataclasses` would have made of the same lines."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from versioner_ci import records


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    name: str
    count: int = 1
    secret: str = records.field(default="s3cret", repr=False)
    more: Mapping[str, str] = records.field(default_factory=dict)

    @property
    def double(self) -> int:
        return self.count * 2


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    name: str
    count: int = 1
    secret: str = dataclasses.field(default="s3cret", repr=False)
    more: Mapping[str, str] = dataclasses.field(default_factory=dict)


@records.dataclass(frozen=True, slots=True)
class Placed:
    first: int
    second: int = 2


@records.dataclass(slots=True)
class Open:
    value: int = 0


@records.dataclass(frozen=True, slots=True, eq=False)
class Single:
    value: int = 0


def test_values_and_defaults_are_as_given() -> None:
    made = Ours(name="a", count=3)
    assert (made.name, made.count, made.secret, made.more, made.double) == ("a", 3, "s3cret", {}, 6)


def test_each_record_has_a_default_of_its_own() -> None:
    assert Ours(name="a").more is not Ours(name="b").more


def test_the_text_of_a_record_shows_no_secret() -> None:
    assert (
        repr(Ours(name="a")) == repr(Theirs(name="a")).replace("Theirs", "Ours") == "Ours(name='a', count=1, more={})"
    )


def test_a_record_cannot_be_changed() -> None:
    made = Ours(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        made.name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="name"):
        del made.name
    with pytest.raises(AttributeError):
        object.__setattr__(made, "other", 1)


def test_only_what_is_not_frozen_can_be_changed() -> None:
    made = Open()
    made.value = 4
    assert made == Open(4)
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)


def test_records_are_equal_by_their_values_and_their_class() -> None:
    assert Placed(1) == Placed(1, 2) != Placed(1, 3)
    assert hash(Placed(1)) == hash(Placed(1, 2))
    assert Ours(name="a") != Theirs(name="a")


def test_a_record_may_be_equal_to_itself_alone() -> None:
    assert Single() != Single()
    assert len({Single(), Single()}) == 2


@pytest.mark.parametrize("given", [{}, {"name": "a", "other": 1}, {"count": 2}], ids=["none", "unknown", "one missing"])
def test_a_missing_or_unknown_name_is_an_error(given: dict[str, Any]) -> None:
    for made in (Ours, Theirs):
        with pytest.raises(TypeError):
            made(**given)


def test_names_are_told_where_they_must_be() -> None:
    with pytest.raises(TypeError, match="0 positional"):
        Ours("a")  # type: ignore[misc]
    with pytest.raises(TypeError, match="2 positional"):
        Placed(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="first twice"):
        Placed(1, first=2)  # type: ignore[misc]


def test_a_copy_with_other_values_leaves_the_first_alone() -> None:
    first = Ours(name="a", more={"x": "y"})
    second = records.replace(first, name="b")
    assert (first.name, second.name, second.more) == ("a", "b", {"x": "y"})
    with pytest.raises(TypeError, match="nonsense"):
        records.replace(first, nonsense=1)  # type: ignore[call-arg]


def test_the_values_by_name_keep_their_order() -> None:
    assert list(records.asdict(Ours(name="a")).items()) == [
        ("name", "a"),
        ("count", 1),
        ("secret", "s3cret"),
        ("more", {}),
    ]
    assert records.names(Ours) == {"name", "count", "secret", "more"}
    assert records.defaults(Ours) == {"count": 1, "secret": "s3cret", "more": {}}


def test_the_standard_library_takes_them_for_its_own() -> None:
    made = Ours(name="a")
    assert dataclasses.is_dataclass(made)
    assert [field.name for field in dataclasses.fields(Ours)] == [field.name for field in dataclasses.fields(Theirs)]
    assert dataclasses.asdict(made) == dataclasses.asdict(Theirs(name="a"))
    assert dataclasses.replace(made, count=5) == Ours(name="a", count=5)


def test_records_can_be_copied_and_pickled() -> None:
    made = Ours(name="a", more={"x": "y"})
    assert copy.copy(made) == copy.deepcopy(made) == made
    assert pickle.loads(pickle.dumps(Placed(1))) == Placed(1)  # noqa: S301 - our own


def test_the_command_line_loads_neither_dataclasses_nor_inspect() -> None:
    code = "import sys, versioner_ci.cli, versioner_ci.cmd_run; print({'dataclasses', 'inspect'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.strip() == "set()"
