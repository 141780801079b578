"""Who may write to a lab's state now: a row that counts its holders, checked with every commit."""

from __future__ import annotations

import threading

from lab.edge.journal_storage import Lease, Storage, UnreachableError
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Tenure:
    """Who holds the state (as JSON; None for nobody), and how many held or lost it before."""

    epoch: int
    holder: str | None
    left: float | None = None  # seconds of the holder's lease, where there are leases


class Tenancy:
    """Takes, gives back and checks the right to write one lab's events.

    In a file nothing here needs the disk's patience: a machine that loses power ends its holders too.
    """

    def __init__(self, file: Storage, lab: int) -> None:
        self._file, self._lab = file, lab
        self._mine: int | None = None
        self._gone = threading.Event()

    @property
    def lease(self) -> Lease | None:
        return self._file.lease

    @property
    def epoch(self) -> int | None:
        """The number of this holder; None while it holds nothing."""
        return self._mine

    @property
    def held(self) -> bool:
        """Whether this object took the state and has not given it back."""
        return self._mine is not None

    def tenure(self) -> Tenure:
        """Who holds the state now."""
        with self._file.read() as db:
            rows = db.execute("SELECT epoch, holder FROM labs WHERE lab = ?", (self._lab,))
            epoch, holder = rows.fetchone()
            left = self.lease.left(db, self._lab, epoch) if self.lease and holder else None
            return Tenure(epoch, holder, left)

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
        if epoch is None or self.lost:  # then the lease ends by itself
            return
        try:
            self._give_back(epoch)
        except UnreachableError:
            self._give_back(epoch)  # a connection that broke since its last use is made again

    def _give_back(self, epoch: int) -> None:
        with self._file.write(self._lab, durable=False) as db:
            db.execute(
                "UPDATE labs SET holder = NULL WHERE lab = ? AND epoch = ?", (self._lab, epoch)
            )
            if self.lease is not None:
                self.lease.end(db, self._lab, epoch)

    def renew(self, storage: Storage) -> bool:
        """Renews the lease by another connection; False if the state was taken away."""
        epoch, lease = self._mine, self.lease
        if epoch is None or lease is None:
            return True
        with storage.write() as db:
            return lease.renew(db, self._lab, epoch)

    @property
    def lost(self) -> bool:
        """Whether the lease could not be renewed."""
        return self._gone.is_set()

    def lose(self) -> None:
        """The lease could not be renewed: nothing is stored any more, whatever the database would say."""
        self._gone.set()

    def endures(self, seconds: float) -> bool:
        """Whether it is worth to try again after so many seconds, which are waited for."""
        return self.held and self.lease is not None and not self._gone.wait(seconds)

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
            if changed.rowcount != 1:
                return False
            if self.lease is not None:
                self.lease.end(db, self._lab, seen.epoch)
                if holder is not None:
                    self.lease.begin(db, self._lab, seen.epoch + 1)
            return True
