"""Rows 40 to 43: the disk and the home folder, and what others leave in the spool."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.faults import Fault, delivered
from tests.support.process import Repo
from tests.support.recorder import Recorder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits, owners and modes of POSIX")

STARTED = ("report", "build", "started")
LIMITED = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\n"
ERROR = "import errno, os\ndef fail(fd):\n    raise OSError(errno.{0}, os.strerror(errno.{0}))\nos.fsync = fail\n"
FULL = {"EFBIG": LIMITED, "ENOSPC": ERROR.format("ENOSPC"), "EDQUOT": ERROR.format("EDQUOT")}


@pytest.mark.parametrize("name", [pytest.param(name, id=f"fault-40 {name}") for name in FULL])
def test_a_full_disk_is_said_once_and_the_event_is_sent_all_the_same(
    fault: Fault, tracker: Recorder, name: str
) -> None:
    env = fault.patched(FULL[name])
    result = fault(*STARTED, "--fail-on-error", env=env, kept=[], bad=0)
    assert result.err.count(f"cannot spool ({name}); sending without a safety copy") == 1
    assert tracker.states() == ["started"]


@pytest.mark.parametrize("name", [pytest.param(name, id=f"fault-40 {name}") for name in FULL])
def test_a_full_disk_and_no_tracker_is_told_as_a_loss(fault: Fault, tracker: Recorder, name: str) -> None:
    tracker.down()
    fault.env |= fault.patched(FULL[name])
    said = ["backend: not delivered; lost", f"cannot spool ({name})"]
    fault.soft_and_strict(*STARTED, kept=[], bad=0, budget=0.6, said=said)


def test_fault_40_a_disk_that_is_full_by_half_leaves_no_torn_event(fault: Fault, tracker: Recorder) -> None:
    tracker.down()
    env = fault.patched(LIMITED.replace("(0,", "(300,"))
    fault(*STARTED, env=env, kept=[], bad=0, said="lost", budget=0.6)
    assert [path.name for path in fault.folder.rglob(".new-*")] == []


NOBODY = """
import os
if os.geteuid() == 0:
    # Everything first: this user may not be able to reach the interpreter's own folder.
    import encodings.ascii, encodings.idna, encodings.latin_1, importlib, pkgutil, platformdirs.unix, traceback
    import versioner_ci
    for module in pkgutil.walk_packages(versioner_ci.__path__, "versioner_ci."):
        if not module.name.endswith("__main__") and ".server" not in module.name:
            importlib.import_module(module.name)
    os.setgroups([]), os.setgid(54321), os.setuid(54321)
else:
    import pwd
    def unknown(uid):
        raise KeyError(uid)
    pwd.getpwuid = unknown
"""


@pytest.fixture
def nobody(cli_env: dict[str, str], repo: Repo) -> Iterator[Fault]:
    """A user without passwd entry, in folders that such a user reaches; no spool folder is given."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(repo.path, folder / "shop")
        for made in ("tmp", "home"):
            (folder / made).mkdir()
            (folder / made).chmod(0o777)
        env = {**cli_env, "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}
        fault = Fault(env, Repo(path=folder / "shop", sha=repo.sha, git=repo.git), folder)
        del fault.env["VERSIONER_SPOOL_DIR"]
        fault.env |= fault.patched(NOBODY)
        yield fault
        for path in (folder / "tmp", folder / "home"):
            path.chmod(0o777)


def unset_home(fault: Fault) -> None:
    del fault.env["HOME"]


def missing_home(fault: Fault) -> None:
    fault.env["HOME"] = "/nonexistent"


def read_only_home(fault: Fault) -> None:
    (fault.folder / "home").chmod(0o555)


HOMES = [unset_home, missing_home, read_only_home]


@pytest.mark.parametrize("home", [pytest.param(home, id=f"fault-41 {home.__name__}") for home in HOMES])
def test_without_a_home_the_temporary_folder_serves(
    nobody: Fault, tracker_of: Callable[[Fault], Recorder], home: Callable[[Fault], None]
) -> None:
    tracker = tracker_of(nobody)
    home(nobody)
    tracker.down()
    said = nobody(*STARTED, "--product", "shop", "--version", "1", kept=["backend build.started"], budget=0.9).err
    assert "backend: kept for later" in said
    tracker.up()
    nobody("flush", kept=[], said=delivered(1))
    assert tracker.states() == ["started"]


@pytest.mark.parametrize("home", [pytest.param(home, id=f"fault-41 {home.__name__}") for home in HOMES])
def test_where_nothing_can_be_written_it_is_said_and_the_event_is_sent(
    nobody: Fault, tracker_of: Callable[[Fault], Recorder], home: Callable[[Fault], None]
) -> None:
    tracker = tracker_of(nobody)
    home(nobody)
    (nobody.folder / "tmp").chmod(0o555)
    nobody.env |= nobody.patched(
        NOBODY + "_usable = os.access\n"
        "os.access = lambda path, mode: str(path) not in ('/tmp', '/var/tmp') and "
        "_usable(path, mode)\n"
    )
    arguments = (*STARTED, "--product", "shop", "--version", "1")
    nobody(*arguments, kept=[], said="sending without a safety copy")
    assert tracker.states() == ["started"]
    tracker.down()
    nobody(*arguments, "--fail-on-error", code=4, kept=[], budget=0.9, said="backend: not delivered; lost")


@pytest.fixture
def tracker_of() -> Iterator[Callable[[Fault], Recorder]]:
    """A tracker for a Fault that is not the fixture's."""
    with contextlib.ExitStack() as stack:

        def make(fault: Fault) -> Recorder:
            recorder = stack.enter_context(Recorder())
            fault.env["VERSIONER_API_URL"] = recorder.url
            return recorder

        yield make


def test_fault_42_four_processes_at_once_lose_nothing_and_record_each_event_once(
    fault: Fault, tracker: Recorder
) -> None:
    tracker.down()

    def report(number: int) -> None:
        fault(*STARTED, "--product", f"p{number}", "--version", "1", budget=1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(report, range(12)))
    assert len(fault.entries()) == 12
    tracker.delay = 0.02
    tracker.up()
    flushing = [fault.start("flush") for _ in range(4)]
    said = "".join(each.wait().err for each in flushing)
    assert fault.entries() == []
    assert sorted(event.body["product_name"] for event in tracker.events) == sorted(f"p{n}" for n in range(12))
    assert tracker.duplicates == [], "claims were respected"
    assert said.count("delivered") >= 1


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.rename(path.with_name("notes.txt"))


def of_the_future(path: Path) -> None:
    path.rename(path.with_name(path.name.replace("v1-", "v2-", 1)))


def of_a_future_format(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))


def open_to_all(path: Path) -> None:
    path.chmod(0o777)


def linked(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere.json")
    path.symlink_to(path.parents[2] / "elsewhere.json")


SPOILT = [torn, empty, foreign, of_the_future, of_a_future_format, open_to_all, linked]


@pytest.mark.parametrize("spoil", [pytest.param(spoil, id=f"fault-43 {spoil.__name__}") for spoil in SPOILT])
def test_what_is_no_event_of_ours_is_set_aside_counted_and_never_fatal(
    fault: Fault, tracker: Recorder, spoil: Callable[[Path], None]
) -> None:
    tracker.down()
    fault(*STARTED, "--product", "spoilt", "--version", "1", budget=0.6)
    fault(*STARTED, "--product", "good", "--version", "1", budget=0.6)
    [path] = [path for path in fault.entries() if b'"spoilt"' in path.read_bytes()]
    spoil(path)
    tracker.up()
    fault("flush", kept=[], bad=1, said=[delivered(1), "set aside in bad/"])
    assert [event.body["product_name"] for event in tracker.events] == ["good"]


def test_fault_43_a_spoilt_folder_is_not_used(fault: Fault, tracker: Recorder) -> None:
    folder = fault.folder / "spool"
    folder.mkdir()
    target = fault.folder / "target"
    target.mkdir()
    fault(*STARTED, kept=[])
    [own] = folder.iterdir()
    shutil.rmtree(own)
    own.symlink_to(target)
    fault("report", "build", "completed", said="cannot use", bad=0)
    assert list(target.iterdir()) == []
    assert tracker.states() == ["started", "completed"]
