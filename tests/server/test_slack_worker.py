"""The outbox's worker in front of Slack, step by step: what it does if either of them, or the database, goes wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from tests.server.engine import Engine, opened
from tests.support.fake_slack import FakeSlack
from versioner_ci.clock import Clock
from versioner_ci.http import Transport
from versioner_ci.redact import Redactor
from versioner_ci.server import slack_claim, sweep
from versioner_ci.server.moments import micros
from versioner_ci.server.options import Options
from versioner_ci.server.records import NotificationRow
from versioner_ci.server.slack_claim import Lease
from versioner_ci.server.slack_send import Account, Sender, Suspect
from versioner_ci.server.slack_worker import SlackWorker, is_aside

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
HOUR = 3600.0
Fault = Callable[[FakeSlack], None]


@dataclass(slots=True)
class Desk:
    """A tracker's rules, a worker without threads, and a Slack. Time passes only where a test or the worker says so."""

    engine: Engine
    slack: FakeSlack
    naps: list[Callable[[], None]] = field(default_factory=list)
    """What happens while the worker sleeps, one for each time."""

    def worker(self) -> SlackWorker:
        return SlackWorker(self.engine.database, self.sender(), Options(database_url=""), self.clock())

    def sender(self) -> Sender:
        account = Account(self.slack.token, self.slack.url, Transport({}), Redactor([self.slack.token]))
        return Sender(account, self.engine.database, self.clock())

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.engine.clock / 1e6, monotonic=time.monotonic, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.engine.now += seconds
        if self.naps:
            self.naps.pop(0)()

    def work(self, seconds: int) -> None:
        """Look each second, as often as there is something."""
        worker = self.worker()
        for _ in range(seconds):
            while worker.step():
                continue
            self.engine.now += 1

    def rows(self) -> list[NotificationRow]:
        return list(reversed(self.engine.reader.notifications().items))

    def posted(self) -> list[str]:
        """The first line of each message that was posted, in order."""
        return [message.text.partition("\n")[0] for message in self.slack.messages("#deploys")]

    def change(self, statement: str) -> None:
        with self.engine.database.write() as connection:
            connection.execute(text(statement))


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with FakeSlack() as slack, opened(sqlite_url) as engine:
        slack.add_channel("#deploys", "C0DEPLOYS")
        slack.add_channel("#alarm", "C0ALARM")
        engine.prefer("deployment.*", "C0DEPLOYS")
        yield Desk(engine, slack)


TROUBLE: dict[str, Fault] = {
    "429": lambda slack: slack.rate_limit(5, times=3),
    "503": lambda slack: slack.answer(503, "down", times=3),
    "no answer": lambda slack: slack.answer(200, None, times=3),
    "a login page": lambda slack: slack.answer(200, "<html>sign in</html>", times=3),
    "half an answer": lambda slack: slack.answer(200, '{"ok": tru', times=3),
    "an answer that is no object": lambda slack: slack.answer(200, "[]", times=3),
    "its own fault": lambda slack: slack.fail("internal_error", times=3),
    "a token that is revoked for a while": lambda slack: slack.fail("token_revoked", times=3),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_after_trouble_the_messages_of_a_channel_come_in_order_and_once(desk: Desk, trouble: str) -> None:
    TROUBLE[trouble](desk.slack)
    for number in range(4):
        desk.engine.tell("completed", number, version=f"v{number}", life=f"{A[:-1]}{number}")
    desk.work(30)
    assert [words.split()[-3] for words in desk.posted()] == ["v0", "v1", "v2", "v3"]
    assert [(row.state, row.attempts) for row in desk.rows()] == [("sent", 4), *[("sent", 1)] * 3]


def test_a_wait_that_slack_asks_for_holds_for_the_whole_channel_and_for_no_other(desk: Desk) -> None:
    desk.engine.prefer("deployment.*", "C0ALARM", product_name="blog")
    desk.slack.rate_limit(30, channel="#deploys")
    desk.engine.tell("completed", 0, life=A)
    desk.engine.tell("completed", 0, life=B, product_name="blog")
    desk.work(29)
    assert len(desk.slack.messages("#alarm")) == 1
    assert len([call for call in desk.slack.calls if call.args["channel"] == "C0DEPLOYS"]) == 1
    desk.work(5)
    assert [words.split()[3] for words in desk.posted()] == ["shop", "blog"]


def test_a_turn_that_is_nearly_over_is_not_used(desk: Desk) -> None:
    desk.engine.tell("started", 0, life=A)
    claimed = slack_claim.claim(desk.engine.database, Lease("here", micros(20)), lambda: desk.engine.clock)
    assert claimed is not None
    desk.engine.now += 15
    outcome = desk.sender().send(claimed, 10.0)
    assert (outcome.is_sent, outcome.is_final, desk.slack.calls) == (False, False, [])
    assert desk.sender().send(claimed, 4.0).is_sent


def test_a_reply_that_is_due_stays_due_while_the_database_cannot_be_read(desk: Desk) -> None:
    desk.engine.tell("failed", 0, life=A)
    desk.change("UPDATE outbox SET is_reply_due = 1")
    desk.change("ALTER TABLE event RENAME TO mislaid")
    assert desk.worker().step()
    desk.change("ALTER TABLE mislaid RENAME TO event")
    assert "cannot be read" in (desk.rows()[0].last_error or "")
    with desk.engine.database.read() as connection:
        assert connection.execute(text("SELECT is_reply_due FROM outbox")).scalar_one() == 1


@pytest.mark.parametrize("code", ["an_error_that_nobody_knows", "invalid_arguments"])
def test_a_message_that_slack_refuses_holds_up_nobody(desk: Desk, code: str) -> None:
    desk.slack.fail(code, times=1)
    desk.engine.tell("started", 0, life=A)
    desk.engine.tell("completed", 0, life=B, product_name="blog")
    desk.work(3)
    assert [row.state for row in desk.rows()] == ["failed", "sent"]
    assert code in (desk.rows()[0].last_error or "")


@pytest.mark.parametrize(
    ("attempts", "suspect", "aside"),
    [
        (1, Suspect.MESSAGE, True),
        (19, Suspect.EITHER, False),
        (20, Suspect.EITHER, True),
        (500, Suspect.SLACK, False),
    ],
)
def test_a_channel_waits_for_slack_always_and_for_a_message_an_hour(
    attempts: int, suspect: Suspect, *, aside: bool
) -> None:
    assert is_aside(attempts, suspect) is aside


def test_a_message_that_cannot_be_made_is_kept_said_once_and_given_up_after_a_day(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.engine.tell("completed", 0, life=A)
    desk.engine.tell("completed", 0, life=B, product_name="blog")
    desk.change("UPDATE event SET payload = '[1]' WHERE seq = 1")
    with caplog.at_level(logging.INFO, "versioner_ci.server.slack"):
        desk.work(20)
    assert [words.split()[3] for words in desk.posted()] == ["blog"], "the other one goes on"
    [bad, good] = desk.rows()
    assert (bad.state, good.state) == ("new", "sent")
    assert bad.attempts > 2
    assert "a fault of the tracker: AttributeError" in (bad.last_error or "")
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert {record.__dict__["fields"]["lifecycle"] for record in caplog.records} == {
        bad.lifecycle_id,
        good.lifecycle_id,
    }
    desk.engine.now += 24 * HOUR
    desk.work(1)
    assert desk.rows()[0].state == "failed"


FULL = (
    "CREATE TRIGGER full BEFORE UPDATE OF state ON outbox WHEN new.state = 'sent'"
    " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
)


def test_what_stands_in_slack_is_written_down_as_soon_as_the_database_lets_it(desk: Desk) -> None:
    desk.engine.tell("completed", 0, life=A)
    desk.change(FULL)
    desk.naps += [lambda: None, lambda: None, lambda: desk.change("DROP TRIGGER full")]
    desk.work(60)
    assert [(row.state, row.attempts) for row in desk.rows()] == [("sent", 1)]
    assert len(desk.posted()) == 1


def test_once_its_lease_is_over_another_try_is_made(desk: Desk) -> None:
    desk.engine.tell("completed", 0, life=A)
    desk.change(FULL)
    assert desk.worker().step()
    assert desk.engine.now >= 20, "so long it tries to write"
    desk.change("DROP TRIGGER full")
    desk.work(5)
    assert [(row.state, row.attempts) for row in desk.rows()] == [("sent", 2)]
    assert len(desk.posted()) == 2


def test_a_notice_whose_thread_was_deleted_is_posted_anew_and_moves_on(desk: Desk) -> None:
    desk.engine.tell("started", 0, life=A)
    desk.work(2)
    [message] = desk.slack.messages("#deploys")
    desk.slack.delete("#deploys", message.ts)
    desk.engine.now = 6 * HOUR + 1
    with desk.engine.database.write() as connection:
        assert sweep.mark_stale(connection, desk.engine.clock, micros(6 * HOUR)) == 1
    desk.work(2)
    [notice] = desk.slack.messages("#deploys")
    assert "No ending heard" in notice.text
    desk.engine.tell("completed", 7 * HOUR, life=A)
    desk.work(2)
    [notice] = desk.slack.messages("#deploys")
    assert "✅ Deployment succeeded" in notice.text
    assert [row.state for row in desk.rows()] == ["sent"] * 3


def test_a_message_that_only_moves_on_does_so_in_plain_text_where_slack_refuses_its_form(desk: Desk) -> None:
    desk.change("UPDATE preference SET event_type = 'deployment.started'")
    desk.slack.fail("invalid_blocks", method="chat.update")
    desk.engine.tell("started", 0, life=A)
    desk.engine.tell("completed", 1, life=A)
    desk.work(3)
    [message] = desk.slack.messages("#deploys")
    assert (message.blocks, message.text.partition(":")[0]) == ([], "✅ Deployment succeeded")
    assert [row.what for row in desk.rows()] == ["event", "quiet"]


def test_an_answer_that_names_no_place_is_not_believed(desk: Desk) -> None:
    desk.slack.answer(200, '{"ok": true, "channel": "C0DEPLOYS", "ts": "' + "9" * 400 + '"}')
    desk.engine.tell("started", 0, life=A)
    desk.engine.tell("completed", 1, life=A)
    desk.work(4)
    assert [row.state for row in desk.rows()] == ["sent", "sent"]
    assert len(desk.posted()) == 1, "the next state is posted, since nothing is known to stand"


def test_in_an_archived_channel_each_message_fails_with_its_fix_until_it_is_back(desk: Desk) -> None:
    desk.slack.channel("#deploys").is_archived = True
    desk.engine.tell("started", 0, life=A)
    desk.work(2)
    desk.slack.channel("#deploys").is_archived = False
    desk.engine.tell("completed", 3, life=A)
    desk.work(2)
    assert [row.state for row in desk.rows()] == ["failed", "sent"]
    assert "unarchive" in (desk.rows()[0].last_error or "")
    assert len(desk.posted()) == 1
