"""versioner-ci.pyz, on every Python that is here: it reports, it starts from files, and nothing breaks a pipeline."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.release.built import NEW, OLD, Built, Zipapp, folder_of, pythons, run
from tests.support import raw_server
from tests.support.fake_slack import FakeSlack
from tests.support.pki import authority
from tests.support.raw_server import RawServer
from tests.support.recorder import Recorder
from versioner_ci import __version__

pytestmark = pytest.mark.timeout(180)
STARTED = ("report", "build", "started", "--product", "shop", "--version", "1")
every_python = pytest.mark.parametrize("python", pythons(*NEW).values(), ids=pythons(*NEW))
OWN = "{}.{}".format(*sys.version_info)
TOO_OLD = {**pythons(*OLD), OWN: sys.executable}
"""Not every machine has an old one: our own counts as too old for `aged`."""
too_old = pytest.mark.parametrize(("version", "python"), TOO_OLD.items(), ids=TOO_OLD)


@pytest.mark.parametrize(("version", "python"), pythons(*OLD, *NEW).items())
def test_each_python_is_the_one_that_its_path_says(version: str, python: str, env: dict[str, str], work: Path) -> None:
    code = "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"
    assert run([python, "-c", code], env={**env, "PYTHONPATH": ""}, cwd=work).out == version


@every_python
def test_it_reports_a_whole_run(python: str, zipapp: Zipapp, tracker: Recorder, work: Path) -> None:
    (work / ".versioner.yml").write_text("product: shop\nmetadata: {team: payments}\n")
    for _ in range(2):  # unpacks; then runs what is unpacked
        tracker.events.clear()
        work_of_it = ("sh", "-c", "echo out; echo why >&2; exit 7")
        ended = zipapp("run", "build", "--version", "1", "--", *work_of_it, python=python)
        assert (ended.code, ended.out) == (7, "out\n"), ended.err
        assert tracker.types() == ["build.started", "build.failed"]
        assert tracker.events[-1].metadata["error"] == "why"
        assert tracker.events[-1].metadata["team"] == "payments"
    assert zipapp("--version", python=python).out == f"versioner-ci {__version__}\n"


@every_python
def test_slack_is_in_it_too(python: str, zipapp: Zipapp) -> None:
    with FakeSlack() as slack:
        slack.add_channel("#deploys", "C0DEPLOYS1")
        given = {"SLACK_API_URL": slack.url, "SLACK_BOT_TOKEN": slack.token, "SLACK_CHANNEL": "#deploys"}
        assert zipapp(*STARTED, python=python, **given).code == 0
        assert len(slack.messages("#deploys")) == 1


@too_old
def test_a_python_that_is_too_old_says_so_in_one_line(version: str, python: str, aged: Zipapp) -> None:
    said = f"versioner-ci: warning: Python 3.10 or newer is needed, this is {version}: nothing is reported\n"
    reported = aged(*STARTED, python=python)
    assert (reported.code, reported.out, reported.err) == (1, "", said)
    ran = aged("run", "build", "--", "sh", "-c", "echo out; exit 7", python=python)
    assert (ran.code, ran.out, ran.err) == (7, "out\n", said)


@too_old
@pytest.mark.parametrize(
    ("arguments", "gate", "code", "said"),
    [
        (("run", "deployment", "--", "echo", "deployed"), "required", 5, "the gate is shut"),
        (("run", "deployment", "--gate=required", "--", "echo", "deployed"), "", 5, "the gate is shut"),
        (("run", "deployment", "--gate", "off", "--", "echo", "deployed"), "required", 0, ""),
        (("run", "build", "--", "echo", "deployed"), "required", 0, ""),
        (("run", "build", "--", "./missing"), "", 127, "cannot start './missing'"),
        (("run", "build", "--", "/"), "", 126, "cannot start '/'"),
        (("run", "build", "--dry-run", "--", "echo", "deployed"), "", 1, ""),
        (("run", "build"), "", 2, ""),
    ],
)
def test_even_then_the_work_goes_on_unless_the_gate_is_required(
    version: str, python: str, aged: Zipapp, arguments: tuple[str, ...], gate: str, code: int, said: str
) -> None:
    ended = aged(*arguments, python=python, VERSIONER_GATE=gate)
    assert ended.code == code
    assert said in ended.err
    assert f"this is {version}" in ended.err
    assert ended.out == ("deployed\n" if code == 0 else "")


@too_old
@pytest.mark.parametrize("word", ["1", "Yes"])
def test_switched_off_it_starts_cmd_past_any_gate_and_fails_nothing(
    version: str, python: str, aged: Zipapp, word: str
) -> None:
    off = {"VERSIONER_GATE": "required", "VERSIONER_DISABLED": word}
    ran = aged("run", "deployment", "--", "sh", "-c", "echo deployed; exit 7", python=python, **off)
    assert (ran.code, ran.out) == (7, "deployed\n"), ran.err
    assert aged(*STARTED, python=python, **off).code == 0
    dry = aged("run", "deployment", "--dry-run", "--", "echo", "deployed", python=python, **off)
    assert (dry.code, dry.out) == (0, "")
    assert aged("run", "deployment", "--", "echo", python=python, **{**off, "VERSIONER_DISABLED": "no"}).code == 5


@every_python
def test_from_its_second_run_on_everything_is_compiled(python: str, zipapp: Zipapp, env: dict[str, str]) -> None:
    for _ in range(2):
        assert zipapp(*STARTED, python=python, PYTHONDONTWRITEBYTECODE="1").code == 0
    folder = folder_of(env)
    compiled = {path.relative_to(folder).as_posix().split(".")[0] for path in folder.rglob("*.pyc")}
    assert {"versioner_ci/__pycache__/cli", "requests/__pycache__/sessions"} <= compiled
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert zipapp(*STARTED, python=python).code == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_it_is_a_program_of_its_own(built: Built, env: dict[str, str], work: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    assert run([built.zipapp, "--version"], env={**env, "PATH": path}, cwd=work).out == f"versioner-ci {__version__}\n"


def test_a_group_of_ones_own_may_write_the_cache(zipapp: Zipapp, env: dict[str, str]) -> None:
    Path(env["HOME"], ".cache").mkdir()
    Path(env["HOME"], ".cache").chmod(0o775)
    os.chown(Path(env["HOME"], ".cache"), -1, pwd.getpwuid(os.geteuid()).pw_gid)
    group, user = grp.getgrgid(pwd.getpwuid(os.geteuid()).pw_gid), pwd.getpwuid(os.geteuid()).pw_name
    assert zipapp("statuses").code == 0
    is_used = Path(env["HOME"], ".cache", "versioner-ci").is_dir()
    assert is_used == (group.gr_name == user and group.gr_mem in ([], [user]))


def test_what_is_unpacked_is_for_our_eyes_only(zipapp: Zipapp, env: dict[str, str]) -> None:
    assert zipapp("statuses").code == 0
    folder = folder_of(env)
    assert [stat.S_IMODE(path.lstat().st_mode) for path in (folder.parent, folder)] == [0o700, 0o700]
    assert {stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*.py")} == {0o600}
    assert list(folder.rglob("*.new")) == []


def damage_cut(folder: Path) -> Path:
    path = folder / "versioner_ci" / "cli.py"
    path.write_bytes(path.read_bytes()[:100])
    (folder / "versioner_ci" / "cli.py.new").write_text("half")
    return path


def damage_gone(folder: Path) -> Path:
    path = folder / "certifi" / "cacert.pem"
    path.unlink()
    return path


def damage_folder_gone(folder: Path) -> Path:
    shutil.rmtree(folder / "requests")
    return folder / "requests" / "api.py"


@pytest.mark.parametrize("damage", [damage_cut, damage_gone, damage_folder_gone])
def test_a_half_written_folder_is_mended(
    damage: Callable[[Path], Path], zipapp: Zipapp, env: dict[str, str], built: Built
) -> None:
    assert zipapp("statuses").code == 0
    path = damage(folder_of(env))
    assert zipapp(*STARTED).code == 0
    name = path.relative_to(folder_of(env)).as_posix()
    assert path.read_bytes() == zipfile.ZipFile(built.zipapp).read(name)
    assert list(folder_of(env).rglob("*.new")) == []


def test_several_at_once_on_a_new_machine_all_report(
    built: Built, reporting: dict[str, str], work: Path, tracker: Recorder
) -> None:
    command = [sys.executable, str(built.zipapp), *STARTED, "--key"]
    running = [subprocess.Popen([*command, str(n)], env=reporting, cwd=work, stderr=-3) for n in range(6)]
    assert [process.wait(60) for process in running] == [0] * 6
    assert len(tracker.events) == 6
    folder_of(reporting)


def test_one_that_is_killed_while_it_unpacks_leaves_nothing_wrong(
    built: Built, reporting: dict[str, str], work: Path, zipapp: Zipapp
) -> None:
    cache = Path(reporting["HOME"], ".cache", "versioner-ci")
    for files in (1, 40, 200):
        process = subprocess.Popen([sys.executable, str(built.zipapp), "statuses"], env=reporting, cwd=work, stdout=-3)
        until = time.monotonic() + 10
        while sum(1 for _ in cache.rglob("*.py")) < files and process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        ended = zipapp(*STARTED)
        assert (ended.code, "accepted" in ended.err) == (0, True), ended.err
        assert list(cache.rglob("*.new")) == []
        shutil.rmtree(cache)


def no_home(home: Path) -> dict[str, str]:
    return {"HOME": str(home / "missing")}


def read_only_home(_: Path) -> dict[str, str]:
    return {"HOME": "/proc"}


def a_link(home: Path) -> dict[str, str]:
    (home / ".cache").mkdir(mode=0o700)
    (home / "elsewhere").mkdir(mode=0o700)
    (home / ".cache" / "versioner-ci").symlink_to(home / "elsewhere")
    return {}


def open_to_others(home: Path) -> dict[str, str]:
    (home / ".cache" / "versioner-ci").mkdir(parents=True)
    (home / ".cache" / "versioner-ci").chmod(0o755)
    return {}


def where_others_write(home: Path) -> dict[str, str]:
    (home / "shared").mkdir()
    (home / "shared").chmod(0o1777)
    return {"XDG_CACHE_HOME": str(home / "shared")}


def no_folder(home: Path) -> dict[str, str]:
    (home / ".cache").write_text("")
    return {}


PLACES = [no_home, read_only_home, a_link, open_to_others, where_others_write, no_folder]
CASES = [(path, no_home) for path in pythons(*NEW).values()] + [(sys.executable, place) for place in PLACES[1:]]


@pytest.mark.parametrize(("python", "place"), CASES)
def test_without_a_folder_of_its_own_it_runs_out_of_the_archive_and_leaves_nothing(
    python: str, place: Callable[[Path], dict[str, str]], zipapp: Zipapp, env: dict[str, str], tmp_path: Path
) -> None:
    home = Path(env["HOME"])
    changes = {"VERSIONER_SPOOL_DIR": str(tmp_path / "spool"), **place(home)}
    changes["SSL_CERT_FILE"] = authority().bundle(tmp_path)
    with RawServer(raw_server.reply(201, body=b"{}"), tls=authority().context()) as server:
        ended = zipapp(*STARTED, python=python, VERSIONER_API_URL=server.url, **changes)
    assert (ended.code, "accepted" in ended.err) == (0, True), ended.err
    assert list(Path(env["TMPDIR"]).iterdir()) == []
    assert [path for path in home.rglob("*") if path.is_file() and path.name != ".cache"] == []


def test_a_full_folder_behind_a_link_is_not_used(zipapp: Zipapp, env: dict[str, str]) -> None:
    assert zipapp("statuses").code == 0
    path = folder_of(env) / "versioner_ci" / "__main__.py"
    path.write_bytes(b"def main(_): print('planted')\n#".ljust(path.stat().st_size, b"#"))
    shutil.rmtree(path.parent / "__pycache__")
    own = folder_of(env).parent
    assert zipapp("statuses").out == "planted\n"  # as long as it is ours alone
    own.rename(own.with_name("elsewhere")).chmod(0o700)
    own.symlink_to("elsewhere")
    assert "planted" not in zipapp("statuses").out


def test_its_version_is_told_without_unpacking_and_in_vain_without_a_fault(zipapp: Zipapp, env: dict[str, str]) -> None:
    for word in ("--version", "-V"):
        told = zipapp(word)
        assert (told.code, told.out, told.err) == (0, f"versioner-ci {__version__}\n", "")
    assert not Path(env["HOME"], ".cache").exists()
    assert zipapp("--version", "x").code == 2  # the command line's own affair


def test_another_versions_folder_goes_when_it_was_not_used_for_long(zipapp: Zipapp, env: dict[str, str]) -> None:
    own = Path(env["HOME"], ".cache", "versioner-ci")
    own.mkdir(parents=True, mode=0o700)
    for name, days in (("a" * 64, 40), ("b" * 64, 10)):
        (own / name).mkdir()
        (own / name / "x.py").write_text("")
        os.utime(own / name, (time.time() - days * 86400,) * 2)
    assert zipapp("statuses").code == 0
    left = {path.name for path in own.iterdir()}
    assert "b" * 64 in left
    assert "a" * 64 not in left
    assert len(left) == 2


def test_one_that_is_used_is_marked_once_a_day(zipapp: Zipapp, env: dict[str, str]) -> None:
    assert zipapp("statuses").code == 0
    folder = folder_of(env)
    os.utime(folder, (time.time() - 20 * 86400,) * 2)
    assert zipapp("statuses").code == 0
    assert time.time() - folder.stat().st_mtime < 60
