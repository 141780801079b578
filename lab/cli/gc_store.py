"""The store of data that all labs of a user share: what no lab on this disk uses; only looks.

Data are files named by their SHA-256 below ``store/sha256``, hard linked into labs, and folders
``….d`` of files that are. So a file with one link is used by no lab on this disk, and its change
time, which the system sets when a link comes or goes, says since when.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Collection, Iterator

from lab.cli.gc_find import Garbage, size_of

STORE = "data in the shared store that no lab here uses"
_NAME = re.compile(r"([0-9a-f]{64})(\..*)?\Z")


def in_store(store: str, *, older: float, needed: Collection[str]) -> Iterator[Garbage]:
    """What nobody has used for *older* seconds, except data whose SHA-256 is among *needed*.

    Data that another lab is fetching right now stays, too.
    """
    before = time.time() - older
    for digest, paths in _data(store).items():
        whole = [path for path in paths if not path.endswith(".lock")]
        if digest in needed or not whole or _used_since(whole, before) or _is_held(paths):
            continue
        for path in whole:
            yield Garbage(path=path, what=STORE, size=size_of(path))
    for entry in _files(f"{store}/url"):
        if not entry.endswith(".lock") and not _used_since([entry], before):
            yield Garbage(path=entry, what=STORE, size=size_of(entry))


def store_size(store: str) -> tuple[int, int]:
    """How many data the store holds, and their bytes, links or not."""
    sizes = (_size(os.path.join(w, name)) for w, _, names in os.walk(store) for name in names)
    return len(_data(store)), sum(sizes)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _data(store: str) -> dict[str, list[str]]:
    """All that belongs to each hash: the file, its folder, parts and locks."""
    found: dict[str, list[str]] = {}
    for folder in _files(f"{store}/sha256"):
        for path in _files(folder):
            match = _NAME.match(os.path.basename(path))
            if match:
                found.setdefault(match[1], []).append(path)
    return found


def _files(folder: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(folder))
    except OSError:
        return []


def _used_since(paths: list[str], before: float) -> bool:
    return any(_is_used(path, before) for path in paths)


def _is_used(path: str, before: float) -> bool:
    """Whether a file, or one in a folder, has another link or was touched since *before*."""
    files = [path]
    if os.path.isdir(path) and not os.path.islink(path):
        files = [os.path.join(where, name) for where, _, names in os.walk(path) for name in names]
    for file in files:
        try:
            status = os.lstat(file)
        except OSError:
            continue
        if status.st_nlink > 1 or max(status.st_ctime, status.st_mtime) > before:
            return True
    return False


def _is_held(paths: list[str]) -> bool:
    """Whether another lab writes this data now."""
    for path in paths:
        if not path.endswith(".lock"):
            continue
        number = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(number)
    return False
