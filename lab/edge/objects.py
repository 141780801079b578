"""Copies of what runs read and made, by content, so that they can be had back: `.lab/objects`.

Where the file system can share blocks between files (btrfs, XFS, APFS through copies on write) a copy costs
nothing; elsewhere it costs its size once, however many runs made the same. Not hard links: a program that
writes its model again into the same file would change what was kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import threading
from collections.abc import Iterator

from lab.edge.hashing import SKIPPED
from lab.edge.private import make_private
from lab.model.layout import FOLDER

LARGEST = 2**30  # bytes; what is larger is kept only where that costs nothing
_CLONE = 0x40049409  # Linux's FICLONE
_PIECE = 2**20


class Objects:
    """What is kept for the lab in *root*, whatever its name and overlay."""

    def __init__(self, root: str) -> None:
        self._folder = os.path.join(root, FOLDER, "objects")

    def keep(self, path: str, digest: str, largest: int = LARGEST) -> bool:
        """Keeps the file or folder at *path*, whose content hash is known; False if that cannot be.

        A copy is no reason to fail a step: no space, or too large, and it is not kept.
        """
        place = self.place(digest)
        if place is None or not os.path.lexists(path):
            return False
        if os.path.lexists(place):
            return True
        temporary = f"{place}.{os.getpid()}.{threading.get_ident()}.tmp"
        try:
            make_private(os.path.dirname(place))
            _copy(path, temporary, [largest])
            os.rename(temporary, place)
        except OSError:
            _remove(temporary)
            return os.path.lexists(place)  # another thread may have kept it meanwhile
        return True

    def has(self, digest: str) -> bool:
        """Whether it is kept."""
        place = self.place(digest)
        return place is not None and os.path.lexists(place)

    def restore(self, digest: str, to: str) -> None:
        """Writes what is kept to *to*, where nothing may be; whether it is whole its hash tells.

        Raises:
            OSError: it is not kept, or cannot be written there.
        """
        place = self.place(digest)
        if place is None:
            raise FileNotFoundError(digest)
        os.makedirs(os.path.dirname(to) or ".", exist_ok=True)
        if os.path.lexists(to):
            raise FileExistsError(to)
        try:
            _copy(place, to, [2**62])
        except OSError:
            _remove(to)
            raise

    def entries(self) -> Iterator[tuple[str, str]]:
        """Digest and path of all that is kept, and of copies that were never finished (no digest)."""
        for folder in _names(self._folder):
            for name in _names(os.path.join(self._folder, folder)):
                unfinished = name.endswith(".tmp")
                yield "" if unfinished else f"sha256:{name}", f"{self._folder}/{folder}/{name}"

    def place(self, digest: str) -> str | None:
        """Where the content *digest* lies, if it is kept; None for hashes that are not of content."""
        word, _, text = digest.partition(":")
        if word != "sha256" or not text.isalnum():
            return None
        return os.path.join(self._folder, text[:2], text)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _copy(path: str, to: str, left: list[int]) -> None:
    """A file or what counts of a folder; *left* is how many bytes may still be copied."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(path), to)
    elif stat.S_ISDIR(status.st_mode):
        os.mkdir(to, 0o700)
        for name in sorted(os.listdir(path)):
            if name not in SKIPPED:
                _copy(os.path.join(path, name), os.path.join(to, name), left)
    elif stat.S_ISREG(status.st_mode):
        _copy_file(path, to, left, mode=0o600 | status.st_mode & 0o100)


def _copy_file(path: str, to: str, left: list[int], *, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(path, "rb") as source, os.fdopen(os.open(to, flags, mode), "wb") as target:
        with contextlib.suppress(OSError):  # not every file system can
            fcntl.ioctl(target.fileno(), _CLONE, source.fileno())
            return
        while piece := source.read(_PIECE):
            left[0] -= len(piece)
            if left[0] < 0:
                raise OSError("too large to keep")
            target.write(piece)


def _remove(path: str) -> None:
    if not os.path.lexists(path):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            _remove(os.path.join(path, name))
        os.rmdir(path)
    else:
        os.unlink(path)
