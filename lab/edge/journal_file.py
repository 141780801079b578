"""An open state file: one connection, used by one thread at a time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator

from lab.edge.journal_errors import BUSY_SECONDS, damaged, explained, is_full, require_folder
from lab.edge.journal_schema import check_format, create
from lab.edge.journal_storage import Database
from lab.model.diagnostic import StateError


class StateFile:
    """The state at *path*; ``read`` and ``write`` open transactions.

    Raises:
        StateError: it is damaged, too new, or may not be read.
    """

    lease = None  # the kernel knows who lives
    guests = None  # all that use it lie in one folder

    def __init__(self, path: str) -> None:
        self.path = path
        self._turn = threading.RLock()
        self._doubtful = False
        with explained(path):
            self._connection, self._full = _connected(path)
            try:
                check_format(self._connection, path)
            except BaseException:
                self._connection.close()
                raise

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction in which everything that is read comes from one moment."""
        with self._turn, explained(self.path), self._sound(), self._transaction("BEGIN"):
            yield self._connection

    @contextlib.contextmanager
    def write(
        self, lab: int | None = None, *, durable: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """A transaction that is on the disk when it ends; nobody else writes to any *lab* meanwhile.

        Where *durable* is false it survives lab's death, but not the machine's.
        """
        with (
            self._turn,
            explained(self.path),
            self._sound(),
            self._room(),
            self._synchronous(durable=durable),
            self._transaction("BEGIN IMMEDIATE"),
        ):
            yield self._connection

    def damaged(self, text: str) -> StateError:
        return damaged(self.path, text)

    def faults(self, db: Database) -> Iterator[str]:
        """What SQLite finds."""
        for (said,) in db.execute("PRAGMA integrity_check(20)"):
            if said != "ok":
                yield f"SQLite finds: {said}"

    @contextlib.contextmanager
    def _sound(self) -> Iterator[None]:
        """Opens the file anew after a failure, whatever kind: SQLite forgets what it holds in memory only after some.

        A disk that said `read-only` in the middle of a commit made the next one seem stored that never was.
        """
        if self._doubtful:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection, self._full = _connected(self.path)
            self._doubtful = False
        try:
            yield
        except sqlite3.Error:
            self._doubtful = True
            raise

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        """Whoever has opened a state on a full disk has it alone, and must not keep it for long."""
        if self._full:
            raise sqlite3.OperationalError("database or disk is full")
        yield

    @contextlib.contextmanager
    def _synchronous(self, *, durable: bool) -> Iterator[None]:
        if durable:
            yield
            return
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._connection.execute(_DURABLE)

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                # A rollback that fails would hide the reason for it.
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")


def reach(path: str, create_it: bool) -> StateFile | None:
    """The state file at *path*; made if need be and asked for, else None.

    Raises:
        StateError: it is damaged, too new, or may not be used.
    """
    if not os.path.lexists(path):
        require_folder(os.path.dirname(path))
        if not create_it:
            return None
        create(path)
    return StateFile(path)


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~")
# FULL, and with it a rollback journal (on remote file systems) is safely gone too.
_DURABLE = "PRAGMA synchronous = EXTRA"

# Pages. A commit that makes the log's file longer takes twice as long to sync as one that writes over what
# was there; so it starts over after 1 MiB, not after 4.
_SHORT_LOG = "PRAGMA wal_autocheckpoint = 250"


def _connected(path: str) -> tuple[sqlite3.Connection, bool]:
    """The state, and whether its disk is so full that it can only be read."""
    try:
        return _open(path, "mode=rw"), False
    except sqlite3.OperationalError as error:
        if os.path.isdir(path):
            raise damaged(path, "It is a folder") from error
        if "disk" in str(error) and is_full(path):
            # There is no room for the memory that readers share: who shares nothing needs none.
            return _open(path, "mode=rw", "PRAGMA locking_mode = EXCLUSIVE"), True
        refused = any(word in str(error) for word in ("readonly", "unable to open"))
        if not refused or not os.access(path, os.R_OK) or _size(f"{path}-wal"):
            raise
        # On a read-only disk readers cannot share memory; but there nobody writes, either.
        return _open(path, "mode=ro&immutable=1"), False


def _open(path: str, mode: str, how: str = "") -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if how:
            connection.execute(how)
        connection.execute(_DURABLE)
        connection.execute("PRAGMA fullfsync = 1")
        connection.execute(_SHORT_LOG)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _quoted(path: str) -> str:
    """*path* as part of a URI. Importing what else does that takes longer than opening the file."""
    return "".join(chr(b) if b in _PLAIN else f"%{b:02X}" for b in os.fsencode(path))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
