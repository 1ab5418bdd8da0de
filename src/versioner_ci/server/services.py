"""What the routes and pages of one server work with, made once when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from versioner_ci.clock import Clock
from versioner_ci.server.access import Access
from versioner_ci.server.db import Database
from versioner_ci.server.options import Options
from versioner_ci.server.read import Reader
from versioner_ci.server.watch import Requests
from versioner_ci.server.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`reader` for every look at the data, `writer.call(function)` for every change."""

    database: Database
    reader: Reader
    access: Access
    writer: Writer
    options: Options
    clock: Clock
    registry: CollectorRegistry
    requests: Requests
    """Counted in `registry`."""
