"""The runtime dependencies for every Python and every system: the locked wheels, by hash, without what is compiled."""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from packaging.markers import Marker
from packaging.utils import canonicalize_name, parse_wheel_filename

from script.build_source import BuildError, called

_OLDEST = "3.10"
"""What runs on the oldest Python runs on all: markers are read as for this one."""
_ONLY_COMPILED = {"pyyaml": ("--implementation", "cp", "--abi", "cp310", "--platform", "manylinux2014_x86_64")}
"""Published as compiled wheels alone. Any of them holds all sources; always the same one is taken."""
_PURE = ("--implementation", "py", "--abi", "none", "--platform", "any")
_PIN = re.compile(r"^([\w.-]+)==(\S+)(?: ; ([^\\\n]+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
_LEGAL = re.compile(r"(?i)(?:^|/)(?:licen[cs]e|notice|copying|authors)[^/]*$")


class Pin(NamedTuple):
    """One locked dependency."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


class Wheel(NamedTuple):
    """A downloaded wheel, whose SHA-256 is one of its pin's."""

    pin: Pin
    path: Path
    sha256: str


def pins(text: str) -> list[Pin]:
    """The rows of a requirements file that hold for the oldest Python. Raises BuildError."""
    rows = [Pin(name, version, marker, frozenset(re.findall("[0-9a-f]{64}", hashes)))
            for name, version, marker, hashes in _PIN.findall(text)]  # fmt: skip
    if len(rows) != len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)):
        raise BuildError("requirements/run.txt has a row that cannot be read: make it anew (./script/lock)")
    return [row for row in rows if _holds(row)]


def _holds(pin: Pin) -> bool:
    if not pin.marker:
        return True
    if re.search("platform|os_name|implementation", pin.marker):
        raise BuildError(f"{pin.name} is for some systems only ({pin.marker}): one file cannot hold it")
    return holds(Marker(pin.marker))


def holds(marker: Marker) -> bool:
    """Whether it does for the oldest Python, without extras."""
    return marker.evaluate({"python_version": _OLDEST, "python_full_version": f"{_OLDEST}.0", "extra": ""})


def wheels(wanted: list[Pin], store: Path) -> list[Wheel]:
    """From `store`, else downloaded into it. Raises BuildError."""
    store.mkdir(parents=True, exist_ok=True)
    lacking = [pin for pin in wanted if _stored(pin, store) is None]
    for pin in lacking:
        if pin.name in _ONLY_COMPILED:
            _download([pin], store, _ONLY_COMPILED[pin.name])
    _download([pin for pin in lacking if pin.name not in _ONLY_COMPILED], store, _PURE)
    found = [_stored(pin, store) for pin in wanted]
    return [wheel for wheel in found if wheel is not None]


def _stored(pin: Pin, store: Path) -> Wheel | None:
    for path in sorted(store.glob("*.whl")):
        name, version, _, tags = parse_wheel_filename(path.name)
        is_pure = any(tag.platform == "any" for tag in tags)
        if (name, str(version)) == (canonicalize_name(pin.name), pin.version) and is_pure != (
            pin.name in _ONLY_COMPILED
        ):
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            if sha256 in pin.hashes:
                return Wheel(pin, path, sha256)
    return None


def _download(wanted: list[Pin], store: Path, tags: tuple[str, ...]) -> None:
    if not wanted:
        return
    with TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        rows = (f"{pin.name}=={pin.version} " + " ".join(f"--hash=sha256:{h}" for h in sorted(pin.hashes)) + "\n"
                for pin in wanted)  # fmt: skip
        listed.write_text("".join(rows), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--retries", "1", "--timeout", "10"]
        command += ["--require-hashes", "--only-binary", ":all:", "--python-version", _OLDEST, *tags]
        command += ["--dest", folder, "--requirement", str(listed)]
        done = called(command, 300)
        if done.returncode:
            raise BuildError(f"the dependencies cannot be had: {_reason(done.stderr)}")
        for path in Path(folder).glob("*.whl"):
            unfinished = store / f"{path.name}.new"
            unfinished.write_bytes(path.read_bytes())
            unfinished.replace(store / path.name)


def _reason(printed: str) -> str:
    lines = [line.strip() for line in printed.splitlines() if line.strip()] or ["pip gave no reason"]
    error = next((line for line in lines if line.startswith("ERROR: ")), lines[-1])
    return re.sub(r"https?://\S+", "the package index", error.removeprefix("ERROR: "))[:300]


def files_of(wheel: Wheel) -> Iterator[tuple[str, bytes]]:
    """Name and content of what is shipped: Python's sources, certificates, and who made it under which licence."""
    with zipfile.ZipFile(wheel.path) as archive:
        for name in sorted(archive.namelist()):
            info = name.partition("/")[0].endswith(".dist-info")
            if (name.endswith("/METADATA") or _LEGAL.search(name)) if info else name.endswith((".py", ".pem")):
                yield name, archive.read(name)
