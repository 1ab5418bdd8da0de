"""`versioner-ci serve` and `keys` as commands: first start, graceful stop, and one clear line for what is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.server import tracker as server
from tests.server.tracker import Tracker, deployment
from tests.support.process import RunCli
from versioner_ci.server import migrate
from versioner_ci.server.db import connect

KEY = re.compile(r"sk_[A-Za-z0-9]+_[A-Za-z0-9_]+")


def test_a_first_start_shows_one_admin_key_and_a_second_none(tmp_path: Path) -> None:
    path = str(tmp_path / "tracker.db")
    with server.running(path, log=tmp_path / "log") as first:
        assert KEY.fullmatch(first.key)
        assert [row["scopes"] for row in first.get("/keys/")] == [["admin"]]
    with server.running(path, key=first.key, log=tmp_path / "log") as second:
        assert not any("key" in line for line in second.lines)
        assert second.get("/matrix")["products"] == []
    assert not KEY.search((tmp_path / "log").read_text(encoding="utf-8"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_it_gracefully(tmp_path: Path, signum: int) -> None:
    tracker = server.start(str(tmp_path / "tracker.db"), log=tmp_path / "log")
    began = time.monotonic()
    assert tracker.stop(signum) == 0
    assert time.monotonic() - began < 7
    assert "stopped" in (tmp_path / "log").read_text(encoding="utf-8")


def test_what_is_handed_in_while_it_stops_is_answered_and_kept(tmp_path: Path) -> None:
    tracker = server.start(str(tmp_path / "tracker.db"), log=tmp_path / "log")
    accepted: list[str] = []

    def send(number: int) -> None:
        for count in range(200):
            key = f"{number}-{count}"
            try:
                response = tracker.post("/deployment-events/", deployment(version=key), key=key)
            except requests.RequestException:
                return
            if response.status_code == 201:
                accepted.append(key)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    server.wait_until(lambda: len(accepted) > 10)
    assert tracker.stop() == 0
    for thread in threads:
        thread.join()
    with sqlite3.connect(tmp_path / "tracker.db") as connection:
        stored = {row[0] for row in connection.execute("SELECT idempotency_key FROM event")}
    assert set(accepted) <= stored


def test_a_port_in_use_is_one_line_and_changes_nothing(cli: RunCli, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = tmp_path / "tracker.db"
        done = cli("serve", "--port", str(taken.getsockname()[1]), "--database-url", str(path))
    assert done.code == 2
    assert re.fullmatch(
        r"versioner-ci: error: cannot listen on 127\.0\.0\.1:\d+: Address already in use \(.+\)\n", done.err
    )
    assert not path.exists()


def test_a_schema_of_a_newer_version_is_one_line_and_changes_nothing(cli: RunCli, tmp_path: Path) -> None:
    path = tmp_path / "tracker.db"
    database = connect(str(path))
    migrate.upgrade(database)
    database.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = cli("serve", "--port", "0", "--database-url", str(path))
    assert done.code == 2
    assert "was made by a newer versioner-ci" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--database-url", "/dev/null/tracker.db"), "cannot be used: "),
        (("--database-url", "postgresql://tracker:canary@127.0.0.1:1/x"), "Connection refused"),
        (("--database-url", "mysql://127.0.0.1/x"), "a database address that starts with mysql:// cannot be used"),
        (("--no-auth", "--host", "0.0.0.0"), "--no-auth serves this machine only"),  # noqa: S104 - it is refused
        (("--port", "99999"), "--port must be a number from 0 to 65535"),
        (("--stale-after", "soon"), "--stale-after must be a number"),
        (("--log-format", "xml"), "--log-format must be logfmt or json"),
        (("--slack-api-url", "slack"), "--slack-api-url is not a web address"),
        (("--prot", "1"), "did you mean --port?"),
    ],
)
def test_a_wrong_option_is_one_line(cli: RunCli, arguments: tuple[str, ...], said: str) -> None:
    done = cli("serve", "--port", "0", *arguments) if "--port" not in arguments else cli("serve", *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "canary" not in done.err


def test_without_the_extra_one_line_says_how_to_get_it(cli: RunCli, cli_env: dict[str, str], tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sqlalchemy.py").write_text("raise ModuleNotFoundError('none', name='sqlalchemy')\n", encoding="utf-8")
    path = os.pathsep.join([str(hidden), cli_env["PYTHONPATH"]])
    for command in (("serve",), ("keys", "list")):
        done = cli(*command, env={"PYTHONPATH": path})
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert "pip install 'versioner-ci[server]'" in done.err


@pytest.fixture(scope="module")
def open_tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """With --no-auth: for this machine's own browser and commands."""
    folder = tmp_path_factory.mktemp("open")
    with server.running(str(folder / "tracker.db"), "--no-auth", log=folder / "log") as tracker:
        yield tracker


def test_with_no_auth_no_key_is_needed(open_tracker: Tracker) -> None:
    assert requests.get(f"{open_tracker.url}/matrix", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Prefix", "/tracker"),
        ("X-Real-IP", "10.0.0.1"),
        ("Forwarded", "for=x"),
        ("Via", "1.1 proxy"),
    ],
)
def test_with_no_auth_another_name_or_a_proxy_is_refused(open_tracker: Tracker, header: str, value: str) -> None:
    for path in ("/matrix", "/", "/healthz"):
        response = requests.get(open_tracker.url + path, headers={header: value}, timeout=10)
        assert (response.status_code, response.json()["detail"]["code"]) == (403, "no_auth_remote")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_with_no_auth_a_page_of_another_site_changes_nothing(open_tracker: Tracker, headers: dict[str, str]) -> None:
    taken = open_tracker.deploy("started", product_name="cross-site")["deployment_id"]
    where = f"{open_tracker.url}/deployments/{taken}/close"
    refused = requests.post(where, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["detail"]["code"]) == (403, "no_auth_cross_site")
    assert open_tracker.get(f"/deployments/{taken}")["state"] == "started"
    own = {"Sec-Fetch-Site": "same-origin", "Origin": open_tracker.url}
    assert requests.post(where, headers=own, timeout=10).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "[::1]:80", "127.0.0.2"])
def test_with_no_auth_this_machines_names_are_fine(open_tracker: Tracker, host: str) -> None:
    assert requests.get(f"{open_tracker.url}/matrix", headers={"Host": host}, timeout=10).status_code == 200


def test_keys_are_made_listed_and_revoked_in_the_database(cli: RunCli, tmp_path: Path) -> None:
    path = str(tmp_path / "tracker.db")
    with server.running(path, log=tmp_path / "log") as tracker:
        made = cli("keys", "create", "ci", "--scope", "write", "--expires", "30", "--database-url", path)
        assert made.code == 0
        key = made.out.strip()
        assert KEY.fullmatch(key)
        listed = json.loads(cli("keys", "list", "--json", "--database-url", path).out)["keys"]
        own = next(row for row in listed if row["name"] == "ci")
        assert (own["scopes"], own["revoked_at"]) == (["write"], None)
        admin, tracker.key = tracker.key, key
        assert tracker.post("/deployment-events/", deployment()).status_code == 201
        assert cli("keys", "revoke", own["key_id"], "--database-url", path).out == f"revoked {own['key_id']}\n"
        time.sleep(2.2)
        assert tracker.post("/deployment-events/", deployment()).status_code == 401
        env = {"VERSIONER_API_KEY": admin}
        table = cli("keys", "list", "--url", tracker.url, env=env)
        assert "first admin key" in table.out
        remote = cli("keys", "create", "reader", "--scope", "read", "--url", tracker.url, env=env).out.strip()
        tracker.key = remote
        assert tracker.request("GET", "/matrix").status_code == 200
        refused = cli("keys", "list", "--url", tracker.url, env={"VERSIONER_API_KEY": remote})
    assert refused.code == 2
    assert "has not the scope 'admin'" in refused.err
    assert remote not in refused.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("craete", "x"), "did you mean create?"),
        (("create",), "the new key's name is missing"),
        (("create", "x", "--scope", "root"), "is no scope"),
        (("create", "x", "--expires", "never"), "--expires takes a number of days"),
        (("revoke",), "the key's id is missing"),
        (("list", "--database-url", "/nowhere/tracker.db"), "there is no database /nowhere/tracker.db"),
    ],
)
def test_a_wrong_use_of_keys_is_one_line(cli: RunCli, arguments: tuple[str, ...], said: str) -> None:
    done = cli("keys", *arguments)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_the_real_reporter_talks_to_it(cli: RunCli, tmp_path: Path) -> None:
    with server.running(str(tmp_path / "tracker.db"), log=tmp_path / "log") as tracker:
        env = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": tracker.key}
        common = ("--product", "shop", "--version", "1", "--environment", "production")
        done = cli("run", "deployment", *common, "--", "sh", "-c", "echo broken >&2; exit 3", env=env)
        assert done.code == 3
        [life] = tracker.get("/deployments/")["items"]
        assert (life["shown"], life["error_code"], life["error"].strip()) == ("failed", "3", "broken")
        done = cli("run", "build", "--product", "shop", "--version", "1", "--", "true", env=env)
        assert done.code == 0
        assert tracker.get("/builds/")["items"][0]["shown"] == "completed"


def test_reports_start_up_does_not_load_the_server() -> None:
    script = "import sys, versioner_ci.cli, versioner_ci.cmd_report; print([m for m in sys.modules if 'server' in m])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert "versioner_ci.server" not in done.stdout
