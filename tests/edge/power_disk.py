"""A disk under SQLite that notes every write and every sync, fails when told to, and can lose power.

The SQLite that Python brings has no hook for this, so the journal's own code runs over apsw's: the same
SQL and the same pragmas through a thin adapter. apsw's files cannot share memory between processes, so
the adapter keeps the index of the write-ahead log in its own; what is written and synced when is the same.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512
WORDS = {
    apsw.IOError: "disk I/O error",
    apsw.FullError: "database or disk is full",
    apsw.ReadOnlyError: "attempt to write a readonly database",
    apsw.CantOpenError: "unable to open database file",
    apsw.CorruptError: "database disk image is malformed",
}


@dataclass
class Op:
    """One thing that SQLite did to a file."""

    what: str  # write, truncate, sync, create, delete
    path: str
    at: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Notes what is done. ``fault`` is raised at the operation ``fails_at`` (from then on, if ``stays``)."""

    fails_at: int = 0
    fault: type[Exception] = apsw.IOError
    short: bool = False  # half of a failing write is written
    stays: bool = False
    log: list[Op] = field(default_factory=list)
    count: int = 0

    def note(self, op: Op, do: Callable[[bytes], None]) -> None:
        self.count += 1
        due = self.count >= self.fails_at if self.stays else self.count == self.fails_at
        if self.fails_at and due:
            if self.short and op.what == "write":
                half = Op("write", op.path, op.at, op.data[: len(op.data) // 2])
                self.log.append(half)
                do(half.data)
            raise self.fault(f"the test's disk fails at operation {self.count}")
        self.log.append(op)
        do(op.data)


class File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: Any) -> None:
        self.disk = disk
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        if not os.path.exists(self.path):
            disk.log.append(Op("create", self.path))
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        def do(part: bytes) -> None:
            super(File, self).xWrite(part, offset)

        self.disk.note(Op("write", self.path, offset, bytes(data)), do)

    def xTruncate(self, size: int) -> None:
        self.disk.note(Op("truncate", self.path, size), lambda _: super(File, self).xTruncate(size))

    def xSync(self, flags: int) -> None:
        self.disk.note(Op("sync", self.path), lambda _: super(File, self).xSync(flags))


class Vfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        super().__init__(f"power-{id(disk)}", "")

    def xOpen(self, name: Any, flags: Any) -> File:
        return File(self.disk, name, flags)

    def xDelete(self, name: str, sync: bool) -> None:
        super().xDelete(name, sync)
        self.disk.log.append(Op("delete", name, int(sync)))


class Rows:
    """A cursor as the standard module has it."""

    def __init__(self, cursor: apsw.Cursor, changed: int) -> None:
        self._cursor, self.rowcount = cursor, changed

    def fetchone(self) -> Any:
        return translated(self._cursor.fetchone)

    def fetchall(self) -> list[Any]:
        return translated(self._cursor.fetchall)

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row


class Connection:
    """A connection as the standard module has it, over apsw's SQLite and *disk*."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._vfs = Vfs(disk)
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI
        self._real = translated(lambda: apsw.Connection(name, flags, f"power-{id(disk)}"))
        self.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.execute("PRAGMA wal_autocheckpoint = 20")

    @property
    def in_transaction(self) -> bool:
        return self._real.in_transaction

    def execute(self, sql: str, parameters: Any = ()) -> Rows:
        cursor = self._real.cursor()
        translated(lambda: cursor.execute(sql, parameters))
        return Rows(cursor, self._real.changes())

    def executemany(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        given = [tuple(row) for row in rows]
        translated(lambda: self._real.cursor().executemany(sql, given))

    def close(self) -> None:
        translated(self._real.close)


def translated(do: Callable[[], Any]) -> Any:
    """apsw's errors as the standard module's, with SQLite's own words."""
    try:
        return do()
    except apsw.Error as error:
        words = (text for kind, text in WORDS.items() if isinstance(error, kind))
        raise sqlite3.OperationalError(next(words, str(error))) from error


def connecting(disk: Disk) -> Callable[..., Connection]:
    """What takes the place of ``sqlite3.connect``."""
    return lambda name, **options: Connection(disk, name)


class Platter:
    """What is on the disk when power fails: what was synced, and of the rest whatever chance left."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, bytes] = {
            str(path): path.read_bytes() for path in folder.glob("state.db*") if path.is_file()
        }
        self.waiting: dict[str, list[Op]] = {}

    def take(self, op: Op, *, lies: bool = False) -> None:
        """Does the next thing that SQLite did. A disk that *lies* says that it synced, and has not."""
        if op.what == "sync":
            if not lies:
                for each in self.waiting.pop(op.path, []):
                    self.files[op.path] = changed(self.files.get(op.path, b""), each)
        elif op.what == "delete" and op.at and not lies:
            self.files.pop(op.path, None)
            self.waiting.pop(op.path, None)
        else:
            self.waiting.setdefault(op.path, []).append(op)

    def after_the_cut(self, rng: random.Random) -> dict[str, bytes]:
        """The files as they are found then: writes that were not synced are there, gone, or torn."""
        found = dict(self.files)
        share = rng.choice((0.0, 0.3, 0.7, 1.0))
        for path, ops in self.waiting.items():
            for op in [piece for each in ops for piece in sectors(each)]:
                if rng.random() >= share:
                    continue
                if op.what == "delete":
                    found.pop(path, None)
                elif path in found or op.what == "create":
                    found[path] = changed(found.get(path, b""), op)
        return found


def sectors(op: Op) -> list[Op]:
    """A write in the pieces that a disk writes whole."""
    if op.what != "write":
        return [op]
    return [
        Op("write", op.path, op.at + i, op.data[i : i + SECTOR])
        for i in range(0, len(op.data), SECTOR)
    ]


def changed(content: bytes, op: Op) -> bytes:
    match op.what:
        case "write":
            padded = content.ljust(op.at, b"\0")
            return padded[: op.at] + op.data + padded[op.at + len(op.data) :]
        case "truncate":
            return content[: op.at].ljust(op.at, b"\0")
        case _:
            return content
