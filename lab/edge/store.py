"""The store of data that all labs of a user share: what is in it, what no lab uses, and its removal.

Providers fill it (``sha256/ab/<hash>`` and what belongs to it: unpacked folders, partial downloads)
and link its files into labs. So a file with one link is one that only the store has. Who writes holds
the kernel's lock on a ``.lock`` file beside it; those files stay, since deleting one that somebody is
about to lock would let two in.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator

from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One thing in the store.

    ``size`` is in bytes on disk, ``used`` the last time anybody touched it in seconds since the epoch,
    ``linked`` whether a lab has a link to it, ``whole`` whether it is more than a partial download.
    """

    key: str
    paths: tuple[str, ...]
    size: int
    used: float
    linked: bool
    whole: bool


class Store:
    """The store in the folder *folder*, which need not exist."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def entries(self) -> list[Stored]:
        """All that is stored, by key."""
        return [self._entry(where, key) for where, key in sorted(self._keys())]

    def remove(self, entry: Stored, *, unused_since: float | None = None) -> int:
        """Removes an entry; gives how many bytes that frees.

        Nothing happens, and 0 comes back, where somebody is writing it, where a lab has linked it since
        it was listed, or where it was touched after *unused_since*.
        """
        where = os.path.join(self.folder, os.path.dirname(entry.key))
        with contextlib.ExitStack() as stack:
            for lock in _siblings(where, os.path.basename(entry.key), locks=True):
                if not stack.enter_context(_locked(lock)):
                    return 0
            now = self._entry(where, os.path.basename(entry.key))
            recent = unused_since is not None and now.used > unused_since
            if recent or (now.linked and not entry.linked):
                return 0
            for path in now.paths:
                _remove(path)
            return now.size

    def _keys(self) -> set[tuple[str, str]]:
        """The folders in which things lie, with the keys of what lies there."""
        content = os.path.join(self.folder, "sha256")
        folders = [os.path.join(content, each) for each in _names(content)]
        return {
            (where, name.split(".")[0])
            for where in [*folders, os.path.join(self.folder, "url")]
            for name in _names(where)
            if not name.endswith(".lock")
        }

    def _entry(self, where: str, key: str) -> Stored:
        paths = _siblings(where, key, locks=False)
        states = [state for path in paths for state in _states(path)]
        files = [state for state in states if stat.S_ISREG(state.st_mode)]
        return Stored(
            key=os.path.relpath(os.path.join(where, key), self.folder),
            paths=tuple(paths),
            size=sum(state.st_blocks * 512 for state in states),
            used=max((max(s.st_atime, s.st_mtime, s.st_ctime) for s in states), default=0.0),
            linked=any(state.st_nlink > 1 for state in files),
            whole=any(os.path.basename(path) in (key, f"{key}.d") for path in paths),
        )


def _siblings(where: str, key: str, *, locks: bool) -> list[str]:
    """The paths of what belongs to *key*, or of its locks."""
    mine = [name for name in _names(where) if name == key or name.startswith(f"{key}.")]
    return [os.path.join(where, name) for name in mine if name.endswith(".lock") == locks]


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _states(path: str) -> Iterator[os.stat_result]:
    with contextlib.suppress(FileNotFoundError):
        state = os.lstat(path)
        yield state
        if stat.S_ISDIR(state.st_mode):
            for name in os.listdir(path):
                yield from _states(os.path.join(path, name))


def _remove(path: str) -> None:
    """Deletes a file, or a folder whatever its permissions say."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            for name in os.listdir(path):
                _remove(os.path.join(path, name))
            os.rmdir(path)
        else:
            os.unlink(path)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[bool]:
    """Whether nobody else has the lock, which is held meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except OSError:
        free = False
    try:
        yield free
    finally:
        os.close(handle)
