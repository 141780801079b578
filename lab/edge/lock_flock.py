"""A lock that the kernel holds for a process and drops when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import weakref
from enum import Enum

from lab.edge.journal_errors import made
from lab.edge.private import make_private

_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class Taken(Enum):
    """What came of trying to take the lock."""

    YES = "yes"
    NO = "no"  # another process has it, so that process lives
    UNSUPPORTED = "unsupported"  # the file system has no such locks


class Flock:
    """An exclusive lock on the file at *path*, which is made and stays."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._handle: int | None = None
        _ALL.add(self)

    def twin(self) -> Flock:
        """Another lock on the same file."""
        return Flock(self.path)

    def take(self) -> Taken:
        """Tries once; never waits."""
        with made(self.path):
            make_private(os.path.dirname(self.path))
            while True:
                handle = os.open(
                    self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
                )
                taken = _try(handle)
                if taken is Taken.YES and _is_at(handle, self.path):
                    self._handle = handle
                    return taken
                os.close(handle)
                if taken is not Taken.YES:
                    return taken
                # The file was deleted between opening and locking: nobody else would see this lock.

    def drop(self) -> None:
        """Gives the lock back, if it was taken."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def discard_file(self) -> None:
        """Deletes the file, so that a lock which somebody still has on it stops nobody any more."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


class NoFlock(Flock):
    """Where no file could tell those on other machines anything: it is never held, and keeps nobody out."""

    def __init__(self) -> None:
        super().__init__("")

    def twin(self) -> Flock:
        return NoFlock()

    def take(self) -> Taken:
        return Taken.UNSUPPORTED

    def discard_file(self) -> None:
        """There is none."""


def _try(handle: int) -> Taken:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Taken.NO
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return Taken.UNSUPPORTED
        raise
    return Taken.YES


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


# A child that was forked shares the lock and would keep it after its parent's death.
_ALL: weakref.WeakSet[Flock] = weakref.WeakSet()


def _drop_all() -> None:
    for each in list(_ALL):
        each.drop()


os.register_at_fork(after_in_child=_drop_all)
