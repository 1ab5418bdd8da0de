"""Archives whose bytes follow from what is in them and from one time: zip and tar.gz."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Mapping

from script.build_source import File


def zipped(files: Mapping[str, bytes], epoch: int, head: bytes = b"") -> bytes:
    """A zip, sorted by name, behind `head`. Zip tells even seconds from 1980 on, without a time zone: UTC here."""
    buffer = io.BytesIO()
    buffer.write(head)
    when = time.gmtime(max(epoch, 315532800))[:6]
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, when)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content, compresslevel=9)
    return buffer.getvalue()


def tarred(files: Mapping[str, File], epoch: int, top: str) -> bytes:
    """A tar.gz with everything below the folder `top`, nobody's, all of one time."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, file in sorted(files.items()):
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size, info.mtime, info.mode = len(file.content), epoch, 0o755 if file.is_executable else 0o644
            archive.addfile(info, io.BytesIO(file.content))
    return buffer.getvalue()
