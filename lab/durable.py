"""Makes files and folders outlive a loss of power: they are on the disk when these functions return."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator

_TICK = 2_000_000_000  # nanoseconds; no file system's clock is coarser
MOST_ALONE = 200  # files of a folder that are synced one by one; for more, the whole file system is


def sync_file(path: str) -> None:
    """A file's bytes, and its name in its folder.

    Raises:
        OSError: they could not be written, or it is not there.
    """
    _sync(path)
    sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """The names in a folder, where the file system does not write them by itself."""
    with contextlib.suppress(OSError):  # some file systems cannot, and need not
        _sync(path)


def sync_tree(path: str) -> None:
    """A file, or all that a folder holds, and its name in the folder above it.

    Raises:
        OSError: something could not be written.
    """
    if os.path.isdir(path):
        files = list(_plain_files(path, most=MOST_ALONE + 1))
        if len(files) > MOST_ALONE:
            _sync_file_system(path)
            return
        for each in files:
            _sync(each)
        for where, _, _ in os.walk(path):
            sync_folder(where)
    else:
        _sync(path)
    sync_folder(os.path.dirname(path))


def sync_above(path: str, root: str, known: dict[str, int]) -> None:
    """The names of the folders between *root* and *path*, which may be new.

    Folders that have not changed since they were synced, as *known* says and is told, are left out.
    """
    folder = os.path.dirname(path)
    while folder.startswith(f"{root}/"):
        folder = os.path.dirname(folder)
        changed, now = os.stat(folder).st_mtime_ns, time.time_ns()
        if known.get(folder) == changed:
            continue
        sync_folder(folder)
        if now - changed > _TICK:  # what comes now will have another time
            known[folder] = changed


def _plain_files(folder: str, most: int) -> Iterator[str]:
    """Paths of regular files; a link's target is not the folder's, and a pipe holds nothing."""
    count = 0
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path
                count += 1
            if count >= most:
                return


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_file_system(path: str) -> None:
    """All that waits to be written to the disk of *path*: for many files quicker than each alone."""
    import ctypes  # only folders of many files need it

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(handle)
