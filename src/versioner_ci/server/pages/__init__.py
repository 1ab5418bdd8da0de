"""The pages: what runs where, the history, one build or deployment, notifications, the sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from versioner_ci.server.pages.forms import Forms, Task
from versioner_ci.server.pages.preferences import SCOPE, Preferences
from versioner_ci.server.pages.routes import Pages
from versioner_ci.server.services import Services


def mount(app: FastAPI, services: Services) -> None:
    """Add all routes of the pages; none is part of the API's description."""
    pages = Pages(services)
    forms, preferences = Forms(pages), Preferences(pages)
    _get(app, "/assets/{tag}/{name}", pages.asset)
    _get(app, "/sign-in", forms.show_sign_in)
    for path, show in (
        ("/", pages.matrix),
        ("/history", pages.history),
        ("/lifecycles/{id}", pages.lifecycle),
        ("/preferences", preferences.list),
        ("/preferences/{id}", preferences.one),
    ):
        _get(app, path, pages.inside(show))
    app.add_route("/sign-in", forms.sign_in, methods=["POST"], include_in_schema=False)
    for path, task in (
        ("/sign-out", Task(forms.sign_out, "read")),
        ("/lifecycles/{id}/close", Task(forms.close, "admin")),
        ("/preferences", Task(preferences.add, SCOPE)),
        ("/preferences/{id}", Task(preferences.change, SCOPE)),
        ("/preferences/{id}/delete", Task(preferences.delete, SCOPE)),
    ):
        app.add_route(path, forms.checked(task), methods=["POST"], include_in_schema=False)


def _get(app: FastAPI, path: str, answer: Callable[..., Any]) -> None:
    app.add_route(path, answer, methods=["GET", "HEAD"], include_in_schema=False)
