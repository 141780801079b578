"""Content hashes of files and folders, as fast as the disk and SHA-256 allow."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterator

from lab.model.frozen import dataclass

# Neither counts as content: lab's and git's own folders change by being used, compiled Python by
# being imported.
SKIPPED = frozenset({".lab", ".git", "__pycache__"})

_CHUNK = 256 * 1024  # fits the cache of a core, so that bytes are hashed while they are near
_SMALL = 16 * 1024
_BUFFERS = threading.local()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link below a folder; ``relative`` is its path from there."""

    relative: str
    path: str
    status: os.stat_result

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


def hash_file(path: str) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    handle, _ = open_plain(path)
    try:
        return hash_handle(handle)
    finally:
        os.close(handle)


def open_plain(path: str) -> tuple[int, os.stat_result]:
    """Opens a regular file for reading; never waits for one that is a pipe.

    Raises:
        OSError: it is not there, not a regular file, or may not be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return handle, status


def hash_handle(handle: int) -> str:
    """SHA-256 of what is left to read, in hexadecimal."""
    first = os.read(handle, _SMALL)
    hashed = hashlib.sha256(first)
    if len(first) == _SMALL:
        _hash_rest(handle, hashed)
    return hashed.hexdigest()


def _hash_rest(handle: int, hashed: hashlib._Hash) -> None:
    buffer: bytearray | None = getattr(_BUFFERS, "own", None)
    if buffer is None:
        buffer = _BUFFERS.own = bytearray(_CHUNK)
    view = memoryview(buffer)
    while count := os.readv(handle, [buffer]):
        hashed.update(view[:count])


def entries(folder: str, prefix: str = "") -> Iterator[Entry]:
    """Every file and link below *folder*, unsorted; links are not followed, pipes are left out.

    Raises:
        OSError: a folder cannot be read.
    """
    with os.scandir(folder) as found:
        for each in found:
            relative = prefix + each.name
            if each.is_dir(follow_symlinks=False):
                if each.name not in SKIPPED:
                    yield from entries(each.path, relative + "/")
            elif each.is_file(follow_symlinks=False) or each.is_symlink():
                yield Entry(relative, each.path, each.stat(follow_symlinks=False))


def file_digest(content: str, *, executable: bool) -> str:
    """The digest of a file from the hash of its bytes and its executable bit."""
    if executable:
        content = hashlib.sha256(f"executable {content}".encode()).hexdigest()
    return f"sha256:{content}"


def link_digest(target: str) -> str:
    """The digest of a symbolic link: where it points, not what is there."""
    hashed = hashlib.sha256(b"link " + os.fsencode(target)).hexdigest()
    return f"sha256:{hashed}"


def folder_digest(contents: dict[str, str]) -> str:
    """The digest of a folder from the digests of what is in it, by relative path."""
    hashed = hashlib.sha256(b"folder\n")
    for name, relative in sorted((os.fsencode(relative), relative) for relative in contents):
        hashed.update(b"%s %d %s\n" % (contents[relative].encode(), len(name), name))
    return f"sha256:{hashed.hexdigest()}"


def is_executable(status: os.stat_result) -> bool:
    """Whether the owner may run it; what group and others may depends on the umask."""
    return bool(status.st_mode & stat.S_IXUSR)
