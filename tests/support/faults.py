"""The command under a fault: a real process in a real repository, and what must hold however it goes."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import Repo, Result

COMMAND = Path(sys.executable).with_name("versioner-ci")
CANARY = "cAnArYsEcReTvAlUe"
"""In the middle of every secret: the first and last characters of a key may be shown."""
KEY = f"sk_7f3a_{CANARY}0042"
SLACK_TOKEN = "-".join(("xoxb", "77", CANARY, "0042"))  # noqa: FLY002 - or scanners take it for a real one
MARGIN = 2.0
"""Seconds that a call may take beyond its budget, on a busy machine."""


class Running:
    """A started command. It leads a process group of its own, which ends with the test."""

    def __init__(self, fault: Fault, process: subprocess.Popen[bytes], began: float) -> None:
        self._fault = fault
        self._began = began
        self.process = process

    def signal(self, signum: int) -> float:
        """To this process alone; when it was sent, by the monotonic clock."""
        self.process.send_signal(signum)
        return time.monotonic()

    def wait(self, timeout: float = 20.0, *, is_searched: bool = True) -> Result:
        """Its end; no traceback was shown and, if all is to be searched, no secret is anywhere."""
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill_all()
            out, err = self.process.communicate(timeout=5)
            pytest.fail(f"still running after {timeout} s\n{_text(out)}\n{_text(err)}")
        seconds = time.monotonic() - self._began
        code = self.process.returncode
        result = Result(code=code if code >= 0 else 128 - code, out=_text(out), err=_text(err), seconds=seconds)
        assert "Traceback" not in result.err, result.err
        if is_searched:
            self._fault.assert_no_secret(result)
        return result

    def kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Fault:
    """Runs the installed command and asserts what every row of the fault list asks for."""

    def __init__(self, env: Mapping[str, str], repo: Repo, folder: Path) -> None:
        self.env = {**env, "VERSIONER_API_KEY": KEY, "VERSIONER_SPOOL_DIR": str(folder / "spool")}
        self.repo = repo
        self.folder = folder
        self.running: list[Running] = []

    def __call__(
        self,
        *args: str,
        env: Mapping[str, str | None] | None = None,
        code: int = 0,
        budget: float = 3.0,
        kept: Sequence[str] | None = None,
        bad: int | None = None,
        said: str | Iterable[str] = (),
        prefix: Sequence[str] = (),
        stdin: bytes = b"",
    ) -> Result:
        """Run to the end. `budget`: its --timeout, given unless args have one; `kept`: as kept(); `said`: on stderr.

        A budget below a second is there to be quick: its bound is not asserted.
        """
        timed = args if "--timeout" in args else (*args, "--timeout", f"{budget:g}")
        running = self.start(*timed, env=env, prefix=prefix, stdin=stdin)
        result = running.wait(budget + MARGIN + 20)
        assert result.code == code, f"{result.code} instead of {code}\n{result.err}"
        assert result.seconds <= budget + MARGIN or budget < 1, f"took {result.seconds:.1f} s\n{result.err}"
        for words in [said] if isinstance(said, str) else said:
            assert words in result.err, f"{words!r} is not said\n{result.err}"
        if kept is not None:
            assert self.kept() == sorted(kept), result.err
        if bad is not None:
            assert len(self.bad()) == bad, f"{self.bad()}\n{result.err}"
        return result

    def soft_and_strict(self, *args: str, soft: int = 0, strict: int = 4, **same: Any) -> tuple[Result, Result]:
        """The same twice, the second time with --fail-on-error and a spool of its own."""
        first = self(*args, code=soft, **same)
        return first, self.fresh("strict")(*args, "--fail-on-error", code=strict, **same)

    def fresh(self, name: str) -> Fault:
        """With nothing kept."""
        folder = self.folder.with_name(f"{self.folder.name}-{name}")
        folder.mkdir()
        other = Fault(self.env, self.repo, folder)
        other.env = {**self.env, "VERSIONER_SPOOL_DIR": str(folder / "spool")}
        other.running = self.running
        return other

    def start(
        self,
        *args: str,
        env: Mapping[str, str | None] | None = None,
        prefix: Sequence[str] = (),
        stdin: bytes = b"",
        **options: Any,
    ) -> Running:
        """Start it; `prefix`: a command that starts it; `options`: for Popen; an `env` value None unsets."""
        changed = {**self.env, **(env or {})}
        began = time.monotonic()
        process = subprocess.Popen(
            [*prefix, str(COMMAND), *args],
            **{
                "cwd": self.repo.path,
                "env": {name: value for name, value in changed.items() if value is not None},
                "stdin": subprocess.PIPE if stdin else subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "start_new_session": True,
                **options,
            },
        )
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(stdin)
        running = Running(self, process, began)
        self.running.append(running)
        return running

    def patched(self, code: str) -> dict[str, str]:
        """The variable that has the command's Python run `code` first: what cannot be brought about from outside."""
        folder = self.folder / f"patch-{len(list(self.folder.glob('patch-*')))}"
        folder.mkdir()
        inner = self.env["PYTHONPATH"]
        guard = Path(inner.split(os.pathsep)[0]) / "sitecustomize.py"
        script = f"{code}\nimport runpy\nrunpy.run_path({str(guard)!r})\n"
        (folder / "sitecustomize.py").write_text(script, encoding="utf-8")
        return {"PYTHONPATH": f"{folder}{os.pathsep}{inner}"}

    def kept(self) -> list[str]:
        """`backend build.started` for each kept event."""
        found = [json.loads(path.read_bytes()) for path in self.entries()]
        return sorted(f"{row['sink']} {row['event']['kind']}.{row['event']['state']}" for row in found)

    def entries(self) -> list[Path]:
        """The files of kept events."""
        return [path for path in self.folder.rglob("v1-*.json") if path.parent.name != "bad"]

    def bad(self) -> list[str]:
        """What was set aside."""
        return sorted(path.name for path in self.folder.rglob("bad/*"))

    def assert_no_secret(self, result: Result) -> None:
        """Neither in what was said nor in any file that was written."""
        coded = {CANARY, *(base64.b64encode(f"{pad}{CANARY}".encode()).decode()[4:-4] for pad in ("", "_", "__"))}
        for where, text in [("stdout", result.out), ("stderr", result.err), *self._written()]:
            for secret in coded:
                assert secret not in text, f"a secret in {where}:\n{text[:2000]}"

    def _written(self) -> Iterator[tuple[str, str]]:
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                with contextlib.suppress(OSError):
                    yield str(path), path.name + path.read_bytes()[: 1 << 20].decode("latin-1")


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "surrogateescape")


def delivered(count: int) -> str:
    """What is said of so many events that were kept earlier."""
    return f"delivered {count} event{'s' if count != 1 else ''} that earlier calls kept"


def eventually(what: str, condition: Any, seconds: float = 10.0) -> None:
    """Waits until `condition()` is true; fails the test else."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            pytest.fail(f"after {seconds} s: not {what}")
        time.sleep(0.01)
