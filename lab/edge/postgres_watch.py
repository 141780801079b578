"""No statement is waited for without end: what does not answer is cut off, from a thread that only watches."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

LONGEST = 30.0  # seconds; a server that waits for another's lock gives up before


class Watch:
    """Watches one connection at a time. Mutable: it knows what is waited for now, and since when."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._turn = threading.Condition(threading.Lock())
        self._handle: int | None = None
        self._until = 0.0
        self._watching = False

    @contextlib.contextmanager
    def __call__(self, connection: psycopg.Connection) -> Iterator[None]:
        """While it lasts, the connection is cut if that takes too long."""
        with self._turn:
            self._handle, self._until = connection.fileno(), time.monotonic() + self._longest
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._look, name="state-watch", daemon=True).start()
        try:
            yield
        finally:
            with self._turn:
                self._handle = None

    def sever(self) -> None:
        """Cuts what is waited for now."""
        with self._turn:
            self._cut()

    def _look(self) -> None:
        # It ends when there was nothing to watch for a while, so that no thread outlives its use.
        with self._turn:
            idle = 0
            while idle < 3:
                idle = idle + 1 if self._handle is None else 0
                if self._handle is not None and time.monotonic() > self._until:
                    self._cut()
                self._turn.wait(1.0)
            self._watching = False

    def _cut(self) -> None:
        handle, self._handle = self._handle, None
        if handle is None:
            return
        # The driver keeps its own handle; what is shut down is the connection that both share.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(handle)) as shared:
            shared.shutdown(socket.SHUT_RDWR)
