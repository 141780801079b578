"""Renews a lease while it is held, and says in time that it could not.

Time in which this process did not run (a stopped or sleeping machine) does not count as silence: when
it wakes it asks first whether the lab is still its own, and goes on if it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lab.edge.journal_storage import Storage
from lab.model.diagnostic import StateError

_AT_MOST = 2 / 3  # of the lease may pass in silence; the rest is for the steps to end in
_TAKEN = "Somebody released the lock, or took it over."


class Renewal:
    """Two threads: one asks the database, and may hang; one only looks at the clock.

    *renew* gives False where the lease is somebody else's now. *lost* is called once, with the reason.
    """

    def __init__(
        self,
        storage: Storage,
        seconds: float,
        renew: Callable[[Storage], bool],
        lost: Callable[[str], None],
    ) -> None:
        self._storage, self._seconds = storage, seconds
        self._renew, self._lost = renew, lost
        self._over, self._now = threading.Event(), threading.Event()
        self._turn = threading.Lock()
        self._good = _clock()  # when the newest renewal began that came through
        self._silent = 0.0  # seconds since then in which this process ran
        self._why = "It does not answer."

    def start(self) -> None:
        for work in (self._ask, self._watch):
            threading.Thread(target=work, name="lease", daemon=True).start()

    def stop(self) -> None:
        """Renews no more; does not wait for what hangs."""
        self._over.set()
        self._now.set()

    def _ask(self) -> None:
        pause = self._seconds / 3
        while not self._over.is_set():
            self._now.wait(pause)
            self._now.clear()
            if self._over.is_set():
                break
            began = _clock()
            try:
                if not self._renew(self._storage):
                    self._lose(_TAKEN)
                    break
                self._good, self._silent, pause = began, 0.0, self._seconds / 3
            except StateError as error:
                self._why, pause = _reason(error), self._seconds / 20
                if _clock() - self._good > self._seconds * _AT_MOST:
                    self._lose(self._why)
        self._storage.close()

    def _watch(self) -> None:
        tick = min(1.0, self._seconds / 20)
        before = _clock()
        while not self._over.wait(tick):
            now = _clock()
            if now - before > 5 * tick + 1:
                self._now.set()  # it slept
            self._silent += min(now - before, 2 * tick)
            before = now
            if self._silent > self._seconds * _AT_MOST:
                self._lose(self._why)

    def _lose(self, reason: str) -> None:
        with self._turn:
            if self._over.is_set():
                return
            self.stop()
        self._lost(reason)


def _reason(error: StateError) -> str:
    first = error.diagnostics[0]
    return f"{first.summary[:1].upper()}{first.summary[1:]}."


def _clock() -> float:
    """Seconds that go on while the machine sleeps."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()
