"""Remembers files' hashes, and trusts them as long as the file cannot have changed unseen.

A file is the same if size, modification time, change time and inode are. That could deceive only
where a file is written twice within one tick of the file system's clock: hashed in between, it would
look the same afterwards. So a hash is remembered only if both times were safely past when hashing
began. The change time is what counts most: the kernel sets it at every write, and nobody can set it
back. A tick is at most 10 ms where times have fractions of a second, up to two seconds elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import TypeAlias

from lab.edge.private import make_private, private

Stamp: TypeAlias = "tuple[int, int, int, int]"
"""Size, modification time, change time and inode."""

_SECOND = 1_000_000_000
_FINE, _COARSE = _SECOND // 10, 2 * _SECOND
_PROBE_EVERY = 10 * _SECOND
_PATIENCE = 1.0  # seconds for another lab that writes
_BATCH = 4096
_WHOLE = 2 * 1024 * 1024  # a cache of at most so many bytes is read at once
_TROUBLE = (sqlite3.Error, UnicodeDecodeError, OSError)
_TABLE = """CREATE TABLE IF NOT EXISTS hashes(
    path TEXT PRIMARY KEY, size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER, hash TEXT
) WITHOUT ROWID"""


def stamp_of(status: os.stat_result) -> Stamp:
    """What must not change for a remembered hash to hold."""
    inode = status.st_ino & 0x7FFF_FFFF_FFFF_FFFF  # SQLite's integers are signed
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def settles_in(stamp: Stamp, now: int) -> int:
    """Nanoseconds after *now* until a file with *stamp* can be hashed for good; 0 or less if it can.

    *now* is the file system's own clock, where that can be read: another machine's may differ.
    """
    _, mtime, ctime, _ = stamp
    margin = _FINE if ctime % _SECOND else _COARSE
    wait = ctime + margin - now
    # A modification time in the future was set by hand; the next write sets another.
    return max(wait, mtime + margin - now) if abs(mtime - now) < margin else wait


class HashCache:
    """Hashes by path, in a file at *path* that may be lost at any time.

    Without a folder for the file, or with a damaged one, it remembers for this process only.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._new: dict[str, tuple[Stamp, str]] = {}
        self._file: sqlite3.Connection | None = None
        self._probed = (
            0,
            time.monotonic_ns() - _PROBE_EVERY - 1,
        )  # the file system's clock, and ours without jumps
        self._tried = False  # whether there is no file to look into
        self._whole = False  # whether all of the file is known

    def get(self, key: str, stamp: Stamp) -> str | None:
        """The hash of the file *key*, if it still has *stamp*."""
        key = _text(key)
        with self._lock:
            found = self._known.get(key) or self._read(key)
            return found[1] if found and found[0] == stamp else None

    def fetch(self, prefix: str) -> None:
        """Reads all that is known of files whose keys begin with *prefix*, in one go."""
        with self._lock, contextlib.suppress(*_TROUBLE):
            if self._opened() is not None and not self._whole:
                first = _text(prefix)
                self._take(" WHERE path >= ? AND path < ?", first, first + "\U0010ffff")

    def put(self, key: str, stamp: Stamp, hashed: str) -> None:
        """Remembers a hash; the caller has seen that *stamp* had settled when hashing began."""
        key = _text(key)
        with self._lock:
            self._known[key] = self._new[key] = (stamp, hashed)
            if len(self._new) >= _BATCH:
                self._store()

    def file_clock(self) -> int:
        """Now by the clock of the file system that the cache lies on, and never later than ours."""
        elapsed = time.monotonic_ns() - self._probed[1]
        if elapsed > _PROBE_EVERY:
            self._probed, elapsed = (self._probe(), time.monotonic_ns()), 0
        return min(self._probed[0] + elapsed, time.time_ns())

    def _probe(self) -> int:
        path = f"{self._path}.clock-{os.getpid()}-{threading.get_ident()}"
        try:
            with open(path, "wb", opener=private) as file:
                made = os.fstat(file.fileno()).st_ctime_ns
            os.unlink(path)
        except OSError:
            return time.time_ns()
        return made

    def close(self) -> None:
        """Stores what is new."""
        with self._lock:
            self._store()
            if self._file is not None:
                self._file.close()
                self._file = None
            self._tried = False

    def _read(self, key: str) -> tuple[Stamp, str] | None:
        with contextlib.suppress(*_TROUBLE):
            if self._opened() is not None and not self._whole:
                self._take(" WHERE path = ?", key)
        return self._known.get(key)

    def _take(self, where: str, *values: str) -> None:
        assert self._file is not None
        query = f"SELECT path, size, mtime, ctime, inode, hash FROM hashes{where}"
        for key, size, mtime, ctime, inode, hashed in self._file.execute(query, values):
            if isinstance(hashed, str) and len(hashed) == 64:
                self._known.setdefault(key, ((size, mtime, ctime, inode), hashed))

    def _store(self) -> None:
        if not self._new:
            return
        rows = [(key, *stamp, hashed) for key, (stamp, hashed) in self._new.items()]
        self._new = {}
        for _ in range(2):
            file = self._opened(create=True)
            if file is None:
                return
            try:
                _insert(file, rows)
                return
            except sqlite3.OperationalError:
                return  # it is busy or there is no space: the hashes are made again
            except _TROUBLE:
                self._discard()

    def _opened(self, *, create: bool = False) -> sqlite3.Connection | None:
        if self._file is not None:
            return self._file
        if self._tried and not create:
            return None
        self._tried = True
        if create:
            with contextlib.suppress(OSError):
                make_private(os.path.dirname(self._path))
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        elif not os.path.exists(self._path):
            return None
        try:
            self._file = _connect(self._path)
            if os.path.getsize(self._path) <= _WHOLE:
                self._take("")
                self._whole = True
        except sqlite3.OperationalError:
            return None
        except _TROUBLE:
            self._discard()
        return self._file

    def _discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        for tail in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(self._path + tail)


def _connect(path: str) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        # A torn cache could vouch for a wrong hash, so that it is synced, if rarely.
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute(_TABLE)
    except BaseException:
        file.close()
        raise
    return file


def _insert(file: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    file.execute("BEGIN IMMEDIATE")
    try:
        file.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?, ?, ?)", rows)
        file.execute("COMMIT")
    finally:
        if file.in_transaction:
            file.execute("ROLLBACK")


def _text(key: str) -> str:
    """*key* as it is stored: each folder's and file's name as a hash, for a name may hold a secret."""
    folder, slash, name = key.rpartition("/")
    return _folder(folder) + slash + _hidden(name)


@lru_cache(maxsize=4096)
def _folder(path: str) -> str:
    return "/".join(_hidden(name) for name in path.split("/"))


def _hidden(name: str) -> str:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest() if name else ""
