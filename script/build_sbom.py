"""The bill of materials: CycloneDX, the same bytes from the same commit."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import zipfile
from collections.abc import Sequence
from datetime import datetime, timezone
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import IO

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from script.build_dependencies import Wheel, holds
from script.build_source import Source

_NAMESPACE = uuid.UUID("6f1d1c6e-6f0b-5d2e-9a53-4b8f6a7c0e21")
_KNOWN = {"Apache 2.0": "Apache-2.0", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0"}


def sbom(source: Source, wheels: Sequence[Wheel], own_wheel: bytes, tree: bytes) -> bytes:
    """JSON 1.6. The time is the commit's; the serial number follows from all files, committed or not."""
    own = _component("versioner-ci", source.version, "MIT", ComponentType.APPLICATION)
    told = {wheel.pin.name: _metadata(wheel.path) for wheel in wheels}
    parts = {wheel.pin.name: _of_wheel(wheel, told[wheel.pin.name]) for wheel in wheels}
    bom = Bom(components=parts.values(), serial_number=uuid.uuid5(_NAMESPACE, hashlib.sha256(tree).hexdigest()))
    bom.metadata.component = own
    bom.metadata.timestamp = datetime.fromtimestamp(source.epoch, timezone.utc)
    needs = {own: _metadata(io.BytesIO(own_wheel)), **{part: told[name] for name, part in parts.items()}}
    for part, metadata in needs.items():
        bom.register_dependency(part, [parts[name] for name in _needed(metadata) if name in parts])
    return (JsonV1Dot6(bom).output_as_string(indent=2) + "\n").encode()


def _metadata(wheel: Path | IO[bytes]) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def _needed(told: Message) -> list[str]:
    """The names that a wheel needs on every system; no extras."""
    rows = [Requirement(row) for row in told.get_all("Requires-Dist", [])]
    return sorted(canonicalize_name(row.name) for row in rows if row.marker is None or holds(row.marker))


def _of_wheel(wheel: Wheel, told: Message) -> Component:
    licence = told["License-Expression"] or told["License"] or ""
    component = _component(wheel.pin.name, wheel.pin.version, _KNOWN.get(licence, licence), ComponentType.LIBRARY)
    component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256))
    return component


def _component(name: str, version: str, licence: str, kind: ComponentType) -> Component:
    url = PackageURL(type="pypi", name=name, version=version)
    licences: list[License] = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(name=name, version=version, type=kind, purl=url, bom_ref=str(url), licenses=licences)
