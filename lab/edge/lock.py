"""One command at a time may change a lab's state: the lock of a name and overlay.

It is two locks. The kernel's, on a file below ``.lab/locks``, ends with the process that has it. It
decides races between those who take over from a dead holder, and shows that a stopped process, or
one in another container, is alive. The row in the journal says who holds it, and has a number that
every commit checks: whoever lost the lock cannot write any more, whatever they believe. The row is
not synced to the disk, for a machine that loses power loses its holders too.

In a database the kernel's lock would not reach the others. There the holder's lease takes its place,
unless the holder ran on this very machine, whose kernel knows whether it lives.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from lab.crashpoint import passing
from lab.edge.journal import LabState
from lab.edge.journal_errors import NoRoomError
from lab.edge.journal_labs import nothing
from lab.edge.journal_tenancy import Tenancy, Tenure
from lab.edge.lock_flock import Flock, NoFlock, Taken
from lab.edge.lock_holder import (
    Holder,
    Proof,
    from_text,
    leased_proof,
    proof,
    this_process,
    to_text,
)
from lab.edge.lock_renewal import Renewal
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.layout import FOLDER, lab_key
from lab.ports import Cancel

__all__ = ["Holder", "Lock", "Proof"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_TOLD_AGAIN = 1.0  # seconds between two looks at what the holder does
_ANONYMOUS = 2.0  # seconds given to one who has the kernel's lock and has not said yet who it is


class Lock:
    """The lock on one lab's state, for the command line *command*.

    Every method raises StateError where the state cannot be used.
    """

    def __init__(
        self,
        state: LabState,
        command: str = "",
        on_lost: Callable[[str], None] | None = None,
        *,
        nameless: bool = False,
    ) -> None:
        """*on_lost* is told why the lock cannot be kept any more; from another thread, at most once.

        A *nameless* one does with the kernel's lock where a full disk leaves no room to say who it is.
        """
        self._row = state.row
        self._tenancy = state.tenancy
        self._command, self._on_lost, self._nameless = command, on_lost, nameless
        self._renewal: Renewal | None = None
        self.former: tuple[int, Proof | None] = (0, None)  # whose place was taken: epoch and proof
        if state.tenancy is not None and state.tenancy.lease is not None:
            self._flock: Flock = NoFlock()
        else:
            name = lab_key(state.row.name, state.row.overlay)
            self._flock = Flock(os.path.join(state.root, FOLDER, "locks", f"{name}.lock"))

    def acquire(
        self,
        timeout: float = 0.0,
        on_wait: Callable[[Holder], None] | None = None,
        cancelled: Cancel | None = None,
    ) -> Holder | None:
        """Takes the lock, waiting up to *timeout* seconds for a holder that may be alive.

        ``on_wait`` is told whom it waits for, again and again. Gives the dead holder that it took over from, if any.

        Raises:
            StateError: somebody else still has it.
            KeyboardInterrupt: *cancelled* was set while waiting.
        """
        began, pause = time.monotonic(), _FIRST_PAUSE
        last = 0.0
        told: Holder | None = None
        while True:
            taken, other = self._try()
            if taken:
                self._keep()
                return other
            if other is not None:
                if on_wait is not None and timeout > 0 and (other != told or _passed(last)):
                    last = time.monotonic()
                    on_wait(other)
                told = other
            patience = timeout if told else max(timeout, _ANONYMOUS)
            left = began + patience - time.monotonic()
            if left <= 0:
                raise self._locked(told)
            _wait(min(pause, left), cancelled)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def release(self) -> None:
        """Gives the lock back, if this object has it; never fails."""
        if self._renewal is not None:
            self._renewal.stop()
            self._renewal = None
        try:
            # On a full disk the row stays, and the next command finds that its holder is dead.
            with contextlib.suppress(StateError):
                if self._tenancy is not None and self._tenancy.held:
                    passing("lock.vacating")
                    self._tenancy.vacate()
                    passing("lock.vacated")
        finally:
            self._flock.drop()

    def holder(self) -> Holder | None:
        """Who has the lock, dead or alive; needs no lock."""
        seen = self._tenancy.tenure() if self._tenancy else None
        return _holder(seen) if seen else None

    def standing(self) -> tuple[Holder, Proof] | None:
        """Who has the lock and what is known of them; None if nobody has."""
        seen = self._tenancy.tenure() if self._tenancy else None
        holder = _holder(seen) if seen else None
        if seen is None or holder is None:
            return None
        return holder, _proof(holder, seen, flock_is_free=self._is_free())

    def unlock(self, *, force: bool = False) -> Holder | None:
        """Takes the lock from a holder that is dead, or with *force* from any; gives that holder.

        Whatever the holder still tries to store is refused from then on.

        Raises:
            StateError: the holder lives or may live, and *force* is not given.
        """
        flock = self._flock.twin()
        while self._tenancy is not None:
            taken = flock.take()
            try:
                seen = self._tenancy.tenure()
                holder = _holder(seen)
                if holder is None:
                    return None
                found = _proof(holder, seen, flock_is_free=taken is not Taken.NO)
                if found not in GONE and not force:
                    raise self._refusal(holder, found, seen.left)
                if self._tenancy.evict(seen):
                    passing("lock.evicted")
                    if taken is Taken.NO:
                        flock.discard_file()
                    return holder
            finally:
                flock.drop()
        return None

    def _try(self) -> tuple[bool, Holder | None]:
        """Whether it was taken now, and from which dead holder, or else who has it."""
        tenancy = self._tenancy
        if tenancy is None:
            raise nothing(self._row)
        if tenancy.held:
            return True, None
        taken = self._flock.take()
        if taken is Taken.NO:
            return False, self._other()
        won = False
        try:
            passing("lock.kernel")
            seen = tenancy.tenure()
            other = _holder(seen)
            found = _proof(other, seen, flock_is_free=True) if other else None
            if found is None or found in GONE:
                won = self._claim(tenancy, seen, taken)
                passing("lock.claimed")
                self.former = seen.epoch, found
            return won, other
        finally:
            if not won:
                self._flock.drop()

    def _claim(self, tenancy: Tenancy, seen: Tenure, taken: Taken) -> bool:
        me = this_process(self._command, flocked=taken is Taken.YES)
        try:
            return tenancy.claim(seen, to_text(me))
        except NoRoomError:
            if self._nameless and taken is Taken.YES:
                return True
            raise

    def _other(self) -> Holder | None:
        """Who has the kernel's lock; None while they have not said so."""
        holder = self.holder()
        dead = holder is not None and proof(holder, flock_is_free=True) is Proof.DEAD
        return None if dead else holder

    def _keep(self) -> None:
        """Renews the lease from now on, where there is one."""
        tenancy = self._tenancy
        if tenancy is None or tenancy.lease is None or self._renewal is not None:
            return
        storage, seconds = tenancy.lease.connect(), tenancy.lease.seconds
        self._renewal = Renewal(storage, seconds, tenancy.renew, self._lost)
        self._renewal.start()

    def _lost(self, reason: str) -> None:
        tenancy = self._tenancy
        assert tenancy is not None and tenancy.lease is not None  # what it is told by needs both
        tenancy.lose()
        tenancy.lease.sever()
        if self._on_lost is not None:
            self._on_lost(reason)

    def _locked(self, told: Holder | None) -> StateError:
        seen = self._tenancy.tenure() if told and self._tenancy else None
        if told is not None and seen is not None:
            holder = _holder(seen) or told
            found = _proof(holder, seen, flock_is_free=self._is_free())
            return self._refusal(holder, found, seen.left)
        return StateError(
            Diagnostic(
                summary=f"the state of {self._name} is locked",
                detail="Another command is just taking it.",
                help="Try again, or let lab wait: `--lock-timeout 10m`.",
            )
        )

    def _is_free(self) -> bool:
        flock = self._flock.twin()
        taken = flock.take()
        flock.drop()
        return taken is not Taken.NO

    def _refusal(self, holder: Holder, found: Proof, left: float | None) -> StateError:
        if found is Proof.UNKNOWN:
            why = " From here it cannot be seen whether that command still runs."
            advice = "If you know that it does not run any more: `lab state unlock --force`."
        else:
            why = f" If it falls silent, its lease ends in {left:.0f} s." if left else ""
            advice = "Wait for it to end, or let lab wait for it: `--lock-timeout 10m`."
        return StateError(
            Diagnostic(
                summary=f"the state of {self._name} is locked",
                detail=f"It is held by {holder} ({_ago(holder.since)}).{why}",
                help=advice,
            )
        )

    @property
    def _name(self) -> str:
        return lab_key(self._row.name, self._row.overlay)


GONE = (Proof.DEAD, Proof.SILENT)
"""What lets another take a holder's place."""


def _holder(seen: Tenure) -> Holder | None:
    return from_text(seen.holder) if seen.holder is not None else None


def _proof(holder: Holder, seen: Tenure, *, flock_is_free: bool) -> Proof:
    if seen.left is not None:
        return leased_proof(holder, seen.left)
    return proof(holder, flock_is_free=flock_is_free)


def _passed(last: float) -> bool:
    return time.monotonic() - last >= _TOLD_AGAIN


def _wait(seconds: float, cancelled: Cancel | None) -> None:
    if cancelled is None:
        time.sleep(seconds)
    elif cancelled.wait(seconds):
        raise KeyboardInterrupt


def _ago(since: float) -> str:
    seconds = max(0, round(time.time() - since))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{seconds} second{'s' if seconds != 1 else ''} ago"
