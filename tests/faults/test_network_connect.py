"""Rows 1 to 5: no name, no connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import raw_server
from tests.support.faults import Fault
from tests.support.network_faults import DEPLOYMENT, Expected, Way, names, serving, soft_and_strict
from tests.support.raw_server import blackhole, refused


def lines(log: Path, kind: str) -> list[str]:
    """What two calls asked for, `name …` or `connect …`."""
    return [line for line in log.read_text().splitlines() if line.startswith(kind)]


@pytest.mark.parametrize("args", [Way().args, DEPLOYMENT], ids=["ungated", "gated"])
def test_fault_01_an_unknown_name_is_asked_for_once_and_waits_for_nothing(
    fault: Fault, tmp_path: Path, args: tuple[str, ...]
) -> None:
    log = tmp_path / "names.log"
    way = Way(args=args, budget=10, url="https://tracker.test", env=names("unknown", log))
    said = ("cannot resolve tracker.test", "check api_url, from VERSIONER_API_URL")
    soft_and_strict(fault, refused, Expected(said=said, within=4), way)
    assert lines(log, "name") == ["name tracker.test"] * 2


def test_fault_01_a_name_below_invalid_is_not_even_asked_for(fault: Fault, tmp_path: Path) -> None:
    log = tmp_path / "names.log"
    log.touch()
    way = Way(budget=10, url="https://tracker.invalid", env=names("stall", log))
    soft_and_strict(fault, refused, Expected(said=("cannot resolve tracker.invalid",), within=4), way)
    assert not lines(log, "")


def test_fault_02_a_stalled_name_service_is_left_at_the_end_of_the_budget(fault: Fault) -> None:
    way = Way(args=DEPLOYMENT, budget=2, url="https://tracker.test", env=names("stall"))
    soft_and_strict(fault, refused, Expected(said=("DNS for tracker.test timed out",), within=4), way)


def test_fault_02_a_name_service_in_trouble_is_asked_again_within_the_budget(fault: Fault, tmp_path: Path) -> None:
    log = tmp_path / "names.log"
    way = Way(budget=2, url="https://tracker.test", env=names("again", log))
    said = ("DNS for tracker.test failed: Temporary failure in name resolution",)
    soft_and_strict(fault, refused, Expected(said=said), way)
    assert 4 <= len(lines(log, "name")) <= 8


def test_fault_02_an_event_is_delivered_once_the_name_service_is_back(fault: Fault) -> None:
    way = Way(url="http://tracker.test:{port}", args=(*Way().args, "--allow-http"), env=names("again-once"))
    soft_and_strict(fault, serving(raw_server.reply(201)), Expected(outcome="accepted"), way)


@pytest.mark.parametrize("args", [Way().args, DEPLOYMENT], ids=["ungated", "gated"])
def test_fault_03_a_closed_port_is_tried_four_times_and_costs_about_two_seconds(
    fault: Fault, tmp_path: Path, args: tuple[str, ...]
) -> None:
    log = tmp_path / "names.log"
    said = ("refused by {host}", "check api_url, from VERSIONER_API_URL")
    way = Way(args=args, budget=10, env=names("here", log))
    soft_and_strict(fault, refused, Expected(said=said, within=7), way)
    assert len(lines(log, "connect")) == 8


def test_fault_04_a_connection_that_hangs_ends_with_the_budget(fault: Fault) -> None:
    soft_and_strict(fault, blackhole, Expected(said=("no connection to {host} in time",)), Way(budget=2))


@pytest.mark.slow
def test_fault_04_a_connection_is_waited_for_three_seconds(fault: Fault) -> None:
    # 3 s, a pause, and a second try for what is left of the budget.
    _, strict = soft_and_strict(fault, blackhole, Expected(said=("no connection to {host} in time",)), Way(budget=5))
    assert strict.result.seconds > 4


def test_fault_05_two_of_eight_dead_addresses_are_tried_each_time(fault: Fault, tmp_path: Path) -> None:
    log = tmp_path / "names.log"
    way = Way(url="https://tracker.test:{port}", env=names("many", log))
    soft_and_strict(fault, refused, Expected(said=("tracker.test:{port}",)), way)
    connected = lines(log, "connect")
    assert set(connected) == {"connect 127.0.0.2", "connect ::1"}
    assert len(connected) == 2 * len(lines(log, "name")) <= 16


def test_fault_05_eight_addresses_that_hang_take_no_longer_than_the_budget(fault: Fault) -> None:
    way = Way(url="https://tracker.test:{port}", budget=2, env=names("same"))
    soft_and_strict(fault, blackhole, Expected(said=("no connection to tracker.test:{port} in time",)), way)
