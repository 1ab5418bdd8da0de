"""versioner-ci.pyz: the package, its dependencies and the launcher of script/zipapp in one file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from script.build_archive import zipped
from script.build_source import BuildError, Source

NAME = "versioner-ci.pyz"
_HEAD = b"#!/usr/bin/env python3\n"
_LAUNCHER = "script/zipapp/"
_LIST = "versioner_ci_files.txt"
_UNSET = '{} = "not built"'


def zipapp(source: Source, vendored: Mapping[str, bytes]) -> bytes:
    """The file's bytes. Raises BuildError."""
    package = {name.removeprefix("src/"): file.content for name, file in source.files.items()
               if name.startswith("src/versioner_ci/") and name.endswith(".py")}  # fmt: skip
    files = {**vendored, **package}
    unpacked = {name: content for name, content in sorted(files.items()) if ".dist-info/" not in name}
    launcher = _launcher(source, _digest(unpacked))
    listed = "".join(f"{len(content)} {name}\n" for name, content in unpacked.items()).encode()
    return zipped({**files, **launcher, _LIST: listed, "LICENSE": source.files["LICENSE"].content}, source.epoch, _HEAD)


def _launcher(source: Source, content: str) -> dict[str, bytes]:
    files = {name.removeprefix(_LAUNCHER): file.content for name, file in source.files.items()
             if name.startswith(_LAUNCHER) and name.endswith(".py")}  # fmt: skip
    text = files["versioner_ci_zipapp.py"].decode()
    for name, value in (("CONTENT", content), ("VERSION", source.version)):
        if text.count(_UNSET.format(name)) != 1:
            raise BuildError(f"{_LAUNCHER}versioner_ci_zipapp.py has no line {_UNSET.format(name)}")
        text = text.replace(_UNSET.format(name), f'{name} = "{value}"')
    return {**files, "versioner_ci_zipapp.py": text.encode()}


def _digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 of all names and contents: the name of the folder that they are unpacked into."""
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()
