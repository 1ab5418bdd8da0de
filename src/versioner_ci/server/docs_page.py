"""`/docs`: the API's description as one page, without scripts and without the internet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

_CSS = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .4rem 0; }
summary code { font-size: 1rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
details { border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
pre { overflow-x: auto; padding: .8rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
"""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def mount(app: FastAPI) -> None:
    """Add the page, its style and the description itself; no key is needed: nothing stored is told."""

    async def docs(_request: Request) -> Response:
        return HTMLResponse(page(app.openapi()), headers=_HEADERS)

    async def style(_request: Request) -> Response:
        return Response(_CSS, media_type="text/css", headers=_HEADERS)

    async def description(_request: Request) -> Response:
        return JSONResponse(app.openapi(), headers=_HEADERS)

    app.add_route("/docs", docs, include_in_schema=False)
    app.add_route("/docs.css", style, include_in_schema=False)
    app.add_route("/openapi.json", description, include_in_schema=False)


def page(described: dict[str, Any]) -> str:
    """The whole page."""
    info = described["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(info["title"])}: API</title><link rel="stylesheet" href="/docs.css"></head><body><main>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
        f"<h2>Routes</h2>{''.join(_routes(described))}"
        f"<h2>Bodies</h2>{''.join(_schemas(described))}</main></body></html>"
    )


def _routes(described: dict[str, Any]) -> Iterator[str]:
    for path, methods in sorted(described["paths"].items()):
        for method, route in methods.items():
            rows = "".join(_parameter(each) for each in route.get("parameters", []))
            told = f"<table><tr><th>parameter</th><th>in</th><th>what</th></tr>{rows}</table>" if rows else ""
            body = "".join(_body(each) for each in route.get("requestBody", {}).get("content", {}).values())
            answers = "".join(_answer(status, each) for status, each in route["responses"].items())
            yield (
                f'<details><summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code> '
                f"{escape(route.get('description') or route.get('summary', ''))}</summary>{told}{body}"
                f"<table><tr><th>answer</th><th>means</th><th>body</th></tr>{answers}</table></details>"
            )


def _parameter(each: dict[str, Any]) -> str:
    schema = {name: value for name, value in each["schema"].items() if name != "title"}
    what = escape(json.dumps(schema, ensure_ascii=False))
    return f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td><td>{what}</td></tr>"


def _body(content: dict[str, Any]) -> str:
    return f"<p>Body: {_link(content['schema'])}</p>"


def _answer(status: str, each: dict[str, Any]) -> str:
    shown = "".join(_link(content["schema"]) for content in each.get("content", {}).values())
    return f"<tr><td>{escape(status)}</td><td>{escape(each['description'])}</td><td>{shown}</td></tr>"


def _link(schema: dict[str, Any]) -> str:
    name = str(schema.get("$ref", schema.get("items", {}).get("$ref", ""))).rpartition("/")[2]
    return f'<a href="#{escape(name)}">{escape(name)}</a>' if name else escape(json.dumps(schema))


def _schemas(described: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(described["components"]["schemas"].items()):
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3><pre>{text}</pre>'
