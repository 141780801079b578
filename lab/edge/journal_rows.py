"""How events, records and runs lie in the tables of a state file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from lab.edge.journal_records import Records
from lab.edge.journal_storage import Damaged, Database
from lab.model.codec import KINDS, CodecError, dumps, loads
from lab.model.event import Event, RunFinished, RunStarted
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a lab; where its end is not recorded, ``finished`` is None, ``outcome`` empty."""

    run: int
    started: float
    finished: float | None
    outcome: str
    command: str
    counts: dict[str, int] = field(default_factory=dict)


def runs(db: Database, lab: int, damaged: Damaged, newest: int | None) -> list[Run]:
    """Every run of the lab, or so many of the *newest*, oldest first."""
    query = (
        "SELECT run, started, finished, outcome, command, counts FROM runs"
        " WHERE lab = ? ORDER BY run DESC"
    )
    limit = "" if newest is None else f" LIMIT {int(newest)}"
    rows = db.execute(query + limit, (lab,)).fetchall()
    return [_run(damaged, *row) for row in reversed(rows)]


def texts(
    db: Database, lab: int, run: int | None = None, address: str | None = None
) -> list[tuple[int, str]]:
    """Numbers and JSON of the lab's events, oldest first: all, those of a run, those of a step."""
    # The plus keeps SQLite from looking through all of a lab's events by their index: runs lie together.
    where = ["+lab = ?" if address is None else "lab = ?"]
    values: list[int | str] = [lab]
    if run is not None:
        where += ["run = ?", "seq >= coalesce((SELECT seq FROM runs WHERE lab = ? AND run = ?), 0)"]
        values += [run, lab, run]
    if address is not None:
        where += ["address = ?"]
        values += [column(address)]
    query = f"SELECT seq, json FROM events WHERE {' AND '.join(where)} ORDER BY seq"
    found: list[tuple[int, str]] = db.execute(query, values).fetchall()
    return found


def insert(db: Database, lab: int, events: Iterable[tuple[int, Event, str]]) -> None:
    """Stores events, each with its number and its JSON."""
    rows = [
        (
            seq,
            lab,
            event.run,
            event.time,
            KINDS[type(event)],
            column(getattr(event, "address", "")),
            text,
        )
        for seq, event, text in events
    ]
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def store_records(db: Database, lab: int, records: Records, changed: Iterable[str]) -> None:
    """Brings the records at the addresses *changed* to what *records* says."""
    addresses = list(changed)
    there = [(lab, column(a), *row) for a in addresses if (row := records.row(a))]
    gone = [(lab, column(a)) for a in addresses if a not in records]
    if there:
        db.executemany(
            "INSERT INTO records(lab, address, json, identity) VALUES (?, ?, ?, ?) ON CONFLICT(lab, address)"
            " DO UPDATE SET json = excluded.json, identity = excluded.identity",
            there,
        )
    if gone:
        db.executemany("DELETE FROM records WHERE lab = ? AND address = ?", gone)


def store_run(db: Database, lab: int, seq: int, event: Event) -> None:
    """Brings the table of runs up to date with *event*."""
    match event:
        case RunStarted(run=run, time=time, command=command):
            db.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, NULL, '', ?, '{}') ON CONFLICT (lab, run)"
                " DO UPDATE SET seq = excluded.seq, started = excluded.started, finished = NULL,"
                " outcome = '', command = excluded.command, counts = '{}'",
                (lab, run, seq, time, column(command)),
            )
        case RunFinished(run=run, time=time, outcome=outcome, counts=counts):
            db.execute(
                "UPDATE runs SET finished = ?, outcome = ?, counts = ? WHERE lab = ? AND run = ?",
                (time, outcome, dumps(counts), lab, run),
            )
        case _:
            pass


def column(text: str) -> str:
    """*text* as a database takes it: arguments of a command line may be no text at all."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _run(
    damaged: Damaged,
    run: int,
    started: float,
    ended: float | None,
    outcome: str,
    command: str,
    text: str,
) -> Run:
    try:
        counts = loads(text)
    except CodecError as error:
        raise damaged(f"Run {run} cannot be read ({error})") from None
    return Run(
        run=run, started=started, finished=ended, outcome=outcome, command=command, counts=counts
    )
