"""A damaged zipapp, or a damaged cache of it: CMD runs all the same, and the next start is whole again."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.release.built import Built, Zipapp, folder_of
from tests.support.recorder import Recorder

pytestmark = pytest.mark.timeout(180)
STARTED = ("report", "build", "started", "--product", "shop", "--version", "1")
CMD = ("--", "sh", "-c", "echo out; exit 7")
RUN = ("run", "build", "--product", "shop", "--version", "1", *CMD)
ENTRY, EARLY, REST = "versioner_ci/__main__", "versioner_ci/early", "versioner_ci/cli"


def full_of_nul(folder: Path, name: str) -> None:
    """As after a power failure: the size is on disk, the content is not."""
    path = folder / f"{name}.py"
    path.write_bytes(bytes(path.stat().st_size))
    for compiled in compiled_of(folder, name):
        compiled.unlink()


def half_compiled(folder: Path, name: str) -> None:
    [path] = compiled_of(folder, name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def compiled_of(folder: Path, name: str) -> Iterator[Path]:
    module = folder / name
    return (module.parent / "__pycache__").glob(f"{module.name}.*.pyc")


@pytest.mark.parametrize("damage", [full_of_nul, half_compiled])
@pytest.mark.parametrize("name", [ENTRY, EARLY])
def test_out_of_a_damaged_cache_it_goes_on_from_the_archive(
    damage: Callable[[Path, str], None], name: str, zipapp: Zipapp, env: dict[str, str], tracker: Recorder
) -> None:
    assert zipapp("statuses").code == 0
    damage(folder_of(env), name)
    ended = zipapp(*RUN)
    assert (ended.code, ended.out) == (7, "out\n"), ended.err
    assert "Traceback" not in ended.err
    assert tracker.types() == ["build.started", "build.failed"], ended.err
    again = zipapp(*STARTED)
    assert (again.code, "accepted" in again.err) == (0, True), again.err
    assert any(compiled_of(folder_of(env), name))


@pytest.mark.parametrize("damage", [full_of_nul, half_compiled])
def test_deeper_damage_costs_one_report_then_the_cache_is_whole(
    damage: Callable[[Path, str], None], zipapp: Zipapp, env: dict[str, str], tracker: Recorder
) -> None:
    assert zipapp("statuses").code == 0
    damage(folder_of(env), REST)
    ended = zipapp(*RUN)
    assert (ended.code, ended.out) == (7, "out\n"), ended.err
    assert ended.err.startswith("versioner-ci: warning: a fault of versioner-ci itself: ")
    assert zipapp(*RUN).code == 7
    assert tracker.types() == ["build.started", "build.failed"]


def damaged(built: Built, name: str, path: Path) -> Path:
    content = bytearray(built.zipapp.read_bytes())
    at = zipfile.ZipFile(built.zipapp).getinfo(name).header_offset + 100
    content[at : at + 100] = bytes(100)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("home", "name"),
    [("", f"{REST}.py"), ("", f"{ENTRY}.py"), *(("/proc", f"{name}.py") for name in (ENTRY, EARLY, "certifi/core"))],
)
def test_a_damaged_file_says_so_and_runs_the_command(
    name: str, home: str, built: Built, zipapp: Zipapp, tmp_path: Path, tracker: Recorder
) -> None:
    changes = {"archive": damaged(built, name, tmp_path / "damaged.pyz"), **({"HOME": home} if home else {})}
    ended = zipapp(*RUN, **changes)
    assert (ended.code, ended.out) == (7, "out\n"), ended.err
    assert ended.err.startswith("versioner-ci: warning: the zipapp is damaged, have it anew: nothing is reported (")
    assert ended.err.count("\n") == 1
    assert zipapp(*STARTED, **changes).code == 1
    assert tracker.requests == []


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_file_that_was_cut_off_is_pythons_own_error_and_starts_nothing(
    share: float, built: Built, zipapp: Zipapp, tmp_path: Path
) -> None:
    """No launcher can help: a zip's list of files is at its end. The documents say so."""
    content = built.zipapp.read_bytes()
    (tmp_path / "cut.pyz").write_bytes(content[: int(len(content) * share)])
    ended = zipapp(*RUN, archive=tmp_path / "cut.pyz")
    assert (ended.code, ended.out) == (1, ""), ended.err
    assert "SyntaxError" in ended.err
