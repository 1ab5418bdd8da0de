"""versioner-ci as it is installed: as one zipapp, and as wheels with their hashes, made without any network."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = ("requests", "urllib3", "certifi", "idna", "charset-normalizer", "PyYAML", "slack-sdk", "platformdirs")
_MAIN = "from versioner_ci.__main__ import main\nmain()\n"


def zipapp(path: Path) -> str:
    """Writes it and returns its SHA-256."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        for source in sorted((ROOT / "src").rglob("*.py")):
            archive.write(source, source.relative_to(ROOT / "src"))
        for name in DEPENDENCIES:
            for file in metadata.files(name) or ():
                if file.suffix in {".py", ".pem"} and ".." not in file.parts:
                    archive.write(str(file.locate()), str(file))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wheels(folder: Path) -> str:
    """Builds ours, and packs what is installed here of its dependencies; returns the requirements, all hashed."""
    folder.mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=50)
    for name in DEPENDENCIES:
        _packed(metadata.distribution(name), folder)
    rows = []
    for wheel in sorted(folder.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        rows.append(f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}")
    return "# made by a test\n" + "\n".join(rows) + "\n"


def _packed(found: metadata.Distribution, folder: Path) -> None:
    kind = found.read_text("WHEEL") or ""
    [*_, tag] = [line.partition(": ")[2] for line in kind.splitlines() if line.startswith("Tag: ")]
    stem = f"{found.metadata['Name'].replace('-', '_')}-{found.version}"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as archive:
        for file in found.files or ():
            if ".." in file.parts or file.name in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}:
                continue
            if file.suffix == ".pyc":
                continue
            content = Path(str(file.locate())).read_bytes()
            archive.writestr(str(file), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.writerow([str(file), f"sha256={digest}", len(content)])
        info = next(str(file.parent) for file in found.files or () if file.name == "WHEEL")
        rows.writerow([f"{info}/RECORD", "", ""])
        archive.writestr(f"{info}/RECORD", record.getvalue())
