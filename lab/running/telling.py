"""Tells events to a reporter from many threads; a reporter that fails ends the run, but no step."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.model.event import Event
from lab.ports import Cancel


class Telling:
    """Mutable: after the first ``error`` the reporter hears no more, and the run is stopped."""

    def __init__(self, tell: Callable[[Event], None], stop: Cancel) -> None:
        self._tell, self._stop = tell, stop
        self._lock = threading.Lock()
        self.error: Exception | None = None

    def __call__(self, event: Event) -> None:
        """Hands the event on, one after the other."""
        with self._lock:
            if self.error is not None:
                return
            try:
                self._tell(event)
            except Exception as error:  # noqa: BLE001 - the run raises it once its steps have ended
                self.error = error
        if self.error is not None:
            self._stop.set()
