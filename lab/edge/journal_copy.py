"""A lab's whole state, to be carried from one storage to another: read in one moment, stored in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from lab.edge.journal_errors import damaged
from lab.edge.journal_fold import Fold
from lab.edge.journal_storage import Database
from lab.model.codec import (
    CodecError,
    dumps,
    event_from_json,
    loads,
    record_from_json,
    record_to_texts,
)
from lab.model.frozen import dataclass
from lab.model.values import Json

Row: TypeAlias = "tuple[Any, ...]"

_RUNS = ("run", "seq", "started", "finished", "outcome", "command", "counts")
_EVENTS = ("seq", "run", "time", "kind", "address", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """All that a storage knows of a lab; rows as they lie in the tables, without the lab's number."""

    name: str
    overlay: str = ""
    labfile: str = ""
    key: str = ""
    run: int = 0
    records: tuple[Row, ...] = ()
    runs: tuple[Row, ...] = ()
    events: tuple[Row, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.records or self.runs or self.events)

    @property
    def newest(self) -> float:
        """When the newest event was."""
        return max((float(row[2]) for row in self.events), default=0.0)

    def same_as(self, other: Carried) -> bool:
        """Whether both tell the same story; numbers of events may differ."""
        return (
            self.run == other.run
            and sorted(self.records) == sorted(other.records)
            and [row[1:] for row in self.events] == [row[1:] for row in other.events]
            and [(r[0], *r[2:]) for r in self.runs] == [(r[0], *r[2:]) for r in other.runs]
        )


def read(db: Database, lab: int, found: Fold) -> Carried:
    """What the storage has of the lab; who it is, and its key, are the caller's to add."""
    records = found.records
    rows = [(address, *row) for address in records if (row := records.row(address))]
    runs = f"SELECT {', '.join(_RUNS)} FROM runs WHERE lab = ? ORDER BY run"
    events = f"SELECT {', '.join(_EVENTS)} FROM events WHERE lab = ? ORDER BY seq"
    return Carried(
        name="",
        records=tuple(rows),
        runs=tuple(tuple(row) for row in db.execute(runs, (lab,))),
        events=tuple(tuple(row) for row in db.execute(events, (lab,))),
    )


def write(db: Database, lab: int, carried: Carried) -> None:
    """Puts *carried* in the place of all that the storage had of the lab."""
    last: int = db.execute("SELECT max(head) FROM labs").fetchone()[0]
    for table in ("events", "records", "runs"):
        db.execute(f"DELETE FROM {table} WHERE lab = ?", (lab,))
    db.execute("DELETE FROM meta WHERE name = ?", (f"folded.{lab}",))
    numbers = {row[0]: last + index for index, row in enumerate(carried.events, 1)}
    head = last + len(carried.events)
    db.executemany(
        "INSERT INTO events(seq, lab, run, time, kind, address, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(numbers[seq], lab, *rest) for seq, *rest in carried.events],
    )
    db.executemany(
        "INSERT INTO records(lab, address, json, identity) VALUES (?, ?, ?, ?)",
        [(lab, *row) for row in carried.records],
    )
    # A run whose first event was dropped begins, for whoever asks, before all that are left.
    db.executemany(
        "INSERT INTO runs(lab, run, seq, started, finished, outcome, command, counts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(lab, run, numbers.get(seq, last), *rest) for run, seq, *rest in carried.runs],
    )
    key = carried.key
    db.execute("UPDATE labs SET run = ?, head = ? WHERE lab = ?", (carried.run, head, lab))
    if key:
        db.execute("UPDATE labs SET key = ? WHERE lab = ?", (key, lab))


def to_json(carried: Carried, version: int) -> dict[str, Any]:
    """As `lab state pull` writes it; without the key, which is the caller's to add."""
    return {
        "format": version,
        "name": carried.name,
        "overlay": carried.overlay,
        "labfile": carried.labfile,
        "run": carried.run,
        "records": [_record(*row) for row in carried.records],
        "runs": [_named(_RUNS, row, "counts") for row in carried.runs],
        "events": [_named(_EVENTS, row, "json") for row in carried.events],
    }


def from_text(text: str, path: str, version: int, root: str) -> Carried:
    """The inverse of :func:`to_json`, checked down to every event; *path* is for messages.

    Raises:
        StateError: it is not what `lab state pull` wrote.
    """
    try:
        data = json.loads(text)
        if data["format"] > version:
            raise CodecError(f"its format is {data['format']}, and this lab knows {version}")
        return _carried(data, root)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_state(path, error) from None


def _carried(data: Mapping[str, Any], root: str) -> Carried:
    key = str(data.get("key", ""))
    bytes.fromhex(key)
    return Carried(
        name=str(data["name"]),
        overlay=str(data["overlay"]),
        labfile=str(data["labfile"]),
        key=key,
        run=int(data["run"]),
        records=tuple(_record_row(each, root) for each in data["records"]),
        runs=tuple(_run_row(each) for each in data["runs"]),
        events=tuple(_event_rows(data["events"], root)),
    )


def _record(address: str, text: str, identity: str | None) -> Json:
    data = loads(text)
    if identity is not None:
        data["done"]["identity"] = loads(identity)
    found: Json = data
    return found


def _record_row(data: Any, root: str) -> Row:
    record = record_from_json(data, root)
    return (record.address, *record_to_texts(record, root))


def _named(names: tuple[str, ...], row: Row, inner: str) -> dict[str, Any]:
    found = dict(zip(names, row, strict=True))
    return {**found, inner: loads(found[inner])}


def _run_row(data: Mapping[str, Any]) -> Row:
    finished = data["finished"]
    return (
        int(data["run"]),
        int(data["seq"]),
        float(data["started"]),
        None if finished is None else float(finished),
        str(data["outcome"]),
        str(data["command"]),
        dumps(dict(data["counts"])),
    )


def _event_rows(events: list[Any], root: str) -> Iterator[Row]:
    last = 0
    for data in events:
        seq, event = int(data["seq"]), data["json"]
        if seq <= last:
            raise CodecError(f"event {seq} stands after {last}")
        event_from_json(event, root)  # it raises if it is none
        words = (str(data["kind"]), str(data["address"]), dumps(event))
        yield (seq, int(data["run"]), float(data["time"]), *words)
        last = seq


def _no_state(path: str, error: Exception) -> Exception:
    said = f"missing: {error}" if isinstance(error, KeyError) else str(error)
    told = damaged(path, f"It is not what `lab state pull` writes ({said})")
    first = replace(
        told.diagnostics[0],
        summary=f"{path} holds no state of lab",
        help="`lab state pull --out FILE` writes one.",
    )
    return type(told)(first)
