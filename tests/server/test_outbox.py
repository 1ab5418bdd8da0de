"""The outbox and what time brings about, step by step: the same on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.server.engine import Engine, event
from versioner_ci.server import slack_claim, sweep
from versioner_ci.server.moments import micros
from versioner_ci.server.slack_claim import Again, Lease
from versioner_ci.server.slack_worker import pause
from versioner_ci.server.tables import Lifecycle
from versioner_ci.server.tables_slack import Outbox

A, B = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
PLACE = "C0DEPLOYS=1700000000.000100"
LEASE = Lease("here", micros(20))
HOUR = 3600.0


def claim(engine: Engine) -> slack_claim.Claim | None:
    return slack_claim.claim(engine.database, LEASE, lambda: engine.clock)


def taken(engine: Engine) -> slack_claim.Claim:
    claimed = claim(engine)
    assert claimed is not None
    return claimed


def again(engine: Engine, seconds: float, *, is_aside: bool = False) -> Again:
    return Again(engine.clock + micros(seconds), "HTTP 503", is_reply_due=False, place=None, is_aside=is_aside)


def states(engine: Engine) -> list[str]:
    return [row.state for row in reversed(engine.reader.notifications().items)]


def test_the_second_step_of_a_message_waits_for_the_first(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    engine.tell("completed", 10, life=A)
    first = claim(engine)
    assert first is not None
    engine.now += 5
    assert claim(engine) is None, "it is being sent"
    slack_claim.sent(engine.database, first, "C0DEPLOYS=1700000000.000100", engine.clock)
    second = claim(engine)
    assert second is not None
    assert (second.seq > first.seq, second.place) == (True, "C0DEPLOYS=1700000000.000100")
    assert states(engine) == ["sent", "sending"]


STEPS = [
    ("pending", "started"),
    ("started", "failed"),
    ("started", "completed"),
    ("pending", "started", "aborted"),
    ("started", "failed", "completed"),
]


@pytest.mark.parametrize("steps", STEPS, ids="-".join)
def test_steps_that_arrive_together_go_where_each_of_them_is_wanted(engine: Engine, steps: tuple[str, ...]) -> None:
    for state in ("pending", "started", "completed", "failed", "aborted"):
        engine.prefer(f"deployment.{state}", f"C0{state.upper()}")

    def told(life: str) -> list[tuple[str, str]]:
        with engine.database.read() as connection:
            rows = connection.execute(select(Outbox).join(Lifecycle, Lifecycle.chain_id == Outbox.chain_id))
            return [(row.channel, row.what) for row in rows.all() if row.lifecycle_id == life]

    for number, state in enumerate(steps):
        engine.tell(state, number, life=A)
    engine.take(*[event(state, number, life=B, version="2") for number, state in enumerate(steps)])
    by_step, together = (told(life.id) for life in engine.lives())
    assert ("C0" + steps[0].upper(), "event") in together
    assert together == by_step


def test_a_lease_begins_when_the_database_lets_the_worker_write(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    looks = iter([engine.clock, engine.clock + micros(25)])
    claimed = slack_claim.claim(engine.database, LEASE, lambda: next(looks))
    assert claimed is not None
    assert claimed.lease_end == engine.clock + micros(45)


def test_a_message_in_flight_is_nobody_elses_until_its_lease_ends(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    assert claim(engine) is not None
    engine.now += 19
    assert claim(engine) is None
    engine.now += 2
    assert taken(engine).attempts == 2


def test_a_channel_gets_one_a_second_and_others_do_not_wait_for_it(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.prefer("*", "C0ALARM", product_name="blog")
    for product in ("shop", "shop2", "blog"):
        engine.tell("started", 0, product_name=product)
    first, other = taken(engine), taken(engine)
    assert [first.channel, other.channel] == ["C0DEPLOYS", "C0ALARM"]
    engine.now += 0.9
    assert slack_claim.sent(engine.database, first, PLACE, engine.clock)
    assert claim(engine) is None
    engine.now += 0.1
    assert taken(engine).seq > first.seq


def test_a_channel_s_messages_go_one_by_one_however_long_one_takes(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    engine.tell("started", 0, life=B, product_name="blog")
    first = taken(engine)
    engine.now += 19
    assert claim(engine) is None
    assert slack_claim.sent(engine.database, first, PLACE, engine.clock)
    assert taken(engine).lifecycle_id != first.lifecycle_id


def test_what_a_sender_says_after_its_lease_was_taken_over_does_not_count(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    late = taken(engine)
    engine.now += 21
    heir = taken(engine)
    assert not slack_claim.failed(engine.database, late, "it hung")
    assert not slack_claim.later(engine.database, late, Again(engine.clock, "HTTP 503", is_reply_due=False, place=None))
    assert states(engine) == ["sending"]
    assert slack_claim.sent(engine.database, heir, PLACE, engine.clock)
    assert not slack_claim.sent(engine.database, late, "C0DEPLOYS=1600000000.000100", engine.clock)
    engine.tell("completed", 10, life=A)
    engine.now += 1
    assert taken(engine).place == PLACE
    assert not slack_claim.sent(engine.database, heir, None, engine.clock), "the next step is another message"


def test_a_sender_that_is_late_but_has_no_heir_is_still_heard(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    first = taken(engine)
    engine.now += 21
    assert slack_claim.sent(engine.database, first, PLACE, engine.clock)
    assert states(engine) == ["sent"]


def test_a_channel_waits_as_long_as_slack_asked_and_then_goes_on_in_order(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    for life, product in ((A, "shop"), (B, "blog")):
        engine.tell("started", 0, life=life, product_name=product)
    first = taken(engine)
    slack_claim.later(engine.database, first, again(engine, 30))
    engine.now += 29
    assert claim(engine) is None, "the other message would be refused as well"
    engine.now += 1
    assert taken(engine).seq == first.seq


def test_a_message_put_aside_holds_up_nothing_but_its_own_lifecycle(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    engine.tell("completed", 1, life=A)
    engine.tell("started", 2, life=B, product_name="blog")
    poisoned = taken(engine)
    slack_claim.later(engine.database, poisoned, again(engine, 30, is_aside=True))
    engine.now += 1
    other = taken(engine)
    assert other.lifecycle_id != poisoned.lifecycle_id
    slack_claim.sent(engine.database, other, PLACE, engine.clock)
    engine.now += 28
    assert claim(engine) is None
    engine.now += 1
    assert taken(engine).seq == poisoned.seq


def test_what_was_given_up_is_no_step_before_the_next(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    engine.tell("completed", 1, life=A)
    slack_claim.failed(engine.database, taken(engine), "msg_too_long")
    engine.now += 1
    assert taken(engine).what == "event"
    assert states(engine) == ["failed", "sending"]


def test_a_failed_try_comes_again_and_does_not_before_its_time(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("failed", 0, life=A)
    claimed = taken(engine)
    slack_claim.later(engine.database, claimed, again(engine, 30)._replace(is_reply_due=True, place=PLACE))
    engine.now += 29
    assert claim(engine) is None
    engine.now += 1
    second = taken(engine)
    assert (second.is_reply_due, second.place) == (True, PLACE)


def test_after_a_day_it_is_given_up_visibly(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    with engine.database.write() as connection:
        assert slack_claim.give_up(connection, engine.clock, micros(1)) == 0
        assert slack_claim.give_up(connection, engine.clock + micros(25 * HOUR), micros(24 * HOUR)) == 1
    [row] = engine.reader.notifications("failed").items
    assert row.last_error == "never tried"


def test_after_a_day_also_what_its_sender_left_lying_is_given_up(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("started", 0, life=A)
    engine.now += 25 * HOUR
    late = taken(engine)
    with engine.database.write() as connection:
        assert slack_claim.give_up(connection, engine.clock, micros(24 * HOUR)) == 0, "it is being sent"
        assert slack_claim.give_up(connection, engine.clock + LEASE.length, micros(24 * HOUR)) == 1
    [row] = engine.reader.notifications("failed").items
    assert row.last_error == "its sender was not heard of again"
    assert not slack_claim.sent(engine.database, late, PLACE, engine.clock)


def stale(engine: Engine) -> int:
    with engine.database.write() as connection:
        return sweep.mark_stale(connection, engine.clock, micros(6 * HOUR))


def test_no_ending_heard_is_said_once_after_six_hours_and_never_of_a_pending(engine: Engine) -> None:
    engine.prefer("deployment.failed", "C0ALARM", mention=("@U0456",))
    engine.tell("started", 0, life=A)
    engine.tell("pending", 0, life=B, environment_name="staging")
    engine.now = 6 * HOUR - 1
    assert stale(engine) == 0
    engine.now = 6 * HOUR + 1
    assert stale(engine) == 1
    assert stale(engine) == 0, "once"
    assert sorted(engine.shown()) == ["no_ending_heard", "pending"]
    claimed = claim(engine)
    assert claimed is not None
    assert (claimed.what, claimed.mention) == ("stale", ("<@U0456>",))
    engine.tell("completed", 7 * HOUR, life=A)
    assert sorted(engine.shown()) == ["completed", "pending"]


def test_a_start_that_was_delivered_late_may_still_get_its_ending(engine: Engine) -> None:
    engine.now = 10 * HOUR
    engine.tell("started", 0, life=A)
    assert stale(engine) == 0
    assert engine.shown() == ["started"]
    engine.now += 301
    stale(engine)
    assert engine.shown() == ["no_ending_heard"]


def test_what_is_late_or_repeated_is_told_to_nobody(engine: Engine) -> None:
    engine.prefer("*", "C0DEPLOYS")
    engine.tell("completed", 10, life=A)
    engine.tell("started", 0, life=A)
    engine.tell("completed", 20, life=A)
    assert states(engine) == ["new"]


@pytest.mark.parametrize(
    ("attempts", "asked", "seconds"),
    [(1, None, 1), (2, None, 2), (5, None, 16), (50, None, 300), (1, 7.0, 7), (1, 1e9, 3600), (9, 0.0, 1)],
)
def test_the_pause_before_the_next_try(attempts: int, asked: float | None, seconds: float) -> None:
    assert pause(attempts, asked) == seconds
