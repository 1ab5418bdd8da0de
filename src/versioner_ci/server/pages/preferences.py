"""The page of notification preferences: which events go to which Slack channel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from versioner_ci.config_routes import EVENT_TYPES
from versioner_ci.server import moments
from versioner_ci.server import preferences as rules
from versioner_ci.server.pages import render
from versioner_ci.server.pages.forms import Letter, Sent
from versioner_ci.server.pages.render import HEADERS
from versioner_ci.server.pages.routes import Pages, page_of, problem
from versioner_ci.server.pages.session import Visitor
from versioner_ci.server.pages.view_history import Choice
from versioner_ci.server.preferences import Wish
from versioner_ci.server.problems import Problem
from versioner_ci.server.read import Slice

SCOPE = "write"
_MOST = Slice(None, 200)
_LINES = 100
_FIELDS = ("event_type", "channel_id", "product_name", "environment_name", "mention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What was typed, and what is wrong with it, by field."""

    event_type: str = "deployment.failed"
    channel_id: str = ""
    product_name: str = ""
    environment_name: str = ""
    mention: str = ""
    errors: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_FIELDS, ""))


class Choices(NamedTuple):
    """What can be picked."""

    event_types: tuple[Choice, ...]
    products: list[str]
    environments: list[str]


class Preferences:
    """Each method answers one address."""

    def __init__(self, pages: Pages) -> None:
        self._services = pages.services

    def list(self, request: Request, visitor: Visitor) -> Response:
        """All of them, and a form for a new one."""
        return self._listed(request, visitor, Form())

    def one(self, request: Request, visitor: Visitor) -> Response:
        """A form for one of them."""
        known = self._services.reader.preference(request.path_params["id"])
        if known is None:
            return _gone(request, visitor)
        if not visitor.may(SCOPE):
            return RedirectResponse("/preferences", 303, headers=HEADERS)
        form = Form(
            event_type=known.event_type,
            channel_id=known.channel_id,
            product_name=known.product_name or "",
            environment_name=known.environment_name or "",
            mention=", ".join(known.mention),
        )
        return self._form(request, visitor, form)

    async def add(self, letter: Letter) -> Response:
        """Make one."""
        request, visitor, sent = letter
        try:
            wish = rules.checked(_wish(sent))
        except Problem as found:
            return await run_in_threadpool(self._listed, request, visitor, _again(sent, found), 422)
        now = moments.micros(self._services.clock.wall())
        await self._services.writer.change(lambda connection: rules.create(connection, wish, now))
        return RedirectResponse("/preferences?said=added", 303, headers=HEADERS)

    async def change(self, letter: Letter) -> Response:
        """Change one."""
        request, visitor, sent = letter
        identity = request.path_params["id"]
        try:
            wish = rules.checked(_wish(sent))
        except Problem as found:
            return await run_in_threadpool(self._form, request, visitor, _again(sent, found), 422)
        if not await self._services.writer.change(lambda connection: rules.change(connection, identity, wish)):
            return _gone(request, visitor)
        return RedirectResponse("/preferences?said=changed", 303, headers=HEADERS)

    async def delete(self, letter: Letter) -> Response:
        """Delete one; gone already is as good."""
        identity = letter.request.path_params["id"]
        await self._services.writer.change(lambda connection: rules.remove(connection, identity))
        return RedirectResponse("/preferences?said=deleted", 303, headers=HEADERS)

    def _listed(self, request: Request, visitor: Visitor, form: Form, status: int = 200) -> Response:
        try:
            found = self._services.reader.preferences(Slice(request.query_params.get("cursor") or None, _LINES))
        except ValueError:
            return problem(
                request, visitor, 422, "That page of the notifications does not exist", "Its cursor is none."
            )
        values = {
            "preferences": found.items,
            "more": urlencode({"cursor": found.next}) if found.next else "",
            "may_change": visitor.may(SCOPE),
            "scope_needed": SCOPE,
            "slack_hint": self._slack_hint(),
            "choices": self._choices(),
            "form": form,
        }
        return render.html("preferences.html", page_of(request, visitor, "/preferences"), values, status)

    def _form(self, request: Request, visitor: Visitor, form: Form, status: int = 200) -> Response:
        values = {"id": request.path_params["id"], "form": form, "choices": self._choices()}
        return render.html("preference.html", page_of(request, visitor, "/preferences"), values, status)

    def _slack_hint(self) -> str:
        if self._services.options.slack_token is not None:
            failed = self._services.reader.notifications("failed", Slice(None, 1)).items
            return f"Slack refused a message to {failed[0].channel}: {failed[0].last_error}" if failed else ""
        waiting = self._services.reader.waiting()
        queue = f" {waiting} message{'s' if waiting != 1 else ''} wait{'' if waiting != 1 else 's'}." if waiting else ""
        return f"Slack is not told: this tracker was started without SLACK_BOT_TOKEN.{queue}"

    def _choices(self) -> Choices:
        reader = self._services.reader
        return Choices(
            tuple(Choice(name, name) for name in EVENT_TYPES),
            [row.name for row in reader.products(_MOST).items],
            [row.name for row in reader.environments(_MOST).items],
        )


def _wish(sent: Sent) -> Wish:
    return Wish(
        event_type=sent.get("event_type", ""),
        channel_id=sent.get("channel_id", "").strip(),
        product_name=sent.get("product_name", "").strip() or None,
        environment_name=sent.get("environment_name", "").strip() or None,
        mention=tuple(word for word in re.split(r"[,\s]+", sent.get("mention", "")) if word),
    )


def _again(sent: Sent, found: Problem) -> Form:
    typed = {name: sent.get(name, "") for name in _FIELDS}
    wrong = {str(fault.at[-1]): fault.message for fault in found.faults}
    return Form(**typed, errors={name: wrong.get(name, "") for name in _FIELDS})


def _gone(request: Request, visitor: Visitor) -> Response:
    return problem(request, visitor, 404, "There is no such notification", "Perhaps somebody has deleted it.")
