"""What a journal needs of the database that keeps it: the same tables and the same SQL, whoever keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from lab.model.diagnostic import StateError

Damaged: TypeAlias = Callable[[str], StateError]
"""Makes the error that says what is damaged, and what to do, in the words of the storage."""


class UnreachableError(StateError):
    """The storage did not answer. Whether the last commit is stored is not known."""


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """An open transaction. The SQL is what SQLite and PostgreSQL both understand, with ``?`` for values."""

    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> Rows: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> object: ...


class Lease(Protocol):
    """A holder's right that ends by itself, on the storage's clock."""

    @property
    def seconds(self) -> float:
        """How long it lasts when it is not renewed."""

    def left(self, db: Database, lab: int, epoch: int) -> float:
        """Seconds until it ends; none or fewer since it ended."""

    def begin(self, db: Database, lab: int, epoch: int) -> None: ...

    def renew(self, db: Database, lab: int, epoch: int) -> bool:
        """False where it was ended, or is another holder's."""

    def end(self, db: Database, lab: int, epoch: int) -> None: ...

    @property
    def connect(self) -> Callable[[], Storage]:
        """Gives another connection, on which it is renewed."""

    @property
    def sever(self) -> Callable[[], None]:
        """Breaks this connection under whoever waits for it."""


class Guests(Protocol):
    """Who may use a lab that others reach, too. *labfile* is the absolute path of who asks."""

    def known(self, db: Database, lab: int, labfile: str) -> bool:
        """Whether there is nothing to note."""

    def admit(self, db: Database, lab: int, name: str, labfile: str) -> None:
        """Raises StateError where it may be another lab of that name."""

    def note(self, db: Database, lab: int, labfile: str) -> None:
        """Lets it in, from now on."""


class Storage(Protocol):
    """Where labs' tables lie; ``read`` and ``write`` open transactions, for one thread at a time."""

    @property
    def path(self) -> str:
        """What people call it."""

    @property
    def lease(self) -> Lease | None:
        """None where all that hold something run on this machine, whose kernel knows who lives."""

    @property
    def guests(self) -> Guests | None:
        """None where labs are told apart otherwise."""

    def close(self) -> None: ...

    def read(self) -> AbstractContextManager[Database]:
        """A transaction in which everything that is read comes from one moment."""

    def write(
        self, lab: int | None = None, *, durable: bool = True
    ) -> AbstractContextManager[Database]:
        """A transaction that nobody else writes to *lab* in, durable when it ends.

        Where *durable* is false it survives lab's death at least; a storage may promise more.
        """

    def damaged(self, text: str) -> StateError:
        """The error that says so."""

    def faults(self, db: Database) -> Iterator[str]:
        """What the database itself finds wrong: a sentence each."""


Reach: TypeAlias = Callable[[str, bool], "Storage | None"]
"""Opens the storage at a path; where there is none, makes it or gives None."""
