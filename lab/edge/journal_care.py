"""Looking after a journal: whether it is whole, and dropping history that nobody asks for."""

from __future__ import annotations

from collections.abc import Iterator

from lab.edge.journal_records import Records
from lab.edge.journal_rows import insert, texts
from lab.edge.journal_storage import Damaged, Database, Storage
from lab.model.codec import (
    CodecError,
    dumps,
    event_from_json,
    event_to_json,
    loads,
    record_to_texts,
)
from lab.model.compact import history
from lab.model.diagnostic import LabError
from lab.model.event import Event
from lab.model.fold import fold
from lab.model.state import Record


def decoded(damaged: Damaged, seq: int, text: str, root: str) -> Event | None:
    """The event with the number *seq*; None for a kind that this version does not know.

    Raises:
        StateError: it is damaged.
    """
    try:
        return event_from_json(loads(text), root)
    except CodecError as error:
        raise damaged(f"Event {seq} cannot be read ({error})") from None


def faults(
    file: Storage, db: Database, lab: int, records: Records | None, root: str
) -> Iterator[str]:
    """What is wrong with the file, and with the lab's part of it: a sentence each; none if whole.

    *records* is None where an event is so damaged that there are none.
    """
    yield from file.faults(db)
    folded: dict[str, Record] = {}
    lost = [*_fold(texts(db, lab), folded, root)]
    yield from lost
    if records is None:
        return
    yield from _unreadable(records)
    if not lost:
        yield from _differences(folded, records, root)


def _fold(rows: list[tuple[int, str]], folded: dict[str, Record], root: str) -> Iterator[str]:
    for seq, text in rows:
        event = _event(text, root)
        if isinstance(event, CodecError):
            yield f"event {seq} cannot be read: {event}"
        elif event is not None:
            fold(folded, event)


def _event(text: str, root: str) -> Event | CodecError | None:
    try:
        return event_from_json(loads(text), root)
    except CodecError as error:
        return error


def _unreadable(records: Records) -> Iterator[str]:
    for address in records:
        if not _is_readable(records, address):
            yield f"the record of {address} cannot be read"


def _is_readable(records: Records, address: str) -> bool:
    try:
        done = records[address].done
        if done is not None:
            len(done.identity)  # it is parsed only when it is looked into
    except LabError:
        return False
    return True


def _differences(folded: dict[str, Record], records: Records, root: str) -> Iterator[str]:
    for address in sorted({*folded, *records}):
        if address not in records:
            yield f"the record of {address} is missing, though events made one"
        elif address not in folded:
            yield f"the record of {address} is there, though no event made it"
        elif not _alike(folded[address], records, address, root):
            yield f"the record of {address} is not what its events made"


def _alike(folded: Record, records: Records, address: str, root: str) -> bool:
    # As texts, for a number that is none (NaN) is not equal to itself.
    try:
        return record_to_texts(folded, root) == record_to_texts(records[address], root)
    except LabError:
        return True  # it is damaged, which was told already


def compact(db: Database, lab: int, before: int, root: str, damaged: Damaged) -> int:
    """Replaces the events of runs older than *before* by the shortest that mean the same.

    Gives how many events there are less. The records stay as they are.
    """
    wanted = db.execute(
        "SELECT coalesce(min(seq), (SELECT max(head) + 1 FROM labs)) FROM events"
        " WHERE lab = ? AND run >= ?",
        (lab, before),
    ).fetchone()[0]
    old = [(seq, text) for seq, text in texts(db, lab) if seq < wanted]
    folded: dict[str, Record] = {}
    for seq, text in old:
        event = decoded(damaged, seq, text, root)
        if event is not None:
            fold(folded, event)
    new = [event for record in folded.values() for event in history(record)]
    if len(new) >= len(old):
        return 0
    db.execute("DELETE FROM events WHERE lab = ? AND seq < ?", (lab, wanted))
    numbers = (seq for seq, _ in old)
    insert(db, lab, [(next(numbers), event, dumps(event_to_json(event, root))) for event in new])
    return len(old) - len(new)
