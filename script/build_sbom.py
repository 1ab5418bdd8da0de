"""The bill of materials: CycloneDX, the same bytes from the same commit."""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Sequence
from datetime import datetime, timezone
from email.parser import HeaderParser

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from script.build_dependencies import Wheel
from script.build_source import Source

_NAMESPACE = uuid.UUID("6f1d1c6e-6f0b-5d2e-9a53-4b8f6a7c0e21")
_KNOWN = {"Apache 2.0": "Apache-2.0", "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0"}


def sbom(source: Source, wheels: Sequence[Wheel]) -> bytes:
    """JSON 1.6. The serial number and the time are the commit's."""
    own = _component("versioner-ci", source.version, "MIT", ComponentType.APPLICATION)
    parts = [_of_wheel(wheel) for wheel in wheels]
    bom = Bom(components=parts, serial_number=uuid.uuid5(_NAMESPACE, f"{source.version} {source.commit}"))
    bom.metadata.component = own
    bom.metadata.timestamp = datetime.fromtimestamp(source.epoch, timezone.utc)
    bom.register_dependency(own, parts)
    return (JsonV1Dot6(bom).output_as_string(indent=2) + "\n").encode()


def _of_wheel(wheel: Wheel) -> Component:
    with zipfile.ZipFile(wheel.path) as archive:
        name = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        told = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    licence = told["License-Expression"] or told["License"] or ""
    component = _component(wheel.pin.name, wheel.pin.version, _KNOWN.get(licence, licence), ComponentType.LIBRARY)
    component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256))
    return component


def _component(name: str, version: str, licence: str, kind: ComponentType) -> Component:
    url = PackageURL(type="pypi", name=name, version=version)
    licences: list[License] = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(name=name, version=version, type=kind, purl=url, bom_ref=str(url), licenses=licences)
