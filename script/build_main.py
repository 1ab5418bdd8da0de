"""`script/build`: reads the repository, makes everything, and says what there is."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from script import build_dependencies, build_out, build_source
from script.build_archive import tarred
from script.build_out import SUMS, TREE
from script.build_sbom import sbom
from script.build_source import BuildError, File, Source
from script.build_tree import tree
from script.build_zipapp import NAME, zipapp

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """0; 1 with one line if nothing can be built."""
    parser = argparse.ArgumentParser(prog="script/build", description=__doc__)
    parser.add_argument("--release", action="store_true", help="only what is committed and dated in CHANGELOG.md")
    parser.add_argument(
        "--out", type=Path, default="dist", metavar="DIR", help="dist; relative to the repository's root"
    )
    options = parser.parse_args(arguments)
    out = ROOT / options.out
    try:
        build_out.clear(ROOT, out)
        source = build_source.read(ROOT)
        if options.release:
            build_source.check_release(source)
        build_out.put(made(source), out, source.epoch)
    except (BuildError, OSError) as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    sys.stdout.write((out / SUMS).read_text())
    print(f"build: versioner-ci {source.version} of commit {source.commit[:12]}, and the release tree, in {out}")
    if not source.is_committed:
        print("build: with changes that are not committed: try it, but do not release it", file=sys.stderr)
    return 0


def made(source: Source) -> dict[str, File]:
    """All that a build makes, by its name in `dist/`. Raises BuildError, OSError."""
    wheels = build_dependencies.wheels(
        build_dependencies.pins(source.text("requirements/run.txt")), ROOT / ".tools" / "wheels"
    )
    vendored = dict(pair for wheel in wheels for pair in build_dependencies.files_of(wheel))
    made = _distributions(source)
    [wheel] = [content for name, content in made.items() if name.endswith(".whl")]
    made[NAME] = zipapp(source, vendored)
    files = tree(source, vendored, made[NAME], hashlib.sha256(wheel).hexdigest())
    stem = f"versioner-ci-{source.version}"
    made[f"{stem}-tree.tar.gz"] = tarred(files, source.epoch, stem)
    made[f"{stem}.cdx.json"] = sbom(source, wheels, wheel, made[f"{stem}-tree.tar.gz"])
    sums = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(made.items()))
    made[SUMS] = "".join(sums).encode()
    flat = {name: File(content=made[name], is_executable=name == NAME) for name in made}
    return {**flat, **{f"{TREE}/{name}": file for name, file in files.items()}}


def _distributions(source: Source) -> dict[str, bytes]:
    """Wheel and sdist by name, from nothing but the source's files."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "source"
        build_out.write(source.files, folder, source.epoch)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", f"{name}/dist"]
        env = {**os.environ, "SOURCE_DATE_EPOCH": str(source.epoch)}
        done = build_source.called(command, 120, cwd=folder, env=env)
        if done.returncode:
            raise BuildError(f"hatchling: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
        return {path.name: path.read_bytes() for path in sorted(Path(name, "dist").iterdir())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
