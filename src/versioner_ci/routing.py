"""Which Slack channels an event goes to, and whom it mentions there. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from versioner_ci.event import Event
from versioner_ci.settings_values import Route, unique
from versioner_ci.sinks._sink import Target

__all__ = ["Route", "matches", "targets", "webhook_targets"]


def matches(route: Route, event: Event) -> bool:
    """Whether an entry of `notifications` is about this event. A build has no environment: it passes no such filter."""
    kind, _, state = route.event_type.partition(".")
    return (
        kind in {"*", event.kind.value}
        and state in {"", "*", event.state.value}
        and (not route.products or event.product in route.products)
        and (not route.environments or event.environment in route.environments)
    )


def targets(event: Event, routes: Iterable[Route], channels: Iterable[str]) -> tuple[Target, ...]:
    """One target a channel, the mentions of all entries that matched united.

    Without routes, the event goes to each given channel; an entry without a channel means the given ones.
    """
    given = tuple(channels)
    routes = tuple(routes)
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name in () if routes else given:
        found.setdefault(_folded(name), (name, ()))
    for route in routes:
        if not matches(route, event):
            continue
        for name in (route.channel_id,) if route.channel_id else given:
            spelling, mentions = found.get(_folded(name), (name, ()))
            found[_folded(name)] = (spelling, unique((*mentions, *route.mention)))
    return tuple(Target(channel=name, mentions=mentions) for name, mentions in found.values())


def webhook_targets(event: Event, routes: Iterable[Route]) -> tuple[Target, ...]:
    """A webhook has one channel of its own: none or one target, its channel ""."""
    routes = tuple(routes)
    fitting = [route for route in routes if matches(route, event)]
    if routes and not fitting:
        return ()
    return (Target(channel="", mentions=unique(name for route in fitting for name in route.mention)),)


def _folded(channel: str) -> str:
    """`#deploys` and `deploys` are one channel."""
    return channel.removeprefix("#")
