"""Who may write to a lab's state now: a row that counts its holders, checked with every commit."""

from __future__ import annotations

from lab.edge.journal_storage import Storage
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Tenure:
    """Who holds the state (as JSON; None for nobody), and how many held or lost it before."""

    epoch: int
    holder: str | None


class Tenancy:
    """Takes, gives back and checks the right to write one lab's events.

    Nothing here needs the disk's patience: a machine that loses power ends its holders too.
    """

    def __init__(self, file: Storage, lab: int) -> None:
        self._file, self._lab = file, lab
        self._mine: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object took the state and has not given it back."""
        return self._mine is not None

    def tenure(self) -> Tenure:
        """Who holds the state now."""
        with self._file.read() as db:
            row = db.execute("SELECT epoch, holder FROM labs WHERE lab = ?", (self._lab,))
            return Tenure(*row.fetchone())

    def claim(self, seen: Tenure, holder: str) -> bool:
        """Takes the state for *holder*; False if *seen* is not so any more."""
        if not self._swap(seen, holder):
            return False
        self._mine = seen.epoch + 1
        return True

    def evict(self, seen: Tenure) -> bool:
        """Takes the state from whom *seen* says holds it; what they store is refused."""
        return self._swap(seen, None)

    def vacate(self) -> None:
        """Gives the state back, if this object has it still."""
        epoch, self._mine = self._mine, None
        with self._file.write(self._lab, durable=False) as db:
            db.execute(
                "UPDATE labs SET holder = NULL WHERE lab = ? AND epoch = ?", (self._lab, epoch)
            )

    def check(self, tenure: Tenure) -> None:
        """Refuses to write where *tenure*, read in the writing transaction, gives no right to.

        Raises:
            StateError: the state was taken away from this object, or someone else has it.
        """
        if self._mine is not None and tenure.epoch != self._mine:
            raise StateError(
                Diagnostic(
                    summary="the lock on the state was taken away",
                    detail="Somebody released it while this command was running"
                    " (`lab state unlock`); nothing more is recorded.",
                    help="See that no other lab runs on this Labfile, then run the same again.",
                )
            )
        if self._mine is None and tenure.holder is not None:
            raise StateError(
                Diagnostic(
                    summary="the state is locked by another command",
                    help="Wait for it to end; `lab state unlock` says which command it is.",
                )
            )

    def _swap(self, seen: Tenure, holder: str | None) -> bool:
        with self._file.write(self._lab, durable=False) as db:
            changed = db.execute(
                "UPDATE labs SET epoch = epoch + 1, holder = ?"
                " WHERE lab = ? AND epoch = ? AND coalesce(holder, '') = ?",
                (holder, self._lab, seen.epoch, seen.holder or ""),
            )
            return changed.rowcount == 1
