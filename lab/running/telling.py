"""Tells events from many threads, durable ones once they are; a reporter that fails ends the run, but no step."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from lab.crashpoint import passing
from lab.model.event import Event
from lab.model.frozen import dataclass
from lab.ports import Cancel, Journal


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """An event in line to be told; ``durable`` returns once it is stored."""

    number: int
    event: Event
    durable: Callable[[], None]


class Telling:
    """Events are told in the order in which they came, whichever thread then tells them.

    Mutable: after the first ``error`` the reporter hears no more, and the run is stopped.
    """

    def __init__(self, tell: Callable[[Event], None], journal: Journal, stop: Cancel) -> None:
        self._tell, self._journal, self._stop = tell, journal, stop
        self._line: deque[Entry] = deque()
        self._number = 0
        self._coming, self._turn = threading.Lock(), threading.Lock()
        self.error: Exception | None = None

    def enter(self, event: Event) -> Entry:
        """Puts an event in line to be stored and then told; waits for neither."""
        with self._coming:
            return self._append(event, self._journal.enter(event))

    def reach(self, entry: Entry) -> None:
        """Waits until *entry* and all before it are stored, and sees to it that they are told.

        Raises:
            StateError: one of them could not be stored; that one is not told.
        """
        try:
            entry.durable()
        finally:
            self._tell_up_to(entry.number)

    def later(self, event: Event) -> None:
        """Tells an event that nobody stores, after those that came before it."""
        with self._coming:
            entry = self._append(event, _nothing)
            alone = self._line[0] is entry
        if alone:
            self._tell_up_to(entry.number)

    def flush(self) -> None:
        """Waits until everything that came is stored and told.

        Raises:
            StateError: something could not be stored.
        """
        self._tell_up_to(self._number)

    def __call__(self, event: Event) -> None:
        """Tells an event at once."""
        with self._turn:
            self._hand_on(event)

    def _append(self, event: Event, durable: Callable[[], None]) -> Entry:
        self._number += 1
        entry = Entry(self._number, event, durable)
        self._line.append(entry)
        return entry

    def _tell_up_to(self, number: int) -> None:
        with self._turn:
            while self._line and self._line[0].number <= number:
                entry = self._line.popleft()
                entry.durable()
                passing("report.before")
                self._hand_on(entry.event)
                passing("report.after")

    def _hand_on(self, event: Event) -> None:
        if self.error is not None:
            return
        try:
            self._tell(event)
        except Exception as error:  # noqa: BLE001 - the run raises it once its steps have ended
            self.error = error
            self._stop.set()


def _nothing() -> None:
    """What need not be stored is durable."""
