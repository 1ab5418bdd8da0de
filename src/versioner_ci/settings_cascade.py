"""One setting's value and its origin: flag, environment, file, host facts, default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from versioner_ci.config_record import FileConfig
from versioner_ci.context import CIContext
from versioner_ci.settings_parse import ParseError, is_blank, is_plain_http, shown
from versioner_ci.settings_table import Setting, Shape
from versioner_ci.settings_values import SettingError

DEFAULT = "default"
_FACTS = frozenset({"product", "version", "environment"})


class Cascade:
    """Asks the sources in order and remembers what was wrong with them."""

    def __init__(
        self, flags: Mapping[str, object], env: Mapping[str, str], file: FileConfig | None, context: CIContext
    ) -> None:
        self.flags = flags
        self.env = env
        self.file = file
        self._context = context
        self.allows_http = True
        self.origins: dict[str, str] = {}
        self.warnings: list[str] = []
        self.unusable: dict[str, str] = {}
        self.broken: set[str] = set()
        """Settings of which some source could not be read."""
        self.secrets: list[str] = []
        """Every secret that any source holds, used or not, mended or not."""

    def value(self, setting: Setting) -> Any:
        """The strongest source's value; `origins` then says which that was. Raises SettingError for what was typed."""
        if setting.is_secret:
            self.secrets += [str(raw) for raw in self._raw(setting) if raw]
        for source in (self._typed, self._variable, self._filed, self._fact):
            found = source(setting)
            if found is not None or setting.name in self.unusable:
                return found
        self.origins[setting.name] = DEFAULT
        return setting.default

    def warn(self, text: str) -> None:
        """Say something once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def given(self, setting: Setting) -> object:
        """What was typed; None for nothing."""
        raw = self.flags.get(setting.name)
        return None if raw is None or raw in ([], (), {}) else raw

    def _raw(self, setting: Setting) -> list[object]:
        return [self.given(setting), *(self.env.get(name) for name in setting.env)]

    def _typed(self, setting: Setting) -> Any:
        raw, flag = self.given(setting), setting.flag or setting.name
        if raw is None:
            return None
        if is_blank(raw) and setting.is_blank_unset:
            self.warn(f"{flag} is empty and counts as not given")
            return None
        if is_blank(raw):
            raise SettingError(setting.name, f"{flag} is empty", fix="give it a value or leave it out")
        try:
            value = self._parsed(setting, raw, flag)
        except ParseError as error:
            raise SettingError(setting.name, f"{flag} {error}", fix=error.fix) from None
        self.origins[setting.name] = f"flag {flag}"
        return value

    def _variable(self, setting: Setting) -> Any:
        for name in setting.env:
            raw = self.env.get(name)
            if raw is None or is_blank(raw):
                continue
            try:
                value = self._parsed(setting, raw, name)
            except ParseError as error:
                value = self._wrong(setting, name, error)
            if value is not None:
                self.origins[setting.name] = name
                return value
            if setting.name in self.unusable:
                return None
        return None

    def _wrong(self, setting: Setting, origin: str, error: ParseError) -> Any:
        """A variable that cannot be read: what is left of it, or nothing. No weaker source replaces a destination."""
        self.broken.add(setting.name)
        why = f"{origin} {error}"
        if setting.is_secret or setting.shape is Shape.URL:
            self.unusable[setting.name] = why + (f" ({error.fix})" if error.fix else "")
            self.origins[setting.name] = origin
            self.warn(f"{self.unusable[setting.name]}: nothing is sent there")
        else:
            what = "it counts as required" if setting.name == "gate" else "ignored"
            self.warn(f"{why}: {what}" + (f" ({error.fix})" if error.fix else ""))
        return error.rest

    def _parsed(self, setting: Setting, raw: object, origin: str) -> Any:
        value, note = setting.parse(raw)
        if setting.shape is Shape.URL and not self.allows_http and is_plain_http(value):
            raise ParseError("is unencrypted http:// to another machine", fix="use https://, or --allow-http")
        if note:
            self.warn(f"{origin} {note}")
        return value

    def _filed(self, setting: Setting) -> Any:
        if self.file is None or setting.name not in self.file.values:
            return None
        self.origins[setting.name] = self.file.origin(setting.name)
        return self.file.values[setting.name]

    def _fact(self, setting: Setting) -> Any:
        raw = getattr(self._context, setting.name) if setting.name in _FACTS else None
        if raw is None or is_blank(raw):
            return None
        origin = self._context.source_system if self._context.is_ci else "git"
        try:
            value = self._parsed(setting, raw, f"{setting.name} {shown(raw)} from {origin}")
        except ParseError:
            return None
        self.origins[setting.name] = origin
        return value
