"""A lease: who holds a lab does so until a moment on the database's own clock."""

from __future__ import annotations

from lab.edge.journal_storage import Database
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseLease:
    """Kept in the row of the lab; satisfies :class:`lab.edge.journal_storage.Lease`."""

    seconds: float

    def left(self, db: Database, lab: int) -> float:
        query = "SELECT extract(epoch FROM lease - clock_timestamp()) FROM labs WHERE lab = ?"
        return float(db.execute(query, (lab,)).fetchone()[0])

    def renew(self, db: Database, lab: int) -> None:
        db.execute(
            "UPDATE labs SET lease = clock_timestamp() + CAST(? AS double precision)"
            " * interval '1 second' WHERE lab = ?",
            (self.seconds, lab),
        )
