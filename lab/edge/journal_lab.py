"""One lab's journal: its events and their fold, in one transaction of the storage that keeps both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from lab.crashpoint import passing
from lab.edge import journal_copy as copy
from lab.edge.journal_care import compact, decoded, faults
from lab.edge.journal_copy import Carried
from lab.edge.journal_fold import Fold
from lab.edge.journal_fold import read as read_fold
from lab.edge.journal_fold import store as store_fold
from lab.edge.journal_group import Group
from lab.edge.journal_kept import Delivery, Keeper, Kept, was_kept
from lab.edge.journal_labs import LabRow, nothing
from lab.edge.journal_rows import Run, insert, runs, store_run, texts
from lab.edge.journal_storage import Database, Storage, UnreachableError
from lab.edge.journal_tenancy import Tenancy, Tenure
from lab.model.codec import dumps, event_to_json, is_journaled
from lab.model.diagnostic import StateError
from lab.model.event import Event, RunFinished
from lab.model.state import State

Pending: TypeAlias = "list[tuple[Event, str]]"
"""Events and their JSON."""


_AGAIN = 0.5  # seconds before a database that fell silent is asked again


class LabState:
    """One lab's journal, for many threads; satisfies :class:`lab.ports.Journal`."""

    def __init__(self, file: Storage | None, row: LabRow, root: str) -> None:
        self.row, self.root = row, root
        self.tenancy = Tenancy(file, row.lab) if file else None
        self._file = file
        self._group: Group[Pending] = Group(self._commit)
        self._fold: Fold | None = None
        self._cut: UnreachableError | None = None  # since then, what comes is kept in a file

    def load(self) -> State:
        if self._file is None:
            return State()
        with self._file.read() as db:
            run, head, _ = self._look(db)
            records = self._current(db, head).records.copy()
            return State(records=records, run=run, key=self.row.key)

    def append(self, *events: Event) -> None:
        self.enter(*events)()

    def enter(self, *events: Event) -> Callable[[], None]:
        # What cannot be written is the caller's fault, and must not spoil others' commits.
        pending = [
            (event, dumps(event_to_json(event, self.root)))
            for event in events
            if is_journaled(event)
        ]
        if not pending:
            return _nothing
        return partial(self._group.wait, self._group.enter(pending))

    def events(self, run: int | None = None, address: str | None = None) -> list[Event]:
        """What happened, oldest first: all of it, in one run, to one step.

        Kinds of events that this version does not know are left out.
        """
        if self._file is None:
            return []
        with self._file.read() as db:
            found = texts(db, self.row.lab, run, address)
        decoded = (self._decoded(seq, text) for seq, text in found)
        return [event for event in decoded if event is not None]

    def runs(self, newest: int | None = None) -> list[Run]:
        """Every run, or so many of the newest, oldest first."""
        if self._file is None:
            return []
        with self._file.read() as db:
            return runs(db, self.row.lab, self._file.damaged, newest)

    def check(self) -> list[str]:
        """What is wrong with the file and this lab's part of it: a sentence each; none if whole."""
        if self._file is None:
            return []
        with self._file.read() as db:
            _, head, _ = self._look(db)
            try:
                records = self._current(db, head).records
            except StateError:  # an event, which is about to be named
                records = None
            return list(faults(self._file, db, self.row.lab, records, self.root))

    def settle(self) -> None:
        """Brings the table of records up to date, which only spares readers some work."""
        found, self._fold = self._fold, None
        if self._file is None or found is None or not found.late or self._cut is not None:
            return
        with contextlib.suppress(StateError), self._file.write(self.row.lab, durable=False) as db:
            if self._look(db)[1] == found.head:
                store_fold(db, self.row.lab, found, found.head, all_of_it=True)

    def compact(self, keep_runs: int) -> int:
        """Drops the history of all but the newest *keep_runs* runs; gives how many events went.

        Records and the list of runs stay as they are.
        """
        if self._file is None or self.tenancy is None:
            return 0
        with self._file.write(self.row.lab) as db:
            run, head, tenure = self._look(db)
            self.tenancy.check(tenure)
            # The table must not lack anything of events that go.
            store_fold(db, self.row.lab, self._current(db, head), head, all_of_it=True)
            dropped = compact(db, self.row.lab, run - keep_runs + 1, self.root, self._file.damaged)
            passing("compact.inside")
        passing("compact.after")
        return dropped

    def _decoded(self, seq: int, text: str) -> Event | None:
        assert self._file is not None  # it came from there
        return decoded(self._file.damaged, seq, text, self.root)

    def _look(self, db: Database) -> tuple[int, int, Tenure]:
        run, head, epoch, holder = db.execute(
            "SELECT run, head, epoch, holder FROM labs WHERE lab = ?", (self.row.lab,)
        ).fetchone()
        return run, head, Tenure(epoch, holder)

    def _current(self, db: Database, head: int) -> Fold:
        """The fold up to *head*, read again if someone else stored events since."""
        if self._fold is None or self._fold.head != head:
            assert self._file is not None  # *db* is a transaction of it
            self._fold = read_fold(db, self.row.lab, head, self.root, self._file.damaged)
        return self._fold

    def carry(self) -> Carried:
        """All that is known of the lab, as of one moment."""
        row = self.row
        known = Carried(name=row.name, overlay=row.overlay, labfile=row.labfile, key=row.key)
        if self._file is None:
            return known
        with self._file.read() as db:
            run, head, _ = self._look(db)
            found = copy.read(db, row.lab, self._current(db, head))
        return replace(known, run=run, records=found.records, runs=found.runs, events=found.events)

    def take_over(self, carried: Carried) -> None:
        """Puts *carried*, its key too, in the place of all that is known; open the lab again after that."""
        if self._file is None or self.tenancy is None:
            raise nothing(self.row)
        with self._file.write(self.row.lab) as db:
            self.tenancy.check(self._look(db)[2])
            self._fold = None
            copy.write(db, self.row.lab, carried)

    def take_in(self, former: int) -> Delivery:
        """Stores what a run of this checkout had kept when it lost the database.

        It is taken in if it was made by the right *former* that the present holder came after: then
        nobody else has had the lab since. Else it is set aside.
        """
        keeper, taken, refused = self._keeper(), list[str](), list[Kept]()
        for kept in keeper.found() if self.tenancy is not None else ():
            if kept.epoch != former:
                refused.append(keeper.refuse(kept))
                continue
            stored = self._head() in kept.unsure
            self.append(*kept.events[kept.first if stored else 0 :])
            keeper.done(kept)
            taken += kept.finished
        return Delivery(taken=tuple(taken), refused=tuple(refused))

    def _commit(self, batches: list[Pending]) -> None:
        """Stores them all; where a lease is held and the database falls silent, tries as long as it lasts."""
        if self._file is None or self.tenancy is None:
            raise nothing(self.row)
        pending = [each for batch in batches for each in batch]
        passing("commit.before")
        tries: list[int] = []
        while self._cut is None:
            if self._tried(self._file, self.tenancy, pending, tries):
                return
        epoch = self.tenancy.epoch
        assert epoch is not None  # it was held, and its holder waits for this
        path = self._keeper().keep(epoch, [event for event, _ in pending], tries)
        raise was_kept(self._cut, path)

    def _tried(self, file: Storage, tenancy: Tenancy, pending: Pending, tries: list[int]) -> bool:
        """Whether they are stored; if not, they may be tried again unless the lab was cut off."""
        try:
            self._attempt(file, tenancy, pending, tries)
        except UnreachableError as error:
            if tenancy.endures(_AGAIN):
                return False
            if tenancy.lease is None or not tenancy.held:
                raise
            self._cut = error
            return False
        return True

    def _attempt(self, file: Storage, tenancy: Tenancy, pending: Pending, tries: list[int]) -> None:
        """Stores them, unless one of the *tries* before it has, whose answer was lost."""
        with file.write(self.row.lab) as db:
            _, head, tenure = self._look(db)
            tenancy.check(tenure)
            if head in tries:
                self._fold = None
                return
            found = self._current(db, head)
            self._fold = None  # until it is certain that what is folded now is stored
            self._store(db, found, pending)
            passing("commit.inside")
            tries.append(found.head)
        self._fold = found
        passing("commit.after")

    def _head(self) -> int:
        """The number of the newest event."""
        assert self._file is not None  # else nothing was kept
        with self._file.read() as db:
            return self._look(db)[1]

    def _keeper(self) -> Keeper:
        return Keeper(self.root, self.row.key)

    def _store(self, db: Database, found: Fold, pending: Pending) -> None:
        lab, before = self.row.lab, found.head
        # Numbers are never used twice, also where compacting has dropped the newest events.
        last: int = db.execute("SELECT max(head) FROM labs").fetchone()[0]
        numbered = [(seq, event, text) for seq, (event, text) in enumerate(pending, last + 1)]
        for seq, event, _ in numbered:
            found.take(event)
            store_run(db, lab, seq, event)
        insert(db, lab, numbered)
        ends = any(isinstance(event, RunFinished) for event, _ in pending)
        store_fold(db, lab, found, before, all_of_it=ends)
        found.head = last + len(pending)
        run = max(event.run for event, _ in pending)
        db.execute(
            "UPDATE labs SET head = ?, run = CASE WHEN run < ? THEN ? ELSE run END WHERE lab = ?",
            (found.head, run, run, lab),
        )


def _nothing() -> None:
    """What is not stored need not be waited for."""
