"""The server's log: one line each, as `key=value` or JSON, masked."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, TextIO

from versioner_ci.redact import Redactor
from versioner_ci.text import cut, visible
from versioner_ci.times import stamp

FORMATS = ("logfmt", "json")
LEVELS = ("debug", "info", "warning", "error")
LOG = logging.getLogger("versioner_ci.server")
_LONGEST = 4_000
_BARE = re.compile(r"[\w.:/@%+,\-]+")


class Lines(logging.Formatter):
    """A record as one line; `extra={"fields": {…}}` holds what a program wants to read."""

    def __init__(self, form: str, redactor: Redactor) -> None:
        super().__init__()
        self._is_json = form == "json"
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields: dict[str, Any] = {
            "time": stamp(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields |= {"error": f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"}
            fields |= {"trace": self.formatException(record.exc_info)}
        safe = {name: self._safe(value) for name, value in fields.items() if value is not None}
        return json.dumps(safe) if self._is_json else _logfmt(safe)

    def _safe(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float)):
            return value
        return cut(visible(self._redactor(str(value))), _LONGEST)


def configure(stream: TextIO | None, form: str, level: str, redactor: Redactor) -> None:
    """All loggers of this process, the web server's own too, to `stream` in one form."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(form, redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOG.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def tell(level: int, message: str, **fields: Any) -> None:
    """One line; what is None is left out."""
    if LOG.isEnabledFor(level):
        LOG.log(level, message, extra={"fields": fields})


def _logfmt(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_value(value)}" for name, value in fields.items())


def _value(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, (bool, int, float)) else value
    return text if _BARE.fullmatch(text) else json.dumps(text)
