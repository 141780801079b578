"""Patterns of files: ``*`` and ``?`` and ``[…]`` within a name, ``**`` for any number of folders."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from lab.edge.hashing import SKIPPED

MOST_LINKED = 10_000  # folders that are reached through links; links may lead in circles
_MAGIC = re.compile(r"[*?\[]")

_Places: TypeAlias = "frozenset[int]"
"""How far into the pattern a folder's path may have come, each as the number of the part that is next."""


class TooMany(Exception):
    """The pattern leads through links in circles."""


def glob(root: str, pattern: str) -> list[str]:
    """Files below *root* that match, sorted, as relative paths.

    Hidden files match like others. ``.lab``, ``.git`` and ``__pycache__`` match only where the pattern
    names them. ``**`` does not follow links to folders, so that it always ends; a last ``**`` means
    all files below. A pattern with ``..`` or an absolute one matches nothing. However often ``**``
    stands in it, each folder is looked into once.

    Raises:
        TooMany: links lead in circles, and the pattern follows them.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or ".." in parts or not parts or "\0" in pattern:
        return []
    if parts[-1] == "**":
        parts.append("*")
    return sorted(_matches(root, tuple(parts)))


def _matches(root: str, parts: tuple[str, ...]) -> Iterator[str]:
    linked = 0
    waiting: list[tuple[str, _Places]] = [("", _with_none(frozenset({0}), parts))]
    while waiting:
        base, places = waiting.pop()
        for name, (is_folder, is_link) in _candidates(root, base, places, parts).items():
            reached = _after(name, places, parts, walks=is_folder and not is_link)
            if len(parts) in reached and not is_folder:
                yield base + name
            further = _with_none(frozenset(reached - {len(parts)}), parts)
            if is_folder and further:
                linked += is_link
                if linked > MOST_LINKED:
                    raise TooMany
                waiting.append((f"{base}{name}/", further))


def _with_none(places: _Places, parts: tuple[str, ...]) -> _Places:
    """*places*, and those after each ``**``, which may stand for no folder at all."""
    found = set(places)
    for place in sorted(places):
        while place < len(parts) and parts[place] == "**":
            place += 1
            found.add(place)
    return frozenset(found)


def _after(name: str, places: _Places, parts: tuple[str, ...], *, walks: bool) -> set[int]:
    """Where in the pattern one comes with *name*; ``**`` takes it if it *walks*: a folder, no link."""
    found: set[int] = set()
    for place in places:
        part = parts[place]
        if part == "**":
            found |= {place} if walks and name not in SKIPPED else set()
        elif part == name or (
            _MAGIC.search(part) and name not in SKIPPED and _compiled(part).match(name)
        ):
            found.add(place + 1)
    return found


def _candidates(
    root: str, base: str, places: _Places, parts: tuple[str, ...]
) -> dict[str, tuple[bool, bool]]:
    """What may match in a folder: by name, whether it is a folder and whether a link.

    A folder is read only if that takes more than asking for a name.
    """
    found: dict[str, tuple[bool, bool]] = {}
    if any(_MAGIC.search(parts[place]) for place in places):
        found = _listed(os.path.join(root, base))
    for place in places:
        part = parts[place]
        path = os.path.join(root, base + part)
        if part not in found and not _MAGIC.search(part) and os.path.lexists(path):
            found[part] = os.path.isdir(path), os.path.islink(path)
    return found


def _listed(folder: str) -> dict[str, tuple[bool, bool]]:
    """What a folder holds; nothing for one that cannot be read."""
    try:
        with os.scandir(folder) as found:
            return {each.name: (each.is_dir(), each.is_symlink()) for each in found}
    except OSError:
        return {}


@lru_cache(maxsize=256)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))
