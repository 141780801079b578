"""A lease: who holds a lab does so until a moment on the database's own clock."""

from __future__ import annotations

from collections.abc import Callable

from lab.edge.journal_storage import Database, Storage
from lab.model.frozen import dataclass

_LATER = "clock_timestamp() + CAST(? AS double precision) * interval '1 second'"


@dataclass(frozen=True, slots=True)
class DatabaseLease:
    """Kept in a row of its own, so that renewing it waits for no commit; see journal_storage.Lease."""

    seconds: float
    connect: Callable[[], Storage]
    sever: Callable[[], None]

    def left(self, db: Database, lab: int, epoch: int) -> float:
        query = (
            "SELECT extract(epoch FROM ends - clock_timestamp()) FROM leases"
            " WHERE lab = ? AND epoch = ?"
        )
        row = db.execute(query, (lab, epoch)).fetchone()
        return float(row[0]) if row else 0.0

    def begin(self, db: Database, lab: int, epoch: int) -> None:
        db.execute(
            f"INSERT INTO leases VALUES (?, ?, {_LATER}) ON CONFLICT (lab)"
            " DO UPDATE SET epoch = excluded.epoch, ends = excluded.ends",
            (lab, epoch, self.seconds),
        )

    def renew(self, db: Database, lab: int, epoch: int) -> bool:
        query = f"UPDATE leases SET ends = {_LATER} WHERE lab = ? AND epoch = ?"
        return db.execute(query, (self.seconds, lab, epoch)).rowcount == 1

    def end(self, db: Database, lab: int, epoch: int) -> None:
        db.execute("DELETE FROM leases WHERE lab = ? AND epoch = ?", (lab, epoch))
