"""The tests' own tools hold what they promise."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import Repo, RunCli

CONNECT = "import socket; socket.create_connection(('192.0.2.1', 80), 0.1)"


def test_the_network_ends_at_loopback() -> None:
    guard = sys.modules["tests_loopback_only"]
    with pytest.raises(PermissionError, match="beyond loopback"):
        socket.create_connection(("192.0.2.1", 80), 0.1)
    with pytest.raises(PermissionError, match="beyond loopback"):
        socket.getaddrinfo("example.com", 80)
    assert len(guard.beyond) == 2
    guard.beyond.clear()


def test_the_network_of_a_child_ends_at_loopback() -> None:
    done = subprocess.run([sys.executable, "-c", CONNECT], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 97
    assert done.stderr.startswith("network beyond loopback: ")


@pytest.mark.parametrize("host", ["tracker.invalid", "TRACKER.invalid."])
def test_an_invalid_name_is_unknown_on_every_machine(host: str) -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo(host, 443)
    assert caught.value.errno == socket.EAI_NONAME


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_loopback_and_local_sockets_work(tmp_path: Path, family: socket.AddressFamily) -> None:
    with socket.socket(family) as server, socket.socket(family) as client:
        server.bind(("127.0.0.1", 0) if family is socket.AF_INET else os.path.relpath(tmp_path / "s"))
        server.listen()
        client.connect(server.getsockname())


def test_the_command_runs_in_a_clean_environment(run_cli: RunCli, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERSIONER_API_KEY", "of-the-developer")
    version = run_cli("--version", cwd=repo.path)
    assert version.code == 0
    assert version.out.startswith("versioner-ci ")
    assert version.seconds < 20


def test_the_repository_has_a_commit_a_branch_and_a_remote(repo: Repo) -> None:
    assert len(repo.sha) == 40
    assert repo.git("branch", "--show-current") == "main"
    assert repo.git("remote", "get-url", "origin") == "https://github.com/octo/shop.git"
    assert repo.git("status", "--porcelain") == ""
