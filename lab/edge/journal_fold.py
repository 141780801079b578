"""The records as the newest event left them, of which the table may lack what came last.

Storing a record with every event would double what each commit writes. So the table is brought up to
date once in a while, and whoever reads it folds the events since on top. A mark in ``meta`` says from
which event on; where there is none, the table is up to date.
"""

from __future__ import annotations

from dataclasses import field

from lab.edge.journal_care import decoded
from lab.edge.journal_records import Records
from lab.edge.journal_rows import store_records
from lab.edge.journal_storage import Damaged, Database
from lab.model.event import Event
from lab.model.fold import fold
from lab.model.frozen import dataclass

MOST_LATE = 256  # records; a reader folds no more events than a few for each


@dataclass(slots=True)
class Fold:
    """The records up to the event ``head``; the table does not have those at ``late`` yet. Mutable."""

    head: int
    records: Records
    late: dict[str, None] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Folds one more event."""
        self.late.update(dict.fromkeys(fold(self.records, event)))


def read(db: Database, lab: int, head: int, root: str, damaged: Damaged) -> Fold:
    """The fold as stored, up to the event *head*.

    Raises:
        StateError: an event that the table lacks is damaged.
    """
    rows = db.execute(
        "SELECT address, json, identity FROM records WHERE lab = ? ORDER BY rowid", (lab,)
    )
    found = Fold(head, Records(rows, root, damaged))
    mark = db.execute("SELECT value FROM meta WHERE name = ?", (_mark(lab),)).fetchone()
    if mark is not None:
        late = "SELECT seq, json FROM events WHERE lab = ? AND seq > ? ORDER BY seq"
        for seq, text in db.execute(late, (lab, int(mark[0]))):
            event = decoded(damaged, seq, text, root)
            if event is not None:
                found.take(event)
    return found


def store(db: Database, lab: int, found: Fold, before: int, *, all_of_it: bool) -> None:
    """Stores what the table lacks, if that is asked for or much; else marks that it lacks something.

    *before* is the event up to which the table was up to date, if it was before this.
    """
    if all_of_it or len(found.late) >= MOST_LATE:
        store_records(db, lab, found.records, found.late)
        db.execute("DELETE FROM meta WHERE name = ?", (_mark(lab),))
        found.late.clear()
    elif found.late:
        db.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO NOTHING", (_mark(lab), str(before))
        )


def _mark(lab: int) -> str:
    return f"folded.{lab}"
