"""The journal of a lab's events and their fold, kept in one SQLite file and in one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from lab.edge.journal_errors import damaged
from lab.edge.journal_file import StateFile
from lab.edge.journal_group import Group
from lab.edge.journal_labs import LabRow, enter, find, labs, nothing
from lab.edge.journal_records import Records
from lab.edge.journal_schema import create as create_file
from lab.edge.journal_tenancy import Tenancy, Tenure
from lab.model.codec import (
    KINDS,
    CodecError,
    dumps,
    event_from_json,
    event_to_json,
    is_journaled,
    loads,
)
from lab.model.event import Event, RunFinished, RunStarted
from lab.model.fold import fold
from lab.model.state import State

__all__ = ["Journal", "LabRow", "LabState", "Run"]

Pending: TypeAlias = "list[tuple[Event, str]]"
"""Events and their JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a lab; where its end is not recorded, ``finished`` is None, ``outcome`` empty."""

    run: int
    started: float
    finished: float | None
    outcome: str
    command: str
    counts: dict[str, int] = field(default_factory=dict)


class Journal:
    """The state file at *path* (``lab.model.layout.state_path``) of the checkout at *root*.

    Every method raises StateError where the file is damaged, too new, or may not be used.
    """

    def __init__(self, path: str, root: str) -> None:
        self.path, self.root = path, root
        self._file: StateFile | None = None

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def labs(self) -> list[LabRow]:
        """The labs that the file remembers; needs no Labfile."""
        file = self._opened(create=False)
        return labs(file) if file else []

    def open(
        self, name: str, overlay: str = "", labfile: str = "", *, create: bool = False
    ) -> LabState:
        """The state of (*name*, *overlay*), which the file *labfile* declares (empty: do not ask).

        Without *create* nothing is written, and a lab that is not there has an empty state.

        Raises:
            StateError: another Labfile of this folder has the same name.
        """
        labfile = os.path.basename(labfile)
        file = self._opened(create=create)
        row: LabRow | None = None
        if file is not None and create:
            row = enter(file, self.root, name, overlay, labfile)
        elif file is not None:
            row = find(file, self.root, name, overlay, labfile)
        if file is None or row is None:
            return LabState(None, LabRow(name=name, overlay=overlay), self.root)
        return LabState(file, row, self.root)

    def _opened(self, *, create: bool) -> StateFile | None:
        if self._file is None:
            if not os.path.lexists(self.path):
                if not create:
                    return None
                create_file(self.path)
            self._file = StateFile(self.path)
        return self._file


class LabState:
    """One lab's journal, for many threads; satisfies :class:`lab.ports.Journal`."""

    def __init__(self, file: StateFile | None, row: LabRow, root: str) -> None:
        self.row, self.root = row, root
        self.tenancy = Tenancy(file, row.lab) if file else None
        self._file = file
        self._group: Group[Pending] = Group(self._commit)
        self._cache: tuple[int, Records] | None = None  # the newest event, and the fold up to it

    def load(self) -> State:
        if self._file is None:
            return State()
        with self._file.read() as db:
            run, head, _ = self._look(db)
            records = self._current(db, head)
            return State(records=records.copy(), run=run, key=self.row.key)

    def append(self, *events: Event) -> None:
        # What cannot be written is the caller's fault, and must not spoil others' commits.
        pending = [
            (event, dumps(event_to_json(event, self.root)))
            for event in events
            if is_journaled(event)
        ]
        if pending:
            self._group.submit(pending)

    def events(self, run: int | None = None, address: str | None = None) -> list[Event]:
        """What happened, oldest first: all of it, in one run, to one step.

        Kinds of events that this version does not know are left out.
        """
        if self._file is None:
            return []
        where, values = ["lab = :lab"], {"lab": self.row.lab, "run": run, "address": address}
        if run is not None:
            where += ["seq >= coalesce((SELECT seq FROM runs WHERE lab = :lab AND run = :run), 0)"]
            where += ["run = :run"]
        if address is not None:
            where += ["address = :address"]
        query = f"SELECT seq, json FROM events WHERE {' AND '.join(where)} ORDER BY seq"
        with self._file.read() as db:
            rows = db.execute(query, values).fetchall()
        decoded = (self._decoded(seq, text) for seq, text in rows)
        return [event for event in decoded if event is not None]

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        if self._file is None:
            return []
        with self._file.read() as db:
            rows = db.execute(
                "SELECT run, started, finished, outcome, command, counts FROM runs"
                " WHERE lab = ? ORDER BY run",
                (self.row.lab,),
            ).fetchall()
        return [_run(self._file.path, row) for row in rows]

    def _decoded(self, seq: int, text: str) -> Event | None:
        try:
            return event_from_json(loads(text), self.root)
        except CodecError as error:
            path = self._file.path if self._file else ""
            raise damaged(path, f"Event {seq} cannot be read ({error})") from None

    def _look(self, db: sqlite3.Connection) -> tuple[int, int, Tenure]:
        run, head, epoch, holder = db.execute(
            "SELECT run, head, epoch, holder FROM labs WHERE lab = ?", (self.row.lab,)
        ).fetchone()
        return run, head, Tenure(epoch, holder)

    def _current(self, db: sqlite3.Connection, head: int) -> Records:
        """The records, read again if someone else stored events since."""
        if self._cache is None or self._cache[0] != head:
            rows = db.execute(
                "SELECT address, json, identity FROM records WHERE lab = ? ORDER BY rowid",
                (self.row.lab,),
            )
            path = self._file.path if self._file else ""
            self._cache = head, Records(rows, self.root, path)
        return self._cache[1]

    def _commit(self, batches: list[Pending]) -> None:
        if self._file is None or self.tenancy is None:
            raise nothing(self.row)
        pending = [each for batch in batches for each in batch]
        with self._file.write() as db:
            _, head, tenure = self._look(db)
            self.tenancy.check(tenure)
            records = self._current(db, head)
            self._cache = None  # until it is certain that what is folded now is stored
            head = self._store(db, records, pending)
        self._cache = head, records

    def _store(self, db: sqlite3.Connection, records: Records, pending: Pending) -> int:
        lab = self.row.lab
        last: int = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        changed: dict[str, None] = {}
        rows = []
        for seq, (event, text) in enumerate(pending, last + 1):
            changed.update(dict.fromkeys(fold(records, event)))
            address = _column(getattr(event, "address", ""))
            rows.append((seq, lab, event.run, event.time, KINDS[type(event)], address, text))
            _store_run(db, lab, seq, event)
        db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        _store_records(db, lab, records, changed)
        head = last + len(pending)
        run = max(event.run for event, _ in pending)
        db.execute("UPDATE labs SET head = ?, run = max(run, ?) WHERE lab = ?", (head, run, lab))
        return head


def _store_records(
    db: sqlite3.Connection, lab: int, records: Records, changed: Iterable[str]
) -> None:
    there = [(lab, _column(a), *row) for a in changed if (row := records.row(a))]
    gone = [(lab, _column(a)) for a in changed if a not in records]
    if there:
        db.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT(lab, address)"
            " DO UPDATE SET json = excluded.json, identity = excluded.identity",
            there,
        )
    if gone:
        db.executemany("DELETE FROM records WHERE lab = ? AND address = ?", gone)


def _store_run(db: sqlite3.Connection, lab: int, seq: int, event: Event) -> None:
    match event:
        case RunStarted(run=run, time=time, command=command):
            db.execute(
                "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, NULL, '', ?, '{}')",
                (lab, run, seq, time, _column(command)),
            )
        case RunFinished(run=run, time=time, outcome=outcome, counts=counts):
            db.execute(
                "UPDATE runs SET finished = ?, outcome = ?, counts = ? WHERE lab = ? AND run = ?",
                (time, outcome, dumps(counts), lab, run),
            )
        case _:
            pass


def _run(path: str, row: tuple[int, float, float | None, str, str, str]) -> Run:
    run, started, finished, outcome, command, text = row
    try:
        counts = loads(text)
    except CodecError as error:
        raise damaged(path, f"Run {run} cannot be read ({error})") from None
    return Run(
        run=run, started=started, finished=finished, outcome=outcome, command=command, counts=counts
    )


def _column(text: str) -> str:
    """*text* as SQLite takes it: arguments of a command line may be no text at all."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
