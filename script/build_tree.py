"""The tree of a release's tag: the repository, and what hosts take from it that is made, not written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from script.build_source import BuildError, File, Source
from script.build_zipapp import NAME

VENDOR = "vendor/"
JENKINS = f"jenkins/resources/io/versioner/{NAME}"
SUM = f"{JENKINS}.sha256"
"""Committed too, with `-` for none: Jenkins would show a resource that is missing as a failed step."""
TEMPLATE = "gitlab/versioner.yml"
MOST_OF_A_VARIABLE = 30_000
"""Characters of the input `requirements`: a variable holds 128 KiB on Linux, 32,767 characters on Windows."""
_INPUT = r"(\n    {}:\n(?:      .*\n)*?      default:) \"\"\n"


def tree(source: Source, vendored: Mapping[str, bytes], zipapp: bytes, wheel: str) -> dict[str, File]:
    """Every file of it by name. `wheel` is the SHA-256 of ours. Raises BuildError."""
    sha256 = hashlib.sha256(zipapp).hexdigest()
    made = {f"{VENDOR}{name}": content for name, content in vendored.items()}
    made |= {JENKINS: zipapp, SUM: f"{sha256}\n".encode()}
    made[TEMPLATE] = pinned(source.text(TEMPLATE), sha256, requirements(source, wheel)).encode()
    if taken := sorted((made.keys() - {TEMPLATE, SUM}) & source.files.keys()):
        raise BuildError(f"{taken[0]} is made by a build and may not be committed")
    return {**source.files, **{name: File(content=content) for name, content in sorted(made.items())}}


def requirements(source: Source, wheel: str) -> str:
    """This version and the locked dependencies, all hashed, as pip reads them. Raises BuildError."""
    rows = [line for line in source.text("requirements/run.txt").splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join([f"versioner-ci=={source.version} \\", f"    --hash=sha256:{wheel}", *rows]) + "\n"
    text = text.replace(" \\\n    --hash", " --hash")
    if len(text) > MOST_OF_A_VARIABLE:
        raise BuildError(f"the input requirements has {len(text)} characters; a variable may not hold more than 30,000")
    return text


def pinned(template: str, zipapp_sha256: str, lines: str) -> str:
    """GitLab's template with this release as the defaults of its inputs. Raises BuildError."""
    block = "".join(f"        {line}\n" for line in lines.splitlines())
    for name, default in (("zipapp_sha256", f'"{zipapp_sha256}"'), ("requirements", f"|\n{block.rstrip()}")):
        found = re.findall(_INPUT.format(name), template)
        if len(found) != 1:
            raise BuildError(f"{TEMPLATE} has no input {name} with an empty default")
        template = template.replace(f'{found[0]} ""\n', f"{found[0]} {default}\n")
    return template
