"""The threads that make steps; each, when it has ended one, decides what may start next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

J = TypeVar("J")
C = TypeVar("C")

POLL = 0.2  # seconds between two looks at the signals while nothing ends


class Boss(Protocol[J, C]):
    """Whom a crew works for: jobs of the sort J, which come to something of the sort C."""

    def decide(self, ended: tuple[J, C] | None) -> Iterable[J]:
        """Takes what has ended (at first None); gives the jobs that may start now.

        One thread at a time calls it, whichever has just ended a job.
        """

    def make(self, job: J, before: C | None) -> C:
        """Does a job. *before*: what the same thread has just ended and must still settle."""

    def settle(self, before: C) -> None:
        """Settles what a thread has ended that gets no other job."""

    def stop(self) -> None:
        """Something was raised: from now on ``decide`` gives nothing."""


class Crew(Generic[J, C]):
    """Mutable: it hires threads as they are needed.

    Deciding goes from thread to thread instead of having one of its own: no step waits for another
    thread to wake up before it starts.
    """

    def __init__(self, boss: Boss[J, C]) -> None:
        self._boss = boss
        self._turn = threading.Condition(threading.Lock())
        self._over = threading.Event()
        self._open: deque[J] = deque()
        self._busy = 0
        self._idle = 0
        self._coming = 0  # threads that were called and are not there yet
        self._error: BaseException | None = None

    def go(self) -> None:
        """Returns when all jobs have ended.

        Raises:
            BaseException: the first that the boss raised.
        """
        with self._turn:
            self._decide(None)
            self._call()
            self._see_if_over()
        try:
            self._wait()
        except BaseException:
            self._boss.stop()
            self._wait()
            raise
        if self._error is not None:
            raise self._error

    def again(self) -> None:
        """Asks the boss anew, for something else than an end may let jobs start; from a job's thread."""
        with self._turn:
            self._decide(None)
            self._call()

    def _wait(self) -> None:
        # In short pieces, so that Ctrl-C reaches this thread.
        while not self._over.wait(POLL):
            pass

    def _work(self) -> None:
        while (job := self._take()) is not None:
            before: C | None = None
            while job is not None:
                job, before = self._do(job, before)
            self._rest(before)

    def _take(self) -> J | None:
        """A job, once there is one; None when all is over."""
        with self._turn:
            self._coming -= 1
            while not self._open:
                if self._over.is_set():
                    return None
                self._idle += 1
                self._turn.wait()
                self._coming -= 1
            self._busy += 1
            return self._open.popleft()

    def _do(self, job: J, before: C | None) -> tuple[J | None, C | None]:
        """Does *job*; gives the next one, if there is any, and what this one came to."""
        try:
            came = self._boss.make(job, before)
        except BaseException as error:  # noqa: BLE001 - `go` raises it in the caller's thread
            self._fail(error)
            return None, None
        with self._turn:
            self._decide((job, came))
            mine = self._open.popleft() if self._open else None
            self._call()
        return mine, came

    def _rest(self, before: C | None) -> None:
        try:
            if before is not None:
                self._boss.settle(before)
        except BaseException as error:  # noqa: BLE001 - likewise
            self._fail(error)
        with self._turn:
            self._busy -= 1
            self._see_if_over()

    def _decide(self, ended: tuple[J, C] | None) -> None:
        try:
            self._open += self._boss.decide(ended)
        except BaseException as error:  # noqa: BLE001 - likewise
            self._fail(error)

    def _call(self) -> None:
        """Finds a thread for each open job: idle ones first."""
        wanted = len(self._open) - self._coming
        woken = max(0, min(self._idle, wanted))
        self._idle -= woken
        self._coming += woken
        self._turn.notify(woken)
        for _ in range(wanted - woken):
            try:
                threading.Thread(target=self._work, name="step", daemon=True).start()
            except RuntimeError as error:  # no more threads: those that work will take it in turn
                if not self._busy and not self._coming:
                    self._open.clear()
                    self._fail(error)
                return
            self._coming += 1

    def _see_if_over(self) -> None:
        if not self._busy and not self._open:
            self._over.set()
            self._turn.notify_all()

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._boss.stop()
