"""Which channels an event goes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioner_ci.event import Event
from versioner_ci.routing import Route, matches, targets, webhook_targets
from versioner_ci.settings_values import NOWHERE
from versioner_ci.sinks._sink import Target
from versioner_ci.status import Kind, State


def event(kind: str = "deployment", state: str = "failed", environment: str | None = "production") -> Event:
    return Event(
        kind=Kind(kind),
        state=State(state),
        product="shop",
        version="1",
        environment=environment if kind == "deployment" else None,
        occurred_at="2026-01-31T12:00:00.000000Z",
        key="k",
    )


@pytest.mark.parametrize(
    ("pattern", "kind", "state", "fits"),
    [
        ("*", "build", "started", True),
        ("deployment.*", "deployment", "pending", True),
        ("deployment.*", "build", "failed", False),
        ("*.failed", "build", "failed", True),
        ("*.failed", "build", "completed", False),
        ("build.failed", "build", "failed", True),
        ("build.failed", "deployment", "failed", False),
        ("build.failed", "build", "aborted", False),
    ],
)
def test_event_types_and_their_wildcards(pattern: str, kind: str, state: str, fits: bool) -> None:
    assert matches(Route(event_type=pattern), event(kind, state)) is fits


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route(event_type="*", environments=("production",)), True),
        (Route(event_type="*", environments=("qa", "production")), True),
        (Route(event_type="*", environments=("qa",)), False),
        (Route(event_type="*", environments=("Production",)), False),
        (Route(event_type="*", products=("shop",)), True),
        (Route(event_type="*", products=("other",)), False),
        (Route(event_type="*", products=("shop",), environments=("qa",)), False),
    ],
)
def test_filters_all_have_to_fit(route: Route, fits: bool) -> None:
    assert matches(route, event()) is fits


def test_a_build_passes_no_filter_for_environments() -> None:
    assert not matches(Route(event_type="*", environments=("production",)), event("build"))


def test_without_routes_every_event_goes_to_each_given_channel() -> None:
    assert targets(event(), (), ("#a", "C0123456")) == (Target(channel="#a"), Target(channel="C0123456"))
    assert targets(event(), (), ()) == ()


def test_with_routes_they_decide() -> None:
    routes = (Route(event_type="build.failed", channel_id="C0123456"),)
    assert targets(event(), routes, ("#a",)) == ()
    assert targets(event("build"), routes, ("#a",)) == (Target(channel="C0123456"),)


def test_an_entry_without_a_channel_means_the_given_ones() -> None:
    routes = (Route(event_type="*", mention=("<@U1>",)),)
    assert targets(event(), routes, ("#a", "#b")) == (
        Target(channel="#a", mentions=("<@U1>",)),
        Target(channel="#b", mentions=("<@U1>",)),
    )
    assert targets(event(), routes, ()) == ()


def test_a_channel_matched_twice_gets_one_message_with_the_mentions_united() -> None:
    routes = (
        Route(event_type="*", channel_id="deploys", mention=("<@U1>", "<@U2>")),
        Route(event_type="build.*", channel_id="deploys", mention=("<@U9>",)),
        Route(event_type="*.failed", channel_id="#deploys", mention=("<@U2>", "<!subteam^S1>")),
        Route(event_type="*.failed", mention=("<@U3>",)),
    )
    assert targets(event(), routes, ("#deploys",)) == (
        Target(channel="deploys", mentions=("<@U1>", "<@U2>", "<!subteam^S1>", "<@U3>")),
    )


def test_a_channel_given_twice_gets_one_message() -> None:
    assert targets(event(), (), ("#a", "a", "#a")) == (Target(channel="#a"),)


def test_a_webhook_heeds_filters_and_mentions_but_no_channel() -> None:
    routes = (
        Route(event_type="*.failed", channel_id="C0123456", mention=("<@U1>",)),
        Route(event_type="deployment.*", mention=("<@U2>", "<@U1>")),
        Route(event_type="build.*", mention=("<@U3>",)),
    )
    assert webhook_targets(event(), routes) == (Target(channel="", mentions=("<@U1>", "<@U2>")),)
    assert webhook_targets(event(state="started"), (routes[0],)) == ()
    assert webhook_targets(event(), ()) == (Target(channel=""),)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("state", list(State))
def test_notifications_of_which_nothing_can_be_used_post_nothing(kind: Kind, state: State) -> None:
    assert targets(event(kind.value, state.value), (NOWHERE,), ("#a",)) == ()
    assert webhook_targets(event(kind.value, state.value), (NOWHERE,)) == ()


ROUTES = st.builds(
    Route,
    event_type=st.sampled_from(["*", "build.*", "deployment.*", "*.failed", "deployment.failed"]),
    channel_id=st.none() | st.sampled_from(["a", "#a", "b", "C0123456"]),
    environments=st.sampled_from([(), ("production",), ("qa",)]),
    products=st.sampled_from([(), ("shop",)]),
    mention=st.lists(st.sampled_from(["<@U1>", "<@U2>"]), max_size=3).map(tuple),
)


@given(st.lists(ROUTES, max_size=6), st.lists(st.sampled_from(["a", "#a", "b"]), max_size=3))
def test_no_channel_and_no_mention_is_ever_doubled(routes: list[Route], channels: list[str]) -> None:
    found = targets(event(), routes, channels)
    names = [target.channel.lstrip("#") for target in found]
    assert len(names) == len(set(names))
    for target in found:
        assert len(target.mentions) == len(set(target.mentions))
    assert len(webhook_targets(event(), routes)) <= 1
