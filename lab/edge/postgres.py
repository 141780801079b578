"""A team's state in PostgreSQL: one connection, used by one thread at a time, which is made again when it breaks."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lab.edge.journal_storage import Database, Reach, Rows
from lab.edge.postgres_dsn import Dsn
from lab.edge.postgres_errors import damaged, explained
from lab.edge.postgres_guests import Guests
from lab.edge.postgres_lease import DatabaseLease
from lab.edge.postgres_schema import check_format, create, exists, schema_name
from lab.edge.postgres_watch import LONGEST, Watch
from lab.model.diagnostic import StateError

if TYPE_CHECKING:
    import psycopg

LEASE_SECONDS = 60.0
_ROWS_AT_ONCE = 1000
# A transaction whose client is gone or stopped must not hold up everybody else for long.
_LIMITS = "SET LOCAL idle_in_transaction_session_timeout = '20s'; SET LOCAL lock_timeout = '20s'"


class Server:
    """The state of one workspace in one database; satisfies :class:`lab.edge.journal_storage.Storage`."""

    def __init__(self, dsn: Dsn, workspace: str = "", lease: float = LEASE_SECONDS) -> None:
        self.path = dsn.place
        self.lease = DatabaseLease(lease, self.twin, self.sever)
        self.guests = None if workspace else Guests()
        self._dsn, self._workspace, self._schema = dsn, workspace, schema_name(workspace)
        self._turn = threading.RLock()
        self._watch = Watch(min(LONGEST, lease / 2))
        self._connection: psycopg.Connection | None = None
        self._asynchronous = False

    def twin(self) -> Server:
        """The same state, by a connection of its own."""
        return Server(self._dsn, self._workspace, self.lease.seconds)

    def is_there(self, *, make: bool) -> bool:
        """Whether there is a state; with *make* there is one afterwards.

        Raises:
            StateError: the database cannot be used, or its format is newer.
        """
        with self._turn, explained(self.path, self._dsn.veil):
            connection = self._connected()
            with self._watch(connection):
                if not exists(connection, self._schema):
                    if not make:
                        return False
                    create(connection, self._schema)
                check_format(connection, self._schema, self.path)
                return True

    def close(self) -> None:
        with self._turn:
            self._drop()

    def sever(self) -> None:
        """Breaks the connection under whoever waits for it, from another thread."""
        self._watch.sever()

    @contextlib.contextmanager
    def read(self) -> Iterator[Database]:
        """A transaction in which everything that is read comes from one moment."""
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        with self._transaction(begin) as db:
            yield db

    @contextlib.contextmanager
    def write(self, lab: int | None = None, *, durable: bool = True) -> Iterator[Database]:
        """A transaction that the server has made durable when it ends, also where that is not asked for.

        Who holds a lab must survive the server's death, for holders on other machines do.
        """
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        if self._asynchronous:
            begin += "; SET LOCAL synchronous_commit = on"
        with self._transaction(begin) as db:
            if lab is not None:
                db.execute("SELECT 1 FROM labs WHERE lab = ? FOR UPDATE", (lab,))
            yield db

    def damaged(self, text: str) -> StateError:
        return damaged(self.path, text)

    def faults(self, db: Database) -> Iterator[str]:
        """Nothing: PostgreSQL checks its pages when it reads them."""
        return iter(())

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[Database]:
        with self._turn, explained(self.path, self._dsn.veil):
            connection = self._connected()
            db = Transaction(connection, self._watch)
            try:
                path = f'SET LOCAL search_path TO "{self._schema}"'
                db.run(f"{begin}; {path}; {_LIMITS}")
                yield db
                db.run("COMMIT")
            except BaseException:
                # What is known of it is nothing any more; the next transaction makes a new one.
                self._drop()
                raise

    def _connected(self) -> psycopg.Connection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        import psycopg

        connection = psycopg.connect(
            **self._dsn.options,  # type: ignore[arg-type]
            autocommit=True,
            prepare_threshold=None,  # poolers know no prepared statements
        )
        try:
            with self._watch(connection):
                found = connection.execute("SHOW synchronous_commit").fetchone()
        except BaseException:
            connection.close()
            raise
        self._asynchronous = found is not None and found[0] == "off"
        self._connection = connection
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Transaction:
    """An open transaction; satisfies :class:`lab.edge.journal_storage.Database`."""

    def __init__(self, connection: psycopg.Connection, watch: Watch) -> None:
        self._connection, self._watch = connection, watch

    def run(self, sql: str) -> None:
        """Runs statements that are text of lab's own."""
        with self._watch(self._connection):
            self._connection.execute(sql.encode())

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Rows:
        with self._watch(self._connection):
            return self._connection.execute(_marked(sql), parameters or None)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> None:
        text, left = _marked(sql), iter(rows)
        with self._connection.cursor() as cursor:
            while some := list(itertools.islice(left, _ROWS_AT_ONCE)):
                with self._watch(self._connection):
                    cursor.executemany(text, some)


def reach(dsn: Dsn, workspace: str = "", lease: float = LEASE_SECONDS) -> Reach:
    """Opens the state in the database of *dsn*, for :class:`lab.edge.journal.Journal`."""

    def reaching(_path: str, make: bool) -> Server | None:
        server = Server(dsn, workspace, lease)
        try:
            if server.is_there(make=make):
                return server
        except BaseException:
            server.close()
            raise
        server.close()
        return None

    return reaching


def _marked(sql: str) -> bytes:
    """SQL with the driver's marks for values, and without the hints that are for SQLite's planner."""
    return sql.replace("+lab =", "lab =").replace("?", "%s").encode()
