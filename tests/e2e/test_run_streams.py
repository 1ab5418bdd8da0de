"""`run` leaves CMD's streams, exit code, environment and descriptors alone, and tells the end of its stderr."""

from __future__ import annotations

import fcntl
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from tests.e2e.conftest import Start, wait_until
from tests.support.process import Repo, RunCli
from tests.support.recorder import Received, Recorder

BOTH = ["build", "deployment"]
DEPLOY = ("--environment", "production")
NOISE = """
import os, random, sys
made = random.Random(7).randbytes(10_000_000)
for at in range(0, len(made), 50_000):
    os.write(1, made[at:at + 50_000]) == 50_000 or sys.exit("short")
    os.write(2, made[at:at + 50_000]) == 50_000 or sys.exit("short")
"""


def ending(tracker: Recorder) -> Received:
    [event] = [event for event in tracker.events if event.state not in {"pending", "started"}]
    return event


def moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp()


@pytest.mark.parametrize("kind", BOTH)
def test_ten_megabytes_of_any_bytes_pass_unchanged(start: Start, repo: Repo, kind: str) -> None:
    running = start("run", kind, *DEPLOY, "--quiet", "--", sys.executable, "-c", NOISE, cwd=repo.path)
    assert running.wait(40) == 0
    made = random.Random(7).randbytes(10_000_000)  # noqa: S311 - noise
    assert running.out_file.read_bytes() == made
    assert running.err_file.read_bytes() == made


def test_streams_that_share_one_file_lose_nothing(cli_env: Mapping[str, str], repo: Repo, tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import os\nfor n in range(2000): os.write(1 + n % 2, b'line %04d\\n' % n)"
    with log.open("wb") as stream:
        subprocess.run(
            [COMMAND, "run", "build", "--quiet", "--", sys.executable, "-c", script], cwd=repo.path, env=dict(cli_env),
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, timeout=30, check=True,
        )  # fmt: skip
    assert sorted(log.read_bytes().splitlines()) == [b"line %04d" % number for number in range(2000)]


def test_a_reader_that_is_slow_gets_every_byte(cli_env: Mapping[str, str], repo: Repo) -> None:
    script = "import os; [os.write(2, b'x' * 1000) for _ in range(120)]"
    process = subprocess.Popen(
        [COMMAND, "run", "build", "--quiet", "--", sys.executable, "-c", script], cwd=repo.path, env=dict(cli_env),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(3)
    _, err = process.communicate(timeout=20)
    assert err == b"x" * 120_000


def test_a_stderr_that_does_not_block_gets_every_byte(cli_env: Mapping[str, str], repo: Repo) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_NONBLOCK)
    script = "import os; [os.write(2, b'x' * 1000) for _ in range(300)]"
    process = subprocess.Popen(
        [COMMAND, "run", "build", "--quiet", "--", sys.executable, "-c", script], cwd=repo.path, env=dict(cli_env),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
    )  # fmt: skip
    os.close(writer)
    time.sleep(1)
    with open(reader, "rb") as stream:
        assert stream.read() == b"x" * 300_000
    assert process.wait(20) == 0


def test_a_stderr_that_nobody_reads_any_more_ends_cmd_as_without_us(cli_env: Mapping[str, str], repo: Repo) -> None:
    process = subprocess.Popen(
        [COMMAND, "run", "build", "--", "sh", "-c", "exec yes >&2"], cwd=repo.path, env=dict(cli_env),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    process.stderr.read(10)
    process.stderr.close()
    assert process.wait(20) == 128 + 13


@pytest.mark.parametrize("kind", BOTH)
def test_stdin_is_cmds_own(cli: RunCli, repo: Repo, kind: str) -> None:
    assert cli("run", kind, *DEPLOY, "--", "cat", cwd=repo.path, stdin="for CMD alone\n").out == "for CMD alone\n"


@pytest.mark.parametrize(
    ("script", "code", "state"),
    [
        ("exit 0", 0, "completed"), ("exit 7", 7, "failed"), ("exit 255", 255, "failed"), ("exit 137", 137, "failed"),
        ("exit 130", 130, "aborted"), ("exit 143", 143, "aborted"), ("kill -9 $$", 137, "failed"),
        ("kill -15 $$", 143, "aborted"), ("kill -10 $$", 138, "failed"), ("kill -6 $$", 134, "failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", BOTH)
def test_the_exit_code_is_cmds(
    cli: RunCli, repo: Repo, tracker: Recorder, kind: str, script: str, code: int, state: str
) -> None:
    assert cli("run", kind, *DEPLOY, "--", "sh", "-c", script, cwd=repo.path).code == code
    assert tracker.types() == [f"{kind}.started", f"{kind}.{state}"]
    metadata = ending(tracker).metadata
    reason = {"completed": None, "failed": "exit_code", "aborted": "signal"}[state]
    assert metadata.get("reason") == reason
    assert metadata.get("error_code") == (str(code) if code else None)
    assert metadata.get("error") == (f"exit code {code}" if state == "failed" else None)
    assert 0 <= metadata["duration_seconds"] < 20


def a_script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("kind", BOTH)
def test_a_script_without_a_first_line_runs_as_in_a_shell(cli: RunCli, repo: Repo, tmp_path: Path, kind: str) -> None:
    script = a_script(tmp_path / "plain", 'echo "$0 $1"; exit 4\n')
    result = cli("run", kind, *DEPLOY, "--", script, "one", cwd=repo.path)
    assert (result.code, result.out) == (4, f"{script} one\n")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    assert cli("run", kind, *DEPLOY, "--", "plain", "two", cwd=repo.path, env={"PATH": path}).code == 4


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("/nowhere/cmd", 127, "No such file or directory"), ("no-such-command", 127, "No such file or directory"),
        ("", 127, "No such file or directory"), ("./plain", 126, "Permission denied"), (".", 126, "Permission denied"),
        ("./plain/x", 126, "Not a directory"),
    ],
    ids=["path", "name", "empty", "no-x-bit", "folder", "below-a-file"],
)  # fmt: skip
@pytest.mark.parametrize("kind", BOTH)
def test_a_cmd_that_cannot_start_has_failed(
    cli: RunCli, repo: Repo, tracker: Recorder, kind: str, command: str, code: int, why: str
) -> None:
    a_script(repo.path / "plain", "echo", 0o644)
    result = cli("run", kind, *DEPLOY, "--", command, cwd=repo.path)
    assert result.code == code
    assert why in result.err
    assert tracker.types() == [f"{kind}.started", f"{kind}.failed"]
    assert (ending(tracker).metadata["error_code"], ending(tracker).metadata["reason"]) == (str(code), "exit_code")
    assert why in ending(tracker).metadata["error"]


def test_the_error_is_the_end_of_stderr_without_colours_and_secrets(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    colours = "printf '\\033[31mkey %s\\033[0m\\n' $VERSIONER_API_KEY >&2"
    script = f"for n in $(seq 50); do echo line $n >&2; done; {colours}; exit 1"
    result = cli("run", "build", "--", "sh", "-c", script, cwd=repo.path)
    lines = ending(tracker).metadata["error"].splitlines()
    assert lines == [*(f"line {number}" for number in range(32, 51)), "key ***"]
    assert "\x1b[31mkey sk_1_secret\x1b[0m\n" in result.err


def test_at_most_four_kibibytes_are_told(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    cli("run", "build", "--", "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' e >&2; exit 1", cwd=repo.path)
    assert ending(tracker).metadata["error"] == "e" * 4096


@pytest.mark.parametrize(
    "background", ["sleep 30 &", "(while sleep 0.05; do echo noise >&2; done) &"], ids=["silent", "noisy"]
)
def test_a_daemon_that_holds_the_pipe_delays_nothing(
    start: Start, repo: Repo, tracker: Recorder, background: str
) -> None:
    running = start("run", "build", "--", "sh", "-c", f"{background} echo last words >&2; exit 3", cwd=repo.path)
    assert running.wait(8) == 3
    assert "last words" in ending(tracker).metadata["error"]
    body, ran = ending(tracker).body, ending(tracker).metadata["duration_seconds"]
    assert ran < 3
    assert abs(moment(body["completed_at"]) - moment(body["started_at"]) - ran) < 0.1


def test_cmd_gets_no_descriptors_of_ours_and_all_that_were_handed_on(cli_env: Mapping[str, str], repo: Repo) -> None:
    reader, writer = os.pipe()
    for kind in BOTH:
        done = subprocess.run(
            [COMMAND, "run", kind, *DEPLOY, "--", "sh", "-c", "ls /proc/self/fd"], cwd=repo.path, env=dict(cli_env),
            stdin=subprocess.DEVNULL, capture_output=True, pass_fds=[writer], timeout=30, check=True, text=True,
        )  # fmt: skip
        mine = {int(number) for number in done.stdout.split()} - {0, 1, 2, writer}
        assert len(mine) == 1, "ls has the folder open, and nothing else"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_do_no_harm(
    cli_env: Mapping[str, str], repo: Repo, tracker: Recorder, closed: str
) -> None:
    for kind in BOTH:
        command = f'"$0" run {kind} --environment production -- sh -c "echo out; echo err >&2; exit 6" {closed}'
        done = subprocess.run(["sh", "-c", command, COMMAND], cwd=repo.path, env=dict(cli_env), timeout=30, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        assert done.returncode in ({6, 1} if ">&-" in closed else {6})
    assert [event.state for event in tracker.events] == ["started", "failed"] * 2


def ignored(cli: RunCli, repo: Repo, kind: str, *prefix: str) -> int:
    """The signals that CMD ignores from its start, as bits; without those two of the C library's own."""
    result = cli("run", kind, *DEPLOY, "--quiet", "--", *prefix, "grep", "SigIgn", "/proc/self/status", cwd=repo.path)
    return int(result.out.split()[1], 16) & 0x7FFFFFFF


@pytest.mark.parametrize("kind", BOTH)
def test_cmd_ignores_no_signal_that_it_would_not_ignore_without_us(cli: RunCli, repo: Repo, kind: str) -> None:
    assert ignored(cli, repo, kind) == 0


@pytest.mark.parametrize("kind", BOTH)
def test_what_our_parent_ignores_stays_ignored(start: Start, repo: Repo, kind: str) -> None:
    prefix = ("sh", "-c", 'trap "" HUP INT; exec "$@"', "sh")
    running = start("run", kind, *DEPLOY, "--", "grep", "SigIgn", "/proc/self/status", cwd=repo.path, prefix=prefix)
    assert running.wait() == 0
    assert int(running.out.split()[1], 16) & 0x7FFFFFFF == 0b11
    running = start("run", kind, *DEPLOY, "--", "sh", "-c", "sleep 2; echo done", cwd=repo.path, prefix=prefix)
    wait_until(
        lambda: subprocess.run(["pgrep", "-P", str(running.process.pid)], capture_output=True, check=False).stdout
    )
    running.send(1)
    running.send(2)
    assert running.wait() == 0
    assert running.out == "done\n"


@pytest.mark.parametrize("kind", BOTH)
def test_the_exit_code_is_known_though_our_parent_ignores_its_children(start: Start, repo: Repo, kind: str) -> None:
    script = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    running = start(
        "run", kind, *DEPLOY, "--", "sh", "-c", "exit 7", cwd=repo.path, prefix=(sys.executable, "-c", script)
    )
    assert running.wait() == 7


@pytest.mark.parametrize("kind", BOTH)
def test_cmds_environment_is_ours_and_two_words_more(
    cli: RunCli, repo: Repo, cli_env: dict[str, str], kind: str
) -> None:
    script = "import json, os; print(json.dumps(dict(os.environ)))"
    result = cli(
        "run", kind, *DEPLOY, "--", sys.executable, "-c", script, cwd=repo.path, env={"MY_SECRET": "s3cr3t-s3cr3t"}
    )
    env = json.loads(result.out)
    handle, run = env.pop("VERSIONER_LIFECYCLE"), env.pop("VERSIONER_RUN")
    assert env.pop("LC_CTYPE", "C.UTF-8")
    assert env == {**cli_env, "MY_SECRET": "s3cr3t-s3cr3t"}
    assert handle
    assert len(run) == 32


def zombies_of(parent: int) -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except OSError:
            continue
        if rest.split()[:2] == ["Z", str(parent)]:
            yield name


def test_started_goes_out_while_cmd_runs_and_cmd_leaves_no_zombie(start: Start, repo: Repo, tracker: Recorder) -> None:
    tracker.delay = 1.0
    running = start("run", "build", "--", "sh", "-c", "sleep 3; echo over", cwd=repo.path)
    tracker.wait_for(1)
    assert "over" not in running.out
    running.until("over")
    time.sleep(0.3)
    assert running.process.poll() is None, "it still tells of the ending"
    assert list(zombies_of(running.process.pid)) == []
    assert running.wait() == 0


def test_the_ending_carries_the_time_of_cmds_end(start: Start, repo: Repo, tracker: Recorder) -> None:
    tracker.delay = 1.5
    before = time.time()
    running = start("run", "deployment", *DEPLOY, "--", "sh", "-c", "date +%s.%N", cwd=repo.path)
    assert running.wait() == 0
    body = ending(tracker).body
    assert abs(moment(body["completed_at"]) - float(running.out)) < 0.7
    assert moment(body["completed_at"]) < time.time() - 1
    assert before < moment(body["started_at"]) <= moment(body["completed_at"])


def test_a_run_without_cmd_is_wrong_usage(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    for arguments in (("build",), ("build", "--"), ("deployment", *DEPLOY, "--")):
        result = cli("run", *arguments, cwd=repo.path)
        assert result.code == 2
        assert "no command to run" in result.err
    assert tracker.requests == []
