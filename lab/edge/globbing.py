"""Patterns of files: ``*`` and ``?`` and ``[…]`` within a name, ``**`` for any number of folders."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from functools import lru_cache

from lab.edge.hashing import SKIPPED

_MAGIC = re.compile(r"[*?\[]")


def glob(root: str, pattern: str) -> list[str]:
    """Files below *root* that match, sorted, as relative paths.

    Hidden files match like others. ``.lab``, ``.git`` and ``__pycache__`` match only where the pattern
    names them. ``**`` does not follow links to folders, so that it always ends; a last ``**`` means
    all files below. A pattern with ``..`` or an absolute one matches nothing.
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or ".." in parts or not parts or "\0" in pattern:
        return []
    if parts[-1] == "**":
        parts.append("*")
    return sorted(set(_matches(root, "", parts)))


def _matches(root: str, base: str, parts: list[str]) -> Iterator[str]:
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _anywhere(root, base, rest)
    elif _MAGIC.search(first):
        pattern = _compiled(first)
        for name, is_folder in _names(root, base):
            if pattern.match(name):
                yield from _step(root, base + name, rest, is_folder=is_folder)
    else:
        path = os.path.join(root, base + first)
        if os.path.lexists(path):
            yield from _step(root, base + first, rest, is_folder=os.path.isdir(path))


def _step(root: str, path: str, rest: list[str], *, is_folder: bool) -> Iterator[str]:
    if rest and is_folder:
        yield from _matches(root, path + "/", rest)
    elif not rest and not is_folder:
        yield path


def _anywhere(root: str, base: str, rest: list[str]) -> Iterator[str]:
    while rest and rest[0] == "**":
        rest = rest[1:]
    yield from _matches(root, base, rest)
    for name, is_folder in _names(root, base):
        if is_folder and not os.path.islink(os.path.join(root, base + name)):
            yield from _anywhere(root, f"{base}{name}/", rest)


def _names(root: str, base: str) -> list[tuple[str, bool]]:
    """What a folder holds, and whether each is a folder; nothing for one that cannot be read."""
    try:
        with os.scandir(os.path.join(root, base)) as found:
            return [(each.name, each.is_dir()) for each in found if each.name not in SKIPPED]
    except OSError:
        return []


@lru_cache(maxsize=256)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))
