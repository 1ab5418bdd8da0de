"""What operators look at: health, metrics, the log."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.server.tracker import Tracker, running
from versioner_ci.redact import Redactor
from versioner_ci.server.logs import Lines


def samples(tracker: Tracker) -> dict[tuple[str, ...], float]:
    text = requests.get(f"{tracker.url}/metrics", timeout=20).text
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_count_requests_by_route_and_tell_what_waits(tmp_path: Path) -> None:
    with running(str(tmp_path / "tracker.db")) as tracker:
        tracker.prefer("*", "C0123456789")
        tracker.deploy("started")
        tracker.deploy("started", product_name="secret-project", invoke_id="9")
        for path in ("/lifecycles/1", "/lifecycles/2", "/no-such-place", "/no-such-place-either"):
            requests.get(tracker.url + path, timeout=20, allow_redirects=False)
        found = samples(tracker)
        assert found["versioner_events_total",] == 2
        assert found["versioner_open", "kind=deployment", "state=started"] == 2
        assert found["versioner_slack_messages", "state=new"] == 2
        assert found["versioner_slack_oldest_seconds",] > 0
        counted = {key[2:]: value for key, value in found.items() if key[0] == "versioner_http_requests_total"}
        assert [value for key, value in counted.items() if "status=404" in key] == [2]
        assert sum(value for key, value in counted.items() if "status=303" in key) == 2
        assert sum(value for key, value in counted.items() if "status=201" in key) == 3
        text = requests.get(f"{tracker.url}/metrics", timeout=20).text
        assert "secret-project" not in text
        assert "no-such-place" not in text


def test_a_lost_database_makes_it_unready_and_not_unhealthy(tmp_path: Path) -> None:
    with running(str(tmp_path / "tracker.db")) as tracker:
        assert tracker.request("GET", "/readyz").json()["status"] == "ok"
        for path in tmp_path.glob("tracker.db*"):
            path.unlink()
        (tmp_path / "tracker.db").mkdir()
        answers = [tracker.request("GET", "/readyz").status_code for _ in range(25)]
        assert tracker.request("GET", "/healthz").status_code == 200
        assert set(answers) <= {200, 503}


def test_the_log_is_lines_of_json_without_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(str(tmp_path / "tracker.db"), "--log-format", "json", "--log-level", "debug", log=log) as tracker:
        requests.get(f"{tracker.url}/matrix", headers={"Authorization": "Bearer sk_1_0123456789abcdef"}, timeout=20)
        requests.get(f"{tracker.url}/matrix?key=sk_1_0123456789abcdef", timeout=20)
        key = tracker.key
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line.get("path") == "/matrix"]
    assert [(line["status"], line["method"], line["level"]) for line in refused] == [(401, "GET", "info")] * 2
    assert key not in text
    assert "0123456789abcdef" not in text


def test_outside_text_cannot_write_a_line_of_the_log() -> None:
    for form in ("logfmt", "json"):
        record = logging.LogRecord("x", logging.INFO, "", 0, "request", None, None)
        record.fields = {
            "path": "/a\nlevel=error\x1b[31m\u202e?k=hunter22&key=sk_1_0123456789abcdef",
            "status": 200,
            "none": None,
        }
        line = Lines(form, Redactor(["hunter22"])).format(record)
        stream = io.StringIO(line)
        assert len(stream.read().splitlines()) == 1
        assert "\x1b" not in line
        assert "\u202e" not in line
        assert "none" not in line
        assert "hunter22" not in line
        assert "0123456789abcdef" not in line
        assert "status" in line
