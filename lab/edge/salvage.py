"""Reads what can still be read of a damaged state file, from a copy; the file itself is never opened to be written."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any

from lab.edge.journal_schema import create
from lab.model.codec import CodecError, event_from_json, loads, record_from_texts
from lab.model.event import Event
from lab.model.fold import fold
from lab.model.frozen import dataclass
from lab.model.state import Record

_DAMAGE = (sqlite3.Error, UnicodeDecodeError)  # the latter: even what SQLite wanted to say
_SPAN = 1 << 10  # events that are asked for at once
_UNKNOWN = 1 << 16  # so many events are looked for where the file does not say how many it has


@dataclass(slots=True, kw_only=True)
class Found:
    """What is left of one lab. Mutable while it is read.

    ``events`` are in order, ``records`` the best that is known of its steps. ``key`` is empty
    where the secret of keyed hashing is lost.
    """

    name: str = ""
    overlay: str = ""
    labfile: str = ""
    key: str = ""
    events: list[Event] = field(default_factory=list)
    records: dict[str, Record] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What is left of a state file. ``unreadable`` counts rows that are there and cannot be read."""

    labs: tuple[Found, ...]
    unreadable: int = 0


def salvage(path: str, root: str) -> Salvaged:
    """All that can be read of the state at *path*.

    Raises:
        OSError: the file cannot even be copied.
    """
    ways: tuple[Callable[[str], None], ...] = (_as_it_is, _with_a_first_page, _without_its_log)
    tries = [_tried(path, root, way) for way in ways]
    return max(tries, key=lambda each: sum(len(lab.events) + len(lab.records) for lab in each.labs))


def _tried(path: str, root: str, way: Callable[[str], None]) -> Salvaged:
    with tempfile.TemporaryDirectory(prefix="lab-salvage-") as folder:
        copy = os.path.join(folder, "state.db")
        shutil.copyfile(path, copy)
        if os.path.exists(f"{path}-wal"):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        try:
            way(copy)
            with contextlib.closing(sqlite3.connect(copy)) as db:
                db.text_factory = (
                    bytes  # what is no text any more is a row that is lost, and no more
                )
                return _read(db, root)
        except _DAMAGE:
            return Salvaged(labs=())


def _as_it_is(copy: str) -> None:
    """Most damage leaves most pages whole."""


def _without_its_log(copy: str) -> None:
    """The log beside it may be another file's."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{copy}-wal")


def _with_a_first_page(copy: str) -> None:
    """The first page says where the tables begin, which is the same in every state that lab made."""
    with open(copy, "rb") as file:
        whole = file.read()
    fresh = os.path.join(os.path.dirname(copy), "fresh", "state.db")
    os.mkdir(os.path.dirname(fresh))
    create(fresh)
    with open(fresh, "rb") as file:
        page = bytearray(file.read())
    size = int.from_bytes(page[16:18], "big")
    page = page[:size]
    page[28:32] = (max(1, len(whole) // size)).to_bytes(4, "big")  # how many pages there are
    page[32:40] = bytes(8)  # and that none of them is free
    with open(copy, "r+b") as file:
        file.write(page)


def _read(db: sqlite3.Connection, root: str) -> Salvaged:
    labs: dict[int, Found] = {}
    for row in _rows(db, "SELECT lab, name, overlay, labfile, key FROM labs"):
        labs[row[0]] = Found(name=row[1], overlay=row[2], labfile=row[3], key=row[4])
    unreadable = 0
    numbered: dict[int, list[tuple[int, Event]]] = {}
    for seq, lab, text in _events(db, _head(db)):
        try:
            event = event_from_json(loads(text), root)
        except CodecError:
            unreadable += 1
            continue
        if event is not None:
            numbered.setdefault(lab, []).append((seq, event))
    for lab, events in numbered.items():
        found = labs.setdefault(lab, Found())
        found.events = [event for _, event in events]
        found.records = _folded(events)
    unreadable += _take_records(db, labs, numbered, root)
    for number, found in labs.items():
        found.name = found.name or f"lab{number}"
    return Salvaged(labs=tuple(labs.values()), unreadable=unreadable)


def _folded(events: list[tuple[int, Event]]) -> dict[str, Record]:
    records: dict[str, Record] = {}
    for _, event in events:
        fold(records, event)
    return records


def _take_records(
    db: sqlite3.Connection,
    labs: dict[int, Found],
    numbered: dict[int, list[tuple[int, Event]]],
    root: str,
) -> int:
    """Records that the table has count more than what is left of their events; gives how many are damaged."""
    marks = dict(_rows(db, "SELECT name, value FROM meta"))
    stored: dict[int, dict[str, Record]] = {}
    unreadable = 0
    for lab, text, identity in _rows(db, "SELECT lab, json, identity FROM records"):
        try:
            record = record_from_texts(text, identity, root)
        except CodecError:
            unreadable += 1
            continue
        stored.setdefault(lab, {})[record.address] = record
    for lab, records in stored.items():
        found = labs.setdefault(lab, Found())
        since = marks.get(f"folded.{lab}")
        if since is not None and since.isdigit():
            for seq, event in numbered.get(lab, []):
                if seq > int(since):
                    fold(records, event)
        found.records = {**found.records, **records}
    return unreadable


def _rows(db: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a small table up to the first that cannot be read, then from its end back to that."""
    found: dict[tuple[Any, ...], None] = {}
    for order in ("ASC", "DESC"):
        with contextlib.suppress(*_DAMAGE):
            for row in db.execute(f"{query} ORDER BY rowid {order}"):
                plain = _plain(row)
                if plain is not None:
                    found[plain] = None
    return list(found)


def _events(db: sqlite3.Connection, head: int) -> Iterator[tuple[int, int, str]]:
    """The events that can be read, oldest first, the last of which is about *head*: bad pages are passed over."""
    try:
        db.execute("SELECT 1 FROM events WHERE 0")
    except _DAMAGE:
        return
    low = 0
    while low <= head:
        rows, damaged = _between(db, low, low + _SPAN)
        yield from rows
        low += _SPAN
        if not rows and not damaged:
            low = max(low, _next(db, low, head))


def _next(db: sqlite3.Connection, low: int, head: int) -> int:
    """The first event from *low* on."""
    with contextlib.suppress(*_DAMAGE):
        row = db.execute("SELECT min(seq) FROM events WHERE seq >= ?", (low,)).fetchone()
        return head + 1 if row[0] is None else int(row[0])
    return low


def _head(db: sqlite3.Connection) -> int:
    """About the number of the newest event."""
    for query in ("SELECT max(seq) FROM events", "SELECT max(head) FROM labs"):
        with contextlib.suppress(*_DAMAGE):
            found = db.execute(query).fetchone()[0]
            if isinstance(found, int):
                return found
    return _UNKNOWN


def _between(
    db: sqlite3.Connection, low: int, high: int
) -> tuple[list[tuple[int, int, str]], bool]:
    """The readable events in a range, and whether there are some that are not."""
    query = "SELECT seq, lab, json FROM events WHERE seq >= ? AND seq < ? ORDER BY seq"
    try:
        rows = [_plain(row) for row in db.execute(query, (low, high))]
        return [(s, lab, text) for s, lab, text in filter(None, rows)], None in rows
    except _DAMAGE:
        if high - low <= 1:
            return [], True
    middle = (low + high) // 2
    return _between(db, low, middle)[0] + _between(db, middle, high)[0], True


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...] | None:
    try:
        return tuple(each.decode() if isinstance(each, bytes) else each for each in row)
    except UnicodeDecodeError:
        return None
