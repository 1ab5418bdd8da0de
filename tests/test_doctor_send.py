from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.fake_slack import FakeSlack
from tests.support.process import Repo, RunCli
from tests.support.recorder import Recorder

KEY = "sk_1_canaryCanaryCanaryCanary"
HTML = "<html><body>Please log in</body></html>"
Rows = list[dict[str, str]]
Ask = Callable[..., tuple[int, Rows]]


@pytest.fixture
def tracker() -> Iterator[Recorder]:
    with Recorder(key=KEY) as made:
        yield made


@pytest.fixture
def ask(cli: RunCli, repo: Repo) -> Ask:
    """Exit code and rows of the tests themselves."""

    def made(*arguments: str, **env: str) -> tuple[int, Rows]:
        done = cli("doctor", "--send-test", "--json", "--timeout", "3", *arguments, env=env, cwd=repo.path)
        assert "canary" not in (done.out + done.err).lower()
        return done.code, [row for row in json.loads(done.out)["checks"] if row["name"].endswith("test")]

    return made


def test_a_right_key_and_address_are_proved_and_nothing_is_recorded(ask: Ask, tracker: Recorder) -> None:
    code, [row] = ask(VERSIONER_API_URL=tracker.url, VERSIONER_API_KEY=KEY)
    assert (code, row["state"]) == (0, "ok")
    assert row["said"] == "URL and key are right: an empty event is refused as such (HTTP 422), nothing is recorded"
    assert (tracker.events, [request.answered for request in tracker.requests]) == ([], [422, 401])


def test_a_tracker_without_keys_is_proved_by_its_address(ask: Ask) -> None:
    with Recorder() as free:
        assert ask(VERSIONER_API_URL=free.url)[1][0]["said"].startswith("the URL is right and asks for no key")
        code, [row] = ask(VERSIONER_API_URL=free.url, VERSIONER_API_KEY=KEY)
    assert (code, row["said"].startswith("the URL is right; no key is asked for")) == (0, True)


ANSWERS = {
    "a wrong key": ({"status": 401, "body": {"detail": "Invalid API key"}}, "key ending …nary refused by 127.0.0.1:",
                    "export VERSIONER_API_KEY='sk_<id>_<secret>'"),
    "a key without rights": ({"status": 403, "body": {"detail": "read only"}}, "key ending …nary refused by 127.0.0.1:",
                             "export VERSIONER_API_KEY='sk_<id>_<secret>'"),
    "a wrong path": ({"status": 404, "body": {"detail": "Not Found"}}, "127.0.0.1:", "check api_url, from"),
    "another service": ({"status": 405, "body": {"detail": "no"}}, "127.0.0.1:", "check api_url, from"),
    "a redirect": ({"status": 308, "headers": {"Location": "https://t.example.com/v1/deployment-events/"}},
                   "127.0.0.1:", "export VERSIONER_API_URL='https://t.example.com/v1'"),
    "a redirect to a login page": ({"status": 302, "headers": {"Location": "https://u:canary@sso.example.com/?next=canary"}},
                                   "127.0.0.1:", "set api_url to the tracker's own address"),
    "a login page": ({"status": 200, "body": HTML, "headers": {"Content-Type": "text/html"}},
                     "127.0.0.1:", "check api_url, from VERSIONER_API_URL"),
    "a page that refuses": ({"status": 400, "body": HTML, "headers": {"Content-Type": "text/html"}}, "127.0.0.1:",
                            "export VERSIONER_API_URL=https://api.versioner.io"),
    "a tracker that is down": ({"status": 503}, "HTTP 503", "versioner-ci doctor --send-test  # once more, later"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "said", "fix"), ANSWERS.values(), ids=ANSWERS)
def test_whatever_else_answers_is_told_as_what_it_is(
    answer: dict[str, object], said: str, fix: str, ask: Ask, tracker: Recorder
) -> None:
    tracker.answer_next(**answer, times=9)  # type: ignore[arg-type]
    code, [row] = ask(VERSIONER_API_URL=tracker.url, VERSIONER_API_KEY=KEY)
    assert (code, row["state"]) == (2, "bad")
    assert row["said"].startswith(said)
    assert row["fix"].startswith(fix)
    assert "Please" not in row["said"]


def test_a_tracker_that_takes_an_empty_event_is_accepted_with_a_word(ask: Ask, tracker: Recorder) -> None:
    tracker.answer_next(202, {"id": "e"})
    code, [row] = ask(VERSIONER_API_URL=tracker.url, VERSIONER_API_KEY=KEY)
    assert (code, row["said"]) == (0, "URL and key are accepted (it took an empty event)")


def test_a_tracker_that_never_answers_is_given_up(ask: Ask, tracker: Recorder) -> None:
    tracker.delay = 30.0
    code, [row] = ask("--timeout", "1", VERSIONER_API_URL=tracker.url, VERSIONER_API_KEY=KEY)
    assert (code, row["state"]) == (2, "bad")


class _Late(http.server.BaseHTTPRequestHandler):
    """Answers as a tracker whose clock is a day ahead."""

    def do_POST(self) -> None:
        body = b'{"detail": "incomplete"}'
        self.send_response_only(422)
        self.send_header("Date", "Fri, 01 Jan 2100 00:00:00 GMT")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_clock_that_differs_from_the_trackers_is_noted(cli: RunCli, repo: Repo) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Late) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        env = {"VERSIONER_API_URL": f"http://127.0.0.1:{server.server_port}"}
        done = cli("doctor", "--send-test", env=env, cwd=repo.path)
        server.shutdown()
    assert "y behind the tracker's: events carry this machine's time" in done.out


def test_slack_is_proved_by_its_token_and_a_message_in_each_channel(ask: Ask, repo: Repo) -> None:
    (repo.path / ".versioner.yml").write_text("notifications:\n  - event_type: '*'\n    channel_id: C0OPS0001\n")
    with FakeSlack() as slack:
        slack.add_channel("#deploys")
        slack.add_channel("#ops", "C0OPS0001")
        code, rows = ask(SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="#deploys")
        assert [len(slack.messages(name)) for name in ("#deploys", "#ops")] == [1, 1]
    assert code == 0
    assert [row["said"].partition(",")[0] for row in rows] == [
        rows[0]["said"].partition(",")[0],
        "a test message stands in #deploys",
        "a test message stands in C0OPS0001",
    ]
    assert "the token is versioner's in " in rows[0]["said"]
    assert "chat:write" in rows[0]["said"]


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "account_inactive"])
def test_a_token_that_slack_does_not_know_is_told_with_its_fix(error: str, ask: Ask) -> None:
    with FakeSlack() as slack:
        slack.fail(error, method="auth.test")
        code, [row] = ask(SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="#deploys")
        assert slack.messages("#deploys") == [] if slack.channels.get("#deploys") else True
    assert (code, error in row["said"]) == (2, True)
    assert "set SLACK_BOT_TOKEN to its Bot User OAuth Token" in row["fix"]


def test_a_token_without_the_scope_to_write_is_told_before_anything_is_posted(ask: Ask) -> None:
    with FakeSlack() as slack:
        slack.scopes = {"channels:read"}
        slack.add_channel("#deploys")
        code, [row] = ask(SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="#deploys")
        assert slack.messages("#deploys") == []
    assert (code, row["fix"].startswith("add the bot scope chat:write")) == (2, True)


def test_a_channel_that_the_bot_is_not_in_is_told_with_the_invitation(ask: Ask) -> None:
    with FakeSlack() as slack:
        slack.scopes = {"chat:write"}
        slack.add_channel("#deploys", is_member=False)
        code, rows = ask(SLACK_API_URL=slack.url, SLACK_BOT_TOKEN=slack.token, SLACK_CHANNEL="#deploys")
    assert (code, rows[-1]["state"]) == (2, "bad")
    assert "/invite @versioner-ci" in rows[-1]["fix"]


def test_a_webhook_is_proved_by_a_message(ask: Ask) -> None:
    with FakeSlack() as slack:
        code, [row] = ask(SLACK_WEBHOOK_URL=slack.webhook_url)
        assert len(slack.messages("webhook")) == 1
    assert (code, row["said"]) == (0, "a test message stands in the webhook's channel")


def test_tracker_and_slack_are_asked_at_the_same_time_and_fail_alone(ask: Ask, tracker: Recorder) -> None:
    tracker.down()
    with FakeSlack() as slack:
        slack.add_channel("#deploys")
        code, rows = ask(
            VERSIONER_API_URL=tracker.url,
            VERSIONER_API_KEY=KEY,
            SLACK_API_URL=slack.url,
            SLACK_BOT_TOKEN=slack.token,
            SLACK_CHANNEL="#deploys",
        )
    assert (code, [row["state"] for row in rows]) == (2, ["bad", "ok", "ok"])


def test_switched_off_nothing_is_sent(ask: Ask, tracker: Recorder) -> None:
    code, [row] = ask(VERSIONER_API_URL=tracker.url, VERSIONER_API_KEY=KEY, VERSIONER_DISABLED="1")
    assert (code, row["said"], tracker.requests) == (0, "VERSIONER_DISABLED is set: nothing was sent", [])


def test_without_send_test_nothing_is_sent(cli: RunCli, repo: Repo, tracker: Recorder) -> None:
    cli("doctor", env={"VERSIONER_API_URL": tracker.url, "VERSIONER_API_KEY": KEY}, cwd=repo.path)
    assert tracker.requests == []
