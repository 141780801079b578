"""One command at a time may change a lab's state: the lock of a name and overlay.

It is two locks. The kernel's, on a file below ``.lab/locks``, ends with the process that has it. It
decides races between those who take over from a dead holder, and shows that a stopped process, or
one in another container, is alive. The row in the journal says who holds it, and has a number that
every commit checks: whoever lost the lock cannot write any more, whatever they believe. The row is
not synced to the disk, for a machine that loses power loses its holders too.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

from lab.crashpoint import passing
from lab.edge.journal import LabState
from lab.edge.journal_labs import nothing
from lab.edge.lock_flock import Flock, Taken
from lab.edge.lock_holder import Holder, Proof, from_text, proof, this_process, to_text
from lab.model.diagnostic import Diagnostic, StateError
from lab.model.layout import FOLDER, lab_key
from lab.ports import Cancel

__all__ = ["Holder", "Lock", "Proof"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_ANONYMOUS = 2.0  # seconds given to one who has the kernel's lock and has not said yet who it is


class Lock:
    """The lock on one lab's state, for the command line *command*.

    Every method raises StateError where the state cannot be used.
    """

    def __init__(self, state: LabState, command: str = "") -> None:
        self._row = state.row
        self._tenancy = state.tenancy
        self._command = command
        name = lab_key(state.row.name, state.row.overlay)
        self._flock = Flock(os.path.join(state.root, FOLDER, "locks", f"{name}.lock"))

    def acquire(
        self,
        timeout: float = 0.0,
        on_wait: Callable[[Holder], None] | None = None,
        cancelled: Cancel | None = None,
    ) -> Holder | None:
        """Takes the lock, waiting up to *timeout* seconds for a holder that may be alive.

        ``on_wait`` is told whom it waits for. Gives the dead holder that it took over from, if any.

        Raises:
            StateError: somebody else still has it.
            KeyboardInterrupt: *cancelled* was set while waiting.
        """
        began, pause = time.monotonic(), _FIRST_PAUSE
        told: Holder | None = None
        while True:
            taken, other = self._try()
            if taken:
                return other
            if other is not None and other != told:
                told = other
                if on_wait is not None and timeout > 0:
                    on_wait(other)
            patience = timeout if told else max(timeout, _ANONYMOUS)
            left = began + patience - time.monotonic()
            if left <= 0:
                raise self._locked(told)
            _wait(min(pause, left), cancelled)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def release(self) -> None:
        """Gives the lock back, if this object has it; never fails."""
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
        text = self._tenancy.tenure().holder if self._tenancy else None
        return from_text(text) if text is not None else None

    def standing(self) -> tuple[Holder, Proof] | None:
        """Who has the lock and what is known of them; None if nobody has."""
        holder = self.holder()
        return (holder, proof(holder, flock_is_free=self._is_free())) if holder else None

    def unlock(self, *, force: bool = False) -> Holder | None:
        """Takes the lock from a holder that is dead, or with *force* from any; gives that holder.

        Whatever the holder still tries to store is refused from then on.

        Raises:
            StateError: the holder lives or may live, and *force* is not given.
        """
        flock = Flock(self._flock.path)
        while self._tenancy is not None:
            taken = flock.take()
            try:
                seen = self._tenancy.tenure()
                if seen.holder is None:
                    return None
                holder = from_text(seen.holder)
                found = proof(holder, flock_is_free=taken is not Taken.NO)
                if found is not Proof.DEAD and not force:
                    raise self._refusal(holder, found)
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
            other = from_text(seen.holder) if seen.holder is not None else None
            if other is None or proof(other, flock_is_free=True) is Proof.DEAD:
                me = this_process(self._command, flocked=taken is Taken.YES)
                won = tenancy.claim(seen, to_text(me))
                passing("lock.claimed")
            return won, other
        finally:
            if not won:
                self._flock.drop()

    def _other(self) -> Holder | None:
        """Who has the kernel's lock; None while they have not said so."""
        holder = self.holder()
        dead = holder is not None and proof(holder, flock_is_free=True) is Proof.DEAD
        return None if dead else holder

    def _locked(self, holder: Holder | None) -> StateError:
        if holder is not None:
            return self._refusal(holder, proof(holder, flock_is_free=self._is_free()))
        return StateError(
            Diagnostic(
                summary=f"the state of {self._name} is locked",
                detail="Another command is just taking it.",
                help="Try again, or let lab wait: `--lock-timeout 10m`.",
            )
        )

    def _is_free(self) -> bool:
        flock = Flock(self._flock.path)
        taken = flock.take()
        flock.drop()
        return taken is not Taken.NO

    def _refusal(self, holder: Holder, found: Proof) -> StateError:
        if found is Proof.UNKNOWN:
            why = " From here it cannot be seen whether that command still runs."
            advice = "If you know that it does not run any more: `lab state unlock --force`."
        else:
            why = ""
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
