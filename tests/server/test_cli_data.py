"""`matrix` and `history` as processes, against a running tracker and against its database."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.tracker import Tracker, running
from tests.support.process import Result, RunCli
from versioner_ci.server import migrate
from versioner_ci.server.db import connect


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with running(str(tmp_path / "tracker.db")) as started:
        started.deploy("completed", version="1.4.2", deployed_by="grace", invoke_id="1")
        started.deploy("completed", version="1.5.0", deployed_by="ada", environment_name="staging", invoke_id="2")
        started.deploy("failed", version="1.6.0", invoke_id="3", extra_metadata={"duration_seconds": 62.9})
        started.deploy("pending", product_name="поиск", invoke_id="4")
        body = {"product_name": "shop", "version": "1.5.0", "status": "completed", "invoke_id": "5"}
        assert started.post("/build-events/", body).status_code == 201
        yield started


@pytest.fixture(params=["url", "database"])
def ask(request: pytest.FixtureRequest, tracker: Tracker, run_cli: RunCli) -> Callable[..., Result]:
    """The command, by each of both ways."""

    def run(*arguments: str) -> Result:
        if request.param == "url":
            env = {"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": tracker.key}
            return run_cli(*arguments, env=env)
        return run_cli(*arguments, "--database-url", tracker.database)

    return run


def test_the_matrix_shows_what_runs_what_came_after_and_what_lags_behind(ask: Callable[..., Result]) -> None:
    result = ask("matrix")
    assert (result.code, result.err) == (0, "")
    assert re.search(r"^product +production +staging$", result.out, re.MULTILINE)
    shop = r"^shop +1\.4\.2 ↑  (?:.+ ago|just now), grace +1\.5\.0  .+, ada$"
    assert re.search(shop, result.out, re.MULTILINE)
    assert re.search(r"^ +→ 1\.6\.0 failed  ", result.out, re.MULTILINE)
    assert re.search(r"^поиск\S* +→ 1\.4\.2 queued  .+ –$", result.out, re.MULTILINE)


def test_the_matrix_as_json_is_the_apis_own(ask: Callable[..., Result], tracker: Tracker) -> None:
    assert json.loads(ask("matrix", "--json").out) == tracker.get("/matrix")
    found = json.loads(ask("matrix", "--json", "--find", "SHO").out)
    assert [row["name"] for row in found["products"]] == ["shop"]
    assert {row["product_id"] for row in found["cells"]} == {found["products"][0]["id"]}


def test_the_history_is_newest_first_with_both_kinds(ask: Callable[..., Result]) -> None:
    lines = ask("history").out.splitlines()
    assert lines[0].split("  ")[0] == "when (UTC)"
    assert [line.split()[2] for line in lines[2:]] == ["build", *["deployment"] * 4]
    assert re.search(r"deployment +shop +1\.6\.0 +production +failed +– +1 min 3 s$", lines[4])


@pytest.mark.parametrize(
    ("filters", "versions"),
    [
        (("--kind", "build"), ["1.5.0"]),
        (("--kind", "deployment", "--product", "shop"), ["1.6.0", "1.5.0", "1.4.2"]),
        (("--environment", "staging"), ["1.5.0"]),
        (("--state", "error"), ["1.6.0"]),
        (("--state", "deployed"), ["1.5.0", "1.4.2"]),
        (("--state", "built"), ["1.5.0"]),
        (("--state", "success"), ["1.5.0", "1.5.0", "1.4.2"]),
        (("--version", "1.4.2", "--product", "shop"), ["1.4.2"]),
        (("--limit", "2", "--kind", "deployment"), ["1.4.2", "1.6.0"]),
        (("--product", "nothing"), []),
    ],
)
def test_the_history_is_filtered(ask: Callable[..., Result], filters: tuple[str, ...], versions: list[str]) -> None:
    found = json.loads(ask("history", "--json", *filters).out)
    assert [row["version"] for row in found["items"]] == versions


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("history", "--limit", "0"), "--limit takes a number from 1 to 1000"),
        (("history", "--kind", "deploy"), "'deploy' is not a kind (did you mean deployment?)"),
        (("history", "--state", "faild"), "unknown status 'faild' (did you mean failed"),
        (("matrix", "--url", "ftp://x"), "--url "),
        (("matrix", "--url", "http://127.0.0.1:9", "--database-url", "x"), "give only one of --url and --database-url"),
        (("matrix", "--database-url", "/nowhere/tracker.db"), "there is no database /nowhere/tracker.db"),
        (("matrix", "--database-url", "mysql://x"), "a database address that starts with mysql://"),
        (("matrix", "--database-url", ":memory:"), "must be a file that is named by its path"),
        (("history", "--database-url", "sqlite://"), "must be a file that is named by its path"),
        (("serve", "--port", "0", "--database-url", "sqlite:///x?y=1"), "must be a file that is named by its path"),
        (("keys", "list", "--database-url", "sqlite:///:memory:"), "must be a file that is named by its path"),
        (
            ("history", "--state", "deployed", "--kind", "build"),
            "'deployed' is a word for a deployment, not for a build",
        ),
    ],
)
def test_what_was_typed_wrong_is_one_line_and_2(run_cli: RunCli, arguments: tuple[str, ...], said: str) -> None:
    result = run_cli(*arguments)
    assert result.code == 2
    assert said in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "table"),
    [("matrix", "current"), ("history", "product"), ("keys list", "api_key"), ("keys create x", "api_key")],
)
def test_a_broken_database_is_one_line(run_cli: RunCli, tmp_path: Path, command: str, table: str) -> None:
    path = tmp_path / "tracker.db"
    database = connect(str(path))
    migrate.upgrade(database)
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE outbox")
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO gone")
    database.dispose()
    result = run_cli(*command.split(), "--database-url", str(path))
    assert (result.code, len(result.err.splitlines())) == (2, 1)
    assert f"cannot be used: no such table: {table}" in result.err


def test_a_wrong_key_is_told_by_its_end(run_cli: RunCli, tracker: Tracker) -> None:
    result = run_cli("matrix", "--url", tracker.url, env={"VERSIONER_API_KEY": "sk_1_0123456789abcdef"})
    assert (result.code, "HTTP 401" in result.err, "…cdef" in result.err) == (2, True, True)
    assert "0123456789" not in result.err


def test_without_the_extra_one_line_says_how_to_get_it(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "hide").mkdir()
    hidden = tmp_path / "hide" / "sqlalchemy.py"
    hidden.write_text("raise ImportError('gone', name='sqlalchemy')\n", encoding="utf-8")

    path = os.pathsep.join([str(hidden.parent), os.environ["PYTHONPATH"]])
    result = run_cli("matrix", "--database-url", "x.db", env={"PYTHONPATH": path})
    assert result.code == 2
    assert "pip install 'versioner-ci[server]'" in result.err
