"""How the state's file is made: its tables, its format, and the folder around it.

It is filled under another name and linked into place. So no crash leaves half a state, and whatever
lies under the state's name without being one was damaged later: it is reported, never written to.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading

from lab import __version__
from lab.crashpoint import passing
from lab.edge.journal_errors import damaged, explained, made, newer
from lab.edge.private import make_private, private

FORMAT = 1
NEEDS = "0.1.0"  # the oldest lab that reads FORMAT

# Where the tables are strict, an older SQLite cannot read the file; journal_errors says so.
_STRICT = "STRICT" if sqlite3.sqlite_version_info >= (3, 37) else ""
_TABLES = (
    f"CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) {_STRICT}",
    f"""CREATE TABLE labs(
        lab INTEGER PRIMARY KEY, name TEXT NOT NULL, overlay TEXT NOT NULL, labfile TEXT NOT NULL,
        key TEXT NOT NULL, run INTEGER NOT NULL DEFAULT 0, head INTEGER NOT NULL DEFAULT 0,
        epoch INTEGER NOT NULL DEFAULT 0, holder TEXT, UNIQUE(name, overlay)) {_STRICT}""",
    f"""CREATE TABLE events(
        seq INTEGER PRIMARY KEY, lab INTEGER NOT NULL, run INTEGER NOT NULL, time REAL NOT NULL,
        kind TEXT NOT NULL, address TEXT NOT NULL, json TEXT NOT NULL) {_STRICT}""",
    f"""CREATE TABLE records(
        lab INTEGER NOT NULL, address TEXT NOT NULL, json TEXT NOT NULL, identity TEXT,
        PRIMARY KEY(lab, address)) {_STRICT}""",
    f"""CREATE TABLE runs(
        lab INTEGER NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL, started REAL NOT NULL,
        finished REAL, outcome TEXT NOT NULL, command TEXT NOT NULL, counts TEXT NOT NULL,
        PRIMARY KEY(lab, run)) {_STRICT}""",
)
# A write-ahead log needs memory that all readers share; between machines there is none.
_REMOTE = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "virtiofs",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "afs",
)


def create(path: str) -> None:
    """Makes an empty state at *path*, unless another process was quicker."""
    folder = os.path.dirname(path)
    new = f"{path}.new-{os.getpid()}-{threading.get_ident()}"
    with made(path):
        make_folder(folder)
        try:
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with explained(path):
                _fill(new, "DELETE" if is_remote(folder) else "WAL")
            passing("state.filled")
            _publish(new, path)
            passing("state.linked")
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(new)
        _sync(folder)
        _sync(os.path.dirname(folder))


def make_folder(folder: str) -> None:
    """Makes ``.lab``: for this user only, and ignored by git without anyone's doing."""
    make_private(folder)
    ignore = os.path.join(folder, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8", opener=private) as file:
            file.write("*\n")


def check_format(connection: sqlite3.Connection, path: str) -> None:
    """Refuses what is no state, and a state of a format that is not known yet.

    Raises:
        StateError: it is one of these.
    """
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        found = int(meta["format"])
    except (KeyError, ValueError) as error:
        raise damaged(path, f"It does not say which format it has ({error})") from None
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        raise damaged(path, f"It holds no state of lab ({error})") from None
    if found > FORMAT:
        raise newer(path, found, FORMAT, __version__, str(meta.get("needs", "of a newer version")))


def is_remote(folder: str) -> bool:
    """Whether *folder* lies on a file system that other machines may write to as well."""
    folder = os.path.realpath(folder) + "/"
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            mounts = [line.split(" ", 3) for line in file]
    except OSError:
        return False
    for _, place, found, *_ in mounts:
        if len(place) >= len(best) and folder.startswith(place.rstrip("/") + "/"):
            best, kind = place, found
    return kind.startswith(_REMOTE)


def _fill(path: str, journal: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("BEGIN")
        for table in _TABLES:
            connection.execute(table)
        connection.execute("CREATE INDEX events_of_step ON events(lab, address)")
        rows = {"format": str(FORMAT), "needs": NEEDS, "made_by": __version__}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())
        connection.execute("COMMIT")
        connection.execute(f"PRAGMA journal_mode = {journal}")


def _publish(new: str, path: str) -> None:
    try:
        os.link(new, path)
    except FileExistsError:
        return
    except OSError:  # no hard links here: a rename is next best
        if not os.path.exists(path):
            os.rename(new, path)


def _sync(folder: str) -> None:
    """Makes the names in *folder* durable, where the file system does not do so by itself."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
