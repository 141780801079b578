"""The names in a Labfile, read for completion: quickly, and never with an error."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lab.model.diagnostic import LabError
from lab.reading.parse import parse

_NAMES = ("Labfile.yaml", "Labfile.yml")
_LARGEST = 1024 * 1024  # bytes; a person waits while this is read


def step_names(given: str | None) -> list[str]:
    """The steps of the Labfile *given*, or of the one here or above; none if it cannot be read."""
    return _keys(given, "steps")


def variable_names(given: str | None) -> list[str]:
    """The variables that it declares."""
    return _keys(given, "vars")


def target_names(given: str | None) -> list[str]:
    """The targets that it declares, and the one that always exists."""
    return ["local", *_keys(given, "targets")]


def tags(given: str | None) -> list[str]:
    """The tags that its steps carry."""
    steps = _tree(given).get("steps")
    found: dict[str, None] = {}
    for step in steps.values() if isinstance(steps, Mapping) else ():
        listed = step.get("tags") if isinstance(step, Mapping) else None
        words = listed if isinstance(listed, list) else [listed]
        found.update(dict.fromkeys(word for word in words if isinstance(word, str)))
    return list(found)


def overlays(given: str | None) -> list[str]:
    """The overlays beside it: `prod` for `Labfile.prod.yaml`."""
    path = _labfile(given)
    if path is None:
        return []
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    inner = (n[len(stem) + 1 : -len(suffix)] for n in names if n.startswith(f"{stem}."))
    return [n for n in inner if n and os.path.exists(os.path.join(folder, f"{stem}.{n}{suffix}"))]


def _keys(given: str | None, section: str) -> list[str]:
    found = _tree(given).get(section)
    return [key for key in found if isinstance(key, str)] if isinstance(found, Mapping) else []


def _tree(given: str | None) -> Mapping[str, Any]:
    path = _labfile(given)
    try:
        if path is None or os.path.getsize(path) > _LARGEST:
            return {}
        with open(path, "rb") as file:
            return parse(path, file.read()).tree
    except (OSError, LabError):
        return {}


def _labfile(given: str | None) -> str | None:
    if given is not None and not os.path.isdir(given):
        return given
    folder = os.path.abspath(given or ".")
    while True:
        for name in _NAMES:
            if os.path.isfile(os.path.join(folder, name)):
                return os.path.join(folder, name)
        above = os.path.dirname(folder)
        if above == folder or given is not None:
            return None
        folder = above
