"""The template as GitLab sees it: inputs filled in, includes merged, `extends` and `!reference` resolved."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "gitlab"
FILES = tuple(sorted(FOLDER.glob("*.yml")))
_BLOCK = re.compile(r"\$\[\[ inputs\.(\w+) \]\]")


class Reference(list[str]):
    """The path of a `!reference`."""


class _Loader(yaml.SafeLoader):
    """YAML with GitLab's tag."""


_Loader.add_constructor("!reference", lambda loader, node: Reference(loader.construct_sequence(node)))


@cache
def _documents(name: str) -> list[Any]:
    return list(yaml.load_all((FOLDER / name).read_text(encoding="utf-8"), _Loader))


def inputs_of(name: str) -> dict[str, dict[str, Any]]:
    """The inputs that a file declares."""
    documents = _documents(name)
    found: dict[str, dict[str, Any]] = documents[0]["spec"]["inputs"] if len(documents) == 2 else {}
    return found


def body_of(name: str) -> dict[str, Any]:
    """A file without its header, nothing filled in."""
    found: dict[str, Any] = copy.deepcopy(_documents(name)[-1])
    return found


def filled(name: str, **given: str) -> dict[str, Any]:
    """A file's body with its inputs filled in, as text in a tree that is parsed already: GitLab does it so."""
    declared = inputs_of(name)
    assert given.keys() <= declared.keys()
    values = {key: given.get(key, spec.get("default")) for key, spec in declared.items()}
    assert None not in values.values()
    result: dict[str, Any] = _filled(body_of(name), values)
    return result


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {_filled(key, values): _filled(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return type(node)(_filled(value, values) for value in node)
    return _BLOCK.sub(lambda match: str(values[match[1]]), node) if isinstance(node, str) else node


def pipeline(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Files merged as includes are, the last one wins; then `extends` and `!reference` resolved."""
    whole: dict[str, Any] = {}
    for part in parts:
        whole = _merged(whole, part)
    extended = {name: _extended(whole, name) for name in whole}
    return {name: _resolved(extended, value) for name, value in extended.items()}


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return copy.deepcopy(above)
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}


def _extended(whole: Mapping[str, Any], name: str) -> Any:
    job = whole[name]
    if not isinstance(job, dict) or "extends" not in job:
        return job
    parents = [job["extends"]] if isinstance(job["extends"], str) else job["extends"]
    result: Any = {}
    for parent in parents:
        result = _merged(result, _extended(whole, parent))
    return {key: value for key, value in _merged(result, job).items() if key != "extends"}


def _resolved(whole: Mapping[str, Any], node: Any) -> Any:
    if isinstance(node, Reference):
        found: Any = whole
        for key in node:
            found = found[key]
        return _resolved(whole, found)
    if isinstance(node, dict):
        return {key: _resolved(whole, value) for key, value in node.items()}
    if isinstance(node, list):
        return [item for value in node for item in _items(whole, value)]
    return node


def _items(whole: Mapping[str, Any], value: Any) -> Iterator[Any]:
    found = _resolved(whole, value)
    if isinstance(value, Reference) and isinstance(found, list):
        yield from found
    else:
        yield found
